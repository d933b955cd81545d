"""Draws the icon of the extension and of the module: python scripts/make_icon.py"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

ROOT = Path(__file__).resolve().parents[1]
TARGETS = (
    ROOT / "Resources/AnatomicalEmbedding.png",
    ROOT / "AnatomicalEmbedding/Resources/Icons/AnatomicalEmbedding.png",
)
SIZE_PX, OVERSAMPLING = 128, 8
BACKGROUND = (18, 22, 34)
# Colours of the four corners of the body: patient's right and left, head and feet.
CORNERS = np.array([[(255, 196, 64), (64, 208, 255)], [(235, 64, 120), (112, 72, 235)]], float)
FOUND = (0.565, 0.385)


def silhouette(size: int) -> Image.Image:
    """A standing body as a mask, in fractions of the icon's side."""
    mask = Image.new("L", (size, size), 0)
    draw = ImageDraw.Draw(mask)

    def limb(points, width):
        scaled = [(x * size, y * size) for x, y in points]
        draw.line(scaled, fill=255, width=round(width * size), joint="curve")
        for x, y in scaled:
            radius = width * size / 2
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)

    draw.ellipse((0.415 * size, 0.05 * size, 0.585 * size, 0.245 * size), fill=255)
    limb([(0.5, 0.22), (0.5, 0.32)], 0.075)
    draw.polygon([(x * size, y * size) for x, y in ((0.33, 0.3), (0.67, 0.3), (0.615, 0.6), (0.385, 0.6))], fill=255)
    for side in (-1, 1):
        limb([(0.5 + side * 0.165, 0.325), (0.5 + side * 0.235, 0.47), (0.5 + side * 0.25, 0.6)], 0.075)
        limb([(0.5 + side * 0.07, 0.6), (0.5 + side * 0.075, 0.76), (0.5 + side * 0.075, 0.9)], 0.105)
    return mask.filter(ImageFilter.GaussianBlur(size * 0.008)).point(lambda value: 255 if value > 128 else 0)


def position_colours(size: int) -> Image.Image:
    """A colour for every place, blended from the four corners of the body."""
    across = np.clip((np.linspace(0, 1, size) - 0.22) / 0.56, 0, 1)[None, :, None]
    down = np.clip((np.linspace(0, 1, size) - 0.05) / 0.9, 0, 1)[:, None, None]
    top = CORNERS[0, 0] * (1 - across) + CORNERS[0, 1] * across
    bottom = CORNERS[1, 0] * (1 - across) + CORNERS[1, 1] * across
    return Image.fromarray((top * (1 - down) + bottom * down).astype(np.uint8))


def icon() -> Image.Image:
    """The body in its position colours on a dark rounded square, with the mark of a found place."""
    size = SIZE_PX * OVERSAMPLING
    tile = Image.new("L", (size, size), 0)
    ImageDraw.Draw(tile).rounded_rectangle((0, 0, size - 1, size - 1), radius=size * 0.18, fill=255)
    picture = Image.new("RGB", (size, size), BACKGROUND)
    picture.paste(position_colours(size), mask=silhouette(size))
    draw = ImageDraw.Draw(picture)
    x, y = FOUND[0] * size, FOUND[1] * size
    ring, width = size * 0.075, round(size * 0.022)
    draw.ellipse((x - ring, y - ring, x + ring, y + ring), outline="white", width=width)
    draw.ellipse((x - width, y - width, x + width, y + width), fill="white")
    picture.putalpha(tile)
    return picture.resize((SIZE_PX, SIZE_PX), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    for target in TARGETS:
        target.parent.mkdir(parents=True, exist_ok=True)
        icon().save(target, optimize=True)
