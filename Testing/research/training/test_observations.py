"""What is known to be true in a view of a person, and what the model answers there."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from little_model import TAXONOMY, anywhere, checkpoint_of
from little_people import VOCABULARY, little_person
from research.training import observations as module
from research.training.observations import (
    LEAST_VOXELS,
    PLACES,
    PRESENT_SHARE,
    PRESENT_VOXELS,
    harder,
    is_right,
    known_presence,
    observations,
    view_points,
)
from research.training.synthesis import CropGenerator, CropSource, Variation


def test_what_lies_in_the_view_is_present_and_what_is_cut_off_is_absent():
    person = little_person()
    source = CropSource(person, TAXONOMY, VOCABULARY)
    crop = CropGenerator([source], [1.0], 0, Variation(cut_field_of_view=0.0)).draw((32, 32, 48))[1]
    labels = np.where(person.labels_kji == person.label_names.index("spleen"), 1, person.labels_kji)
    crop.labels = crop.labels.new_tensor(labels.astype(np.int16))
    crop.has_coordinates = False
    present, absent, _ = known_presence(crop, source, TAXONOMY, checkpoint_of([person]))
    by_name = dict(zip(TAXONOMY.ids, zip(present, absent, strict=True), strict=True))
    assert by_name["liver"] == (True, False)
    assert by_name["spleen"] == (False, True)


def test_what_nobody_annotated_is_neither_present_nor_absent():
    person = little_person(concepts=("liver",))
    source = CropSource(person, TAXONOMY, VOCABULARY)
    crop = CropGenerator([source], [1.0], 0, Variation(cut_field_of_view=0.0)).draw((32, 32, 48))[1]
    present, absent, _ = known_presence(crop, source, TAXONOMY, checkpoint_of([little_person()]))
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
    present, absent, _ = known_presence(crop, source, TAXONOMY, checkpoint)
    assert absent[column]
    assert not (present & absent).any()


@pytest.mark.parametrize(("size", "kept", "present"), [
    (20000, PRESENT_VOXELS, True), (20000, PRESENT_VOXELS - 1, False), (60, 12, True), (60, 11, False),
    (10, LEAST_VOXELS, True), (10, LEAST_VOXELS - 1, False),
])
def test_a_structure_is_present_by_eight_codes_or_a_fifth_of_it_and_else_neither_present_nor_absent(
    size, kept, present
):
    assert (PRESENT_SHARE, PRESENT_VOXELS, LEAST_VOXELS) == (0.2, 64, 8)
    person = little_person(in_frame=False)
    index = person.label_names.index("spleen")
    person.labels_kji[person.labels_kji == index] = 1
    person.labels_kji.reshape(-1)[:size] = index
    source = CropSource(person, TAXONOMY, VOCABULARY)
    crop = CropGenerator([source], [1.0], 0).draw((32, 32, 48))[1]
    labels = np.ones((32, 32, 48), np.int16)
    labels.reshape(-1)[:kept] = index
    crop.labels = crop.labels.new_tensor(labels)
    is_present, is_absent, share = known_presence(crop, source, TAXONOMY, checkpoint_of([little_person()]))
    column = TAXONOMY.ids.index("spleen")
    assert (is_present[column], is_absent[column]) == (present, False)
    assert share[column] == pytest.approx(kept / size)


@given(st.tuples(*[st.floats(0, 60)] * 3), st.sampled_from([1, 0]))
def test_a_place_is_right_within_ten_millimetres_of_the_structure(place, label):
    labels = np.full((21, 22, 23), 2)
    labels[10, 11, 12] = label
    targets = np.array([0, 1, -1])
    distance = np.linalg.norm(np.array(place) - 3.0 * np.array([12, 11, 10]))
    expected = (1 if label == 1 else -1) if distance <= 10 else 0
    assert is_right(np.array(place), labels, targets, 3.0) == expected


def test_points_lie_in_the_body_rare_labels_as_often_as_common_ones_and_some_have_no_name():
    labels = np.zeros((12, 12, 12), np.int16)
    labels[2:] = 1
    labels[4:, :, :6] = 2
    labels[4, 4, 8] = 3
    body = np.ones((6, 6, 6), bool)
    body[:2] = False
    points = view_points(labels, body, np.random.default_rng(0))
    assert (points[:, 0] >= 4).all()
    counts = np.bincount(labels[tuple(points.T)], minlength=4)
    assert counts[0] == 0
    assert counts[1] == 50
    assert counts[2] + counts[3] == 200
    assert counts[3] > 25


def test_an_empty_view_has_no_points():
    nothing = view_points(np.zeros((4, 4, 4), np.int16), np.ones((2, 2, 2), bool), np.random.default_rng(0))
    assert nothing.shape == (0, 3)


def test_views_for_calibration_vary_farther_than_in_training():
    usual, wide = Variation(), harder(Variation())
    assert wide.rotation > usual.rotation
    assert wide.elastic > usual.elastic
    assert wide.cut_field_of_view == usual.cut_field_of_view


def test_observations_tell_of_every_view_what_was_asked_answered_and_true():
    people = [little_person(), little_person("two", ct=False)]
    sources = [CropSource(person, TAXONOMY, VOCABULARY) for person in people]
    generator = CropGenerator(sources, [1.0, 1.0], 0)
    checkpoint = anywhere(checkpoint_of(people))
    seen = observations(checkpoint, generator, TAXONOMY, 6, ((24, 24, 32), (16, 24, 24))).arrays()
    rows = len(seen["view"])
    assert all(len(seen[name]) == rows for name in ("concept", "evidence", "present", "share", "scores", "right"))
    assert set(seen["real"]) == {True, False}
    assert seen["present"].any()
    assert not seen["present"].all()
    assert (seen["share"][~seen["present"]] == 0).all()
    present = seen["present"]
    assert (np.isfinite(seen["scores"][present, 0])).all()
    assert np.isnan(seen["scores"][~present]).all()
    assert (seen["right"][np.isnan(seen["scores"])] == -1).all()
    assert seen["scores"].shape == (rows, PLACES)
    assert len(seen["logits"]) == len(seen["targets"]) == len(seen["point_view"])
    assert seen["logits"].shape[1] == len(TAXONOMY.ids)


def seeing(checkpoint):
    """A checkpoint that reads names from codes that are one number per concept, and that believes every place."""
    count = len(TAXONOMY.ids)
    silent = (np.zeros((3, count)), np.zeros(3)), (np.zeros((3, 3)), np.zeros(3))
    readout = dataclasses.replace(
        checkpoint.readout, language=np.eye(count), vectors=np.eye(count), scale=18.0, bias=-9.0,
        coordinate_layers=silent,
    )
    return anywhere(dataclasses.replace(checkpoint, readout=readout))


def true_codes(crop, source) -> np.ndarray:
    """float16 (concepts,K/2,J/2,I/2): 1 where the middle of a code surely is the concept."""
    return np.moveaxis(source.targets[crop.labels.numpy()[1::2, 1::2, 1::2]] == 1, -1, 0).astype(np.float16)


def test_a_model_that_sees_the_structures_is_right_about_places_and_names(monkeypatch):
    """What the encoder gives is replaced by the truth."""
    person = little_person(in_frame=False)
    source = CropSource(person, TAXONOMY, VOCABULARY)
    generator = CropGenerator([source], [1.0], 0)
    drawn = []
    draw = generator.draw
    monkeypatch.setattr(generator, "draw", lambda shape: drawn.append(draw(shape)) or drawn[-1])
    monkeypatch.setattr(module, "encode", lambda *_: true_codes(drawn[-1][1], source))
    seen = observations(seeing(checkpoint_of([little_person()])), generator, TAXONOMY, 4, ((32, 32, 48),)).arrays()
    first = seen["right"][seen["present"], 0]
    assert len(first) > 5
    assert (first == 1).mean() > 0.9
    best = seen["targets"][np.arange(len(seen["logits"])), seen["logits"].argmax(axis=1)]
    named = (seen["targets"] == 1).any(axis=1)
    assert (best[named] == 1).mean() > 0.9
