"""The page under a finger, 1024x768."""

import pytest

pytest.importorskip("trame_slicer", reason="needs trame-slicer: make test-web installs it")
pytest.importorskip("playwright", reason="needs playwright: make test-web installs it")


@pytest.fixture(scope="module")
def page(browser, launcher):
    from web_page import VisitorsPage

    context = browser.new_context(viewport={"width": 1024, "height": 768}, has_touch=True, is_mobile=True)
    page = VisitorsPage(context.new_page(), launcher.address)
    page.open()
    yield page
    context.close()


def test_everything_fits_without_scrolling_sideways(page):
    wide = page.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
    for view in ("Red", "Green", "Yellow", "ThreeD"):
        box = page.page.locator(f"#over-{view}").bounding_box()
        assert box["width"] > 300 and box["x"] + box["width"] <= 1025 and box["y"] + box["height"] <= 769


def test_a_tap_on_an_offer_finds_it(page):
    page.page.tap("#find-box")
    page.page.keyboard.type("splee")
    page.page.tap(".structure-offer >> text='spleen'")
    page.wait_until(lambda: page.hits())
    assert page.page.inner_text("#answer") == "Spleen: found."


def test_a_tap_on_a_picture_names_the_place_and_moves_the_other_views(page):
    page.ask("liver")
    places = page.places()
    page.wait_until(lambda: page.ring("Red") is not None)
    box, (across, down) = page.page.locator("#over-Red").bounding_box(), page.ring("Red")
    page.page.touchscreen.tap(box["x"] + across * box["width"], box["y"] + down * box["height"])
    page.wait_until(lambda: "iver" in page.page.inner_text("#here-name"))
    page.page.touchscreen.tap(box["x"] + 0.5 * box["width"], box["y"] + 0.3 * box["height"])
    page.wait_until(lambda: page.places()["Coronal"] != places["Coronal"])


def test_a_slider_goes_through_the_slices(page):
    places = page.places()
    thumb = page.page.locator("#over-Red [role=slider]").bounding_box()
    page.page.touchscreen.tap(thumb["x"] - 60, thumb["y"] + thumb["height"] / 2)
    page.wait_until(lambda: page.places()["Axial"] != places["Axial"])
    assert page.places()["Sagittal"] == places["Sagittal"]


def test_what_one_taps_is_large_enough_for_a_finger(page):
    for selector in ("#find", "#heat-map", "#embed", "#open-file", "#show-structures", ".hits tbody tr"):
        assert page.page.locator(selector).first.bounding_box()["height"] >= 28
