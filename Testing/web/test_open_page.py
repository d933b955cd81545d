"""A visitor opens a series of DICOM files without packing it first."""

import numpy as np
import pytest

pytest.importorskip("trame_slicer", reason="needs trame-slicer: make test-web installs it")
pytest.importorskip("playwright", reason="needs playwright: make test-web installs it")
from anatembed.scan.volume import Volume
from playwright.sync_api import expect
from web_scans import kidneys
from zipped_scans import dicom_slices


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """A folder with the slices of the kidneys, without endings, in a folder of their own."""
    folder = tmp_path_factory.mktemp("patient") / "series 1"
    folder.mkdir()
    whole = kidneys()
    volume = Volume(whole.array_kji[:12], whole.ijk_to_ras, "CT", "kidneys")
    for name, content in dicom_slices(tmp_path_factory.mktemp("slices"), volume).items():
        (folder / name.split("/")[-1].removesuffix(".dcm")).write_bytes(content)
    (folder / ".DS_Store").write_bytes(b"not DICOM")
    return folder


def drop(page, *paths) -> None:
    """Drop files or folders of this computer on the page, as the file manager does."""
    session = page.page.context.new_cdp_session(page.page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 700, "y": 300, "data": data})


def chosen(page) -> str:
    return page.page.inner_text(".v-select:has(#scan-box) .v-select__selection")


def test_a_dropped_folder_is_opened_as_one_scan(page, series):
    drop(page, series)
    expect(page.page.locator("#message")).to_contain_text("is open")
    assert chosen(page) == "series 1.zip"
    page.wait_until(lambda: page.picture("Red").std() > 20)
    assert page.page.inner_text("#over-Red .view-slice").endswith("/ 12")


def test_several_slices_that_are_chosen_together_are_one_scan(page, series):
    page.page.click("#section-scan button[aria-label='Close this scan']")
    page.page.click("#message button")
    slices = sorted(path for path in series.iterdir() if not path.name.startswith("."))
    page.page.set_input_files("#scan-file", [str(path) for path in slices])
    expect(page.page.locator("#message")).to_contain_text("is open")
    assert page.page.inner_text("#over-Red .view-slice").endswith("/ 12")


def test_several_volumes_at_once_are_refused_in_a_sentence(page, tmp_path):
    for name in ("a.nii.gz", "b.nii.gz"):
        (tmp_path / name).write_bytes(np.zeros(10, np.uint8).tobytes())
    drop(page, tmp_path / "a.nii.gz", tmp_path / "b.nii.gz")
    page.page.wait_for_selector("#message.problem")
    assert "One scan at a time" in page.message()


def test_an_empty_folder_is_said_to_be_empty(page, tmp_path):
    (tmp_path / "nothing").mkdir()
    drop(page, tmp_path / "nothing")
    expect(page.page.locator("#message")).to_contain_text("no file in it")
    assert page.errors == []
