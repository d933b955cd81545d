"""HU around the spinal canal on the grid that the model was given: what counting levels needs of a scan, in a map."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from anatembed.geometry import check_affine, transform_points
from anatembed.model.readout import Readout, sigmoid

CANAL_CONCEPTS = ("spinal_canal", "spinal_cord")
SURE = 0.15
MARGIN_MM = np.array([[-87.0, -66.0, -12.0], [87.0, 54.0, 12.0]])
"""How far from the canal in R, A and S the box reaches, at its low and its high end."""
STRAY = 0.01
"""Share of the voxels of the canal at either end of R and A that may be something else."""
LOWEST_HU, STEP_HU, OUTSIDE = -100.0, 4.0, 0
"""Soft tissue and bone in steps of 4 HU fit into a byte, of which 0 says that the scan does not reach there."""
OUTSIDE_HU = -1000.0
"""What a prepared scan has outside of the scan."""


@dataclass(frozen=True)
class SpineHu:
    """coded_kji: uint8 (K,J,I), 0 outside the scan, else 1 + (HU - LOWEST_HU) / STEP_HU, cut off; ijk_to_ras: mm."""

    coded_kji: np.ndarray
    ijk_to_ras: np.ndarray

    def __post_init__(self):
        object.__setattr__(self, "ijk_to_ras", check_affine(self.ijk_to_ras))
        if self.coded_kji.ndim != 3 or self.coded_kji.dtype != np.uint8:
            raise ValueError(f"expected coded HU uint8 (K,J,I), got {self.coded_kji.dtype} {self.coded_kji.shape}")

    def arrays(self) -> dict[str, np.ndarray]:
        """What `of_arrays` reads, by name."""
        return {"spine_hu_kji": self.coded_kji, "spine_hu_to_ras": self.ijk_to_ras}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> SpineHu | None:
        """That of the arrays of a map file, None without; ValueError if they are no coded HU."""
        coded = arrays.get("spine_hu_kji")
        return None if coded is None else cls(coded, arrays["spine_hu_to_ras"])

    @property
    def hu_kji(self) -> np.ndarray:
        """HU, float32 (K,J,I); OUTSIDE_HU where the scan does not reach."""
        hu = LOWEST_HU + STEP_HU * (self.coded_kji.astype(np.float32) - 1)
        return np.where(self.coded_kji == OUTSIDE, np.float32(OUTSIDE_HU), hu)


def canal_probability(unit_features: np.ndarray, readout: Readout) -> np.ndarray | None:
    """How likely each row (N,) of language features (N,E) is spinal canal; None if the model has not learnt it."""
    known = [readout.index(one) for one in CANAL_CONCEPTS if one in readout.concept_ids]
    return sigmoid(np.max([readout.logits(unit_features, one) for one in known], axis=0)) if known else None


def spine_hu(
    hu_kji: np.ndarray, ijk_to_ras: np.ndarray, positions_ras: np.ndarray, probabilities: np.ndarray
) -> SpineHu | None:
    """The box of a prepared scan (K,J,I) around the places (N,3) that are likely (N,) canal; None without any."""
    canal = positions_ras[probabilities > SURE]
    if not len(canal):
        return None
    ends = np.quantile(canal, [STRAY, 1 - STRAY], axis=0)
    ends[:, 2] = canal[:, 2].min(), canal[:, 2].max()
    corners_ijk = transform_points(np.linalg.inv(ijk_to_ras), ends + MARGIN_MM)
    low = np.maximum(np.floor(corners_ijk.min(axis=0)), 0).astype(int)
    high = np.minimum(np.ceil(corners_ijk.max(axis=0)) + 1, hu_kji.shape[::-1]).astype(int)
    box = hu_kji[tuple(slice(a, b) for a, b in zip(low[::-1], high[::-1], strict=True))]
    coded = np.clip(np.rint((box - LOWEST_HU) / STEP_HU) + 1, 1, 255)
    affine = np.array(ijk_to_ras, np.float64)
    affine[:3, 3] = transform_points(ijk_to_ras, low)
    return SpineHu(np.where(box <= OUTSIDE_HU, OUTSIDE, coded).astype(np.uint8), affine)
