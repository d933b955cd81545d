"""Two organs side by side, and what is left to tell them apart when their contrast is erased."""

from dataclasses import replace

import numpy as np
import pytest
from anatembed.ask.explorer import Explorer
from anatembed.model.preprocessing import PreparedVolume
from anatembed.scan.volume import Volume
from little_people import VOCABULARY
from phantoms import centred_affine
from planted import CENTRES_RAS, planted_checkpoint, whole_body_map
from research.evaluation.baselines import Lookup, Reference
from research.evaluation.bench import ANNOTATED, Scan
from research.evaluation.erased_border import (
    ERASED_HU,
    NOISE_HU,
    PAIRS,
    Problem,
    balanced_accuracy,
    band,
    border,
    by_distance,
    by_hu,
    by_name,
    cores,
)
from research.evaluation.truth import Case, Structure
from research.training.subject import Subject

PAIR = PAIRS[0]
SHAPE = (24, 24, 40)
TO_RAS = centred_affine(SHAPE, np.diag([3.0, 3.0, 3.0]), (50.0, 0.0, 200.0))


@pytest.fixture(scope="module")
def neighbours() -> Subject:
    """Liver on the patient's right, kidney beside it, one voxel of fat between them; 100 and 40 HU."""
    labels = np.ones(SHAPE, np.uint8)
    labels[4:20, 4:20, 24:36] = 2
    labels[4:20, 4:20, 11:23] = 3
    hu = np.array([-1000, -100, 100, 40], np.int16)[labels]
    return Subject("p", "s", labels, [(), (), ("liver",), ("kidney_right",)], frozenset(PAIR), TO_RAS, hu)


def test_the_band_is_within_10_mm_of_the_other_organ_and_has_its_place_in_the_world(neighbours):
    problem, _ = band(neighbours, PAIR)
    r = problem.positions[:, 0]
    border_r = TO_RAS[0, 3] + 3 * 23  # the plane of fat
    assert (r[problem.first] > border_r).all()
    assert (r[~problem.first] < border_r).all()
    assert np.abs(r - border_r).max() <= 10


def test_the_contrast_is_gone_in_both_organs_and_between_them_and_nowhere_else(neighbours):
    _, erased = band(neighbours, PAIR)
    organs = neighbours.labels_kji > 1
    assert erased.array_kji[organs].mean() == pytest.approx(ERASED_HU, abs=1)
    assert erased.array_kji[organs].std() == pytest.approx(NOISE_HU, rel=0.1)
    assert erased.array_kji[10, 10, 23] > 0  # fat between the organs
    assert erased.array_kji[0, 0, 0] == -100


def test_density_tells_the_organs_apart_until_it_is_erased(neighbours):
    problem, erased = band(neighbours, PAIR)
    before = by_hu(Volume(neighbours.ct_kji, TO_RAS, "CT"), problem)
    assert balanced_accuracy(before, problem.first) == 1
    assert balanced_accuracy(by_hu(erased, problem), problem.first) < 0.6


def test_the_place_tells_them_apart_whatever_their_density(neighbours):
    problem, _ = band(neighbours, PAIR)
    lookup = Lookup(Reference.of(neighbours, VOCABULARY), np.eye(4))
    assert balanced_accuracy(by_distance(lookup, problem), problem.first) == 1


def test_the_model_is_asked_for_the_more_probable_name():
    explorer = Explorer(whole_body_map(), planted_checkpoint(), VOCABULARY)
    positions = np.array([CENTRES_RAS[concept] for concept in PAIR])
    assert by_name(explorer, Problem(PAIR, positions, np.array([True, False]), None)).tolist() == [True, False]


def test_a_person_without_the_organs_is_refused(neighbours):
    with pytest.raises(ValueError, match="expected spleen and kidney_left in p, got only"):
        band(neighbours, PAIRS[1])


def box(concept, low, high) -> Structure:
    low, high = np.array(low, float), np.array(high, float)
    return Structure(concept, low, high, (low + high) / 2, (low + high) / 2, True)


def annotated(present) -> Scan:
    prepared = PreparedVolume(np.zeros((40, 30, 30), np.float32), centred_affine((40, 30, 30), np.eye(3) * 3), None)
    return Scan(Case("p", ANNOTATED, Volume(np.zeros((2, 2, 2)), np.eye(4)), present, [], []), prepared, {})


def test_cores_lie_in_the_middle_of_the_boxes_and_both_boxes_are_erased():
    liver, kidney = box("liver", (-40, -40, 0), (40, 40, 58)), box("kidney_right", (0, -40, -58), (40, 0, -10))
    problem, erased = cores(annotated([liver, kidney]))
    assert np.linalg.norm(problem.positions[problem.first] - liver.centre, axis=1).max() <= 20
    inner = problem.positions[~problem.first] - kidney.centre
    assert (np.abs(inner) <= (kidney.high - kidney.low) / 4).all()
    assert erased.array_kji[30, 15, 15] != 0
    assert erased.array_kji[2, 2, 2] == 0


def test_a_scan_without_both_boxes_has_no_cores():
    assert cores(annotated([box("liver", (0, 0, 0), (9, 9, 9))])) is None


def test_the_accuracy_is_balanced():
    truth = np.array([True] * 9 + [False])
    assert balanced_accuracy(np.ones(10, bool), truth) == 0.5
    assert balanced_accuracy(truth, truth) == 1


def test_the_section_compares_before_and_after(bench, neighbours, tmp_path):
    neighbours.save(tmp_path / "example_ct_v1.npz")
    section = border(replace(bench, training=tmp_path))
    band_rows = {m: v for m, v in section.systems["nearest HU"].items() if m.startswith("10 mm band")}
    assert band_rows["10 mm band, liver and kidney_right, before"] == 1
    assert band_rows["10 mm band, liver and kidney_right, erased"] < 0.6
    assert section.systems["embedding"]["10 mm band, liver and kidney_right, voxels"] > 100
    assert 0 <= section.systems["embedding"]["held-out cores, erased"] <= 1
