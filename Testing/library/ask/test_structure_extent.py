import numpy as np
import pytest
from anatembed.ask.structure_extent import extent_of
from anatembed.geometry import transform_points
from hypothesis import given
from hypothesis import strategies as st
from phantoms import centred_affine, proper_affines, rotation, voxel_positions

SHAPE = (20, 24, 28)
AFFINE = centred_affine(SHAPE, np.diag([-6.0, -6.0, 6.0]), (10.0, -20.0, 300.0))
BODY = np.zeros(SHAPE, bool)
BODY[:, 3:-3, 3:-3] = True


def ball(centre_kji, radius: float, peak: float = 0.9) -> np.ndarray:
    distance = np.linalg.norm(np.moveaxis(np.indices(SHAPE), 0, -1) - np.array(centre_kji), axis=-1)
    return np.where(distance <= radius, peak, 0).astype(np.float32)


def test_the_box_reaches_from_face_to_face_of_the_voxels():
    extent = extent_of(ball((10, 12, 14), 2), AFFINE, BODY)
    middle = transform_points(AFFINE, (14, 12, 10))
    np.testing.assert_allclose(extent.low_ras, middle - 2.5 * 6)
    np.testing.assert_allclose(extent.high_ras, middle + 2.5 * 6)
    assert not extent.cut_off


@given(proper_affines(), st.integers(0, 2**32 - 1))
def test_in_any_geometry_the_box_is_the_smallest_that_holds_the_voxels(ijk_to_ras, seed):
    random = np.random.default_rng(seed)
    low = random.integers(0, 10, 3)
    high = low + random.integers(1, 8, 3)
    field = np.zeros(SHAPE)
    field[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = 0.7
    extent = extent_of(field, ijk_to_ras, np.ones(SHAPE, bool))
    steps = np.array(list(np.ndindex(2, 2, 2)))
    corners = transform_points(ijk_to_ras, np.where(steps, high - 0.5, low - 0.5)[:, ::-1])
    np.testing.assert_allclose(extent.low_ras, corners.min(axis=0), atol=1e-6)
    np.testing.assert_allclose(extent.high_ras, corners.max(axis=0), atol=1e-6)


def test_a_stray_voxel_far_away_does_not_count_but_a_second_part_does():
    alone = extent_of(ball((6, 12, 14), 3), AFFINE, BODY)
    stray = extent_of(np.maximum(ball((6, 12, 14), 3), ball((16, 5, 5), 0)), AFFINE, BODY)
    two = extent_of(np.maximum(ball((6, 12, 14), 3), ball((16, 12, 14), 2)), AFFINE, BODY)
    np.testing.assert_array_equal(stray.high_ras, alone.high_ras)
    assert two.high_ras[2] == pytest.approx(transform_points(AFFINE, (0, 0, 18.5))[2])


def test_what_is_half_as_likely_as_the_best_still_belongs_to_it_and_less_does_not():
    sure = ball((10, 12, 14), 1, 0.6)
    wide = extent_of(np.maximum(sure, ball((10, 12, 14), 4, 0.31)), AFFINE, BODY)
    narrow = extent_of(np.maximum(sure, ball((10, 12, 14), 4, 0.29)), AFFINE, BODY)
    assert (wide.high_ras - wide.low_ras)[0] == pytest.approx(9 * 6)
    assert (narrow.high_ras - narrow.low_ras)[0] == pytest.approx(3 * 6)


@pytest.mark.parametrize(("k", "cut"), [(1, True), (10, False), (18, True)])
def test_what_reaches_the_first_or_last_slice_is_cut_off(k, cut):
    assert extent_of(ball((k, 12, 14), 2), AFFINE, BODY).cut_off is cut


def test_what_touches_the_skin_where_the_scan_shows_air_beyond_is_whole():
    assert not extent_of(ball((10, 12, 4), 1), AFFINE, BODY).cut_off


def test_a_turned_grid_gives_a_box_along_the_axes_of_the_body():
    turned = centred_affine(SHAPE, rotation((1, 2, 3), 25) @ np.diag([6.0, 6.0, 6.0]))
    extent = extent_of(ball((10, 12, 14), 3), turned, BODY)
    positions = voxel_positions(SHAPE, turned)[ball((10, 12, 14), 3) > 0]
    assert (extent.low_ras < positions.min(axis=0)).all()
    assert (extent.high_ras > positions.max(axis=0)).all()


def test_a_structure_that_is_nowhere_has_no_extent():
    with pytest.raises(ValueError, match="zero everywhere"):
        extent_of(np.zeros(SHAPE), AFFINE, BODY)
