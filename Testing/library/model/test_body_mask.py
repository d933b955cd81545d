import numpy as np
import pytest
from anatembed.model.body_mask import body_mask
from anatembed.model.preprocessing import prepare
from anatembed.scan.files import read_volume
from phantoms import AIR_HU, BODY_HU, COUCH_RAS_A, LUNG_HU, SAMPLE_SCAN, torso, torso_labels, voxel_positions

MM = 3.0


def truth(prepared, phantom):
    return torso_labels(voxel_positions(prepared.array_kji.shape, prepared.ijk_to_ras) - phantom.centre_ras) > 0


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("couch", [False, True])
@pytest.mark.parametrize("geometry", ["canonical", "as DICOM stores it", "thin slices", "anisotropic", "sagittal"])
def test_the_mask_is_the_body_with_its_lung_and_without_the_couch(geometry, couch):
    phantom = torso(geometry, couch=couch)
    prepared = prepare(phantom.volume)
    assert dice(prepared.body_kji, truth(prepared, phantom)) > 0.97
    heights = voxel_positions(prepared.array_kji.shape, prepared.ijk_to_ras)[..., 1] - phantom.centre_ras[1]
    couch_plane = (heights > COUCH_RAS_A[0]) & (heights < COUCH_RAS_A[1])
    assert not prepared.body_kji[couch_plane].any()


@pytest.mark.parametrize("geometry", ["oblique", "gantry tilt"])
def test_the_corners_beyond_a_turned_scan_are_not_body(geometry):
    phantom = torso(geometry)
    prepared = prepare(phantom.volume)
    beyond = prepared.array_kji == -1000
    assert (prepared.body_kji & beyond & ~truth(prepared, phantom)).sum() < 1e-3 * prepared.body_kji.sum()
    assert dice(prepared.body_kji, truth(prepared, phantom) & ~beyond) > 0.9


def slab(shape=(20, 60, 80)):
    return np.full(shape, AIR_HU, dtype=np.float32)


def test_a_couch_that_the_back_lies_on_is_taken_away():
    hu = slab()
    hu[:, 20:50, 20:60] = BODY_HU
    hu[:, 18:20, 2:78] = 100
    mask = body_mask(hu, MM)
    assert mask[:, 20:49, 21:59].all()
    assert not mask[:, :, :18].any()
    assert not mask[:, :, 62:].any()


def test_arms_beside_the_body_stay():
    hu = slab()
    hu[:, 10:50, 22:58] = BODY_HU
    hu[:, 24:36, 4:16] = BODY_HU
    hu[:, 24:36, 64:76] = BODY_HU
    np.testing.assert_array_equal(body_mask(hu, MM)[:, 26:34, 6:14], True)
    np.testing.assert_array_equal(body_mask(hu, MM)[:, 26:34, 66:74], True)


def test_a_small_thing_in_the_air_goes():
    hu = slab()
    hu[:, 10:40, 22:58] = BODY_HU
    hu[5:10, 48:53, 30:35] = BODY_HU
    assert not body_mask(hu, MM)[:, 44:].any()


def test_a_lung_that_the_field_of_view_cuts_belongs_to_the_body_and_the_air_outside_does_not():
    hu = slab()
    hu[:, :30] = BODY_HU
    hu[:, 5:20, 50:] = LUNG_HU
    mask = body_mask(hu, MM)
    assert mask[:, :30].all()
    assert not mask[:, 30:].any()


def test_air_below_a_body_that_reaches_both_rims_does_not_become_lung():
    hu = slab()
    hu[:, 25:50] = BODY_HU
    hu[:, 8:18] = -850  # foam of the couch, as dense as lung
    assert not body_mask(hu, MM)[:, :24].any()


def test_a_lung_that_leaks_out_in_one_slice_is_filled_there_too():
    hu = slab()
    hu[:, 10:50, 20:60] = BODY_HU
    hu[:, 20:40, 30:50] = LUNG_HU
    hu[10, 28:32, 20:32] = AIR_HU
    assert body_mask(hu, MM)[10, 20:40, 30:50].all()


def test_a_window_that_ends_above_air_gives_the_same_mask():
    hu = slab()
    hu[:, 10:50, 20:60] = BODY_HU
    hu[:, 20:40, 30:50] = LUNG_HU
    np.testing.assert_array_equal(body_mask(np.maximum(hu, -900), MM), body_mask(hu, MM))


def test_a_last_slice_padded_with_zeros_is_no_lung():
    hu = slab()
    hu[:, 10:50, 20:60] = BODY_HU
    hu[0] = 0
    mask = body_mask(hu, MM)
    assert mask[0, 12:48, 22:58].all()
    assert not mask[:, :8].any()


def test_a_scan_of_air_has_no_body():
    mask = body_mask(slab(), MM)
    assert mask.dtype == bool
    assert not mask.any()


def test_a_scan_within_the_body_is_all_body():
    assert body_mask(np.full((12, 12, 12), 40, np.float32), MM).all()


def test_the_mask_of_the_sample_scan_is_one_body_without_holes():
    prepared = prepare(read_volume(SAMPLE_SCAN))
    litres = prepared.body_kji.sum() * MM**3 / 1e6
    assert 35 < litres < 55
    assert (prepared.array_kji[prepared.body_kji] < -700).mean() > 0.01  # the lungs are in it
