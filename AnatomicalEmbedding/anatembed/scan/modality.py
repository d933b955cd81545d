"""Tells a CT in Hounsfield units from other images."""

import numpy as np

from anatembed.scan.volume import Volume

_SAMPLED_VOXELS = 1_000_000
_DENSEST_AIR_HU = -200
_AIR_HU = -700
_SOFT_TISSUE_HU = (-200, 200)
_LEAST_SOFT_TISSUE = 0.4
_NARROWEST_RANGE_HU = 100


class NotACT(ValueError):  # noqa: N818 - reads as what it is
    """The volume looks like something else than a CT in HU."""


def check_is_ct(volume: Volume) -> None:
    """Returns for a CT in HU; NotACT that says why the volume looks like something else.

    A modality from DICOM decides; without one, the voxels must hold air (near -1000 HU) and, of what is denser
    than lung, a fair part of soft tissue (near 0 HU). Padding below -1024 is allowed.
    """
    if volume.modality not in ("CT", "unknown", ""):
        raise NotACT(f"expected a CT, got a volume with the modality {volume.modality}")
    values = _sample(volume.array_kji)
    low, high = float(values.min()), float(values.max())
    found = f"values from {low:g} to {high:g}"
    if high - low < _NARROWEST_RANGE_HU:
        raise NotACT(f"expected a CT in HU, got {found}: it looks normalised, or like a label map or one value")
    if volume.modality == "CT":
        return
    if low > _DENSEST_AIR_HU:
        raise NotACT(f"expected a CT in HU with air near -1000, got {found}: {_why_without_air(values)}")
    denser = values[values > _AIR_HU]
    soft = np.count_nonzero((denser > _SOFT_TISSUE_HU[0]) & (denser < _SOFT_TISSUE_HU[1])) / max(1, denser.size)
    if soft < _LEAST_SOFT_TISSUE:
        raise NotACT(
            f"expected a CT in HU with soft tissue near 0, got {found} with only {soft:.0%} of the denser voxels "
            f"between {_SOFT_TISSUE_HU[0]} and {_SOFT_TISSUE_HU[1]}: it looks like another modality or another scale"
        )


def _why_without_air(values: np.ndarray) -> str:
    bright = values[values > 200]
    if values.min() >= 0 and bright.size and 900 < np.median(bright) < 1200:
        return "it looks like a CT stored without its rescale (HU + 1024), or like MR"
    if np.unique(values).size <= 256 and np.array_equal(values, np.round(values)):
        return "it looks like a label map or an 8-bit picture"
    return "it looks like MR, PET or another modality"


def _sample(array_kji: np.ndarray) -> np.ndarray:
    """About a million voxels of an even lattice, float64 (N,)."""
    step = max(1, int(np.ceil((array_kji.size / _SAMPLED_VOXELS) ** (1 / 3))))
    return array_kji[::step, ::step, ::step].astype(np.float64).ravel()
