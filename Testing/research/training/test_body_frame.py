"""The common body frame: what a person's landmarks say about where every point lies."""

import numpy as np
import pytest
from anatembed.geometry import transform_points
from hypothesis import given, settings
from hypothesis import strategies as st
from little_people import CENTRES_RAS, little_person
from phantoms import centred_affine, rotation, voxel_positions
from research.training.body_frame import (
    MIN_VOLUME_RATIO,
    BodyFrame,
    body_positions,
    fit_affine,
    landmarks,
    low_volume_ratio,
)
from research.training.subject import Subject

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


def with_balls(name: str, centres: dict[str, tuple], centre_ras=(0.0, 0.0, 0.0)):
    """A person whose organs are small balls at `centres`, RAS mm about `centre_ras`."""
    shape = (60, 40, 50)
    ijk_to_ras = centred_affine(shape, np.diag([3.0, 3.0, 3.0]), centre_ras)
    positions = voxel_positions(shape, ijk_to_ras) - centre_ras
    labels = np.ones(shape, np.uint16)
    for index, place in enumerate(centres.values(), start=2):
        labels[np.linalg.norm(positions - place, axis=-1) < 8] = index
    concepts = [(), (), *((concept,) for concept in centres)]
    return Subject(name, "balls", labels, concepts, frozenset(centres), ijk_to_ras)


SPREAD = {
    "vertebrae_T12": (0, -30, 0), "vertebrae_L2": (0, -30, -40), "vertebrae_T8": (0, -30, 50), "liver": (40, 0, 10),
    "spleen": (-40, 0, 15), "kidney_left": (-35, -20, -30), "kidney_right": (35, -20, -35), "heart": (-15, 20, 55),
    "stomach": (-25, 25, 5), "pancreas": (5, 10, -15),
}


def test_organs_that_lie_elsewhere_than_in_the_reference_get_its_coordinates_by_the_warp():
    frame = BodyFrame()
    frame.fit(with_balls("reference", SPREAD))
    low_kidneys = SPREAD | {"kidney_left": (-35, -20, -55), "kidney_right": (38, -22, -58)}
    other = with_balls("other", low_kidneys, centre_ras=(300.0, -50.0, 700.0))
    error = frame.fit(other)
    own = landmarks(other)
    expected = (np.array(SPREAD["kidney_left"]) - SPREAD["vertebrae_T12"]) / 100
    by_affine = transform_points(other.ras_to_body, own["kidney_left"])
    by_warp = body_positions(other, own["kidney_left"][None])[0]
    assert error < 5
    assert np.linalg.norm(by_warp - expected) < 0.5 * np.linalg.norm(by_affine - expected)
    assert by_warp[0] < 0 < body_positions(other, own["kidney_right"][None])[0][0]


def test_the_warp_folds_almost_nowhere_even_when_two_organs_have_changed_places():
    frame = BodyFrame()
    frame.fit(with_balls("reference", SPREAD))
    swapped = SPREAD | {"stomach": SPREAD["spleen"], "spleen": SPREAD["stomach"], "pancreas": (5, -10, 30)}
    other = with_balls("other", swapped)
    frame.fit(other)
    assert low_volume_ratio(other.body_warp, other.ras_to_body @ other.warp_to_ras) >= MIN_VOLUME_RATIO


def test_a_warp_that_turns_space_inside_out_is_seen():
    lattice_to_body = np.diag([0.24, 0.24, 0.24, 1.0])
    plane = np.arange(6.0)[:, None, None] * np.ones((6, 6, 6))
    flat = np.stack([0 * plane, 0 * plane, -2 * 0.24 * plane])
    assert low_volume_ratio(0 * flat, lattice_to_body) == pytest.approx(1)
    assert low_volume_ratio(flat, lattice_to_body) == pytest.approx(-1)
