"""Registration at half resolution: quicker, and still between the right places of the world."""

import numpy as np
import pytest
from anatembed.evaluation import registration
from anatembed.evaluation.baselines import Reference
from anatembed.evaluation.registration import halved, register, register_scans
from anatembed.geometry import transform_points
from anatembed.preprocessing import prepare
from anatembed.volume import Volume
from little_people import CENTRES_RAS, VOCABULARY, little_person
from phantoms import GEOMETRIES, voxel_positions


@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
def test_a_coarse_voxel_lies_in_the_middle_of_the_fine_ones(geometry):
    positions = voxel_positions(geometry.shape_kji, geometry.ijk_to_ras)
    for axis in range(3):
        coarse, to_ras = halved(positions[..., axis], geometry.ijk_to_ras)
        np.testing.assert_allclose(coarse, voxel_positions(coarse.shape, to_ras)[..., axis], atol=0.01)


def test_an_odd_last_voxel_is_left_out():
    assert halved(np.zeros((5, 4, 3)), np.eye(4))[0].shape == (2, 2, 1)


def prepared(centre_ras, scale):
    person = little_person(centre_ras=centre_ras, scale=scale, shape_kji=(32, 34, 50))
    return prepare(Volume(person.ct_kji, person.ijk_to_ras, "CT"))


@pytest.mark.parametrize(("large", "within_mm"), [(10**9, 8), (0, 20)], ids=["as it is", "halved"])
def test_a_scan_is_registered_to_the_reference(monkeypatch, large, within_mm):
    monkeypatch.setattr(registration, "LARGE_VOXELS", large)
    reference = Reference.of(little_person(ct=False), VOCABULARY)
    lookup = register(prepared((-30.0, 20.0, -900.0), (1.12, 1.12, 1.0)), reference)
    for concept, centre in CENTRES_RAS.items():
        expected = np.multiply(centre, (1.12, 1.12, 1.0)) + (-30, 20, -900)
        assert np.linalg.norm(lookup.locate(concept) - expected) < within_mm


def test_a_scan_is_registered_to_another_scan_in_its_own_world():
    reference = Reference.of(little_person(ct=False), VOCABULARY)
    one, other = prepared((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)), prepared((60.0, -20.0, 500.0), (1.1, 1.1, 1.0))
    matrix = register_scans(one, other, reference)
    start = np.array(list(CENTRES_RAS.values()))
    moved = transform_points(matrix, start)
    assert np.linalg.norm(moved - (start * (1.1, 1.1, 1.0) + (60, -20, 500)), axis=1).max() < 8
