"""What a scan shows around a point: a picture of one slice, and a small volume on the scan's own voxels."""
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anatembed.geometry import bounds_ras, spacing_mm, transform_points
from anatembed.maps.slice_planes import PLANES, Field, Plane, Slice
from anatembed.scan.volume import Volume

if TYPE_CHECKING:
    from PIL import Image

LEAST_MM, MOST_MM = 10.0, 400.0
PIXELS = 512
RIM_MM = 6.0
"""A place of an embedding map may lie this far beyond the scan's last voxel."""
LETTER = (255, 214, 92)
WINDOWS_HU = {"soft tissue": (40.0, 400.0), "lung": (-600.0, 1500.0), "bone": (400.0, 1800.0), "brain": (40.0, 80.0)}
"""Level and width by name."""


@dataclass(frozen=True)
class Picture:
    """A slice in grey; `letters` say what lies at the left, right, top and bottom: R L A P S I of the patient."""

    image: Image.Image
    letters: tuple[str, str, str, str]
    pixel_mm: float


def window_of(name: str = "soft tissue", level: float | None = None, width: float | None = None) -> tuple[float, float]:
    """Level and width in HU of a preset, or as given; ValueError for an unknown name or numbers that make no window."""
    if (level is None) != (width is None):
        raise ValueError("expected level and width together, or neither")
    if level is None or width is None:
        if name not in WINDOWS_HU:
            raise ValueError(f"expected a window of {', '.join(WINDOWS_HU)}, got {name!r}")
        return WINDOWS_HU[name]
    if not (np.isfinite(level) and np.isfinite(width) and width >= 1):
        raise ValueError(f"expected a finite level and a width of at least 1 HU, got {level:g} and {width:g}")
    return float(level), float(width)


def plane_of(name: str) -> Plane:
    """A plane of the body by its name; ValueError for another one."""
    for plane in PLANES:
        if plane.name == name:
            return plane
    raise ValueError(f"expected a plane of {', '.join(plane.name for plane in PLANES)}, got {name!r}")


def picture(
    volume: Volume, position_ras, size_mm: float, plane: Plane, level: float, width: float, *, letters: bool = True
) -> Picture:
    """The square of `size_mm` around a RAS position, that in the middle; ValueError outside the scan or for a size
    out of bounds.

    Radiological convention: the patient's right is at the left of axial and coronal slices, anterior at the left of
    sagittal ones. What lies beyond the scan is black.
    """
    from PIL import Image

    position = _checked(volume, position_ras, size_mm)
    view = Slice(plane, float(position[plane.normal]), position - size_mm / 2, position + size_mm / 2, size_mm / PIXELS)
    low = level - width / 2
    values = Field(volume.array_kji, volume.ijk_to_ras, low).on(view)
    grey = np.clip((values - low) / width, 0, 1)
    image = Image.fromarray((grey * 255).round().astype(np.uint8)).convert("RGB")
    if letters:
        _draw_letters(image, plane.letters)
    return Picture(image, plane.letters, view.pixel_mm)


def crop(volume: Volume, position_ras, size_mm: float) -> Volume:
    """The voxels that hold the cube of `size_mm` around a RAS position, each at its place in the world; no resampling.

    Of an oblique scan it is more than the cube, at the scan's faces less. ValueError as for `picture`.
    """
    position = _checked(volume, position_ras, size_mm)
    corners_ras = position + size_mm / 2 * (2 * np.array(list(np.ndindex(2, 2, 2))) - 1)
    corners_kji = transform_points(np.linalg.inv(volume.ijk_to_ras), corners_ras)[:, ::-1]
    shape = np.array(volume.array_kji.shape)
    # A cube between two voxel centres still gets one on each side, because a single slice is no scan.
    first = np.clip(np.floor(corners_kji.min(axis=0) + 0.5).astype(int), 0, np.maximum(shape - 2, 0))
    last = np.clip(np.ceil(corners_kji.max(axis=0) - 0.5).astype(int), np.minimum(first + 1, shape - 1), shape - 1)
    box = tuple(slice(low, high + 1) for low, high in zip(first, last, strict=True))
    ijk_to_ras = volume.ijk_to_ras.copy()
    ijk_to_ras[:3, 3] = transform_points(volume.ijk_to_ras, first[::-1])
    return Volume(np.ascontiguousarray(volume.array_kji[box]), ijk_to_ras, volume.modality, volume.name)


def _checked(volume: Volume, position_ras, size_mm: float) -> np.ndarray:
    position = np.asarray(position_ras, np.float64)
    if position.shape != (3,) or not np.isfinite(position).all():
        raise ValueError(f"expected a RAS position of three finite numbers, got {position_ras!r}")
    if not LEAST_MM <= size_mm <= MOST_MM:
        raise ValueError(f"expected a size of {LEAST_MM:g} to {MOST_MM:g} mm, got {size_mm:g}")
    ijk = transform_points(np.linalg.inv(volume.ijk_to_ras), position)
    rim = 0.5 + RIM_MM / spacing_mm(volume.ijk_to_ras)
    if (ijk < -rim).any() or (ijk > np.array(volume.array_kji.shape)[::-1] - 1 + rim).any():
        low, high = bounds_ras(volume.array_kji.shape, volume.ijk_to_ras)
        where = ", ".join(f"{value:g}" for value in position)
        ranges = ", ".join(f"{name} {a:.0f}..{b:.0f}" for name, a, b in zip("RAS", low, high, strict=True))
        raise ValueError(f"the point ({where}) lies outside the scan, which covers {ranges} mm")
    return position


def _draw_letters(image: Image.Image, letters: tuple[str, str, str, str]) -> None:
    from PIL import ImageDraw, ImageFont

    draw, font = ImageDraw.Draw(image), ImageFont.load_default(22)
    middle, edge = PIXELS / 2, 6
    places = ((edge, middle, "lm"), (PIXELS - edge, middle, "rm"), (middle, edge, "ma"), (middle, PIXELS - edge, "md"))
    for letter, (x, y, anchor) in zip(letters, places, strict=True):
        draw.text((x, y), letter, LETTER, font, anchor, stroke_width=2, stroke_fill=(0, 0, 0))
