"""Turns a CT of any spacing and orientation into the grid that the encoder was trained on."""

import math
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from anatembed.geometry import axis_aligned_grid, extent_mm, spacing_mm
from anatembed.model.body_mask import body_mask
from anatembed.model.config import PreprocessingConfig
from anatembed.scan.modality import check_is_ct
from anatembed.scan.volume import Volume

_SLAB_VOXELS = 4_000_000
_MAX_EXTENT_MM = 3000
"""Longer than a person: the spacing is wrong."""
_MAX_SPACING_MM = 20
"""Between voxels that lie farther apart nothing of the body would be left but what is made up."""
_MAX_GRID_VOXELS = 64_000_000
"""A grown person in a field of view of 780 mm makes 45 million at 3 mm."""


@dataclass(frozen=True)
class PreparedVolume:
    """`array_kji` (K,J,I) float32 HU in the window, `ijk_to_ras` isotropic with i to +R, j to +A, k to +S,
    `body_kji` (K,J,I) bool."""

    array_kji: np.ndarray
    ijk_to_ras: np.ndarray
    body_kji: np.ndarray


def prepare(volume: Volume, config: PreprocessingConfig | None = None, *, force: bool = False) -> PreparedVolume:
    """`volume` on the model's grid with its body mask; ValueError if too small, too large or too coarse, or not a CT
    unless `force`."""
    config = config or PreprocessingConfig()
    _check_spacing(volume)
    _check_extent(volume, config.min_extent_mm)
    if not force:
        check_is_ct(volume)
    array_kji, ijk_to_ras = resample_to_grid(volume, config)
    return PreparedVolume(array_kji, ijk_to_ras, body_mask(array_kji, config.spacing_mm))


def resample_to_grid(volume: Volume, config: PreprocessingConfig) -> tuple[np.ndarray, np.ndarray]:
    """Clipped HU (K,J,I) float32 on the axis-aligned grid and its `ijk_to_ras`; `hu_min` outside the scan. ValueError
    before any memory is taken if the grid were larger than any person's.

    Fine voxels are averaged in whole blocks and the remaining ratio is smoothed (the anti-alias filter), then the
    rest is linear interpolation through the full affine, so that no orientation needs a case of its own.
    """
    shape_kji, grid_to_ras = axis_aligned_grid(volume.array_kji.shape, volume.ijk_to_ras, config.spacing_mm)
    voxels = math.prod(shape_kji)
    if voxels > _MAX_GRID_VOXELS:
        raise ValueError(
            f"expected a volume of at most {_MAX_GRID_VOXELS:,} voxels of {config.spacing_mm:g} mm, got {voxels:,}"
        )
    ratios_ijk = config.spacing_mm / spacing_mm(volume.ijk_to_ras)
    factors_ijk = np.maximum(np.floor(ratios_ijk + 1e-3), 1).astype(int)
    blocks_kji = _average_blocks(volume.array_kji, factors_ijk[::-1], config.hu_min, config.hu_max)
    for axis, ratio in enumerate((ratios_ijk / factors_ijk)[::-1]):
        blocks_kji = _smooth_along(blocks_kji, axis, ratio)
    block_to_ijk = np.diag([*factors_ijk, 1.0])
    block_to_ijk[:3, 3] = (factors_ijk - 1) / 2
    grid_to_block = np.linalg.inv(volume.ijk_to_ras @ block_to_ijk) @ grid_to_ras
    return _interpolate(blocks_kji, grid_to_block, shape_kji, config.hu_min), grid_to_ras


def _check_extent(volume: Volume, min_extent_mm: float) -> None:
    extent = extent_mm(volume.array_kji.shape, volume.ijk_to_ras)
    size = " x ".join(f"{side:.0f}" for side in extent)
    if extent.min() < min_extent_mm:
        raise ValueError(f"expected a volume of at least {min_extent_mm:g} mm along every axis, got {size} mm")
    if extent.max() > _MAX_EXTENT_MM:
        raise ValueError(f"expected a volume of at most {_MAX_EXTENT_MM:g} mm along every axis, got {size} mm")


def _check_spacing(volume: Volume) -> None:
    spacing = spacing_mm(volume.ijk_to_ras)
    if spacing.max() > _MAX_SPACING_MM:
        size = " x ".join(f"{side:.3g}" for side in spacing)
        raise ValueError(f"expected voxels of at most {_MAX_SPACING_MM} mm along every axis, got {size} mm")


def _average_blocks(array_kji: np.ndarray, factors_kji, hu_min: float, hu_max: float) -> np.ndarray:
    """Mean of blocks of `factors_kji` voxels as float32, in slabs to spare memory; the last block repeats the rim."""
    factors_kji = [int(factor) for factor in factors_kji]
    shape = [-(-size // factor) for size, factor in zip(array_kji.shape, factors_kji, strict=True)]
    blocks = np.empty(shape, dtype=np.float32)
    step = max(1, _SLAB_VOXELS // (array_kji[0].size * factors_kji[0]))
    for start in range(0, shape[0], step):
        slab = array_kji[start * factors_kji[0] : (start + step) * factors_kji[0]]
        # Clipped before averaging: padding such as -3024 must not darken the skin beside it.
        slab = np.clip(slab, *_bounds_in(slab.dtype, hu_min, hu_max))
        for axis, factor in enumerate(factors_kji):
            slab = _average_along(slab, axis, factor)
        blocks[start : start + step] = slab
    return blocks


def _bounds_in(dtype: np.dtype, low: float, high: float) -> tuple:
    if dtype.kind == "f":
        return low, high
    if dtype.kind == "b":
        return False, True
    info = np.iinfo(dtype)
    return dtype.type(np.clip(low, info.min, info.max)), dtype.type(np.clip(high, info.min, info.max))


def _average_along(array: np.ndarray, axis: int, factor: int) -> np.ndarray:
    if factor == 1:
        return array
    first = np.arange(0, array.shape[axis], factor)
    total = np.zeros([first.size if i == axis else size for i, size in enumerate(array.shape)], dtype=np.float32)
    for offset in range(factor):
        total += array.take(first + offset, axis=axis, mode="clip")
    return total / np.float32(factor)


def _smooth_along(array: np.ndarray, axis: int, ratio: float) -> np.ndarray:
    """Three-point filter for a step of `ratio` voxels from 1 to 2; at 2 it is (1, 2, 1) / 4, which is 0 at Nyquist."""
    weight = np.float32((ratio**2 - 1) / 12)
    if weight < 0.01:
        return array
    array = np.moveaxis(array, axis, 0)
    smooth = array * (1 - 2 * weight)
    smooth[1:] += weight * array[:-1]
    smooth[:-1] += weight * array[1:]
    smooth[[0, -1]] += weight * array[[0, -1]]
    return np.moveaxis(smooth, 0, axis)


def _interpolate(blocks_kji: np.ndarray, grid_to_block: np.ndarray, shape_kji, outside: float) -> np.ndarray:
    """Linear interpolation on `shape_kji`; `grid_to_block` (4,4) maps voxel coordinates ijk to voxel coordinates."""
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(grid_to_block[:3, :3].ravel().tolist())
    transform.SetTranslation(grid_to_block[:3, 3].tolist())
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize([int(size) for size in shape_kji[::-1]])
    resampler.SetTransform(transform)
    resampler.SetInterpolator(sitk.sitkLinear)
    resampler.SetDefaultPixelValue(float(outside))
    return sitk.GetArrayFromImage(resampler.Execute(sitk.GetImageFromArray(blocks_kji)))
