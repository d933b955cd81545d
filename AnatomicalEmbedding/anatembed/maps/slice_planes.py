"""Slices of a gridded field along the planes of the body, as a radiologist looks at them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage

from anatembed.geometry import transform_points


@dataclass(frozen=True)
class Plane:
    """`across` and `down` are the RAS axis and sign of a picture's columns and rows; `normal` is the third axis."""

    name: Literal["axial", "coronal", "sagittal"]
    across: tuple[int, int]
    down: tuple[int, int]
    normal: int
    letters: tuple[str, str, str, str]
    """Left, right, top and bottom of the picture."""


AXIAL = Plane("axial", (0, -1), (1, -1), 2, ("R", "L", "A", "P"))
CORONAL = Plane("coronal", (0, -1), (2, -1), 1, ("R", "L", "S", "I"))
SAGITTAL = Plane("sagittal", (1, -1), (2, -1), 0, ("A", "P", "S", "I"))
PLANES = (AXIAL, CORONAL, SAGITTAL)


@dataclass(frozen=True)
class Slice:
    """One slice through the box low_ras..high_ras (mm) at `position_mm` on the plane's normal, in square pixels."""

    plane: Plane
    position_mm: float
    low_ras: np.ndarray
    high_ras: np.ndarray
    pixel_mm: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return tuple(
            max(1, round((self.high_ras[axis] - self.low_ras[axis]) / self.pixel_mm))
            for axis, _ in (self.plane.across, self.plane.down)
        )

    def positions_ras(self) -> np.ndarray:
        """RAS of the pixel centres (height, width, 3)."""
        width, height = self.size
        positions = np.empty((height, width, 3))
        positions[..., self.plane.normal] = self.position_mm
        positions[..., self.plane.across[0]] = self._along(self.plane.across, width)
        positions[..., self.plane.down[0]] = self._along(self.plane.down, height)[:, None]
        return positions

    def pixel(self, position_ras) -> tuple[float, float]:
        """Column and row of a RAS position (3,), projected along the normal."""
        return tuple(
            (position_ras[axis] - self._start(axis, sign)) * sign / self.pixel_mm - 0.5
            for axis, sign in (self.plane.across, self.plane.down)
        )

    def _start(self, axis: int, sign: int) -> float:
        return self.low_ras[axis] if sign > 0 else self.high_ras[axis]

    def _along(self, direction: tuple[int, int], count: int) -> np.ndarray:
        axis, sign = direction
        return self._start(axis, sign) + sign * (np.arange(count) + 0.5) * self.pixel_mm


@dataclass(frozen=True)
class Field:
    """Numbers on a grid (K,J,I) that are sampled at RAS positions: linear, or by a cubic spline where `smooth`."""

    array_kji: np.ndarray
    ijk_to_ras: np.ndarray
    outside: float = 0.0
    smooth: bool = False

    def on(self, view: Slice) -> np.ndarray:
        """float32 (height, width); `outside` beyond the faces of the grid."""
        ijk = transform_points(np.linalg.inv(self.ijk_to_ras), view.positions_ras())
        kji = np.moveaxis(ijk[..., ::-1], -1, 0)
        last = np.array(self.array_kji.shape)[:, None, None] - 0.5
        values = ndimage.map_coordinates(
            self.array_kji, kji, output=np.float32, order=3 if self.smooth else 1, mode="nearest"
        )
        return np.where(((kji >= -0.5) & (kji <= last)).all(axis=0), values, np.float32(self.outside))


def box_of(mask_kji: np.ndarray, ijk_to_ras: np.ndarray, margin_mm: float = 8.0) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest RAS corner, each (3,), around a mask on an axis-aligned grid; of the whole grid if empty."""
    inside = np.argwhere(mask_kji) if mask_kji.any() else np.array([[0, 0, 0], np.array(mask_kji.shape) - 1])
    corners_ijk = np.stack([inside.min(axis=0) - 0.5, inside.max(axis=0) + 0.5])[:, ::-1]
    corners = transform_points(ijk_to_ras, corners_ijk)
    return corners.min(axis=0) - margin_mm, corners.max(axis=0) + margin_mm


def in_words(position_ras) -> str:
    """A RAS position as directions from the origin of the scan: "L 78, P 10, I 149 mm"."""
    return ", ".join(along(axis, value) for axis, value in enumerate(position_ras)) + " mm"


def along(axis: int, value: float) -> str:
    """One coordinate with the letter of its direction."""
    return f"{('RL', 'AP', 'SI')[axis][int(value < 0)]} {abs(value):.0f}"
