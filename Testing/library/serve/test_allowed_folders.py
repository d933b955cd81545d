import os

import pytest
from anatembed.serve.allowed_folders import AllowedFolders
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SECRET = "secret.nii.gz"


@pytest.fixture
def places(tmp_path):
    """allowed/{scan.nii.gz, inner/scan2.nii.gz} and outside/secret.nii.gz; `allowed-too` only begins alike."""
    for name in ("allowed/scan.nii.gz", "allowed/inner/scan2.nii.gz", f"outside/{SECRET}", f"allowed-too/{SECRET}"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"something")
    return tmp_path


@pytest.fixture
def folders(places):
    return AllowedFolders([places / "allowed"])


@pytest.mark.parametrize("text", ["scan.nii.gz", "./scan.nii.gz", "inner/../scan.nii.gz", "{root}/allowed/scan.nii.gz"])
def test_a_file_is_found_by_a_relative_or_an_absolute_path(folders, places, text):
    assert folders.existing(text.format(root=places)) == (places / "allowed" / "scan.nii.gz").resolve()


def test_a_relative_path_is_looked_for_in_every_folder(places):
    folders = AllowedFolders([places / "allowed" / "inner", places / "allowed"])
    assert folders.existing("scan.nii.gz").parent.name == "allowed"


@pytest.mark.parametrize(
    "text",
    [
        "../outside/secret.nii.gz", "{root}/outside/secret.nii.gz", "inner/../../outside/secret.nii.gz", "..",
        "{root}/allowed/../outside/secret.nii.gz", "{root}/allowed-too/secret.nii.gz", "/", "/etc/passwd",
        "../allowed-too/secret.nii.gz", "{root}/outside/nothing.nii.gz",
    ],
)  # fmt: skip
def test_what_lies_outside_is_refused_whether_it_exists_or_not(folders, places, text):
    with pytest.raises(ValueError, match="outside of what this program may use"):
        folders.existing(text.format(root=places))


def test_a_link_that_leads_out_is_refused_and_one_that_stays_inside_is_not(folders, places):
    (places / "allowed" / "out.nii.gz").symlink_to(places / "outside" / SECRET)
    (places / "allowed" / "folder").symlink_to(places / "outside")
    (places / "allowed" / "inside.nii.gz").symlink_to(places / "allowed" / "scan.nii.gz")
    (places / "allowed" / "round").symlink_to(places / "allowed" / "round")
    assert folders.existing("inside.nii.gz").name == "scan.nii.gz"
    for text in ("out.nii.gz", f"folder/{SECRET}", "folder"):
        with pytest.raises(ValueError, match="outside"):
            folders.existing(text)
    with pytest.raises(FileNotFoundError):
        folders.existing("round")
    names = [path.name for path in folders.entries(str(places / "allowed"))]
    assert names == ["inner", "inside.nii.gz", "scan.nii.gz"]


@pytest.mark.parametrize("text", ["", "a\0b", "a\nb", "x" * 2001, "\ud800", "\x7f"])
def test_what_is_no_path_is_refused_in_one_sentence(folders, text):
    with pytest.raises(ValueError, match="expected a path of 1 to") as error:
        folders.existing(text)
    assert "\n" not in str(error.value)


def test_a_name_that_is_too_long_for_the_disk_is_no_crash(folders):
    with pytest.raises((ValueError, OSError)):
        folders.existing("x" * 1000)


def test_a_pipe_is_not_opened(folders, places):
    os.mkfifo(places / "allowed" / "pipe.nii.gz")
    with pytest.raises(ValueError, match="something else"):
        folders.existing("pipe.nii.gz")


def test_a_dicom_folder_with_a_link_that_leads_out_or_a_pipe_is_refused(folders, places):
    series = places / "allowed" / "inner"
    assert folders.scan("inner") == series.resolve()
    (series / "slice.dcm").symlink_to(places / "outside" / SECRET)
    with pytest.raises(ValueError, match="leads outside"):
        folders.scan("inner")
    (series / "slice.dcm").unlink()
    os.mkfifo(series / "slice.dcm")
    with pytest.raises(ValueError, match="device or pipe"):
        folders.scan("inner")


def test_without_a_folder_the_allowed_folders_are_listed(folders, places):
    assert folders.entries() == [(places / "allowed").resolve()]
    with pytest.raises(ValueError, match="is a file"):
        folders.entries("scan.nii.gz")


def test_a_file_that_was_there_is_never_replaced(folders, places):
    with pytest.raises(ValueError, match="already"), folders.writing("scan.nii.gz", (".nii.gz",)) as path:
        path.write_bytes(b"new")
    assert (places / "allowed" / "scan.nii.gz").read_bytes() == b"something"


def test_an_own_file_is_replaced_until_someone_else_changes_it(folders, places):
    for content in (b"first", b"second"):
        with folders.writing("new.png", (".png",)) as path:
            path.write_bytes(content)
    assert path.read_bytes() == b"second"
    path.write_bytes(b"of the user, now")
    with pytest.raises(ValueError, match="already"), folders.writing("new.png", (".png",)) as path:
        path.write_bytes(b"third")
    assert (places / "allowed" / "new.png").read_bytes() == b"of the user, now"


def test_a_write_that_fails_leaves_nothing_and_keeps_an_own_file(folders, places):
    def fail(content):
        with folders.writing("new.png", (".png",)) as path:
            if content is not None:
                path.write_bytes(content)
                return
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        fail(None)
    assert not (places / "allowed" / "new.png").exists()
    fail(b"whole")
    with pytest.raises(RuntimeError):
        fail(None)
    assert (places / "allowed" / "new.png").read_bytes() == b"whole"


@pytest.mark.parametrize(
    "text", ["../outside/new.png", "{root}/outside/new.png", "link.png", "folder/new.png", "nowhere/new.png", "new.exe"]
)
def test_nothing_is_written_outside_or_where_no_folder_is(folders, places, text):
    (places / "allowed" / "link.png").symlink_to(places / "outside" / "new.png")
    (places / "allowed" / "folder").symlink_to(places / "outside")
    with pytest.raises((ValueError, FileNotFoundError)), folders.writing(text.format(root=places), (".png",)) as path:
        path.write_bytes(b"x")
    assert {one.name for one in (places / "outside").iterdir()} == {SECRET}


def test_with_an_output_folder_nothing_is_written_elsewhere(places):
    (places / "results").mkdir()
    folders = AllowedFolders([places / "allowed"], output=places / "results")
    with folders.writing("new.png", (".png",)) as path:
        path.write_bytes(b"x")
    assert path.parent == (places / "results").resolve()
    assert folders.existing("new.png") == path
    absolute = str(places / "allowed" / "new.png")
    with pytest.raises(ValueError, match="outside"), folders.writing(absolute, (".png",)) as path:
        path.write_bytes(b"x")


def test_a_folder_that_is_missing_and_no_folder_are_refused_at_the_start(places):
    with pytest.raises(FileNotFoundError, match="existing folder"):
        AllowedFolders([places / "nowhere"])
    with pytest.raises(FileNotFoundError, match="existing folder"):
        AllowedFolders([places / "allowed"], output=places / "nowhere")
    with pytest.raises(ValueError, match="at least one"):
        AllowedFolders([])


parts = st.lists(
    st.sampled_from(["..", ".", "", "allowed", "outside", "inner", "loop", "away", "scan.nii.gz", SECRET, "~", "%2e."]),
    min_size=1,
    max_size=8,
)


@given(parts, st.sampled_from(["", "/", "{root}/", "{root}/allowed/"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_path_leads_out(folders, places, parts, start):
    allowed = places / "allowed"
    for name, target in (("loop", allowed), ("away", places / "outside")):
        if not (allowed / name).is_symlink():
            (allowed / name).symlink_to(target)
    text = start.format(root=places) + "/".join(parts)
    try:
        found = folders.existing(text)
    except (ValueError, FileNotFoundError):
        return
    assert found == found.resolve()
    assert found.is_relative_to(allowed.resolve())
