"""A visitor pastes a report."""

import pytest

pytest.importorskip("trame_slicer", reason="needs trame-slicer: make test-web installs it")
pytest.importorskip("playwright", reason="needs playwright: make test-web installs it")

REPORT = """CT of the abdomen <b>today</b>.
Cyst of the left kidney. The liver is normal, the spleen too. No lesion of the brain.
The right spleen was not measured."""


@pytest.fixture(scope="module")
def page(page):
    page.unfold("report")
    return page


def test_a_report_is_shown_as_it_was_pasted_with_links(page):
    page.page.fill("#report-box", REPORT)
    page.page.click("#read-report")
    page.page.wait_for_selector("#report")
    shown = page.page.locator("#report").evaluate("node => node.textContent").replace(" !", "").replace(" ?", "")
    assert shown == REPORT
    links = page.page.locator("#report button").all_inner_texts()
    assert [name for name in ("left kidney", "liver", "spleen") if not any(name in link for link in links)] == []
    assert not any("brain" in link for link in links)
    assert "in this scan (blue)" in page.page.inner_text("#report-summary")


def test_what_is_not_in_the_scan_says_why(page):
    grey = page.page.locator("#report .not-here", has_text="brain")
    assert "not in this scan" in grey.get_attribute("title")


def test_a_side_that_a_structure_does_not_have_is_to_be_checked(page):
    side = page.page.locator("#report .side")
    assert "spleen" in side.first.inner_text() and "!" in side.first.inner_text()
    assert "side" in page.page.inner_text("#report-summary")


def test_a_link_moves_the_views_and_marks_the_place(page):
    page.page.locator("#report button", has_text="left kidney").first.click()
    page.wait_until(lambda: "Left kidney" in page.page.inner_text("#report-answer"))
    assert page.places()["Sagittal"].startswith("L ")
    page.wait_until(lambda: page.ring("Red") is not None)


def test_a_key_slice_is_gone_to(page):
    row = page.page.locator("#report-slices tbody tr").first
    place = row.locator("td").first.inner_text()
    page.ask("right lung")
    row.click()
    page.wait_until(lambda: page.places()["Axial"] == place)


def test_an_empty_report_and_one_that_is_no_text_are_refused(page):
    page.page.fill("#report-box", "%PDF-1.4 liver")
    page.page.click("#read-report")
    page.page.wait_for_selector("#message.problem")
    assert "plain text" in page.message()
    page.page.fill("#report-box", "")
    assert page.page.locator("#read-report").is_disabled()
    assert page.errors == []
