import numpy as np
import pytest
from anatembed.geometry import bounds_ras, transform_points
from anatembed.maps.finer_grid import box_around, continued, finer, finer_affine, finer_within
from hypothesis import given
from hypothesis import strategies as st
from phantoms import proper_affines, voxel_positions


@given(proper_affines(), st.integers(1, 3))
def test_a_divided_grid_fills_the_same_box_in_every_geometry(ijk_to_ras, factor):
    fine = bounds_ras((4 * factor, 3 * factor, 5 * factor), finer_affine(ijk_to_ras, factor))
    np.testing.assert_allclose(fine, bounds_ras((4, 3, 5), ijk_to_ras), atol=1e-6)


@given(proper_affines(), st.integers(1, 3), st.tuples(*[st.integers(-2, 2)] * 3))
def test_a_value_that_grows_evenly_in_space_keeps_its_place(ijk_to_ras, factor, slope):
    values = voxel_positions((4, 5, 6), ijk_to_ras) @ np.array(slope, float)
    fine_ras = voxel_positions((4 * factor, 5 * factor, 6 * factor), finer_affine(ijk_to_ras, factor))
    inner = (slice(factor, -factor),) * 3
    scale = max(1.0, np.abs(values).max())
    np.testing.assert_allclose(finer(values, factor)[inner], (fine_ras @ slope)[inner], atol=2e-6 * scale)


def test_a_box_that_is_cut_out_lies_where_it_was():
    ijk_to_ras = np.diag([-6.0, 6.0, 5.0, 1.0])
    corner = transform_points(ijk_to_ras, [3, 1, 2])
    np.testing.assert_allclose(transform_points(finer_affine(ijk_to_ras, 1, [3, 1, 2]), [0, 0, 0]), corner)


def test_the_box_around_a_mask_stays_within_the_grid():
    mask = np.zeros((6, 7, 8), bool)
    mask[0, 3:5, 7] = True
    assert box_around(mask, 1) == (slice(0, 2), slice(2, 6), slice(6, 8))


def test_unknown_values_are_those_of_the_nearest_known_place():
    field, known = np.array([[[1.0, 99, 99, 5]]]), np.array([[[True, False, False, True]]])
    assert continued(field, known).tolist() == [[[1, 1, 5, 5]]]


def test_what_is_outside_a_mask_does_not_run_into_it():
    field = np.full((3, 3, 4), 0.25)
    mask = np.zeros(field.shape, bool)
    mask[:, :, :2] = True
    field[~mask] = 1
    fine = finer_within(field, mask, 2, -1)
    assert np.unique(fine).tolist() == [-1, 0.25]
    assert (fine[:, :, :4] == 0.25).all() and (fine[:, :, 4:] == -1).all()


def test_an_empty_mask_gives_nothing():
    assert (finer_within(np.ones((2, 2, 2)), np.zeros((2, 2, 2), bool), 2, -1) == -1).all()


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_one_voxel_stays_one_value(factor):
    assert (finer(np.full((1, 1, 1), 7.0), factor) == 7).all()
