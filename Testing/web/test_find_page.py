"""A visitor asks the bundled scan."""

import numpy as np
import pytest

pytest.importorskip("trame_slicer", reason="needs trame-slicer: make test-web installs it")
pytest.importorskip("playwright", reason="needs playwright: make test-web installs it")
from web_page import pink


def test_the_bundled_scan_is_embedded_and_drawn_when_the_page_opens(page):
    assert page.page.inner_text("#scan-line") == "Embedded: this scan can be searched."
    page.wait_until(lambda: page.picture("ThreeD").std() > 15)


def test_the_sides_of_the_patient_stand_in_every_view(page):
    def letters(view):
        return {side: page.page.inner_text(f"#over-{view} .side-{side}") for side in ("left", "right", "top", "bottom")}

    assert letters("Red") == {"left": "R", "right": "L", "top": "A", "bottom": "P"}
    assert letters("Green") == {"left": "R", "right": "L", "top": "S", "bottom": "I"}
    assert letters("Yellow") == {"left": "A", "right": "P", "top": "S", "bottom": "I"}


def test_typing_offers_names_and_a_chosen_one_moves_the_views_there(page):
    before, places = {view: page.picture(view) for view in ("Red", "Green", "Yellow")}, page.places()
    page.page.click("#find-box")
    page.page.keyboard.type("left kid")
    page.page.click(".structure-offer >> text='left kidney'")
    page.wait_until(lambda: page.hits())
    assert page.page.input_value("#find-box") == "left kidney"
    assert page.page.inner_text("#answer") == "Left kidney: found."
    name, _confidence, place = page.hits()[0]
    left, anterior, superior = place.removesuffix(" mm").split(", ")
    assert name == "Left kidney" and left.startswith("L ")
    page.wait_until(lambda: page.places() != places)
    assert page.places() == {"Axial": f"{superior} mm", "Coronal": f"{anterior} mm", "Sagittal": f"{left} mm"}
    for view, was in before.items():
        page.wait_until(lambda view=view, was=was: np.abs(page.picture(view).astype(int) - was).mean() > 5)


def test_the_place_that_was_found_is_marked_by_a_ring_that_leaves_it_free(page):
    page.ask("liver")
    for view in ("Red", "Green", "Yellow"):
        page.wait_until(lambda view=view: page.ring(view) is not None)
        picture = page.picture(view)
        row, column = (round(part * size) for part, size in zip(page.ring(view)[::-1], picture.shape[:2], strict=True))
        around = pink(picture[row - 12 : row + 13, column - 12 : column + 13])
        assert around.sum() > 20 and around[9:16, 9:16].sum() <= 4


def coloured(picture) -> float:
    """Share of the pixels that are not grey."""
    return float((picture.max(2).astype(int) - picture.min(2) > 25).mean())


def orange(picture) -> np.ndarray:
    """Where a picture has the colours of the likelihood."""
    picture = picture.astype(int)
    return (picture[..., 0] > 110) & (picture[..., 0] - picture[..., 2] > 70)


def test_a_left_structure_is_found_on_the_right_of_the_picture(page):
    page.ask("left lung")
    assert page.places()["Sagittal"].startswith("L ")
    page.ask("right lung")
    assert page.places()["Sagittal"].startswith("R ")


def test_a_row_of_the_table_moves_the_views(page):
    page.ask("kidney")
    places = []
    for row in range(2):
        page.page.locator(".hits tbody tr").nth(row).click()
        wanted = page.hits()[row][2].split(", ")[0]
        page.wait_until(lambda wanted=wanted: page.places()["Sagittal"] == f"{wanted} mm")
        places.append(page.places()["Sagittal"][0])
    assert sorted(places) == ["L", "R"]


def test_a_name_that_exists_on_both_sides_is_asked_back(page):
    page.ask("liver")
    before = page.places()
    page.ask("kidney")
    assert page.places() == before and "choose" in page.page.get_attribute("#answer", "class")
    assert sorted(page.page.locator(".choices .v-chip").all_inner_texts()) == ["left kidney", "right kidney"]
    page.page.click(".choices .v-chip >> text='right kidney'")
    page.wait_until(lambda: page.page.inner_text("#answer") == "Right kidney: found.")
    assert page.places()["Sagittal"].startswith("R ")


def test_less_likely_places_of_a_single_organ_are_folded(page):
    page.ask("left kidney")
    rows = page.page.locator(".hits tbody tr:visible")
    assert rows.count() == 1 and len(page.hits()) > 1
    page.page.click("#less-likely")
    page.wait_until(lambda: rows.count() == len(page.hits()))


def test_the_whole_that_is_shown_for_a_part_is_no_plain_find(page):
    assert "the whole is shown" in page.ask("liver segment 2")
    assert "caution" in page.page.get_attribute("#answer", "class")


def test_a_finding_is_refused_and_its_structure_is_offered(page):
    assert "cannot be searched" in page.ask("left kidney cyst")
    assert "refuse" in page.page.get_attribute("#answer", "class") and page.hits() == []
    assert page.page.locator(".choices .v-chip").all_inner_texts() == ["left kidney"]


def test_what_is_no_structure_is_said_and_the_views_stay(page):
    page.ask("liver")
    places = page.places()
    assert "xyzzy" in page.ask("xyzzy")
    assert "refuse" in page.page.get_attribute("#answer", "class")
    assert page.hits() == [] and page.places() == places


def test_what_is_not_in_the_scan_is_said_and_the_views_stay(page):
    page.ask("liver")
    places = page.places()
    assert "not in this scan" in page.ask("brain")
    assert page.hits() == [] and page.places() == places


def test_the_arrow_keys_choose_a_name(page):
    page.page.fill("#find-box", "")
    page.page.click("#find-box")
    page.page.keyboard.type("splee")
    page.page.wait_for_selector(".structure-offer >> text='spleen'")
    page.page.keyboard.press("ArrowDown")
    page.page.wait_for_selector(".structure-offer.marked")
    page.page.keyboard.press("Enter")
    page.wait_until(lambda: page.page.inner_text("#answer") == "Spleen: found.")


def test_the_likelihood_is_painted_where_the_structure_is_and_follows_the_next_question(page):
    page.ask("liver")
    page.page.click("#heat-map")
    page.page.wait_for_selector("text=automatic")
    page.wait_until(lambda: orange(page.picture("Red")).sum() > 4000)
    painted = orange(page.picture("Red")).sum()
    page.ask("spleen")
    assert page.page.locator("#show-heat-map").get_attribute("class").count("bg-primary") == 1
    page.wait_until(lambda: 400 < orange(page.picture("Red")).sum() < 0.8 * painted)
    page.page.click("#show-nothing")
    page.wait_until(lambda: page.page.locator("text=automatic").count() == 0)


def test_structures_are_painted_with_a_legend_and_their_opacity_can_be_changed(page):
    page.ask("liver")
    page.wait_until(lambda: coloured(page.picture("Red")) < 0.07)
    page.page.click("#show-structures")
    page.page.wait_for_selector("#legend")
    assert "spleen" in page.page.inner_text("#legend")
    page.wait_until(lambda: coloured(page.picture("Red")) > 0.12)
    slider = page.page.locator(".slider-line [role=slider]").first
    slider.focus()
    slider.press("Home")
    page.wait_until(lambda: coloured(page.picture("Red")) < 0.07)
    slider.press("End")
    page.wait_until(lambda: coloured(page.picture("Red")) > 0.12)
    page.page.click("#show-nothing")
    page.wait_until(lambda: page.page.locator("#legend").count() == 0)


def test_every_overlay_has_its_explanation(page):
    for mode, words in {"colours": "same place", "uncertainty": "less sure"}.items():
        page.page.click(f"#show-{mode}")
        page.page.wait_for_selector(f"#section-show >> text={words}")
    page.page.click("#show-nothing")


def test_the_place_under_the_mouse_is_named_and_a_click_goes_there(page):
    page.ask("liver")
    page.point_at_ring("Red")
    page.wait_until(lambda: "iver" in page.page.inner_text("#here-name"))
    places = page.places()
    page.click_at("Red", 0.5, 0.8)
    page.wait_until(lambda: page.places()["Coronal"] != places["Coronal"])
    assert page.places()["Axial"] == places["Axial"]


def test_the_border_of_the_two_likeliest_structures_is_shown(page):
    page.ask("liver")
    page.unfold("border")
    page.page.click("#likeliest")
    page.wait_until(lambda: page.page.input_value("#first-box") and page.page.input_value("#second-box"))
    names = page.page.input_value("#first-box"), page.page.input_value("#second-box")
    assert names[0] != names[1]
    page.page.click("#border")
    page.page.wait_for_selector("#border-line")
    assert all(name in page.page.inner_text("#border-line") for name in names)
    page.page.click("#show-nothing")


def test_a_border_understands_and_asks_back_as_find_does(page):
    page.page.fill("#first-box", "livr")
    page.page.locator("#first-box").press("Enter")
    page.page.fill("#second-box", "right kidney")
    page.page.locator("#second-box").press("Enter")
    page.page.click("#border")
    page.page.wait_for_selector("#message.problem")
    assert "was read as" in page.message()
    page.wait_until(lambda: page.page.input_value("#first-box") == "liver")
    page.page.click("#border")
    page.page.wait_for_selector("#border-line")
    page.wait_until(lambda: page.page.locator("#message.problem").count() == 0)
    page.page.click("#show-nothing")


def test_two_equal_structures_have_no_border(page):
    for box in ("#first-box", "#second-box"):
        page.page.fill(box, "liver")
        page.page.locator(box).press("Enter")
    page.page.click("#border")
    page.page.wait_for_selector("#message.problem")
    assert page.message() == "Choose two different structures."
    page.page.click("#message button")


def test_bone_and_soft_tissue_windows_differ(page):
    page.page.click(".windows >> text='Soft tissue'")
    soft = page.picture("Red").mean()
    page.page.click(".windows >> text=Lung")
    page.wait_until(lambda: page.picture("Red").mean() > soft + 10)
    page.page.click(".windows >> text='Soft tissue'")
    page.wait_until(lambda: page.picture("Red").mean() < soft + 5)


def test_the_page_is_light_or_dark_and_the_views_stay_black(page):
    def brightness():
        return np.mean(page.page.evaluate(
            "getComputedStyle(document.querySelector('.v-navigation-drawer')).backgroundColor.match(/\\d+/g).map(Number)"
        )[:3])

    dark = brightness()
    page.page.click("#theme")
    page.wait_until(lambda: brightness() > dark + 100)
    assert np.median(page.picture("Red")) < 40
    page.page.click("#theme")
    page.wait_until(lambda: brightness() == dark)


def test_a_view_can_fill_the_page_and_gives_its_place_back(page):
    view = page.page.locator("#over-Green")
    small = view.bounding_box()["width"]
    page.page.click("#over-Green .view-enlarge")
    # While the page is laid out anew the view has no box.
    page.wait_until(lambda: (view.bounding_box() or {"width": 0})["width"] > 1.8 * small)
    assert page.page.locator("#over-Red").count() == 0
    page.page.click("#over-Green .view-enlarge")
    page.wait_until(lambda: page.page.locator("#over-Red").count() == 1)


def test_nothing_is_asked_of_another_computer_and_no_error_is_logged(page, launcher):
    own = launcher.address, launcher.address.replace("http", "ws")
    others = [url for url in page.requests if not url.startswith((*own, "blob:", "data:"))]
    assert others == []
    assert page.errors == []
