"""What a map carries of the scan around the spine: the right box, at the right place, in a few hundred kilobytes."""

import numpy as np
import pytest
from anatembed.geometry import transform_points
from anatembed.maps.spine_hu import OUTSIDE_HU, STEP_HU, SpineHu, spine_hu

SHAPE_KJI = (60, 70, 90)
TO_RAS = np.array([[3.0, 0, 0, -130], [0, 3, 0, 500], [0, 0, 3, -900], [0, 0, 0, 1]])


def scan_and_canal(seed=0):
    hu = np.random.default_rng(seed).uniform(-90, 900, SHAPE_KJI).astype(np.float32)
    canal_ijk = np.stack([np.full(40, 45.0), np.full(40, 35.0), np.linspace(5, 55, 40)], axis=1)
    return hu, transform_points(TO_RAS, canal_ijk)


def test_hu_at_a_place_in_the_world_are_those_of_the_scan():
    hu, canal = scan_and_canal()
    found = spine_hu(hu, TO_RAS, canal, np.ones(len(canal)))
    ijk = np.array([[45, 35, 30], [20, 40, 10], [70, 25, 50]])
    box_ijk = np.rint(transform_points(np.linalg.inv(found.ijk_to_ras), transform_points(TO_RAS, ijk))).astype(int)
    for (i, j, k), (box_i, box_j, box_k) in zip(ijk, box_ijk, strict=True):
        assert found.hu_kji[box_k, box_j, box_i] == pytest.approx(hu[k, j, i], abs=STEP_HU / 2)


def test_where_the_scan_does_not_reach_is_remembered():
    hu, canal = scan_and_canal()
    hu[:, :, 40] = -1000
    found = spine_hu(hu, TO_RAS, canal, np.ones(len(canal)))
    column = int(np.rint(transform_points(np.linalg.inv(found.ijk_to_ras), TO_RAS[:3, 3] + [120, 0, 0])[0]))
    assert (found.hu_kji[:, :, column] == OUTSIDE_HU).all()
    assert (found.hu_kji[:, :, column + 1] > OUTSIDE_HU).all()


def test_only_what_is_near_the_canal_is_kept_and_stray_voxels_do_not_widen_it():
    hu, canal = scan_and_canal()
    many = np.repeat(canal, 10, axis=0)
    with_stray = np.concatenate([many, transform_points(TO_RAS, [[2.0, 66.0, 30.0]])])
    narrow = spine_hu(hu, TO_RAS, many, np.ones(len(many)))
    assert narrow.coded_kji.shape == spine_hu(hu, TO_RAS, with_stray, np.ones(len(with_stray))).coded_kji.shape
    assert narrow.coded_kji.size < hu.size
    unsure = spine_hu(hu, TO_RAS, with_stray, np.full(len(with_stray), 0.01))
    assert unsure is None


def test_arrays_of_a_file_are_read_back_and_others_refused():
    hu, canal = scan_and_canal()
    found = spine_hu(hu, TO_RAS, canal, np.ones(len(canal)))
    again = SpineHu.of_arrays(found.arrays())
    np.testing.assert_array_equal(again.hu_kji, found.hu_kji)
    assert SpineHu.of_arrays({}) is None
    with pytest.raises(ValueError, match="uint8"):
        SpineHu(found.hu_kji, found.ijk_to_ras)
