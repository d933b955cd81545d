"""What overlays are made of in the tests: arrays on the grid of a map over a scan."""

import numpy as np
from anatembed.geometry import axis_aligned_grid, transform_points
from AnatomicalEmbeddingLib import VolumeBridge
from placements import SHAPE_KJI

RIGHT, LEFT = (60, 120, 90), (200, 40, 10)
GREY_OF_THE_SCAN = (127, 127, 127)


def mapGrid(scan):
    """A canonical 4 mm grid in world that covers the scan, as an embedding map has, and its voxel positions in RAS."""
    shape_kji, ijk_to_ras = axis_aligned_grid(SHAPE_KJI, VolumeBridge.ijkToWorld(scan), 4.0)
    voxels_ijk = np.stack(np.indices(shape_kji)[::-1], axis=-1)
    return ijk_to_ras, transform_points(ijk_to_ras, voxels_ijk)


def centre(scan):
    return transform_points(VolumeBridge.ijkToWorld(scan), (np.array(SHAPE_KJI[::-1]) - 1) / 2)


def twoSided(scan):
    """RGBA that paints the patient's right RIGHT and the left LEFT, transparent in the upper half."""
    ijk_to_ras, positions_ras = mapGrid(scan)
    middle = centre(scan)
    rgba_kji = np.zeros((*positions_ras.shape[:3], 4), np.uint8)
    rgba_kji[..., :3] = np.where((positions_ras[..., :1] > middle[0]), RIGHT, LEFT)
    rgba_kji[..., 3] = np.where(positions_ras[..., 2] > middle[2], 0, 255)
    return rgba_kji, ijk_to_ras


def evenly(scan, value, dtype=np.float32):
    ijk_to_ras, positions_ras = mapGrid(scan)
    return np.full(positions_ras.shape[:3], value, dtype), ijk_to_ras


def places(scan):
    """World positions deep in the lower right, lower left and upper right part of the scan."""
    return [centre(scan) + offset for offset in ((10, 2, -8), (-10, -2, -8), (10, 0, 8))]
