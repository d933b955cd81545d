"""Tells a CT in Hounsfield units from other images."""

import numpy as np

from .volume import Volume

_SAMPLED_VOXELS = 1_000_000


def check_is_ct(volume: Volume) -> None:
    """Returns for a CT in HU; ValueError that says why the volume looks like something else."""
    if volume.modality not in ("CT", "unknown"):
        raise ValueError(f"expected a CT, got a volume with the modality {volume.modality}")
    values = _sample(volume.array_kji)
    low, high = float(values.min()), float(values.max())
    if low == high:
        raise ValueError(f"expected a CT in HU, got a constant volume of {low:g}")
    if high - low <= 10:
        raise ValueError(f"expected a CT in HU, got values from {low:g} to {high:g}, which looks normalised")
    if volume.modality == "CT":
        return
    if low > -200:
        raise ValueError(f"expected a CT in HU with air near -1000, got a lowest value of {low:g}: it looks like MR")


def _sample(array_kji: np.ndarray) -> np.ndarray:
    step = max(1, int(np.ceil((array_kji.size / _SAMPLED_VOXELS) ** (1 / 3))))
    return array_kji[::step, ::step, ::step].astype(np.float64)
