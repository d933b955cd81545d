"""The common body frame: what a person's landmarks say about where every point lies."""

import numpy as np
import pytest
from anatembed.geometry import transform_points
from anatembed.training.body_frame import BodyFrame, fit_affine, landmarks
from hypothesis import given, settings
from hypothesis import strategies as st
from little_people import CENTRES_RAS, little_person
from phantoms import rotation

NUMBERS = st.floats(-1, 1)


@pytest.mark.parametrize("centre_ras", [(0.0, 0.0, 0.0), (120.0, -60.0, -900.0)])
def test_landmarks_are_the_middles_of_the_structures_in_the_world(centre_ras):
    found = landmarks(little_person(centre_ras=centre_ras))
    assert set(found) == set(CENTRES_RAS)
    for concept, position in found.items():
        assert np.linalg.norm(position - centre_ras - CENTRES_RAS[concept]) < 1.5


@pytest.mark.parametrize("shift", [(0, 0, 1), (0, 0, -1), (0, 1, 0), (0, -1, 0), (1, 0, 0), (-1, 0, 0)])
def test_a_structure_that_the_field_of_view_cuts_is_no_landmark(shift):
    person = little_person()
    kji = np.argwhere(person.labels_kji == 2)
    reach = [-kji.min(axis=0)[a] if s < 0 else np.array(person.labels_kji.shape)[a] - 1 - kji.max(axis=0)[a]
             for a, s in enumerate(shift)]
    person.labels_kji[:] = 1
    person.labels_kji[tuple((kji + np.array(reach) * np.abs(shift)).T)] = 2
    assert landmarks(person) == {}
    inner = np.array(reach) - np.array(shift)
    person.labels_kji[:] = 1
    person.labels_kji[tuple((kji + inner * np.abs(shift)).T)] = 2
    assert set(landmarks(person)) == {"liver"}


def test_neither_doubtful_labels_nor_tiny_ones_are_landmarks():
    person = little_person()
    person.label_concepts[2] = ("liver", "spleen")
    person.labels_kji[person.labels_kji == 4] = 1
    person.labels_kji[10, 10, 10:15] = 4
    assert set(landmarks(person)) == set(CENTRES_RAS) - {"liver", "kidney_left"}


@settings(max_examples=40, deadline=None)
@given(st.tuples(*[NUMBERS] * 9), st.tuples(*[NUMBERS] * 3), st.integers(0, 100))
def test_a_known_affine_is_recovered_from_many_points_without_a_ridge(linear, shift, seed):
    source = np.random.default_rng(seed).normal(size=(30, 3))
    matrix = np.eye(3) + 0.3 * np.reshape(linear, (3, 3))
    found = fit_affine(source, source @ matrix.T + shift, ridge=0.0)
    np.testing.assert_allclose(found[:3, :3], matrix, atol=1e-6)
    np.testing.assert_allclose(found[:3, 3], shift, atol=1e-6)
    np.testing.assert_array_equal(found[3], (0, 0, 0, 1))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.floats(0.001, 10))
def test_the_fit_is_the_least_of_error_and_ridge(seed, ridge):
    random = np.random.default_rng(seed)
    source, target = random.normal(size=(2, 8, 3))

    def cost(matrix):
        error = transform_points(matrix, source) - target
        return (error**2).sum(axis=1).mean() + ridge * ((matrix[:3, :3] - np.eye(3)) ** 2).sum()

    found = fit_affine(source, target, ridge)
    for _ in range(10):
        other = found.copy()
        other[:3] += 0.01 * random.normal(size=(3, 4))
        assert cost(other) > cost(found)


def test_points_on_a_line_cannot_shear_the_body():
    spine = np.outer(np.arange(4.0), (0, 0, 1))
    found = fit_affine(spine, 1.2 * spine + (3, 4, 5))
    np.testing.assert_allclose(found[:3, :2], np.eye(3)[:, :2], atol=1e-9)
    assert 1.1 < found[2, 2] <= 1.2


def test_the_first_person_is_the_reference_with_its_origin_at_t12():
    person = little_person(centre_ras=(30.0, 20.0, 10.0), in_frame=False)
    assert BodyFrame().fit(person) == 0
    place = transform_points(person.ras_to_body, np.add(CENTRES_RAS["vertebrae_T12"], (30.0, 20.0, 10.0)))
    np.testing.assert_allclose(place, 0, atol=0.015)
    np.testing.assert_allclose(person.ras_to_body[:3, :3], np.eye(3) / 100)


def test_another_persons_organs_come_to_lie_where_the_reference_has_them():
    frame = BodyFrame()
    first = little_person(in_frame=False)
    second = little_person("two", centre_ras=(200.0, -90.0, 900.0), scale=(1.1, 1.1, 1.1), shape_kji=(36, 34, 50),
                           in_frame=False)
    frame.fit(first)
    error = frame.fit(second)
    assert error < 4
    for concept, position in landmarks(second).items():
        own = transform_points(second.ras_to_body, position)
        reference = transform_points(first.ras_to_body, landmarks(first)[concept])
        assert np.linalg.norm(own - reference) < 0.06
    assert np.linalg.det(second.ras_to_body[:3, :3]) > 0


def test_a_turned_person_is_not_mirrored():
    source = np.random.default_rng(0).normal(size=(12, 3))
    found = fit_affine(source, source @ rotation((0, 0, 1), 20).T)
    assert np.linalg.det(found[:3, :3]) > 0


def test_too_few_shared_landmarks_leave_a_person_without_a_frame():
    frame = BodyFrame()
    frame.fit(little_person(in_frame=False))
    stranger = little_person(concepts=("liver", "spleen"), in_frame=False)
    assert frame.fit(stranger) is None
    assert stranger.ras_to_body is None
    assert frame.fit(stranger, min_shared=2) is not None
