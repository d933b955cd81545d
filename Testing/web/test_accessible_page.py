"""The page for who does not see it, does not hold a mouse, or does not want things to move; checked by axe-core."""

import pytest

pytest.importorskip("trame_slicer", reason="needs trame-slicer: make test-web installs it")
pytest.importorskip("playwright", reason="needs playwright: make test-web installs it")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe: make test-web installs it")


def findings(page) -> list[tuple]:
    """What axe-core finds that is not minor, with the first element of each."""
    violations = axe.Axe().run(page.page).response["violations"]
    return [(one["id"], one["nodes"][0]["html"]) for one in violations if one["impact"] != "minor"]


def test_a_page_that_was_just_opened_has_no_finding(page):
    page.wait_until(lambda: page.page.locator(".views img:not([alt])").count() == 0)
    assert findings(page) == []


def test_a_page_with_everything_unfolded_has_no_finding_in_either_theme(page):
    page.ask("left kidney")
    page.page.click("#less-likely")
    page.page.click("#show-structures")
    page.page.wait_for_selector("#legend")
    for section in ("compare", "border", "report", "take"):
        page.unfold(section)
    page.wait_until(lambda: page.page.locator("[aria-busy]").count() == 0)
    assert findings(page) == []
    page.page.click("#theme")
    page.wait_until(lambda: page.page.locator(".v-theme--light.v-application").count() == 1)
    assert findings(page) == []
    page.page.click("#theme")


def test_a_refusal_and_a_choice_have_no_finding(page):
    for text in ("brain", "kidney", "left kidney cyst"):
        page.ask(text)
        assert findings(page) == []


def test_pictures_say_what_they_show(page):
    page.ask("liver")
    place = page.places()["Axial"]
    page.wait_until(lambda: place in page.page.locator("#over-Red ~ * img, :has(> #over-Red) img").first.get_attribute(
        "alt"
    ))


def test_a_place_is_found_and_gone_to_without_a_mouse(page):
    page.page.focus("#find-box")
    page.page.keyboard.press("Control+A")
    page.page.keyboard.type("kidneys")
    page.page.keyboard.press("Enter")
    page.wait_until(lambda: [name for name, *_ in page.hits()] == ["Left kidney", "Right kidney"])
    row = page.page.locator(".hits tbody tr").nth(1)
    row.focus()
    row.press("Enter")
    wanted = page.hits()[1][2].split(", ")[0]
    page.wait_until(lambda: page.places()["Sagittal"] == f"{wanted} mm")


def test_nothing_moves_for_who_does_not_want_that(visit):
    page = visit(reduced_motion="reduce")
    assert page.page.evaluate("getComputedStyle(document.querySelector('.v-btn')).transitionDuration") in (
        "0.00001s", "1e-05s", "0s"
    )
