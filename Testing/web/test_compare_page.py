"""A visitor compares two scans."""

import pytest

pytest.importorskip("trame_slicer", reason="needs trame-slicer: make test-web installs it")
pytest.importorskip("playwright", reason="needs playwright: make test-web installs it")
from playwright.sync_api import expect
from web_demo.examples import FIRST, OTHER

SECOND = ("SecondRed", "SecondGreen", "SecondYellow")


@pytest.fixture(scope="module")
def page(page):
    page.unfold("compare")
    return page


def second_places(page) -> list[str]:
    return [page.page.inner_text(f"#over-{view} .view-place") for view in SECOND]


def test_without_a_second_scan_the_page_says_what_to_do(page):
    assert "Choose a scan for the second row" in page.page.inner_text("#section-compare")


def test_an_example_becomes_the_second_scan_with_one_choice_and_is_shown_below_the_first(page):
    page.choose("other-box", OTHER)
    page.page.wait_for_selector("#over-SecondYellow")
    for view in ("Red", *SECOND):
        page.wait_until(lambda view=view: page.picture(view).std() > 20)
    assert page.page.locator("#over-ThreeD").count() == 0
    assert FIRST in page.page.inner_text(".v-select:has(#scan-box)")
    page.wait_until(lambda: page.page.locator("#find-there").is_enabled())


def test_the_clicked_place_is_found_in_the_second_scan(page):
    page.ask("spleen")
    before = second_places(page)
    page.page.click("#find-there")
    expect(page.page.locator("#match")).to_contain_text("Same place in the other scan: L ")
    page.wait_until(lambda: second_places(page) != before)
    assert "The way back from there ends" in page.page.inner_text("#match")


def test_a_click_in_the_second_scan_is_no_place_of_the_first(page):
    page.click_at("SecondRed", 0.5, 0.5)
    page.wait_until(lambda: page.page.inner_text(".here-place").endswith(
        page.page.inner_text("#over-SecondRed .view-place")
    ))
    page.page.click("#find-there")
    page.page.wait_for_selector("#message.problem")
    assert page.message() == f'Click a place in "{FIRST}" first.'
    page.page.click("#message button")


def test_linked_views_follow_the_mouse(page):
    page.page.click("#link")
    expect(page.page.locator("#match")).to_contain_text("the other follows")
    page.point_at("Red", 0.5, 0.45)
    expect(page.page.locator("#match")).to_contain_text("Same place in the other scan")
    before = second_places(page)
    page.point_at("Green", 0.45, 0.75)
    page.wait_until(lambda: second_places(page) != before)


def test_what_is_under_the_mouse_is_named_by_the_scan_that_the_view_shows(page):
    page.page.click("#link")
    expect(page.page.locator("#match")).to_have_count(0)
    page.ask("liver")
    page.page.click("#find-there")
    page.wait_until(lambda: page.ring("SecondRed") is not None)
    page.point_at_ring("SecondRed")
    page.wait_until(lambda: "iver" in page.page.inner_text("#here-name"))


def test_without_the_second_scan_the_3d_view_is_back(page):
    page.page.click(".v-select:has(#other-box) .v-field__clearable")
    page.page.wait_for_selector("#over-ThreeD")
    assert page.page.locator("#over-SecondRed").count() == 0
    assert page.errors == []
