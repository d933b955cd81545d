"""The voxels of a coarse map divided into smaller ones, between which values are interpolated."""
from __future__ import annotations

import numpy as np
from scipy import ndimage

from anatembed.geometry import transform_points

Box = tuple[slice, slice, slice]
FACTOR = 2
"""How many times finer than the map a picture of a whole scan is, when its voxels are painted without mixing."""


def finer(field_kji: np.ndarray, factor: int) -> np.ndarray:
    """Float32 (factor*K, factor*J, factor*I), linear between voxel centres and constant in the outer half voxels."""
    values = np.asarray(field_kji, np.float32)
    for axis, size in enumerate(values.shape):
        # One axis after the other: ndimage.zoom takes all eight corners of every voxel, and three times as long.
        position = np.clip((np.arange(size * factor) + 0.5) / factor - 0.5, 0, size - 1)
        low = position.astype(int)
        high = np.minimum(low + 1, size - 1)
        share = np.expand_dims((position - low).astype(np.float32), tuple(n for n in range(values.ndim) if n != axis))
        below = values.take(low, axis)
        values = below + share * (values.take(high, axis) - below)
    return values


def finer_affine(ijk_to_ras: np.ndarray, factor: int, first_ijk=(0, 0, 0)) -> np.ndarray:
    """`ijk_to_ras` (4,4) of divided voxels, of which the first is in the voxel `first_ijk`; outer faces stay."""
    affine = np.array(ijk_to_ras, np.float64)
    corner_ijk = np.asarray(first_ijk, np.float64)
    affine[:3, 3] = transform_points(ijk_to_ras, corner_ijk + 0.5 / factor - 0.5)
    affine[:3, :3] /= factor
    return affine


def continued(field_kji: np.ndarray, known_kji: np.ndarray) -> np.ndarray:
    """The field with the nearest known value where none is known (bool, not all False)."""
    nearest = ndimage.distance_transform_edt(~known_kji, return_distances=False, return_indices=True)
    return field_kji[tuple(nearest)]


def finer_within(field_kji: np.ndarray, mask_kji: np.ndarray, factor: int, elsewhere: float) -> np.ndarray:
    """`finer` of what is in a mask, without what is outside running into it, and `elsewhere` outside."""
    if not mask_kji.any():
        return np.full(np.multiply(mask_kji.shape, factor), elsewhere, np.float32)
    inside = finer(mask_kji, factor) >= 0.5
    return np.where(inside, finer(continued(field_kji, mask_kji), factor), np.float32(elsewhere))


def box_around(mask_kji: np.ndarray, margin: int) -> Box:
    """The smallest box (slices k, j, i) around a mask that is not empty, `margin` voxels wider within the grid."""
    def side(axis: int) -> slice:
        filled = np.flatnonzero(mask_kji.any(axis=tuple(other for other in range(3) if other != axis)))
        return slice(int(max(filled[0] - margin, 0)), int(min(filled[-1] + margin + 1, mask_kji.shape[axis])))

    return side(0), side(1), side(2)
