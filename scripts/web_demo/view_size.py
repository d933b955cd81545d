"""How large a picture a page may ask for."""

import math

SMALLEST, LARGEST = 10, 4096
"""Pixels of a side."""
MOST_PIXELS = 4096 * 2304
_USUAL = {"w": 300, "h": 300, "p": 1}
_PIXEL_RATIOS = 0.25, 4.0


def bounded_size(asked: object) -> dict[str, float]:
    """Width and height "w", "h" in pixels of the page and the ratio "p" of the screen's to them, whatever was asked:
    what is no number is as usual, and the picture never has more than MOST_PIXELS."""
    given = asked if isinstance(asked, dict) else {}
    size = {name: _number(given.get(name), usual) for name, usual in _USUAL.items()}
    ratio = min(max(size["p"], _PIXEL_RATIOS[0]), _PIXEL_RATIOS[1])
    width, height = (int(min(max(size[name], SMALLEST), LARGEST)) for name in ("w", "h"))
    return {"w": width, "h": height, "p": min(ratio, math.sqrt(MOST_PIXELS / (width * height)))}


def _number(value: object, usual: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else float(usual)
