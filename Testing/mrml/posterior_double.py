"""A posterior in the shape of the library's own: two structures that meet at a plane of the scan's middle."""

import numpy as np
from anatembed.ask.border import Posterior
from anatembed.geometry import axis_aligned_grid, transform_points
from AnatomicalEmbeddingLib import VolumeBridge
from placements import SHAPE_KJI

SPACING_MM = 2.0
RADIUS_MM = 20.0


def middleOf(scan) -> np.ndarray:
    return transform_points(VolumeBridge.ijkToWorld(scan), (np.array(SHAPE_KJI[::-1]) - 1) / 2)


def posteriorOf(scan, first="kidney_right", second="liver", softness_mm=3.0) -> Posterior:
    """A ball of 20 mm around the middle of the scan: the first structure is its half at the patient's right."""
    shape_kji, ijk_to_ras = axis_aligned_grid(SHAPE_KJI, VolumeBridge.ijkToWorld(scan), SPACING_MM)
    offset = transform_points(ijk_to_ras, np.stack(np.indices(shape_kji)[::-1], axis=-1)) - middleOf(scan)
    first_kji = 1 / (1 + np.exp(-offset[..., 0] / softness_mm))
    either_kji = 1 / (1 + np.exp(np.linalg.norm(offset, axis=-1) - RADIUS_MM))
    return Posterior(first, second, first_kji.astype(np.float32), either_kji.astype(np.float32), ijk_to_ras)
