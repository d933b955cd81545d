"""Whether a body lies in a scan as its file says: the model's body coordinates against the scan's, from feet to head.

Left and right cannot be checked so: the network takes them from the picture. A scan whose file is wrong about these is
answered with wrong sides.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anatembed.ask.index import QueryIndex
from anatembed.geometry import transform_points

SHORTEST_MM = 140.0
"""A shorter piece of a body looks alike from both ends."""
LEAST_SLOPE, LEAST_EXPLAINED = 0.2, 0.3
"""Whole axial scans of people have a slope of 0.67 and more, and 0.55 and more explained
(`scripts/benchmarks/orientation.py`)."""
EVERY = 5
"""So many voxels of the body share one that is asked."""
UNUSUAL = (
    "From feet to head this does not look like a body as the file describes it (upside down, a slab, no body?): check "
    "every place."
)


@dataclass(frozen=True)
class FitAlongBody:
    """How the model's height in the body follows that in the scan: slope of the linear fit by R, A and S (1 where both
    agree, negative upside down), the share of the variance that it explains, and how much of S the scan covers."""

    slope: float
    explained: float
    extent_mm: float

    @property
    def is_unusual(self) -> bool:
        """The body does not lie as the file says, or nothing of a body is recognised."""
        poor = self.slope < LEAST_SLOPE or self.explained < LEAST_EXPLAINED
        return self.extent_mm >= SHORTEST_MM and poor


def fit_along_body(index: QueryIndex) -> FitAlongBody | None:
    """The fit over the voxels of the body; None where there are too few, or where the model tells no heights."""
    kji = np.argwhere(index.map.body_kji)[::EVERY]
    asked_kji = np.zeros_like(index.map.body_kji)
    asked_kji[tuple(kji.T)] = True
    # Not `index.coordinates`, which has all: the first name under the mouse waits for this.
    heights = 100 * index.readout.body_coordinates(index.map.latents(asked_kji))[:, 2].astype(np.float64)
    if len(kji) < 100 or np.ptp(heights) == 0:
        return None
    positions = transform_points(index.map.ijk_to_ras, kji[:, ::-1])
    along = np.column_stack([positions - positions.mean(axis=0), np.ones(len(positions))])
    weights = np.linalg.lstsq(along, heights, rcond=None)[0]
    rest = heights - along @ weights
    return FitAlongBody(float(weights[2]), float(1 - rest.var() / heights.var()), float(np.ptp(positions[:, 2])))
