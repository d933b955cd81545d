"""What is measured on training people after training."""

import dataclasses

import numpy as np
import pytest
from anatembed.training.calibration import (
    BETWEEN_PEOPLE,
    SHRINKAGE,
    calibrated,
    fit_presence,
    known_presence,
    label_moments,
    places,
    typical_evidence,
)
from anatembed.training.synthesis import CropGenerator, CropSource, Variation
from anatembed.training.targets import Taxonomy
from hypothesis import given, settings
from hypothesis import strategies as st
from little_people import CENTRES_RAS, VOCABULARY, little_person
from tiny_model import tiny_checkpoint

TAXONOMY = Taxonomy(set(CENTRES_RAS), VOCABULARY)


def checkpoint_of(people):
    mean, covariance = places(people, TAXONOMY)
    checkpoint = tiny_checkpoint()
    count = len(TAXONOMY.ids)
    vectors = np.random.default_rng(0).normal(size=(count, 5))
    readout = dataclasses.replace(
        checkpoint.readout, concept_ids=TAXONOMY.ids, body_mean=mean, body_covariance=covariance,
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True), compatible=np.eye(count),
        typical_evidence=np.zeros((count, 2)),
    )
    return dataclasses.replace(checkpoint, readout=readout)


def test_a_concepts_place_is_its_middle_in_the_body_frame_every_person_alike():
    people = [little_person(centre_ras=(100.0, 0.0, -500.0)), little_person("big", scale=(1.1, 1.1, 1.1))]
    mean, covariance = places(people, TAXONOMY)
    for concept in CENTRES_RAS:
        number = TAXONOMY.ids.index(concept)
        np.testing.assert_allclose(mean[number], np.array(CENTRES_RAS[concept]) / 100, atol=0.02)
        assert np.linalg.eigvalsh(covariance[number]).min() > BETWEEN_PEOPLE**2
        ball = 0.13**2 / 5  # variance of a ball of radius 0.13 along an axis
        np.testing.assert_allclose(covariance[number], (BETWEEN_PEOPLE**2 + ball) * np.eye(3), atol=0.002)


def test_a_persons_size_in_voxels_does_not_count():
    here = little_person(concepts=("liver",))
    shifted = little_person("moved", concepts=("liver",))
    shifted.ras_to_body[0, 3] += 0.4
    shifted.labels_kji[::2][shifted.labels_kji[::2] == 2] = 1
    mean, _ = places([here, shifted], Taxonomy({"liver"}, VOCABULARY))
    assert mean[0, 0] == pytest.approx(0.36 + 0.2, abs=0.01)


def test_what_no_one_in_the_frame_has_may_be_anywhere():
    mean, covariance = places([little_person(in_frame=False)], TAXONOMY)
    assert (mean == 0).all()
    np.testing.assert_array_equal(covariance, np.stack([100 * np.eye(3)] * len(mean)))


def test_the_place_of_a_whole_is_made_of_its_parts():
    person = little_person(concepts=("liver", "spleen"))
    person.label_concepts[2:] = [("heart_ventricle_left",), ("heart_ventricle_right",)]
    taxonomy = Taxonomy({"heart_ventricle_left", "heart_ventricle_right"}, VOCABULARY)
    mean, _ = places([person], taxonomy)
    parts = [mean[taxonomy.ids.index(f"heart_ventricle_{side}")] for side in ("left", "right")]
    np.testing.assert_allclose(mean[taxonomy.ids.index("heart")], np.mean(parts, axis=0), atol=0.01)


def test_label_moments_count_voxels_of_named_labels_only():
    person = little_person()
    moments = label_moments(person)
    assert set(moments) == set(range(2, 8))
    assert moments[2][0] == (person.labels_kji == 2).sum()


def test_what_lies_in_the_view_is_present_and_what_is_cut_off_is_absent():
    person = little_person()
    source = CropSource(person, TAXONOMY, VOCABULARY)
    crop = CropGenerator([source], [1.0], 0, Variation(cut_field_of_view=0.0)).draw((32, 32, 48))[1]
    labels = np.where(person.labels_kji == person.label_names.index("spleen"), 1, person.labels_kji)
    crop.labels = crop.labels.new_tensor(labels.astype(np.int16))
    crop.has_coordinates = False
    present, absent = known_presence(crop, source, TAXONOMY, checkpoint_of([person]))
    by_name = dict(zip(TAXONOMY.ids, zip(present, absent, strict=True), strict=True))
    assert by_name["liver"] == (True, False)
    assert by_name["spleen"] == (False, True)


def test_what_nobody_annotated_is_neither_present_nor_absent():
    person = little_person(concepts=("liver",))
    source = CropSource(person, TAXONOMY, VOCABULARY)
    crop = CropGenerator([source], [1.0], 0, Variation(cut_field_of_view=0.0)).draw((32, 32, 48))[1]
    present, absent = known_presence(crop, source, TAXONOMY, checkpoint_of([little_person()]))
    column = TAXONOMY.ids.index("spleen")
    assert not present[column]
    assert not absent[column]


def test_what_belongs_far_beyond_the_view_is_absent_even_if_nobody_annotated_it():
    person = little_person(concepts=("liver",))
    checkpoint = checkpoint_of([little_person()])
    column = TAXONOMY.ids.index("spleen")
    checkpoint.readout.body_mean[column] = (0, 0, 5)
    source = CropSource(person, TAXONOMY, VOCABULARY)
    crop = CropGenerator([source], [1.0], 0, Variation(cut_field_of_view=0.0)).draw((32, 32, 48))[1]
    present, absent = known_presence(crop, source, TAXONOMY, checkpoint)
    assert absent[column]
    assert not (present & absent).any()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_presence_is_fitted_to_separate_what_can_be_separated(seed):
    random = np.random.default_rng(seed)
    truth = random.random(300) < 0.2
    truth[:2] = True, False
    evidence = random.normal(size=(300, 3))
    evidence[:, 0] += np.where(truth, 4, -4)
    weights, threshold = fit_presence(evidence, truth)
    scores = 1 / (1 + np.exp(-(weights[0] + evidence @ weights[1:])))
    assert weights[1] > 0
    assert 0 < threshold < 1
    assert np.mean(scores[truth] >= threshold) > 0.95
    assert np.mean(scores[~truth] < threshold) > 0.95


def test_rare_presence_counts_as_much_as_frequent_absence():
    evidence = np.zeros((100, 3))
    truth = np.arange(100) < 5
    weights, _ = fit_presence(evidence, truth)
    assert weights[0] == pytest.approx(0, abs=1e-3)


def test_typical_evidence_is_drawn_to_the_mean_of_all_where_views_are_few():
    concepts = np.array([0, 0, 0, 1, 0])
    evidence = np.array([[1.0, 10, 0], [3, 30, 0], [2, 20, 0], [10, 0, 0], [99, 99, 99]])
    truth = np.array([True, True, True, True, False])
    typical = typical_evidence(concepts, evidence, truth, 3)
    everyone = np.array([4.0, 15.0])
    np.testing.assert_allclose(typical[0], (3 * np.array([2, 20]) + SHRINKAGE * everyone) / (3 + SHRINKAGE))
    np.testing.assert_allclose(typical[1], (np.array([10, 0]) + SHRINKAGE * everyone) / (1 + SHRINKAGE))
    np.testing.assert_allclose(typical[2], everyone)


def test_a_model_is_calibrated_on_views_of_people():
    people = [little_person(), little_person("two", ct=False)]
    sources = [CropSource(person, TAXONOMY, VOCABULARY) for person in people]
    checkpoint = checkpoint_of(people)
    after, summary = calibrated(checkpoint, CropGenerator(sources, [1.0, 1.0], 0), TAXONOMY, 8, (16, 24, 24))
    assert summary["views"] == 8
    assert summary["present"] > 0
    assert summary["absent"] > 0
    assert after.readout.presence.shape == (4,)
    assert np.isfinite(after.readout.typical_evidence).all()
    assert not np.array_equal(after.readout.presence, checkpoint.readout.presence)
    assert after.weights is checkpoint.weights
