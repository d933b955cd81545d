import itertools

import numpy as np
import pytest
from anatembed.geometry import (
    axis_aligned_grid,
    bounds_ras,
    check_affine,
    extent_mm,
    ras_from_lps,
    spacing_mm,
    transform_points,
)
from hypothesis import given
from hypothesis import strategies as st
from phantoms import GEOMETRIES, proper_affines, rotation, voxel_positions

SHAPES = st.tuples(*[st.integers(1, 40)] * 3)


@pytest.mark.parametrize(
    ("matrix", "reason"),
    [
        (np.eye(3), "4x4.*shape \\(3, 3\\)"),
        ("a word", "4x4"),
        (None, "4x4"),
        (np.diag([1, np.nan, 1, 1]), "finite"),
        (np.diag([1, np.inf, 1, 1]), "finite"),
        (np.diag([1, 1, 1, 2]), "last row"),
        (np.diag([1, 1, 0, 1]), "spacing.*1 x 1 x 0 mm"),
        ([[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], "singular"),
        ([[1, 0, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1]], "singular"),
    ],
)
def test_a_matrix_that_cannot_place_voxels_is_refused_with_the_reason(matrix, reason):
    with pytest.raises(ValueError, match=reason):
        check_affine(matrix)


@given(proper_affines())
def test_rotated_flipped_sheared_and_anisotropic_matrices_are_proper(ijk_to_ras):
    checked = check_affine(ijk_to_ras)
    assert checked.dtype == np.float64
    assert np.array_equal(checked, ijk_to_ras)


def test_the_checked_matrix_is_a_copy():
    matrix = np.eye(4)
    check_affine(matrix)[0, 3] = 5
    assert matrix[0, 3] == 0


@given(proper_affines(), st.tuples(*[st.floats(-100, 100)] * 3))
def test_a_point_returns_through_the_inverse(ijk_to_ras, point_ijk):
    there = transform_points(ijk_to_ras, point_ijk)
    back = transform_points(np.linalg.inv(ijk_to_ras), there)
    np.testing.assert_allclose(back, point_ijk, atol=1e-6)


def test_points_move_one_by_one_in_any_shape():
    ijk_to_ras = np.array([[-2.0, 0, 0, 10], [0, 3, 0, 20], [0, 0, 4, 30], [0, 0, 0, 1]])
    points = np.arange(24).reshape(2, 4, 3)
    moved = transform_points(ijk_to_ras, points)
    assert moved.shape == (2, 4, 3)
    np.testing.assert_array_equal(moved[1, 2], [10 - 2 * 18, 20 + 3 * 19, 30 + 4 * 20])


def test_no_points_give_no_points():
    assert transform_points(np.eye(4), np.empty((0, 3))).shape == (0, 3)


def test_points_without_three_coordinates_are_refused():
    with pytest.raises(ValueError, match="3 coordinates.*\\(5, 2\\)"):
        transform_points(np.eye(4), np.zeros((5, 2)))


def test_spacing_is_measured_along_the_turned_axes():
    ijk_to_ras = np.eye(4)
    ijk_to_ras[:3, :3] = rotation((1, -2, 0.5), 40) @ np.diag([0.7, -0.8, 5.0])
    np.testing.assert_allclose(spacing_mm(ijk_to_ras), [0.7, 0.8, 5.0])
    np.testing.assert_allclose(extent_mm((10, 20, 30), ijk_to_ras), [21.0, 16.0, 50.0])


@given(proper_affines())
def test_lps_and_ras_differ_in_the_sign_of_the_first_two_axes_only(matrix):
    flipped = ras_from_lps(matrix)
    np.testing.assert_array_equal(flipped[:2], -matrix[:2])
    np.testing.assert_array_equal(flipped[2:], matrix[2:])
    np.testing.assert_array_equal(ras_from_lps(flipped), matrix)


def test_bounds_reach_half_a_voxel_beyond_the_centres():
    ijk_to_ras = np.array([[-2.0, 0, 0, 100], [0, 4, 0, -50], [0, 0, 6, 0], [0, 0, 0, 1]])
    low, high = bounds_ras((3, 5, 11), ijk_to_ras)
    np.testing.assert_allclose(low, [79, -52, -3])
    np.testing.assert_allclose(high, [101, -32, 15])


@given(SHAPES, proper_affines())
def test_bounds_hold_every_voxel_and_are_tight(shape_kji, ijk_to_ras):
    low, high = bounds_ras(shape_kji, ijk_to_ras)
    corners = [
        transform_points(ijk_to_ras, corner) for corner in itertools.product(*((0, n - 1) for n in shape_kji[::-1]))
    ]
    half_voxel = np.abs(ijk_to_ras[:3, :3]).sum(axis=1) / 2
    np.testing.assert_allclose(low, np.min(corners, axis=0) - half_voxel, atol=1e-6)
    np.testing.assert_allclose(high, np.max(corners, axis=0) + half_voxel, atol=1e-6)


@given(SHAPES, proper_affines(), st.floats(1.0, 6.0))
def test_the_axis_aligned_grid_covers_the_volume_without_waste(shape_kji, ijk_to_ras, spacing):
    grid_shape, grid_to_ras = axis_aligned_grid(shape_kji, ijk_to_ras, spacing)
    np.testing.assert_array_equal(grid_to_ras[:3, :3], np.eye(3) * spacing)
    low, high = bounds_ras(shape_kji, ijk_to_ras)
    grid_low, grid_high = bounds_ras(grid_shape, grid_to_ras)
    rounding = 2e-3 * spacing
    assert (grid_low <= low + rounding).all()
    assert (grid_high >= high - rounding).all()
    assert ((grid_high - grid_low) - (high - low) < spacing + rounding).all()
    np.testing.assert_allclose(grid_low + grid_high, low + high, atol=1e-6)


def test_a_volume_that_is_already_on_the_grid_keeps_its_voxels():
    ijk_to_ras = np.array([[3.0, 0, 0, -47.5], [0, 3, 0, 12.25], [0, 0, 3, -901], [0, 0, 0, 1]])
    shape, grid_to_ras = axis_aligned_grid((20, 30, 41), ijk_to_ras, 3.0)
    assert shape == (20, 30, 41)
    np.testing.assert_allclose(grid_to_ras, ijk_to_ras)


@pytest.mark.parametrize("name", GEOMETRIES)
def test_every_phantom_geometry_is_centred_where_it_says(name):
    geometry = GEOMETRIES[name]
    positions = voxel_positions(geometry.shape_kji, check_affine(geometry.ijk_to_ras))
    np.testing.assert_allclose(positions.reshape(-1, 3).mean(axis=0), geometry.centre_ras, atol=1e-6)
