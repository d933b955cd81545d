"""Pictures of the web page for the README: python scripts/web_pictures.py [--out Resources/Screenshots]

Needs requirements-web.lock and chromium.
"""

import argparse
import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright
from web_demo.examples import OTHER
from web_demo.launcher_process import LauncherProcess

_ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
_DRAWN_MS = 4000
_QUALITY = 88
_REPORT = "The liver is enlarged. The spleen and both kidneys are normal. No lesion of the brain was looked for."
_DESKTOP = {"viewport": {"width": 1280, "height": 800}}
_TABLET = {"viewport": {"width": 1024, "height": 768}, "has_touch": True, "is_mobile": True}


def ask(page: Page, text: str) -> None:
    page.fill("#find-box", text)
    page.locator("#find-box").press("Enter")
    page.wait_for_selector("#answer")


def point_at(page: Page, view: str, across: float, down: float, click: bool = False) -> None:
    box = page.locator(f"#over-{view}").bounding_box()
    place = box["x"] + across * box["width"], box["y"] + down * box["height"]
    page.mouse.move(place[0] + 2, place[1])
    page.wait_for_timeout(300)
    page.mouse.move(*place)
    if click:
        page.mouse.click(*place)


def choose(page: Page, box: str, text: str) -> None:
    page.click(f".v-select:has(#{box})")
    page.click(f".v-overlay__content >> text='{text}'")


def find(page: Page) -> None:
    ask(page, "left kidney")
    page.click("#heat-map")
    page.wait_for_timeout(_DRAWN_MS)
    point_at(page, "Green", 0.5, 0.55)


def structures(page: Page) -> None:
    ask(page, "liver")
    page.click("#show-structures")
    page.wait_for_selector("#legend")
    point_at(page, "Red", 0.4, 0.55)


def refusal(page: Page) -> None:
    ask(page, "brain")
    page.click("#theme")


def compare(page: Page) -> None:
    page.click("#section-compare > summary")
    choose(page, "other-box", OTHER)
    page.wait_for_selector("#find-there:not([disabled])")
    ask(page, "spleen")
    page.click("#link")
    page.wait_for_timeout(_DRAWN_MS)
    page.click("#find-there")


def report(page: Page) -> None:
    page.click("#section-report > summary")
    page.fill("#report-box", _REPORT)
    page.click("#read-report")
    page.wait_for_selector("#report")
    page.click("#report button >> text=spleen")


def border(page: Page) -> None:
    ask(page, "liver")
    page.click("#section-border > summary")
    for box, name in (("#first-box", "liver"), ("#second-box", "stomach")):
        page.fill(box, name)
        page.locator(box).press("Enter")
    page.click("#border")
    page.wait_for_selector("#border-line")


PICTURES = {
    "web_find": (find, _DESKTOP), "web_structures": (structures, _DESKTOP), "web_not_in_this_scan": (refusal, _DESKTOP),
    "web_compare": (compare, _DESKTOP), "web_border": (border, _DESKTOP), "web_report": (report, _DESKTOP),
    "web_tablet": (structures, _TABLET),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1] / "Resources" / "Screenshots")
    parser.add_argument("--only", choices=PICTURES, nargs="*", default=list(PICTURES))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        launcher = LauncherProcess(Path(folder), "--keep-seconds", "2")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_ARGUMENTS)
        for name in options.only:
            steps, shape = PICTURES[name]
            context = browser.new_context(**shape)
            page = context.new_page()
            page.set_default_timeout(120_000)
            page.goto(launcher.address)
            page.wait_for_selector("#scan-line")
            page.wait_for_timeout(_DRAWN_MS)
            steps(page)
            page.wait_for_timeout(2 * _DRAWN_MS)
            path = options.out / f"{name}.webp"
            Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(path, quality=_QUALITY, method=6)
            print(path)
            context.close()
        launcher.end()


if __name__ == "__main__":
    main()
