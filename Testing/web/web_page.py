"""The page as a visitor uses it, through Playwright."""

import base64
import io
import time

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

SECONDS = 60
VIEWS = {"Axial": "Red", "Coronal": "Green", "Sagittal": "Yellow"}


def pink(picture: np.ndarray) -> np.ndarray:
    """Where a picture has the colour of the rings."""
    red, green, blue = np.moveaxis(picture.astype(int), -1, 0)
    return (red > 190) & (red - green > 70) & (blue - green > 30)


_PIXELS = """selector => {
  const picture = document.querySelector(selector)?.parentElement.querySelector("img");
  if (!picture || !picture.naturalWidth) return "";
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas.toDataURL("image/png");
}"""


class VisitorsPage:
    """Steps of a visitor, and what they see; every step waits for its effect."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self._address = page, address
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.set_default_timeout(1000 * SECONDS)
        expect.set_options(1000 * SECONDS)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self) -> None:
        """Until the scan is there and drawn in every view."""
        self.page.goto(self._address)
        self.wait_until_drawn()

    def wait_until_drawn(self) -> None:
        expect(self.page.locator("#scan-line")).to_contain_text("can be searched")
        for view in VIEWS.values():
            self.wait_until(lambda view=view: self._is_drawn(view))

    def _is_drawn(self, view: str) -> bool:
        """Whether a view has a picture, and of its own size: the first one is drawn before the size is known."""
        picture, box = self.picture(view), self.page.locator(f"#over-{view}").bounding_box()
        return picture.std() > 20 and box is not None and abs(picture.shape[1] - box["width"]) < 3

    def ask(self, text: str) -> str:
        """Type a question, press Enter, and return the answer in words."""
        before = self._answers()
        self.page.fill("#find-box", text)
        self.page.locator("#find-box").press("Enter")
        self.wait_until(lambda: self._answers() > before)
        return self.page.inner_text("#answer")

    def hits(self) -> list[list[str]]:
        """Texts of the table's rows: structure, confidence, place."""
        rows = self.page.locator(".hits tbody tr")
        return [rows.nth(row).locator("td").all_inner_texts()[:3] for row in range(rows.count())]

    def places(self) -> dict[str, str]:
        """Where the planes lie, as it is written in the views."""
        return {kind: self.page.inner_text(f"#over-{view} .view-place") for kind, view in VIEWS.items()}

    def picture(self, view: str) -> np.ndarray:
        """Pixels (rows, columns, 3) uint8 that a view has got from the server; black before the first."""
        data = self.page.evaluate(_PIXELS, f"#over-{view}")
        if not data:
            return np.zeros((2, 2, 3), np.uint8)
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(data.split(",")[1]))).convert("RGB"))

    def ring(self, view: str) -> tuple[float, float] | None:
        """Middle of the rings in a view, in parts of its width and height; None without one."""
        picture = self.picture(view)
        rows, columns = np.nonzero(pink(picture))
        if len(rows) < 20:
            return None
        return (columns.min() + columns.max()) / 2 / picture.shape[1], (rows.min() + rows.max()) / 2 / picture.shape[0]

    def point_at_ring(self, view: str) -> None:
        """Move the mouse to the place that is marked in a view."""
        self.wait_until(lambda: self.ring(view) is not None)
        self.point_at(view, *self.ring(view))

    def drag(self, view: str, start: tuple[float, float], pixels: tuple[float, float], steps: int = 6) -> None:
        """Drag with the left button from a place in parts of the view, by pixels to the right and down."""
        box = self.page.locator(f"#over-{view}").bounding_box()
        x, y = box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"]
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + pixels[0], y + pixels[1], steps=steps)
        self.page.mouse.up()

    def point_at(self, view: str, across: float, down: float) -> None:
        """Move the mouse over a view to a place in parts of its width and height."""
        box = self.page.locator(f"#over-{view}").bounding_box()
        x, y = box["x"] + across * box["width"], box["y"] + down * box["height"]
        self.page.mouse.move(x + 3, y)
        self.page.wait_for_timeout(150)
        self.page.mouse.move(x, y)

    def click_at(self, view: str, across: float, down: float) -> None:
        self.point_at(view, across, down)
        self.page.mouse.down()
        self.page.mouse.up()

    def _answers(self) -> int:
        """Number of the answer that is shown."""
        found = self.page.locator("#answer")
        return int(found.get_attribute("data-number")) if found.count() else 0

    def message(self) -> str:
        return self.page.inner_text("#message")

    def upload(self, path) -> None:
        self.page.set_input_files("#scan-file", str(path))

    def unfold(self, section: str) -> None:
        """Open a folded part of the panel."""
        self.page.click(f"#section-{section}:not([open]) > summary")

    def choose(self, box: str, text: str) -> None:
        """Take an entry of a list."""
        self.page.click(f".v-select:has(#{box})")
        self.page.click(f".v-overlay__content >> text='{text}'")

    def wait_until(self, condition, seconds: float = SECONDS) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "the page does not come to it"
            self.page.wait_for_timeout(100)
