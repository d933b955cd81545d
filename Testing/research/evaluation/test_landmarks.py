"""Landmarks carried from person to person, by a model that knows and by registration."""

from dataclasses import replace

import numpy as np
import pytest
from anatembed.ask.explorer import Explorer
from anatembed.scan.volume import Volume
from little_people import VOCABULARY
from planted import CENTRES_RAS, planted_checkpoint, planted_map
from research.evaluation.baselines import Lookup
from research.evaluation.bench import ANNOTATED, Bench, Scan
from research.evaluation.landmarks import DIRECT, landmark_positions, landmarks, pairs
from research.evaluation.truth import Case, Structure

BALLS = [([name], centre) for name, centre in CENTRES_RAS.items()]


def point(concept: str, centre, is_box=False) -> Structure:
    centre = np.array(centre, float)
    return Structure(concept, centre - 10, centre + 10, centre, centre + 3 * is_box, is_box)


def planted_bench(linears, left_out=()) -> Bench:
    """Scans with the same people in them, on grids of their own."""
    checkpoint, scans, explorers = planted_checkpoint(), [], {}
    for name, linear in linears.items():
        present = [point(concept, centre) for concept, centre in CENTRES_RAS.items() if concept not in left_out]
        case = Case(name, ANNOTATED, Volume(np.zeros((2, 2, 2)), np.eye(4)), present, [], [])
        scans.append(Scan(case, None, {"lookup": Lookup(None, np.eye(4))}))
        explorers[name] = Explorer(planted_map(BALLS, linear=linear), checkpoint, VOCABULARY)
    return Bench("embedding", checkpoint, VOCABULARY, None, scans, {}, None, False, explorers)


def test_a_model_that_knows_finds_every_landmark():
    flipped = np.diag([-6.0, 6.0, 6.0])
    section = landmarks(planted_bench({"one": np.diag([6.0, 6.0, 6.0]), "two": flipped}))
    row = section.systems["embedding"]
    assert row["landmarks"] == 2 * len(CENTRES_RAS)
    assert row["within 10 mm"] == 1
    assert row["median mm"] < 6
    assert {r["landmark"]: r["pairs"] for r in section.rows} == dict.fromkeys(CENTRES_RAS, 2)
    assert section.figures[0].series["embedding"][-1] == 1


def case_of(*structures, level_doubt=0) -> Case:
    volume = Volume(np.zeros((2, 2, 2)), np.eye(4))
    return Case("p", ANNOTATED, volume, list(structures), [], [], level_doubt=level_doubt)


def test_boxes_count_for_compact_organs_only_and_by_their_middle():
    drawn = replace(point("liver", (1, 2, 3), True), centre=np.zeros(3))  # the centre of its voxels lies elsewhere
    found = landmark_positions(case_of(drawn, point("stomach", (4, 5, 6), True), point("aortic_arch", (7, 8, 9))))
    assert set(found) == {"liver", "aortic_arch"}
    assert found["liver"].tolist() == [1, 2, 3]


def test_a_place_along_a_long_structure_is_no_landmark_and_a_vertebra_of_a_doubtful_number_neither():
    chain = replace(point("aorta", (0, 0, 0)), spheres=np.zeros((3, 4)))
    ball = replace(point("carina", (0, 0, 0)), spheres=np.zeros((1, 4)))
    structures = chain, ball, point("vertebrae_T9", (0, 0, 0))
    assert set(landmark_positions(case_of(*structures))) == {"carina", "vertebrae_T9"}
    assert set(landmark_positions(case_of(*structures, level_doubt=1))) == {"carina"}


def test_every_ordered_pair_of_scans_shares_what_both_have():
    bench = planted_bench(dict.fromkeys(("a", "b", "c"), np.eye(3) * 6))
    bench.scans[2].case.present.clear()
    found = pairs(bench.trunks)
    assert [(pair.source.person, pair.target.person) for pair in found] == [("a", "b"), ("b", "a")]
    assert found[0].concepts == sorted(CENTRES_RAS)
    np.testing.assert_array_equal(found[0].start[0], CENTRES_RAS[found[0].concepts[0]])


@pytest.mark.parametrize("way", [DIRECT, "affine lookup", "body box lookup"])
def test_registration_carries_landmarks_between_people_who_differ_by_their_place(bench, way):
    row = landmarks(bench).systems[way]
    assert row["median mm"] < 6
    assert row["landmarks"] == 12
