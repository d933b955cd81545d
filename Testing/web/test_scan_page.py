"""A visitor opens files, embeds them, and stops it."""

import base64
import re

import pytest

pytest.importorskip("trame_slicer", reason="needs trame-slicer: make test-web installs it")
pytest.importorskip("playwright", reason="needs playwright: make test-web installs it")
from bad_scans import BAD_SCANS
from playwright.sync_api import expect
from web_scans import write_kidneys


def drop(page, path, name) -> None:
    """Drop a file on the page as from the desktop."""
    page.page.evaluate(
        """async ([name, content]) => {
          const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
          const data = new DataTransfer();
          data.items.add(new File([bytes], name));
          for (const kind of ["dragenter", "dragover", "drop"])
            document.body.dispatchEvent(new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        [name, base64.b64encode(path.read_bytes()).decode()],
    )


def uploads(launcher) -> list:
    """Uploaded files that are on the disk, of all visitors."""
    return [one for folder in launcher.session_folders() for one in (folder / "uploads").glob("*")]


@pytest.mark.parametrize("bad", ["not an image", "truncated gz", "empty file", "4D", "NaN", "singular geometry"])
def test_a_broken_file_is_refused_in_a_sentence_and_the_scan_stays(page, bad, tmp_path):
    page.upload(BAD_SCANS[bad](tmp_path))
    page.page.wait_for_selector("#message.problem")
    words = page.message()
    assert "cannot be opened" in words or words == "The file is empty."
    assert "Traceback" not in words and "/" not in words and ".." not in words
    assert page.page.locator("#scan-line").inner_text() == "Embedded: this scan can be searched."
    page.page.click("#message button")


def test_another_kind_of_file_is_refused(page, tmp_path):
    path = tmp_path / "letter.pdf"
    path.write_bytes(b"%PDF")
    page.page.evaluate("document.getElementById('scan-file').removeAttribute('accept')")
    page.upload(path)
    page.page.wait_for_selector("#message.problem")
    assert '"letter.pdf" is none of the files that can be opened' in page.message()
    page.page.click("#message button")


def test_a_dropped_file_is_opened_and_its_copy_is_deleted(page, launcher, tmp_path):
    drop(page, write_kidneys(tmp_path), "my <b>CT.nii.gz")
    expect(page.page.locator("#scan-line")).to_contain_text("Not embedded yet")
    assert page.page.inner_text(".v-select:has(#scan-box) .v-select__selection") == "my <b>CT.nii.gz"
    assert page.page.locator("#find").is_disabled()
    page.wait_until(lambda: not uploads(launcher))


def test_embedding_can_be_stopped_and_nothing_is_changed(page):
    page.page.click("#embed")
    expect(page.page.locator("#embed")).to_have_text("Cancel")
    page.page.wait_for_selector("#embedding")
    page.page.click("#embed")
    expect(page.page.locator("#message")).to_contain_text("The embedding was stopped. Nothing was changed.")
    assert page.page.inner_text("#scan-line").startswith("Not embedded yet")


def test_an_opened_scan_is_embedded_with_progress_and_can_be_asked(page):
    seen = []
    page.page.expose_function("seenStage", lambda text: seen.append(text))
    page.page.evaluate("""() => new MutationObserver(() => {
        const line = document.querySelector('#embedding');
        if (line) window.seenStage(line.innerText);
      }).observe(document.body, {subtree: true, childList: true, characterData: true})""")
    page.page.click("#embed")
    expect(page.page.locator("#message")).to_contain_text("is ready: type a structure", timeout=180_000)
    assert len(set(seen)) >= 3
    assert page.ask("left kidney") == "Left kidney: found."
    assert page.places()["Sagittal"].startswith("L ")
    assert "not in this scan" in page.ask("brain")


def test_the_first_scan_can_be_chosen_again_and_the_other_one_closed(page):
    page.choose("scan-box", "CT of the trunk")
    expect(page.page.locator("#scan-line")).to_have_text("Embedded: this scan can be searched.")
    assert page.hits() == []
    page.choose("scan-box", "my <b>CT.nii.gz")
    page.page.click("#section-scan button[aria-label='Close this scan']")
    page.wait_until(lambda: "CT of the trunk" in page.page.inner_text(".v-select:has(#scan-box)"))
    assert page.ask("spleen") == "Spleen: found."


def test_every_scan_closed_leaves_a_page_that_says_what_to_do(page):
    page.page.click("#section-scan button[aria-label='Close this scan']")
    expect(page.page.locator("#scan-line")).to_have_text("Open a CT.")
    page.page.click("#section-scan >> text=Examples")
    page.page.click(".v-list-item >> text=bundled with the module")
    page.wait_until_drawn()
    assert page.ask("spleen") == "Spleen: found."


def test_the_page_has_logged_no_error_but_the_refusals(page):
    assert [line for line in page.errors if not re.search(r"\b(413|415)\b", line)] == []
