"""Which way right, anterior and superior of the patient point in a scan, read from the anatomical coordinate."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_VOXELS = 20000
NEIGHBOURHOOD_MM = 60.0
"""Standard deviation of the weights around a structure: its own tilt counts, noise of single voxels does not."""
UNITS_MM = 100.0


@dataclass(frozen=True)
class BodyAxes:
    """axes (3,3): rows are unit vectors in RAS that point to the patient's right, anterior and superior.

    origin_mm (3,): what is added to `axes @ position` so that 0 is the middle of the reference person, 0 for right
    being the midline.
    """

    axes: np.ndarray
    origin_mm: np.ndarray

    def positions_mm(self, positions_ras: np.ndarray) -> np.ndarray:
        """How far right, anterior and superior RAS positions (N,3) lie: (N,3) in mm of the patient."""
        return positions_ras @ self.axes.T + self.origin_mm


def body_axes(positions_ras: np.ndarray, coordinates: np.ndarray, around_ras: np.ndarray | None = None) -> BodyAxes:
    """Axes from RAS positions (N,3) and the body coordinates (N,3, units of 100 mm) that the model gives them.

    around_ras: (3,) the place for which they are wanted; without it, all positions count alike. ValueError for fewer
    than four positions.
    """
    if len(positions_ras) < 4:
        raise ValueError(f"expected at least 4 places in the body to tell its axes, got {len(positions_ras)}")
    step = -(-len(positions_ras) // MOST_VOXELS)
    positions, wanted = positions_ras[::step].astype(np.float64), coordinates[::step].astype(np.float64) * UNITS_MM
    weights = np.ones(len(positions))
    if around_ras is not None:
        squares = ((positions - around_ras) ** 2).sum(axis=1) / NEIGHBOURHOOD_MM**2
        weights = np.exp(-0.5 * (squares - squares.min()))
    weights /= weights.sum()
    middle, wanted_middle = weights @ positions, weights @ wanted
    # The rotation that fits best (Kabsch): people differ in size, and the axes of a person stay at right angles.
    left, _, right = np.linalg.svd((wanted - wanted_middle).T @ ((positions - middle) * weights[:, None]))
    axes = left @ np.diag([1, 1, np.linalg.det(left @ right)]) @ right
    return BodyAxes(axes, wanted_middle - axes @ middle)
