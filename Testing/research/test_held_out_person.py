"""The person who is asked: planted answers score as they must, in every pose, and the sides are not mixed up."""

import dataclasses

import numpy as np
import pytest
import torch
from anatembed.geometry import transform_points
from held_out_person import LayoutQuestions, Person, atlas_scores
from little_people import CENTRES_RAS, HU, VOCABULARY, little_person
from research.training.layout import HIDDEN_BEYOND
from research.training.synthesis import CropSource
from research.training.targets import Taxonomy

TAXONOMY = Taxonomy(set(CENTRES_RAS), VOCABULARY)
POSES = [
    {},
    {"centre_ras": (120.0, -80.0, -700.0)},
    {"centre_ras": (-31.0, 7.0, 900.0), "shape_kji": (31, 33, 45), "scale": (1.1, 0.9, 1.2)},
]
MIRROR = np.array([-1.0, 1.0, 1.0])


def names_of(person: Person) -> list[str]:
    return [TAXONOMY.ids[column] for column in person.columns]


def nearest(places: np.ndarray, person: Person, *, mirrored: bool = False, scale=(1.0, 1.0, 1.0)) -> np.ndarray:
    """Scores (N,columns) of places in units of 100 mm about the origin: the nearer a structure's centre the higher."""
    centres = np.array([CENTRES_RAS[name] for name in names_of(person)]) * scale * (MIRROR if mirrored else 1)
    return -np.linalg.norm(np.asarray(places)[:, None] * 100 - centres, axis=2)


def share_scores(person: Person) -> np.ndarray:
    """Scores (rows,columns): how many of a row's voxels have the name."""
    scores = np.zeros((person.row_kji.max() + 1, len(person.columns)))
    for label, column in person.names.items():
        scores[:, column] = np.bincount(person.row_kji.ravel(), person.labels.ravel() == label)
    return scores


@pytest.mark.parametrize("pose", POSES)
def test_every_row_has_the_place_and_the_hu_of_its_eight_voxels(pose):
    subject = little_person(**pose)
    person = Person(subject, TAXONOMY)
    ijk = np.indices(person.labels.shape).reshape(3, -1)[::-1]
    middle = np.stack([np.bincount(person.row_kji.ravel(), axis) / 8 for axis in ijk], axis=1)[person.body]
    ras = transform_points(subject.ijk_to_ras, middle)
    np.testing.assert_allclose(person.places, transform_points(subject.ras_to_body, ras), atol=1e-6)
    mean_hu = np.bincount(person.row_kji.ravel(), person.hu.ravel()) / 8
    np.testing.assert_allclose(person.octants.mean(axis=1), mean_hu[person.body], atol=1e-3)
    liver = np.linalg.norm(person.places * 100 - CENTRES_RAS["liver"], axis=1) < 7
    assert liver.any()
    np.testing.assert_array_equal(person.octants[liver], HU["liver"])


def test_names_are_those_of_labels_with_enough_voxels_that_the_training_people_know():
    few = Taxonomy({"liver", "spleen", "kidney_left"}, VOCABULARY)
    subject = little_person()
    subject.labels_kji[subject.labels_kji == subject.label_names.index("spleen")] = 1
    person = Person(subject, few)
    assert [few.ids[column] for column in person.columns] == ["kidney_left", "liver"]


def test_scores_of_the_truth_name_nearly_all_and_swapped_kidneys_cost_two_of_six_names():
    person = Person(little_person(), TAXONOMY)
    scores = share_scores(person)
    found = person.naming(scores)
    assert found["top-1"] > 0.8
    left, right = (names_of(person).index(f"kidney_{side}") for side in ("left", "right"))
    swapped = scores.copy()
    swapped[:, [left, right]] = scores[:, [right, left]]
    assert person.naming(swapped)["top-1"] == pytest.approx(found["top-1"] * 4 / 6, abs=0.05)
    assert person.text_auroc(scores) > 0.95
    assert person.text_auroc(-scores) < 0.05
    assert person.naming(np.zeros_like(scores)) == {"top-1": 0.0, "top-5": 0.0}


@pytest.mark.parametrize("pose", POSES)
def test_hidden_places_are_named_by_where_they_lie_and_never_by_their_mirror_image(pose):
    person = Person(little_person(**pose), TAXONOMY)
    questions = LayoutQuestions(person, [CropSource(person.subject, TAXONOMY, VOCABULARY)], patches=1, draws=30)
    scale = pose.get("scale", (1.0, 1.0, 1.0))
    answers = [nearest(questions.places[asked], person, scale=scale) for asked in questions.asked]
    assert questions.judge(answers) == {"layout right": 1.0, "layout Dice": 1.0}
    wrong = [nearest(questions.places[asked], person, scale=scale, mirrored=True) for asked in questions.asked]
    assert questions.judge(wrong)["layout right"] < 0.6


def test_a_name_of_which_nothing_is_known_is_no_wrong_answer():
    person = Person(little_person(), TAXONOMY)
    questions = LayoutQuestions(person, [CropSource(person.subject, TAXONOMY, VOCABULARY)], patches=1, draws=10)
    spleen = np.eye(len(person.columns))[names_of(person).index("spleen")]
    answers = [np.tile(spleen, (asked.sum(), 1)) for asked in questions.asked]
    assert questions.judge(answers)["layout right"] < 0.5
    person.truth = np.maximum(person.truth, 0)
    assert questions.judge(answers)["layout right"] == 1


def test_places_near_a_visible_patch_are_not_asked_for():
    person = Person(little_person(), TAXONOMY)
    questions = LayoutQuestions(person, [CropSource(person.subject, TAXONOMY, VOCABULARY)], patches=2, draws=5)
    place_of_row = dict(zip(person.body.tolist(), person.places, strict=True))
    for rows, asked in zip(questions.visible, questions.asked, strict=True):
        # The frame of a little person of scale 1 is in millimetres about its origin.
        patches = np.array([place_of_row[row] for row in rows.tolist()])
        distances = np.linalg.norm(questions.places.numpy()[:, None] - patches, axis=2).min(axis=1)
        np.testing.assert_array_equal(asked, distances > HIDDEN_BEYOND)
        assert asked.any()


class PlaceTeller:
    """A model whose layout gives a place back, and compares it with where the structures are."""

    def __init__(self, person: Person):
        self.person = person

    def layout(self, codes, places):
        assert codes.shape == (1, 7)
        return places

    def compare(self, vectors):
        scores = torch.full((len(vectors), len(TAXONOMY.ids)), -1e9)
        scores[:, self.person.columns] = torch.from_numpy(nearest(vectors, self.person)).float()
        return scores


def test_a_model_that_knows_the_places_is_right_everywhere():
    person = Person(little_person(), TAXONOMY)
    questions = LayoutQuestions(person, [CropSource(person.subject, TAXONOMY, VOCABULARY)], patches=1, draws=10)
    codes = torch.zeros(int(person.row_kji.max()) + 1, 7)
    assert questions.by_model(PlaceTeller(person), codes) == {"layout right": 1.0, "layout Dice": 1.0}


def test_people_alike_vote_rightly_wherever_their_scans_lie_and_mirrored_ones_mix_up_the_sides():
    asked = Person(little_person(), TAXONOMY)
    twins = [little_person(str(n), ct=False, centre_ras=(90.0 * n, 40.0, -500.0 * n)) for n in range(3)]
    mirrored = [dataclasses.replace(twin, labels_kji=twin.labels_kji[:, :, ::-1].copy()) for twin in twins]
    found = {}
    for name, people in (("alike", twins), ("mirrored", mirrored)):
        sources = [CropSource(person, TAXONOMY, VOCABULARY) for person in people]
        found[name] = LayoutQuestions(asked, sources, patches=1, draws=10).by_atlas()["layout right"]
    assert found["alike"] > 0.9
    assert found["mirrored"] < 0.5


def test_a_vote_is_a_share_of_those_who_know():
    """No vote has who has no place in the frame or no such name; who has the name but not there votes against."""
    places = np.array([CENTRES_RAS["liver"], CENTRES_RAS["spleen"], (0.0, 0.0, 5000.0)]) / 100

    def votes(*people):
        sources = [CropSource(person, TAXONOMY, VOCABULARY) for person in people]
        return atlas_scores(places, sources)[:, TAXONOMY.ids.index("liver")]

    knows, unplaced = little_person("a", ct=False), little_person("b", ct=False, in_frame=False)
    nameless = little_person("c", ct=False, concepts=("vertebrae_L2",))
    without = little_person("d", ct=False)
    without.labels_kji[without.labels_kji == without.label_names.index("liver")] = 1
    at_liver, at_spleen, beyond = alone = votes(knows)
    assert at_liver > 0.1
    assert at_spleen == beyond == 0
    np.testing.assert_array_equal(votes(knows, unplaced), alone)
    assert votes(knows, nameless)[0] == pytest.approx(at_liver, rel=0.2)
    assert votes(knows, without)[0] == pytest.approx(at_liver / 2)


def test_a_person_without_ct_or_frame_is_refused():
    for options in ({"ct": False}, {"in_frame": False}):
        with pytest.raises(ValueError, match="expected a CT with a place in the body frame to be held out, got one"):
            Person(little_person(**options), TAXONOMY)
