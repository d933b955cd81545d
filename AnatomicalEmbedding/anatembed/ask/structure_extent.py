"""How far a structure reaches, from the field of its probability."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from anatembed.geometry import transform_points

LIKELY = 0.5
"""Of the highest probability in the field, from where on a voxel belongs to the structure."""
LEAST_SHARE = 0.1
"""A separate part counts when it is at least this share of the largest: a stray voxel far away does not."""


@dataclass(frozen=True)
class Extent:
    """The axis-aligned box low_ras..high_ras (mm) with the half-voxel rim; `cut_off`: it touches a face of the grid or
    of the body mask's box, so that the structure may go on beyond the scan."""

    low_ras: np.ndarray
    high_ras: np.ndarray
    cut_off: bool


def extent_of(probability_kji: np.ndarray, ijk_to_ras: np.ndarray, body_kji: np.ndarray) -> Extent:
    """The extent of a structure with this probability (K,J,I); ValueError if it is nowhere."""
    peak = float(probability_kji.max(initial=0))
    if peak <= 0:
        raise ValueError("expected a structure that is somewhere, got a probability of zero everywhere")
    parts, _ = ndimage.label(probability_kji >= LIKELY * peak, structure=np.ones((3, 3, 3)))
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    kji = np.argwhere((sizes >= LEAST_SHARE * sizes.max())[parts])
    centres = transform_points(ijk_to_ras, kji[:, ::-1])
    rim = 0.5 * np.abs(ijk_to_ras[:3, :3]).sum(axis=1)
    # Above and below the body ends with the scan; at its sides there is mostly air before the scan ends.
    inside = np.argwhere(body_kji) if body_kji.any() else kji
    faces = np.array([inside.min(axis=0), inside.max(axis=0)])
    ends_of_grid = (faces[0] <= 1) | (faces[1] >= np.array(body_kji.shape) - 2)
    touches = (kji.min(axis=0) <= faces[0]) | (kji.max(axis=0) >= faces[1])
    return Extent(centres.min(axis=0) - rim, centres.max(axis=0) + rim, bool((touches & ends_of_grid).any()))
