"""A visitor looks through a scan."""

import os
import re
import signal

import numpy as np
import pytest

pytest.importorskip("trame_slicer", reason="needs trame-slicer: make test-web installs it")
pytest.importorskip("playwright", reason="needs playwright: make test-web installs it")
from visitor_processes import has_page

WHEEL = """([view, steps]) => {
  window.calls = 0;
  const trigger = window.trame.trigger;
  window.trame.trigger = function (name, ...rest) {
    if (name === "scroll") window.calls += 1;
    return trigger.call(this, name, ...rest);
  };
  const picture = document.querySelector(`#over-${view}`).parentElement.firstElementChild;
  for (let step = 0; step < steps; step++)
    picture.dispatchEvent(new WheelEvent("wheel", {deltaY: -100, bubbles: true, cancelable: true}));
}"""


def numbers(page) -> tuple[int, int]:
    """Width and centre of the window."""
    width, centre = re.fullmatch(r"W (\d+) C (-?\d+)", page.page.inner_text("#window-numbers")).groups()
    return int(width), int(centre)


def slice_number(page, view) -> int:
    return int(page.page.inner_text(f"#over-{view} .view-slice").split(" / ")[0])


def body(picture) -> tuple[int, int]:
    """First and last column in the middle rows that are not air."""
    middle = picture[picture.shape[0] // 2 - 40 : picture.shape[0] // 2 + 40, :, :].max(2)
    columns = np.flatnonzero((middle > 60).mean(0) > 0.5)
    return int(columns[0]), int(columns[-1])


def test_the_window_fits_what_was_found_until_the_visitor_chooses_one(page):
    page.ask("right lung")
    page.wait_until(lambda: numbers(page) == (1500, -500))
    page.ask("L2")
    page.wait_until(lambda: numbers(page) == (1800, 400))
    page.page.click(".windows >> text='Soft tissue'")
    page.wait_until(lambda: numbers(page) == (400, 40))
    page.ask("right lung")
    assert numbers(page) == (400, 40)
    page.page.click("#window-fits")
    page.wait_until(lambda: page.page.get_attribute("#window-fits", "aria-pressed") == "true")
    page.ask("liver")
    page.wait_until(lambda: numbers(page) == (400, 40))


def test_a_drag_changes_window_and_level_and_the_pictures(page):
    before = page.picture("Green").mean()
    page.drag("Red", (0.4, 0.5), (0, 100))
    page.wait_until(lambda: numbers(page)[1] < -60)
    page.wait_until(lambda: page.picture("Green").mean() > before + 8)
    page.drag("Red", (0.4, 0.5), (90, 0))
    page.wait_until(lambda: numbers(page)[0] > 450)
    page.page.click(".windows >> text='Soft tissue'")
    page.wait_until(lambda: numbers(page) == (400, 40))


def test_a_burst_of_the_wheel_arrives_whole_in_few_calls(page):
    first = slice_number(page, "Red")
    page.page.evaluate(WHEEL, ["Red", 30])
    page.wait_until(lambda: slice_number(page, "Red") == first + 30, 5)
    assert page.page.evaluate("window.calls") <= 10


def test_the_hu_under_the_mouse_are_those_of_what_lies_there(page):
    for structure, low, high in (("liver", -20, 130), ("right lung", -1000, -500)):
        page.ask(structure)
        page.point_at_ring("Red")
        page.wait_until(lambda low=low, high=high: low <= hu(page) <= high)


def hu(page) -> int:
    found = re.fullmatch(r"(-?\d+) HU", page.page.inner_text("#here-hu"))
    return int(found[1]) if found else -10_000


def test_pictures_do_not_move_sideways_when_another_place_is_found(page):
    page.page.click(".windows >> text='Soft tissue'")
    page.ask("liver")
    page.wait_until(lambda: page.ring("Red") is not None)
    liver, was = page.ring("Red"), body(page.picture("Green"))
    page.ask("spleen")
    page.wait_until(lambda: page.ring("Red") is not None and abs(page.ring("Red")[0] - liver[0]) > 0.1)
    now = body(page.picture("Green"))
    assert max(abs(now[0] - was[0]), abs(now[1] - was[1])) < 40


def test_a_distance_is_as_long_as_the_scale_bar_says_and_can_be_taken_away(page):
    bar = page.page.locator("#over-Red .scale-bar")
    length_mm = float(bar.inner_text().removesuffix(" mm"))
    page.page.click("#tool-distance")
    page.wait_until(lambda: "measures" in page.page.inner_text("#mouse-help"))
    page.drag("Red", (0.35, 0.5), (bar.bounding_box()["width"], 0))
    page.wait_until(lambda: page.page.locator("#distance").count() == 1)
    page.wait_until(lambda: abs(measured(page) - length_mm) < 0.05 * length_mm)
    page.wait_until(lambda: green(page.picture("Red")) > 60)
    page.page.click("#distance-undo")
    page.wait_until(lambda: green(page.picture("Red")) == 0)
    page.page.click("#tool-window")


def measured(page) -> float:
    return float(page.page.inner_text("#distance").split()[1])


def green(picture) -> int:
    picture = picture.astype(int)
    return int(((picture[..., 1] > 150) & (picture[..., 1] - picture[..., 0] > 60)).sum())


def test_a_double_click_shows_one_view_alone_and_all_again(page):
    box = page.page.locator("#over-Green").bounding_box()
    page.page.mouse.dblclick(box["x"] + 200, box["y"] + 150)
    page.wait_until(lambda: page.page.locator("#over-Red").count() == 0)
    view = page.page.locator("#over-Green")
    page.wait_until(lambda: (view.bounding_box() or {"width": 0})["width"] > 1.8 * box["width"])
    page.page.mouse.dblclick(box["x"] + 200, box["y"] + 150)
    page.wait_until(lambda: page.page.locator("#over-Red").count() == 1)


def test_a_slab_shows_its_brightest_voxels(page):
    page.page.click(".windows >> text='Bone'")
    page.ask("L2")
    page.wait_until(lambda: page.page.locator(".stale").count() == 0)
    thin = page.picture("Green").mean()
    page.page.click("#slab")
    page.page.click(".v-overlay__content >> text='MIP 40 mm'")
    page.wait_until(lambda: page.picture("Green").mean() > thin + 5)
    page.page.click("#slab")
    page.page.click(".v-overlay__content >> text='One slice'")
    page.wait_until(lambda: abs(page.picture("Green").mean() - thin) < 3)


def test_a_pressed_button_works_visibly_at_once_and_old_pictures_are_dimmed(page, launcher):
    page.page.click("#tool-window")
    page.ask("spleen")
    answers = page.page.get_attribute("#answer", "data-number")
    process = next(one for one in launcher.session_processes() if has_page(one))
    bright = page.page.locator("#over-Red").locator("..")

    def brightness() -> float:
        return bright.evaluate("node => parseFloat(getComputedStyle(node.querySelector('img')).filter.slice(11)) || 1")

    os.kill(process, signal.SIGSTOP)  # a computer that is slow, as long as it has to be
    try:
        page.page.click("#find")
        assert page.page.get_attribute("#find", "aria-busy") == "true"
        page.wait_until(lambda: brightness() < 0.6)
    finally:
        os.kill(process, signal.SIGCONT)
    page.wait_until(lambda: page.page.get_attribute("#find", "aria-busy") is None)
    page.wait_until(lambda: brightness() == 1)
    page.wait_until(lambda: page.page.get_attribute("#answer", "data-number") != answers)


def test_the_mouse_is_explained(page):
    assert [word for word in ("Wheel", "drag", "Double click") if word not in page.page.inner_text("#mouse-help")] == []


def test_nothing_is_logged(page):
    assert page.errors == []
