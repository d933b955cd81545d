"""Pictures of an embedded scan: the colours of its places, where a structure was found, and how unsure names are;
Pillow only.

Radiological convention: the patient's right is at the left of axial and coronal slices, anterior at the left of
sagittal ones. All slices of a picture have one scale.
"""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from anatembed.ask.explorer import Explorer
from anatembed.ask.locating import Answer, percent
from anatembed.maps.slice_planes import AXIAL, PLANES, SAGITTAL, Field, Plane, Slice, along, box_of, in_words
from anatembed.scan.volume import Volume

BACKGROUND, TILE, TEXT, FAINT = (14, 16, 20), (0, 0, 0), (236, 238, 242), (150, 156, 166)
LETTER, CROSS, OTHER_HIT = (255, 214, 92), (80, 230, 255), (190, 240, 250)
MARGIN, GAP, HEAD, BAR_PX = 22, 8, 74, 220
WINDOW_HU = (-160.0, 240.0)
"""Abdominal soft tissue: level 40, width 400."""
LUNG_WINDOW_HU = (-1100.0, 200.0)
AERATED_HU = -400.0
NEAR_MM = 12.0
"""Hits this close to a slice are drawn on it."""
HEAT_STOPS = np.array([(60, 8, 90), (150, 30, 110), (225, 70, 60), (252, 160, 40), (252, 250, 150)], float)
UNSURE_STOPS = np.array([(10, 30, 110), (70, 85, 120), (130, 128, 118), (200, 175, 85), (255, 225, 40)], float)
"""Dark blue is sure, yellow is unsure: lightness rises all the way, and no colour blindness mixes blue and yellow."""


@dataclass(frozen=True)
class Backdrop:
    """The grey picture under an overlay: the scan in its window, or the silhouette of the body without a scan."""

    explorer: Explorer
    volume: Volume | None
    window: tuple[float, float] = WINDOW_HU

    def grey(self, view: Slice) -> np.ndarray:
        """float (height, width) 0..1."""
        if self.volume is None:
            return 0.22 * self.body(view)
        low, high = self.window
        values = Field(self.volume.array_kji, self.volume.ijk_to_ras, low).on(view)
        return np.clip((values - low) / (high - low), 0, 1)

    def body(self, view: Slice) -> np.ndarray:
        """float (height, width) 0..1: inside the patient, with a soft rim."""
        field = ndimage.gaussian_filter(self.explorer.map.body_kji.astype(np.float32), 0.6)
        return _smoothstep(Field(field, self.explorer.map.ijk_to_ras, smooth=True).on(view), 0.45, 0.65)

    def caption(self) -> str:
        if self.volume is None:
            return "from the map alone, without the scan"
        low, high = self.window
        return f"{self.volume.name}, level {(low + high) / 2:.0f}, width {high - low:.0f}"


def backdrop(explorer: Explorer, volume: Volume | None, *, is_ct: bool = True) -> Backdrop:
    """The soft-tissue window for a CT, the range of the middle 98 % of the voxels for other images."""
    if volume is None or is_ct:
        return Backdrop(explorer, volume)
    low, high = np.percentile(volume.array_kji[::2, ::2, ::2], (1, 99))
    return Backdrop(explorer, volume, (float(low), float(max(high, low + 1e-6))))


def overview(under: Backdrop, columns: int = 4, width_px: int = 1640) -> Image.Image:
    """Montage of axial, coronal and sagittal slices (a row each) with the fixed colours of body places."""
    subtitle = "One colour for one place in the body, the same in every patient"
    return _montage(under, _colour_fields(under.explorer), "Position colours", subtitle, columns, width_px)


def uncertainty_overview(under: Backdrop, columns: int = 4, width_px: int = 1640) -> Image.Image:
    """The same montage with how unsure the name of every place is."""
    shades = _shade(under.explorer.index.uncertainty_kji(), UNSURE_STOPS)
    alpha = under.explorer.map.body_kji[..., None]
    fields = _fields(under.explorer, np.concatenate([shades * alpha, alpha], axis=-1))
    subtitle = "One less the probability of the best name at a place"
    page = _montage(under, fields, "Uncertainty of names", subtitle, columns, width_px)
    _bar(page, UNSURE_STOPS, "sure 0", "1 unsure")
    return page


def _montage(
    under: Backdrop, fields: list[Field], title: str, subtitle: str, columns: int, width_px: int
) -> Image.Image:
    explorer = under.explorer
    box = box_of(explorer.map.body_kji, explorer.map.ijk_to_ras)
    pixel_mm = _widest(box) * columns / (width_px - 2 * MARGIN - (columns - 1) * GAP)
    rows = [
        [_coloured(under, Slice(plane, position, *box, pixel_mm), fields) for position in _spread(plane, box, columns)]
        for plane in PLANES
    ]
    return _page(rows, title, subtitle, under)


def answer_picture(under: Backdrop, answer: Answer, probability_kji: np.ndarray, width_px: int = 1560) -> Image.Image:
    """Three slices through the first place with the probability of what was asked for; ValueError without a place."""
    if not answer.places:
        raise ValueError(f"expected an answer with a place to draw, got none: {answer.reason}")
    explorer, best = under.explorer, answer.places[0]
    box = box_of(explorer.map.body_kji, explorer.map.ijk_to_ras)
    wide = sum((box[1] - box[0])[plane.across[0]] for plane in PLANES)
    pixel_mm = wide / (width_px - 2 * MARGIN - 2 * GAP)
    field = Field(probability_kji, explorer.map.ijk_to_ras, smooth=True)
    peak = max(float(probability_kji.max()), 1e-6)
    views = [Slice(plane, float(best.position_ras[plane.normal]), *box, pixel_mm) for plane in PLANES]
    under = _windowed(under, views[0], field.on(views[0]) > 0.5 * peak)
    row = [_heated(under, view, field, peak, answer) for view in views]
    title = f"“{answer.query}”" if _printable(answer.query) else best.label
    where = f"{in_words(best.position_ras)}, confidence {percent(best.confidence)}"
    place = f"{answer.words}   |   best: {best.label}, {where}"
    page = _page([row], title, place, under)
    _bar(page, HEAT_STOPS, "likelihood, of the best place: 0", "1")
    return page


def _colour_fields(explorer: Explorer) -> list[Field]:
    return _fields(explorer, explorer.colours_kji().astype(np.float32) / 255)


def _fields(explorer: Explorer, rgba: np.ndarray) -> list[Field]:
    """Red, green, blue, each multiplied by alpha (K,J,I,4; 0..1), and alpha: interpolation never mixes in the outside.
    """
    channels = [rgba[..., channel] * rgba[..., 3] for channel in range(3)] + [rgba[..., 3]]
    return [Field(ndimage.gaussian_filter(one, 1.0), explorer.map.ijk_to_ras) for one in channels]


def _coloured(under: Backdrop, view: Slice, fields: list[Field], opacity: float = 0.62) -> Image.Image:
    red, green, blue, weight = (field.on(view) for field in fields)
    colour = np.stack((red, green, blue), axis=-1) / np.maximum(weight, 0.02)[..., None]
    grey = under.grey(view)[..., None]
    # The scan shades the colour: bone stays bright, gas stays dark.
    tinted = colour * (0.85 + 0.4 * grey) if under.volume is not None else colour
    share = opacity * under.body(view)[..., None] if under.volume is not None else under.body(view)[..., None]
    return _annotated(_image(grey * (1 - share) + tinted * share), view)


def _heated(under: Backdrop, view: Slice, field: Field, peak: float, answer: Answer) -> Image.Image:
    share = np.clip(field.on(view) / peak, 0, 1)
    opacity = (0.72 * _smoothstep(share, 0.08, 0.5) * under.body(view))[..., None]
    picture = np.repeat(under.grey(view)[..., None], 3, axis=-1) * (1 - opacity) + _shade(share, HEAT_STOPS) * opacity
    image = _annotated(_image(picture), view)
    _draw_hits(image, view, answer)
    return image


def _windowed(under: Backdrop, view: Slice, found: np.ndarray) -> Backdrop:
    """With the lung window where what was found on a slice of a CT is mostly air."""
    if under.volume is None or under.window != WINDOW_HU or not found.any():
        return under
    values = Field(under.volume.array_kji, under.volume.ijk_to_ras, WINDOW_HU[0]).on(view)[found]
    return replace(under, window=LUNG_WINDOW_HU) if np.median(values) < AERATED_HU else under


def _shade(share: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """Colours (..., 3) 0..1 of shares 0..1, from the first stop to the last."""
    at = np.clip(share, 0, 1) * (len(stops) - 1)
    return np.stack([np.interp(at, np.arange(len(stops)), stop) for stop in stops.T], axis=-1) / 255


def _draw_hits(image: Image.Image, view: Slice, answer: Answer) -> None:
    draw = ImageDraw.Draw(image)
    for number, hit in reversed(list(enumerate(answer.places, 1))):
        if abs(hit.position_ras[view.plane.normal] - view.position_mm) > NEAR_MM:
            continue
        x, y = view.pixel(hit.position_ras)
        if number == 1:
            _cross(draw, x, y)
        else:
            draw.ellipse((x - 5, y - 5, x + 5, y + 5), outline=OTHER_HIT, width=1)
            _text(draw, (x + 8, y - 7), str(number), 13, OTHER_HIT)


def _cross(draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
    """Four strokes that leave the place itself free."""
    for width, colour in ((4, (0, 0, 0)), (2, CROSS)):
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            draw.line((x + 6 * dx, y + 6 * dy, x + 20 * dx, y + 20 * dy), fill=colour, width=width)


def _annotated(image: Image.Image, view: Slice) -> Image.Image:
    """With the letters of the directions, the position and a scale of 5 cm."""
    draw = ImageDraw.Draw(image)
    width, height = image.size
    middle, centre = height / 2, width / 2
    places = (((8, middle), "lm"), ((width - 8, middle), "rm"), ((centre, 6), "mt"), ((centre, height - 6), "mb"))
    for letter, (place, anchor) in zip(view.plane.letters, places, strict=True):
        _text(draw, place, letter, 17, LETTER, anchor)
    _text(draw, (8, 7), f"{view.plane.name}  {along(view.plane.normal, view.position_mm)} mm", 13, TEXT)
    length = 50 / view.pixel_mm
    y = height - 10
    draw.line((width - 10 - length, y, width - 10, y), fill=TEXT, width=2)
    for x in (width - 10 - length, width - 10):
        draw.line((x, y - 3, x, y + 3), fill=TEXT, width=2)
    _text(draw, (width - 10 - length / 2, y - 6), "5 cm", 12, TEXT, "mb")
    return image


def _page(rows: list[list[Image.Image]], title: str, subtitle: str, under: Backdrop) -> Image.Image:
    columns = [max(tile.width for tile in column) for column in zip(*rows, strict=True)]
    width = sum(columns) + GAP * (len(columns) - 1) + 2 * MARGIN
    height = HEAD + sum(max(tile.height for tile in row) + GAP for row in rows) + 34
    page = Image.new("RGB", (width, height), BACKGROUND)
    draw = ImageDraw.Draw(page)
    _text(draw, (MARGIN, 14), _fitting(title, 26, width - 2 * MARGIN - BAR_PX - 280), 26, TEXT)
    _text(draw, (MARGIN, 48), _fitting(subtitle, 15, width - 2 * MARGIN), 15, FAINT)
    top = HEAD
    for row in rows:
        left, tallest = MARGIN, max(tile.height for tile in row)
        for tile, column in zip(row, columns, strict=True):
            page.paste(tile, (left + (column - tile.width) // 2, top + (tallest - tile.height) // 2))
            left += column + GAP
        top += tallest + GAP
    footer = f"{under.caption()}   |   {under.explorer.map.encoder_id}   |   research software, not for diagnosis"
    _text(draw, (MARGIN, height - 12), _fitting(footer, 13, width - 2 * MARGIN), 13, FAINT, "ls")
    return page


def _bar(page: Image.Image, stops: np.ndarray, low: str, high: str, length: int = BAR_PX) -> None:
    """The scale of colours with the words for its ends, at the right of the title."""
    bar = _image(np.repeat(_shade(np.linspace(0, 1, length), stops)[None], 10, axis=0))
    left, top = page.width - MARGIN - length - 60, 22
    page.paste(bar, (left, top))
    draw = ImageDraw.Draw(page)
    _text(draw, (left - 6, top + 5), low, 13, FAINT, "rm")
    _text(draw, (left + length + 6, top + 5), high, 13, FAINT, "lm")


def _spread(plane: Plane, box: tuple[np.ndarray, np.ndarray], count: int) -> list[float]:
    """Positions on the normal from the superior, anterior or right side on, without the outermost parts."""
    low, high = box[0][plane.normal], box[1][plane.normal]
    rim = 0.12 if plane is AXIAL else 0.24 if plane is SAGITTAL else 0.22
    return [float(high - (high - low) * (rim + (1 - 2 * rim) * n / max(1, count - 1))) for n in range(count)]


def _widest(box: tuple[np.ndarray, np.ndarray]) -> float:
    size = box[1] - box[0]
    return float(max(size[plane.across[0]] for plane in PLANES))


def _smoothstep(values: np.ndarray, low: float, high: float) -> np.ndarray:
    share = np.clip((values - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)


def _image(picture: np.ndarray) -> Image.Image:
    return Image.fromarray((np.clip(picture, 0, 1) * 255).round().astype(np.uint8), "RGB")


def _text(draw: ImageDraw.ImageDraw, place, text: str, size: int, colour, anchor: str = "la") -> None:
    font = ImageFont.load_default(size)
    draw.text(place, text, fill=colour, font=font, anchor=anchor, stroke_width=1, stroke_fill=TILE)


def _fitting(text: str, size: int, width: float) -> str:
    """The text, cut with an ellipsis where it is wider than `width` pixels."""
    font = ImageFont.load_default(size)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."


def _printable(text: str) -> bool:
    """Whether the built-in font has the letters: it is a Latin one."""
    return all(ord(letter) < 0x180 for letter in text)
