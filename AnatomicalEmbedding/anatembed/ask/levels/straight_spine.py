"""The spine as it would be if its canal were straight: HU along, before and beside the canal; NumPy only."""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from anatembed.ask.levels.canal import Canal
from anatembed.geometry import transform_points

GRID_MM = 3.0
ANTERIOR_MM = np.arange(-45.0, 34.0, GRID_MM)
RIGHT_MM = np.arange(-81.0, 82.0, GRID_MM)
OUTSIDE_HU = -999.0
"""A prepared scan has no lower HU, and has these where the scan did not reach."""
BONE_FROM_HU, BONE_TO_HU = 80.0, 400.0
BLUR = (1.2, 0.8, 0.8)
"""Standard deviation in steps along, before and beside the canal: people and templates do not match to the voxel."""
ROLLS = np.deg2rad(np.arange(-40, 41, 5))
ROLL_COST = 0.02
"""Symmetry that a turn by 10 degrees must win: a patient mostly lies straight."""


@dataclass(frozen=True)
class StraightSpine:
    """hu (S,A,L) at the canal's points, ANTERIOR_MM before and RIGHT_MM beside it; known (S,A,L): inside the scan."""

    canal: Canal
    hu: np.ndarray
    known: np.ndarray

    @cached_property
    def bone(self) -> tuple[np.ndarray, np.ndarray]:
        """How much bone there is, float32 (S,A,L) in 0..1 and a little blurred, and where that is known."""
        weight = ndimage.gaussian_filter(self.known.astype(np.float32), BLUR)
        bone = np.clip((self.hu - BONE_FROM_HU) / (BONE_TO_HU - BONE_FROM_HU), 0, 1)
        blurred = ndimage.gaussian_filter(np.where(self.known, bone, 0).astype(np.float32), BLUR)
        return np.where(weight > 0.2, blurred / np.maximum(weight, 1e-3), 0), weight > 0.5


def straighten(canal: Canal, hu_kji: np.ndarray, ijk_to_ras: np.ndarray) -> StraightSpine:
    """The straight spine from HU (K,J,I), turned so that left and right are most alike."""
    canal = canal.rolled(_roll(canal, hu_kji, ijk_to_ras))
    hu, known = _sample(canal, hu_kji, ijk_to_ras, slice(None), ANTERIOR_MM, RIGHT_MM)
    return StraightSpine(canal, hu, known)


def _roll(canal: Canal, hu_kji: np.ndarray, ijk_to_ras: np.ndarray) -> float:
    """The angle by which a patient lies turned about the canal: with it bone is most symmetrical."""
    some, ahead, aside = slice(None, None, 4), ANTERIOR_MM[::2], np.arange(-48.0, 49.0, 6.0)

    def symmetry(angle: float) -> float:
        hu, known = _sample(canal.rolled(angle), hu_kji, ijk_to_ras, some, ahead, aside)
        bone = np.clip((hu - BONE_FROM_HU) / (BONE_TO_HU - BONE_FROM_HU), 0, 1)
        both = known & known[:, :, ::-1]
        if both.sum() < 100:
            return 0.0
        one, other = bone[both], bone[:, :, ::-1][both]
        one, other = one - one.mean(), other - other.mean()
        return float((one * other).sum() / max(np.sqrt((one**2).sum() * (other**2).sum()), 1e-9))

    values = [symmetry(angle) - ROLL_COST * abs(np.rad2deg(angle)) / 10 for angle in ROLLS]
    return float(ROLLS[int(np.argmax(values))])


def _sample(canal: Canal, hu_kji, ijk_to_ras, some: slice, ahead: np.ndarray, aside: np.ndarray):
    positions = (
        canal.points_ras[some][:, None, None]
        + ahead[None, :, None, None] * canal.anterior[some][:, None, None]
        + aside[None, None, :, None] * canal.right[some][:, None, None]
    )
    kji = np.moveaxis(transform_points(np.linalg.inv(ijk_to_ras), positions)[..., ::-1], -1, 0)
    hu = ndimage.map_coordinates(hu_kji, kji, output=np.float32, order=1, mode="nearest")
    size = np.array(hu_kji.shape)[:, None, None, None]
    return hu, ((kji >= -0.5) & (kji <= size - 0.5)).all(axis=0) & (hu > OUTSIDE_HU)
