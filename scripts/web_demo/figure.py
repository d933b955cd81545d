"""The present views as one picture to take away: what they show, where, in which window, and what its colours mean."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

BACKGROUND, TILE, TEXT, FAINT, LETTER = (14, 16, 20), (0, 0, 0), (236, 238, 242), (150, 156, 166), (255, 214, 92)
"""As in the pictures of the command line."""
_MARGIN, _GAP, _HEAD, _FOOT = 22, 8, 74, 34
_LINE, _PATCH, _KEY_WIDTH = 20, 12, 210


class Tile:
    """A view: its picture (rows, columns, 3) uint8, its name and place, the letters of the sides and its scale bar."""

    def __init__(self, picture: np.ndarray, name: str, sides: dict[str, str], bar: dict) -> None:
        self.picture, self.name, self.sides, self.bar = picture, name, sides, bar


def figure_png(tiles: list[Tile], title: str, subtitle: str, foot: str, key: list[tuple[str, str]]) -> bytes:
    """A PNG with the tiles in rows of two, or three for six; `key` are names and colours "#rrggbb"."""
    across = 3 if len(tiles) > 4 else min(2, len(tiles))
    drawn = [_drawn(tile) for tile in tiles]
    width, height = max(one.width for one in drawn), max(one.height for one in drawn)
    rows = -(-len(drawn) // across)
    beside = _KEY_WIDTH if key else 0
    size = 2 * _MARGIN + across * (width + _GAP) + beside, _HEAD + rows * (height + _GAP) + _FOOT
    page = Image.new("RGB", size, BACKGROUND)
    draw = ImageDraw.Draw(page)
    _text(draw, (_MARGIN, 14), title, 26, TEXT)
    _text(draw, (_MARGIN, 48), subtitle, 15, FAINT)
    for number, one in enumerate(drawn):
        row, column = divmod(number, across)
        page.paste(one, (_MARGIN + column * (width + _GAP), _HEAD + row * (height + _GAP)))
    left = _MARGIN + across * (width + _GAP) + _GAP
    most = (size[1] - _HEAD - _FOOT) // _LINE
    for line, (name, colour) in enumerate(key[:most]):
        top = _HEAD + line * _LINE
        draw.rectangle((left, top + 3, left + _PATCH, top + 3 + _PATCH), fill=colour)
        _text(draw, (left + _PATCH + 6, top + 1), name, 13, TEXT)
    _text(draw, (_MARGIN, size[1] - 12), foot, 13, FAINT, "ls")
    file = io.BytesIO()
    page.save(file, "PNG", optimize=True)
    return file.getvalue()


def _drawn(tile: Tile) -> Image.Image:
    image = Image.fromarray(tile.picture)
    draw = ImageDraw.Draw(image)
    width, height = image.size
    places = {"left": ((8, height / 2), "lm"), "right": ((width - 8, height / 2), "rm"),
              "top": ((width / 2, 6), "mt"), "bottom": ((width / 2, height - 6), "mb")}
    for side, (place, anchor) in places.items():
        _text(draw, place, tile.sides[side], 17, LETTER, anchor)
    _text(draw, (8, 7), tile.name, 13, TEXT)
    length = tile.bar["percent"] / 100 * width
    right, y = width - 10, height - 10
    draw.line((right - length, y, right, y), fill=TEXT, width=2)
    for x in (right - length, right):
        draw.line((x, y - 3, x, y + 3), fill=TEXT, width=2)
    _text(draw, (right - length / 2, y - 6), f"{tile.bar['mm']} mm", 12, TEXT, "mb")
    return image


def _text(draw: ImageDraw.ImageDraw, place, text: str, size: int, colour, anchor: str = "la") -> None:
    draw.text(place, text, fill=colour, font=ImageFont.load_default(size), anchor=anchor, stroke_width=1,
              stroke_fill=TILE)
