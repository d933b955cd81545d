"""A visitor takes results away."""

import csv
import io
import json

import numpy as np
import pytest

pytest.importorskip("trame_slicer", reason="needs trame-slicer: make test-web installs it")
pytest.importorskip("playwright", reason="needs playwright: make test-web installs it")
from PIL import Image
from playwright.sync_api import expect


def taken(page, button: str) -> tuple[str, bytes]:
    """Name and content of the file that a button downloads."""
    with page.page.expect_download() as download:
        page.page.click(button)
    return download.value.suggested_filename, download.value.path().read_bytes()


def keep(page, text: str) -> tuple[float, float, float]:
    """Find and keep a structure; its place as the table says it, as RAS mm."""
    page.ask(text)
    place = page.hits()[0][2].removesuffix(" mm")
    page.page.locator(".hits tbody tr").first.locator("button").click()
    expect(page.page.locator("#message")).to_contain_text("Kept")
    sign = {"R": 1, "A": 1, "S": 1, "L": -1, "P": -1, "I": -1}
    return tuple(sign[part.split()[0]] * float(part.split()[1]) for part in place.split(", "))


def test_kept_places_are_listed_and_leave_as_points_and_as_a_table(page):
    page.unfold("take")
    kidney, spleen = keep(page, "left kidney"), keep(page, "spleen")
    rows = page.page.locator("#kept tbody tr")
    assert rows.count() == 2
    name, content = taken(page, "#take-kept-markups")
    points = json.loads(content)["markups"][0]["controlPoints"]
    assert name == "kept-places.mrk.json" and [one["label"] for one in points] == ["left kidney", "spleen"]
    lps = np.array(points[0]["position"])
    assert np.allclose(lps * [-1, -1, 1], kidney, atol=0.51)
    name, content = taken(page, "#take-kept-csv")
    lines = list(csv.DictReader(io.StringIO(content.decode())))
    assert name == "kept-places.csv" and [one["side"] for one in lines] == ["left", ""]
    written = [float(lines[1][axis]) for axis in ("right_mm", "anterior_mm", "superior_mm")]
    assert np.allclose(written, spleen, atol=0.51)


def test_a_kept_place_is_shown_again_and_can_be_let_go(page):
    page.ask("right lung")
    rows = page.page.locator("#kept tbody tr")
    rows.first.click()
    page.wait_until(lambda: page.places()["Sagittal"] == rows.first.inner_text().split("\t")[1].split(", ")[0] + " mm")
    rows.first.locator("button").click()
    page.wait_until(lambda: rows.count() == 1)
    assert "Spleen" in rows.first.inner_text()


def test_the_table_of_structures_has_every_organ_with_its_place_and_volume(page):
    _name, content = taken(page, "#take-structures-csv")
    lines = {one["id"]: one for one in csv.DictReader(io.StringIO(content.decode()))}
    assert float(lines["kidney_left"]["right_mm"]) < 0 < float(lines["kidney_right"]["right_mm"])
    assert 40 < float(lines["spleen"]["volume_ml"]) < 900
    _name, content = taken(page, "#take-structures-markups")
    assert {"spleen", "left kidney"} <= {one["label"] for one in json.loads(content)["markups"][0]["controlPoints"]}


def test_the_figure_shows_the_views_as_they_are(page):
    page.page.click(".windows >> text='Soft tissue'")
    page.ask("liver")
    page.wait_until(lambda: page.ring("Red") is not None)
    name, content = taken(page, "#take-figure")
    figure = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)
    view = page.picture("Red").astype(int)
    assert name == "views.png" and figure.shape[1] > 2 * view.shape[1]
    inside = figure[74 : 74 + view.shape[0], 22 : 22 + view.shape[1]]
    middle = slice(view.shape[0] // 3, view.shape[0] // 2), slice(view.shape[1] // 4, view.shape[1] // 3)
    assert np.abs(inside[middle] - view[middle]).mean() < 6


def test_the_answer_is_copied_as_text(page):
    page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.ask("left kidney")
    page.page.click("#copy-answer")
    expect(page.page.locator("#message")).to_contain_text("copied")
    text = page.page.evaluate("navigator.clipboard.readText()")
    assert text.startswith("CT of the trunk: Left kidney: found.") and page.hits()[0][2] in text


def test_a_link_leads_back_to_the_view(page):
    page.ask("left kidney")
    page.page.click(".windows >> text='Bone'")
    page.wait_until(lambda: "W 1800" in page.page.inner_text("#window-numbers"))
    places = page.places()
    page.page.click("#copy-link")
    expect(page.page.locator("#message")).to_contain_text("link is copied")
    link = page.page.evaluate("navigator.clipboard.readText()")
    assert link == page.page.url
    page.page.click(".windows >> text='Soft tissue'")
    page.ask("spleen")
    page.page.goto("about:blank")
    page.page.goto(link)
    page.wait_until_drawn()
    page.wait_until(lambda: page.places() == places)
    page.wait_until(lambda: "W 1800" in page.page.inner_text("#window-numbers"))
    assert page.page.input_value("#find-box") == "left kidney"


def test_an_address_that_says_nonsense_changes_nothing(page):
    places = page.places()
    page.page.evaluate("location.hash = 'at=1,nan,x&window=1&scan=../../etc'")
    page.page.wait_for_function("() => true")
    assert page.ask("left kidney") == "Left kidney: found."
    assert page.places() == places and page.errors == []
