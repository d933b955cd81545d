"""Affines, points and grids; world coordinates are RAS millimetres, voxel coordinates are voxel centres, zero based."""

import itertools

import numpy as np

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""Flips the first two world axes; it is its own inverse."""

_MIN_SPACING_MM = 1e-4
_MIN_RELATIVE_VOLUME = 1e-3


def check_affine(ijk_to_ras) -> np.ndarray:
    """A float64 copy of `ijk_to_ras` (4,4), mm; ValueError if it does not place voxels in the world.

    Oblique, flipped and sheared (gantry tilt) matrices are proper; zero spacing and axes that coincide are not.
    """
    try:
        matrix = np.array(ijk_to_ras, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"expected a 4x4 matrix of numbers as geometry, got {type(ijk_to_ras).__name__}") from None
    if matrix.shape != (4, 4):
        raise ValueError(f"expected a 4x4 matrix as geometry, got shape {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise ValueError("expected finite numbers in the geometry matrix, got NaN or infinity")
    if not np.allclose(matrix[3], (0, 0, 0, 1), atol=1e-9):
        raise ValueError(f"expected (0, 0, 0, 1) as last row of the geometry matrix, got {tuple(matrix[3].tolist())}")
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    if (spacing < _MIN_SPACING_MM).any():
        raise ValueError(f"expected a positive voxel spacing, got {_millimetres(spacing)}")
    if abs(np.linalg.det(matrix[:3, :3] / spacing)) < _MIN_RELATIVE_VOLUME:
        raise ValueError("expected three independent voxel axes, got a singular geometry matrix (two axes coincide)")
    return matrix


def transform_points(matrix: np.ndarray, points) -> np.ndarray:
    """`points` (..., 3) moved by the 4x4 `matrix`; the result is float64 (..., 3)."""
    points = np.asarray(points, dtype=np.float64)
    if points.shape[-1:] != (3,):
        raise ValueError(f"expected points with 3 coordinates in the last axis, got shape {points.shape}")
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def spacing_mm(ijk_to_ras: np.ndarray) -> np.ndarray:
    """Distance in mm between neighbouring voxel centres along i, j and k: (3,)."""
    return np.linalg.norm(np.asarray(ijk_to_ras, dtype=np.float64)[:3, :3], axis=0)


def ras_from_lps(ijk_to_lps) -> np.ndarray:
    """The 4x4 `ijk_to_ras` of a matrix that leads to LPS; the same call turns RAS into LPS."""
    return LPS_TO_RAS @ np.asarray(ijk_to_lps, dtype=np.float64)


def extent_mm(shape_kji, ijk_to_ras: np.ndarray) -> np.ndarray:
    """Length in mm of the volume along its own i, j and k axes, outer face to outer face: (3,)."""
    return spacing_mm(ijk_to_ras) * np.asarray(shape_kji, dtype=np.float64)[::-1]


def bounds_ras(shape_kji, ijk_to_ras: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest RAS corner, each (3,), of the box that holds every voxel with its half-voxel rim."""
    shape_ijk = np.asarray(shape_kji)[::-1]
    corners_ijk = np.array(list(itertools.product(*((-0.5, size - 0.5) for size in shape_ijk))))
    corners_ras = transform_points(ijk_to_ras, corners_ijk)
    return corners_ras.min(axis=0), corners_ras.max(axis=0)


def axis_aligned_grid(shape_kji, ijk_to_ras: np.ndarray, spacing_mm: float) -> tuple[tuple[int, int, int], np.ndarray]:
    """Shape (K,J,I) and `ijk_to_ras` of the isotropic grid with i to +R, j to +A, k to +S that covers the volume.

    The grid shares the centre of the volume's RAS box, so that what exceeds the volume is the same on both sides.
    """
    low, high = bounds_ras(shape_kji, ijk_to_ras)
    # The tolerance keeps a size that divides evenly from growing by one voxel through rounding.
    size_ijk = np.maximum(np.ceil((high - low) / spacing_mm - 1e-3), 1).astype(int)
    grid_to_ras = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    grid_to_ras[:3, 3] = (low + high) / 2 - (size_ijk - 1) / 2 * spacing_mm
    i, j, k = (int(size) for size in size_ijk)
    return (k, j, i), grid_to_ras


def _millimetres(values) -> str:
    return " x ".join(f"{value:g}" for value in values) + " mm"
