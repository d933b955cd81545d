"""A visitor lays pictures over the scan and reads what their colours mean."""

import numpy as np
import pytest

pytest.importorskip("trame_slicer", reason="needs trame-slicer: make test-web installs it")
pytest.importorskip("playwright", reason="needs playwright: make test-web installs it")


def legend(page) -> list[str]:
    return page.page.locator("#legend button").all_inner_texts()


def test_the_legend_has_what_is_in_these_slices_and_follows_them(page):
    page.ask("liver")
    page.page.click("#show-structures")
    page.wait_until(lambda: "right lobe of liver" in legend(page))
    page.page.click("#over-Red .view-enlarge")
    page.wait_until(lambda: page.page.locator("#over-Green").count() == 0)
    page.wait_until(lambda: "left gluteus medius muscle" not in legend(page) and legend(page))
    slider = page.page.locator("#over-Red [role=slider]")
    slider.focus()
    slider.press("Home")
    page.wait_until(lambda: "left gluteus medius muscle" in legend(page) and "right lobe of liver" not in legend(page))
    page.page.click("#legend-all")
    page.wait_until(lambda: {"left gluteus medius muscle", "right lobe of liver"} <= set(legend(page)))
    page.page.click("#legend-all")
    page.page.click("#over-Red .view-enlarge")
    page.wait_until(lambda: page.page.locator("#over-Green").count() == 1)


def test_whole_organs_have_one_colour_and_one_entry(page):
    page.ask("liver")
    page.wait_until(lambda: "right lobe of liver" in legend(page))
    page.page.click("#wholes")
    page.wait_until(lambda: "liver" in legend(page) and "right lobe of liver" not in legend(page))
    assert len(legend(page)) == len(set(legend(page)))
    colour = page.page.locator("#legend button", has_text="liver").first.locator(".patch").evaluate(
        "node => getComputedStyle(node).backgroundColor.match(/\\d+/g).map(Number)"
    )
    page.wait_until(lambda: share(page.picture("Green"), colour) > 0.02)
    page.page.click("#wholes")
    page.wait_until(lambda: "right lobe of liver" in legend(page))


def share(picture, colour) -> float:
    """Share of a picture that is coloured like a half of this colour on soft tissue."""
    expected = 0.5 * np.array(colour) + 0.5 * 140
    return float((np.abs(picture.astype(int) - expected).max(2) < 45).mean())


def test_an_entry_of_the_legend_finds_its_structure(page):
    page.page.locator("#legend button", has_text="spleen").first.press("Enter")
    page.wait_until(lambda: page.page.inner_text("#answer") == "Spleen: found.")


def test_the_scale_of_the_likelihood_begins_where_it_is_painted(page):
    page.ask("liver")
    page.page.click("#heat-map")
    page.page.wait_for_selector("#scale")
    page.wait_until(lambda: page.page.inner_text("#scale").split()[-1] == "100%")
    assert 0 < int(page.page.inner_text("#scale").split("%")[0]) <= 50
    slider = page.page.locator(".slider-line [role=slider]").nth(1)
    slider.focus()
    for _step in range(12):
        slider.press("ArrowRight")
    page.wait_until(lambda: page.page.inner_text("#scale").split()[0] == "60%")


def test_positions_have_a_small_body_as_their_key(page):
    page.page.click("#show-colours")
    page.page.wait_for_selector("#position-key img")
    assert page.page.evaluate("document.querySelector('#position-key img').naturalHeight") > 100
    page.page.click("#show-nothing")
    page.wait_until(lambda: page.page.locator("#position-key").count() == 0)
    assert page.errors == []
