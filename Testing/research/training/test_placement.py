"""Laying a scan with a few named organs over a reference person."""

from dataclasses import replace

import numpy as np
import pytest
from anatembed.geometry import transform_points
from hypothesis import given
from hypothesis import strategies as st
from little_chest import VOCABULARY, little_chest
from little_people import little_person
from phantoms import rotation
from research.training.placement import OUTLINED, Placement, Reference, organ_points, robust


@pytest.fixture(scope="module")
def reference():
    return Reference(little_chest("reference"), VOCABULARY)


def moved(subject, matrix):
    """The same person elsewhere: `matrix` takes old RAS to new RAS."""
    return replace(subject, ijk_to_ras=matrix @ subject.ijk_to_ras, ras_to_body=None)


def test_a_person_far_from_the_origin_is_placed_where_the_reference_is(reference):
    shift = np.eye(4)
    shift[:3, 3] = 210.0, -340.0, -1200.0
    found = reference.place(moved(little_chest("one"), shift))
    assert isinstance(found, Placement)
    assert found.error_mm < 3
    points = np.array([[50.0, 10.0, 45.0], [-50.0, 0.0, 50.0], [10.0, -20.0, -30.0]])
    np.testing.assert_allclose(
        transform_points(found.ras_to_body, transform_points(shift, points)), points / 100, atol=0.05
    )
    assert np.linalg.det(found.ras_to_body[:3, :3]) > 0


def test_a_larger_person_is_made_smaller(reference):
    larger = np.diag([1.12, 1.05, 1.1, 1.0])
    found = reference.place(moved(little_chest("one"), larger))
    at = transform_points(larger, [[55.0, 20.0, 0.0], [-45.0, 0.0, 60.0]])
    np.testing.assert_allclose(transform_points(found.ras_to_body, at), [[0.55, 0.2, 0], [-0.45, 0, 0.6]], atol=0.08)


def test_stretch_is_the_same_for_longer_and_shorter_and_none_for_a_turn():
    def stretch(linear):
        matrix = np.eye(4)
        matrix[:3, :3] = linear
        return Placement(matrix, matrix, 0.0).stretch

    turn = rotation((1, 2, 3), 25)
    assert abs(stretch(turn) - 1) < 1e-9
    assert abs(stretch(turn @ np.diag([1, 1, 1.3])) - 1.3) < 1e-9
    assert abs(stretch(np.diag([1, 1 / 1.3, 1.1]) @ turn) - 1.3) < 1e-9


def test_a_person_without_one_of_the_lungs_has_no_place(reference):
    assert reference.place(little_chest("one", lungs=("left",))) is None
    assert reference.place(little_person()) is None


def test_a_reference_needs_lungs_and_a_place_in_the_body_frame():
    with pytest.raises(ValueError, match="two labelled lungs as reference, one lacks lung_left"):
        Reference(little_person(), VOCABULARY)
    with pytest.raises(ValueError, match="a place in the body frame as reference, far has none"):
        Reference(replace(little_chest("far"), ras_to_body=None), VOCABULARY)


def test_distances_are_negative_inside_an_organ_and_its_wholes_and_none_where_it_is_lacking(reference):
    centre = np.array([[55.0, 20.0, 0.0]])
    assert reference.distances("liver", centre)[0] < -8
    assert abs(reference.distances("liver", centre + [46.0, 0, 0])[0] - 30) < 5
    assert reference.distances("rib_cage", centre) is None


def test_where_a_scan_cuts_a_lung_is_not_its_outline():
    chest = little_chest("one")
    top = transform_points(chest.ijk_to_ras, [0, 0, 40])[2]
    cut = replace(chest, labels_kji=chest.labels_kji[:41])
    for lung in OUTLINED:
        assert organ_points(chest, lung, VOCABULARY)[:, 2].max() > top - 3
        assert organ_points(cut, lung, VOCABULARY)[:, 2].max() < top - 3


@given(st.floats(-50, 50))
def test_robust_errors_keep_their_sign_and_never_grow(error):
    small = float(robust(np.array(error)))
    assert abs(small) <= abs(error) and small * error >= 0
    assert abs(float(robust(np.array(2 * error)))) >= abs(small)
