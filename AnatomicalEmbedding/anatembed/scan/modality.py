"""Tells a CT in Hounsfield units from other images, always by its values: a tag may be wrong, a rescale missing."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from anatembed.scan.volume import Volume

_SAMPLED_VOXELS = 1_000_000
_AIR_HU = -700
_NARROWEST_RANGE_HU = 100
_SOFT_TISSUE_HU = (-200, 200)
_CONTRAST_HU = 500
_BONE_HU = 300
_BELOW_WATER_HU = -20
_LEAST_BELOW_WATER = 0.001
_LARGEST_HU, _MOST_LARGER = 20_000, 0.01
"""Metal reaches 30,000 in a few voxels; a negative number read as unsigned makes most of a scan larger."""
_LOWEST_AIR_HU = -1150
_UNSCALED_HU, _MOST_UNSCALED = (850, 1150), 0.45
"""Where soft tissue lies in a CT without its rescale (HU + 1024); of what is denser than 300 HU, bones have a quarter
there."""
_FEWEST_DENSE = 0.005
_SIGNED_BYTE, _USED_OF_A_BYTE = (-128, 127), 250
_NEAR_ZERO_HU, _MOST_NEAR_ZERO = 15, 0.45
_FACE_SHARE, _LEVEL_SHARE = 0.5, 0.15
_FAT_HU, _BETWEEN_HU, _MUSCLE_HU = (-130, -80), (-75, -25), (20, 70)
_MOST_BETWEEN = 2.5
"""Fat and muscle are two peaks with few voxels between them; inverted, muscle would lie there."""
_MOST_LABELS = 256


class NotACT(ValueError):  # noqa: N818 - reads as what it is
    """The volume looks like something else than a CT in HU."""


@dataclass(frozen=True)
class _Thresholds:
    """Shares of the voxels denser than lung: least soft tissue with air around and without, least soft tissue and
    vessels full of contrast medium together, and most bone."""

    soft: float
    soft_without_air: float
    soft_and_contrast: float
    bone: float


_USUAL = _Thresholds(soft=0.4, soft_without_air=0.68, soft_and_contrast=0.5, bone=0.4)
_TAGGED = _Thresholds(soft=0.1, soft_without_air=0.6, soft_and_contrast=0.6, bone=0.6)
"""Where DICOM says CT, as for a crop round an enhanced heart; whole scans have 69 % soft tissue and more, 17 % bone
and less."""


@dataclass(frozen=True)
class _Values:
    """A sample of a scan: `all` (N,) and those of its `faces` (M,), float64."""

    all: np.ndarray
    faces: np.ndarray
    thresholds: _Thresholds

    @property
    def denser(self) -> np.ndarray:
        """Denser than lung."""
        return self.all[self.all > _AIR_HU]

    @property
    def low(self) -> np.ndarray:
        """Air, lung and padding."""
        return self.all[self.all <= _AIR_HU]


def check_is_ct(volume: Volume) -> None:
    """Returns for a CT in HU; NotACT that says why the volume looks like something else.

    The voxels must look like HU whatever the modality says; "CT" only loosens how much soft tissue is expected.
    Padding below -1024 is allowed, and so is a crop inside the body that holds no air.
    """
    if volume.modality not in ("CT", "unknown", ""):
        raise NotACT(f"expected a CT, got a volume with the modality {volume.modality}")
    thresholds = _TAGGED if volume.modality == "CT" else _USUAL
    values = _Values(_sample(volume.array_kji), _faces(volume.array_kji), thresholds)
    found = f"values from {values.all.min():g} to {values.all.max():g}"
    for odd in _ODDITIES:
        reason = odd(values)
        if reason:
            raise NotACT(f"expected a CT in HU, with air near -1000 and soft tissue near 0, got {found}: {reason}")


def _without_range(values: _Values) -> str | None:
    low, high = values.all.min(), values.all.max()
    if high - low < _NARROWEST_RANGE_HU:
        return "it looks normalised, or like a label map, a mask or one value"
    if _SIGNED_BYTE[0] <= low and high <= _SIGNED_BYTE[1] and high - low >= _USED_OF_A_BYTE:
        return "it has the range of 8 bits: it looks like an 8-bit picture or a label map"
    return None


def _wrapped(values: _Values) -> str | None:
    share = np.mean(values.all > _LARGEST_HU)
    if share > _MOST_LARGER:
        return f"{share:.1%} of it is above {_LARGEST_HU}: negative values seem to have been read as unsigned ones"
    return None


def _nothing_below_water(values: _Values) -> str | None:
    if np.mean(values.all < _BELOW_WATER_HU) >= _LEAST_BELOW_WATER:
        return None
    bright = values.all[values.all > 200]
    if bright.size and 850 < np.median(bright) < 1250:
        return "no air, lung or fat: it looks like a CT stored without its rescale (HU + 1024), or like MR"
    if np.unique(values.all).size <= _MOST_LABELS and np.array_equal(values.all, np.round(values.all)):
        return "no air, lung or fat: it looks like a label map or a picture of 8 bits"
    return "no air, lung or fat: it looks like MR, PET, a dose or another scale"


def _air_too_low(values: _Values) -> str | None:
    """Padding is one value; air and lung with their noise are many, and they are not below air."""
    levels, counts = np.unique(values.low, return_counts=True)
    if levels.size < 3:
        return None
    rest = np.delete(np.arange(levels.size), np.argmax(counts))
    middle = np.searchsorted(np.cumsum(counts[rest]), counts[rest].sum() / 2)
    median = levels[rest][middle]
    if counts[rest].sum() > 0.01 * values.all.size and median < _LOWEST_AIR_HU:
        return f"air and lung lie at {median:g}: the scale is another one, or the rescale was applied twice"
    return None


def _unscaled(values: _Values) -> str | None:
    dense = values.all[values.all > _BONE_HU]
    share = _share(dense, *_UNSCALED_HU)
    if dense.size > _FEWEST_DENSE * values.all.size and share > _MOST_UNSCALED:
        return f"{share:.0%} of what is dense lies near 1000: it looks like a CT stored without its rescale (HU + 1024)"
    return None


def _of_another_scale(values: _Values) -> str | None:
    limits = values.thresholds
    soft = _share(values.denser, *_SOFT_TISSUE_HU)
    least = limits.soft if values.low.size > 0.002 * values.all.size else limits.soft_without_air
    if soft < least:
        return (
            f"only {soft:.0%} of the voxels denser than lung are soft tissue, between {_SOFT_TISSUE_HU[0]} and "
            f"{_SOFT_TISSUE_HU[1]}: it looks like another modality, such as MR or PET, or another scale"
        )
    soft = _share(values.denser, _SOFT_TISSUE_HU[0], _CONTRAST_HU)
    if soft < limits.soft_and_contrast:
        return f"only {soft:.0%} of the voxels denser than lung are soft tissue or vessels: it looks like another scale"
    bone = _share(values.denser, _BONE_HU, np.inf)
    if bone > limits.bone:
        return f"{bone:.0%} of the voxels denser than lung are above {_BONE_HU}: it looks like another scale"
    return None


def _inverted(values: _Values) -> str | None:
    fat, between, muscle = (_share(values.all, *one) for one in (_FAT_HU, _BETWEEN_HU, _MUSCLE_HU))
    if between > 0.1 and between > _MOST_BETWEEN * max(fat, muscle):
        return "most soft tissue lies between fat and water, where nothing is: it looks inverted or shifted"
    return None


def _difference(values: _Values) -> str | None:
    """Without air: in the difference of two scans nearly everything is near 0, in a body nothing is water."""
    near = np.mean(np.abs(values.all) <= _NEAR_ZERO_HU)
    if values.low.size <= 0.01 * values.all.size and near > _MOST_NEAR_ZERO:
        return f"{near:.0%} of it is near 0 and there is no air: it looks like the difference of two scans"
    return None


def _masked(values: _Values) -> str | None:
    level, share = _usual(values.faces)
    if share > _FACE_SHARE and level > _SOFT_TISSUE_HU[0]:
        return f"{share:.0%} of its outside is exactly {level:g} and not air"
    level, share = _usual(values.all)
    if values.low.size <= 0.01 * values.all.size and share > _LEVEL_SHARE:
        return f"{share:.0%} of it is exactly {level:g} and there is no air: it looks masked, or like a label map"
    return None


_ODDITIES: tuple[Callable[[_Values], str | None], ...] = (
    _without_range, _wrapped, _nothing_below_water, _air_too_low, _unscaled, _masked, _difference, _of_another_scale,
    _inverted,
)  # fmt: skip


def _usual(values: np.ndarray) -> tuple[float, float]:
    """The most common value, and its share."""
    levels, counts = np.unique(values, return_counts=True)
    usual = int(np.argmax(counts))
    return float(levels[usual]), float(counts[usual] / values.size)


def _share(values: np.ndarray, low: float, high: float) -> float:
    return float(np.count_nonzero((values > low) & (values < high)) / max(1, values.size))


def _sample(array_kji: np.ndarray) -> np.ndarray:
    """About a million voxels of an even lattice, float64 (N,)."""
    step = max(1, int(np.ceil((array_kji.size / _SAMPLED_VOXELS) ** (1 / 3))))
    return array_kji[::step, ::step, ::step].astype(np.float64).ravel()


def _faces(array_kji: np.ndarray) -> np.ndarray:
    """Voxels of the six faces, an even lattice of each, float64 (M,)."""
    step = max(1, int(np.ceil((array_kji.size / _SAMPLED_VOXELS) ** (1 / 3))))
    planes = [array_kji.take(end, axis=axis)[::step, ::step].ravel() for axis in range(3) for end in (0, -1)]
    return np.concatenate(planes).astype(np.float64)
