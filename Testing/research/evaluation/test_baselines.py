"""Lookups in a reference label map: they must find what they can find, and never change sides."""

import numpy as np
import pytest
from anatembed.geometry import transform_points
from anatembed.model.preprocessing import PreparedVolume, prepare
from anatembed.scan.volume import Volume
from hypothesis import given, settings
from little_people import CENTRES_RAS, VOCABULARY, little_person
from phantoms import proper_affines
from research.evaluation.baselines import Lookup, Reference, affine_lookup, body_box, box_lookup


@pytest.fixture(scope="module")
def reference():
    return Reference.of(little_person(ct=False), VOCABULARY)


def scan_of(person) -> PreparedVolume:
    return prepare(Volume(person.ct_kji, person.ijk_to_ras, "CT"))


def test_the_reference_knows_the_middle_of_every_structure_and_of_its_wholes(reference):
    for concept, centre in CENTRES_RAS.items():
        assert np.linalg.norm(reference.centroids[concept] - centre) < 1.5
    middle = np.mean([CENTRES_RAS["vertebrae_T12"], CENTRES_RAS["vertebrae_L2"]], axis=0)
    assert np.linalg.norm(reference.centroids["spine"] - middle) < 1.5


def test_a_place_has_the_name_of_the_structure_that_is_nearest(reference):
    for concept, centre in CENTRES_RAS.items():
        assert reference.name(np.array(centre)) == concept
    assert reference.name(np.array([55.0, 12.0, 6.0])) == "liver"
    assert reference.name(np.array([-900.0, -6.0, 10.0])) == "spleen"


def test_the_reference_has_an_image_that_looks_like_ct(reference):
    labels = reference.subject.labels_kji
    assert (reference.image[labels == 0] == -1000).all()
    assert reference.image[labels == 6].mean() > 150  # a vertebra
    assert reference.image[labels == 1].max() < -50  # fat
    assert reference.image.shape == labels.shape


@settings(max_examples=30, deadline=None)
@given(proper_affines())
def test_a_lookup_is_used_both_ways(matrix):
    reference = Reference.of(little_person(ct=False), VOCABULARY)
    lookup = Lookup(reference, matrix)
    for concept in CENTRES_RAS:
        place = lookup.locate(concept)
        np.testing.assert_allclose(transform_points(matrix, place), reference.centroids[concept], atol=1e-6)
        assert lookup.name(place) == concept
    assert lookup.locate("brain") is None


def test_the_box_of_the_body_is_in_the_world():
    person = little_person(centre_ras=(100.0, -50.0, 700.0))
    low, high = body_box(person.labels_kji > 0, person.ijk_to_ras)
    np.testing.assert_allclose((low + high)[:2] / 2, (100, -50), atol=0.1)
    np.testing.assert_allclose((high - low)[:2], (120, 76), atol=6)


@pytest.mark.parametrize("make", [box_lookup, affine_lookup])
@pytest.mark.parametrize(("centre_ras", "scale", "shape_kji"), [
    ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (32, 28, 44)),
    ((90.0, -40.0, 600.0), (1.0, 1.0, 1.0), (32, 28, 44)),
    ((-30.0, 20.0, -900.0), (1.12, 1.12, 1.0), (32, 34, 50)),
])
def test_a_lookup_finds_everything_in_a_moved_and_scaled_person(reference, make, centre_ras, scale, shape_kji):
    person = little_person(centre_ras=centre_ras, scale=scale, shape_kji=shape_kji)
    lookup = make(scan_of(person), reference)
    for concept, centre in CENTRES_RAS.items():
        expected = np.add(np.multiply(centre, scale), centre_ras)
        assert np.linalg.norm(lookup.locate(concept) - expected) < 7
        assert lookup.name(expected) == concept


@pytest.mark.parametrize("make", [box_lookup, affine_lookup])
def test_left_stays_left_even_in_a_mirrored_person(reference, make):
    """A lookup may be wrong about a patient with all organs on the other side, but it must not mirror the body."""
    person = little_person()
    person.ct_kji = person.ct_kji[:, :, ::-1].copy()
    lookup = make(scan_of(person), reference)
    assert np.linalg.det(lookup.matrix[:3, :3]) > 0
    assert lookup.locate("kidney_left")[0] < lookup.locate("kidney_right")[0]
