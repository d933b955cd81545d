"""Changed scans: what is left must stay where it was in the world, in every geometry."""

import numpy as np
import pytest
from anatembed.geometry import extent_mm
from anatembed.scan.volume import Volume
from phantoms import (
    CENTRES_RAS,
    GEOMETRIES,
    LEFT,
    LEFT_HU,
    RIGHT,
    RIGHT_HU,
    centre_of_values,
    torso,
    voxel_positions,
)
from research.evaluation import views

ALL = pytest.mark.parametrize("name", GEOMETRIES)


def ball(volume: Volume, hu: float) -> np.ndarray:
    return centre_of_values(volume.array_kji, volume.ijk_to_ras, hu - 60, hu + 60)


@ALL
def test_a_part_of_a_scan_stays_at_its_place(name):
    volume = torso(name).volume
    positions = voxel_positions(volume.array_kji.shape, volume.ijk_to_ras)
    part = views.cropped(volume, (3, 5, 7), (13, 25, 37))
    assert part.array_kji.shape == (10, 20, 30)
    np.testing.assert_allclose(voxel_positions((10, 20, 30), part.ijk_to_ras), positions[3:13, 5:25, 7:37], atol=1e-9)
    assert (part.array_kji == volume.array_kji[3:13, 5:25, 7:37]).all()


@ALL
def test_the_middle_is_a_true_part(name):
    volume = torso(name).volume
    part = views.middle(volume)
    assert (np.array(part.array_kji.shape) < volume.array_kji.shape).all()
    assert (np.array(part.array_kji.shape) >= 0.6 * np.array(volume.array_kji.shape) - 1).all()


@ALL
def test_a_slab_holds_as_many_slices_as_asked_for_at_its_height(name):
    volume = torso(name).volume
    axis = views.axis_along(volume, 2)
    low, high = views.slab(volume, 0.2, 5), views.slab(volume, 0.8, 5)
    assert low.array_kji.shape[axis] == high.array_kji.shape[axis] == 5
    heights = [voxel_positions(v.array_kji.shape, v.ijk_to_ras)[..., 2].mean() for v in (low, high)]
    assert abs(heights[0] - heights[1]) == pytest.approx(
        0.6 * extent_mm(volume.array_kji.shape, volume.ijk_to_ras)[2 - axis], rel=0.2
    )
    everything = views.slab(volume, 0.5, 9999)
    assert everything.array_kji.shape == volume.array_kji.shape


@ALL
def test_thick_slices_keep_everything_at_its_place(name):
    phantom = torso(name)
    thick = views.thicker(phantom.volume, 11.0)
    axis = views.axis_along(phantom.volume, 2)
    assert thick.array_kji.shape[axis] < phantom.volume.array_kji.shape[axis]
    assert np.linalg.norm(ball(thick, LEFT_HU) - phantom.centre_of(LEFT)) < 4


def test_thick_slices_need_slices():
    with pytest.raises(ValueError, match="expected at least 8 slices, got 3"):
        views.thicker(Volume(np.zeros((3, 9, 9)), np.eye(4)))


@ALL
def test_a_mirrored_person_has_the_left_ball_where_the_right_one_would_be(name):
    phantom = torso(name)
    flipped = views.mirrored(phantom.volume)
    for label, hu in ((LEFT, LEFT_HU), (RIGHT, RIGHT_HU)):
        expected = views.mirrored_position(phantom.volume, phantom.centre_of(label))
        assert np.linalg.norm(ball(flipped, hu) - expected) < 1
    assert (flipped.ijk_to_ras == phantom.volume.ijk_to_ras).all()


def test_mirroring_is_about_the_middle_of_the_scan():
    phantom = torso("flipped left-right")
    np.testing.assert_allclose(
        views.mirrored_position(phantom.volume, CENTRES_RAS[LEFT]), np.multiply(CENTRES_RAS[LEFT], (-1, 1, 1))
    )


@pytest.mark.parametrize("change", views.CHANGES)
def test_a_change_of_the_picture_moves_nothing(change):
    phantom = torso("as DICOM stores it")
    changed = views.CHANGES[change](phantom.volume)
    assert changed.array_kji.dtype == np.int16
    assert changed.array_kji.min() >= -1000
    assert not np.array_equal(changed.array_kji, phantom.volume.array_kji)
    dense = changed.array_kji > 300  # the left ball and the spine, in every change
    expected = voxel_positions(dense.shape, changed.ijk_to_ras)[dense][:, 0].min()
    assert expected == pytest.approx(phantom.centre_of(LEFT)[0] - 24, abs=8)


def test_noise_is_the_same_every_time_and_as_strong_as_asked_for():
    volume = Volume(np.zeros((20, 20, 20), np.int16), np.eye(4))
    noisy = views.noisy(volume, 40.0).array_kji
    assert (noisy == views.noisy(volume, 40.0).array_kji).all()
    assert noisy.std() == pytest.approx(40, rel=0.05)


def test_contrast_changes_keep_the_order_of_densities():
    volume = Volume(np.arange(-1000, 1000, dtype=np.int16).reshape(20, 10, 10), np.eye(4))
    for change in (views.brighter, views.gamma, views.enhanced):
        assert (np.diff(change(volume).array_kji.ravel().astype(int)) >= 0).all()


def test_a_blur_is_as_wide_in_mm_whatever_the_voxels():
    array = np.zeros((41, 41, 41), np.int16)
    array[20, 20, 20] = 30000
    blurred = views.blurred(Volume(array, np.diag([1.0, 2.0, 1.5, 1])), 3.0)
    positions = voxel_positions(array.shape, blurred.ijk_to_ras)
    weight = blurred.array_kji / blurred.array_kji.sum()
    mean = (weight[..., None] * positions).sum(axis=(0, 1, 2))
    spread = np.sqrt((weight[..., None] * np.square(positions - mean)).sum(axis=(0, 1, 2)))
    np.testing.assert_allclose(spread, 3, rtol=0.1)
