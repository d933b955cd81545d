"""Sides, counted on people whose sides are known."""

from dataclasses import replace

import numpy as np
import pytest
from anatembed.ask.index import Hit, Search
from anatembed.scan.volume import Volume
from little_people import VOCABULARY
from phantoms import centred_affine
from planted import CANONICAL, planted_map
from research.evaluation.bench import ANNOTATED, Scan
from research.evaluation.harness import run
from research.evaluation.laterality import (
    laterality,
    middle_r,
    mirrored_outcome,
    paired_concepts,
    to_the_right,
    wrong_voxels,
)
from research.evaluation.truth import Case, Structure

LINEAR = pytest.mark.parametrize("linear", [CANONICAL, np.diag([-6.0, 6.0, 6.0]), np.diag([-6.0, -6.0, -6.0])])


@LINEAR
def test_the_middle_of_the_body_is_its_middle_on_any_grid(linear):
    scan = planted_map([], linear=linear)
    np.testing.assert_allclose(middle_r(scan, np.array([-50.0, 0.0, 40.0])), 0, atol=1e-9)
    np.testing.assert_allclose(to_the_right(scan, np.array([[30.0, 0, 0], [-10.0, 5, 20]])), [30, -10], atol=1e-9)


def test_a_height_without_body_has_the_middle_of_the_whole_body():
    scan = planted_map([])
    assert middle_r(scan, np.array([9999.0])) == pytest.approx(0, abs=1e-9)


@LINEAR
def test_a_name_of_the_other_side_is_wrong_and_what_is_near_the_middle_is_not_judged(linear):
    scan = planted_map([], linear=linear)
    right, left, middle = np.array([60.0, 0, 0]), np.array([-60.0, 0, 0]), np.array([10.0, 0, 0])
    named = [(right, "kidney_right"), (left, "kidney_right"), (middle, "kidney_left"), (left, "liver"), (left, None)]
    assert wrong_voxels(scan, named, VOCABULARY) == [False, True]
    assert wrong_voxels(scan, [(left, "liver")], VOCABULARY) == []


def test_a_left_ventricle_has_no_wrong_side():
    scan = planted_map([])
    assert wrong_voxels(scan, [(np.array([60.0, 0, 0]), "heart_ventricle_left")], VOCABULARY) == []


def test_paired_concepts_are_those_with_a_side(bench):
    assert paired_concepts(bench) == {"kidney_left": "left", "kidney_right": "right"}


def scan_with(centre) -> tuple[Structure, Scan]:
    shape = (10, 12, 14)
    volume = Volume(np.zeros(shape), centred_affine(shape, np.diag([-20.0, 20.0, 20.0]), (100.0, 0.0, 0.0)))
    centre = np.array(centre, float)
    structure = Structure("liver", centre - 20, centre + 20, centre, centre, True)
    return structure, Scan(Case("p", ANNOTATED, volume, [structure], [], []), None, {})


@pytest.mark.parametrize(("place", "found", "outcome"), [
    ((20, 0, 0), True, "follows the picture"), ((180, 0, 0), True, "stays on the usual side"),
    ((20, 0, 0), False, "refused"),
])
def test_in_a_mirrored_scan_a_hit_follows_the_picture_or_stays(place, found, outcome):
    structure, scan = scan_with((170, 0, 0))  # 70 mm right of the middle of the scan, which is at +100
    search = Search("liver", found, 0.9, [Hit(np.array(place, float), 0.9, "liver")])
    assert mirrored_outcome(structure, scan, search) == outcome


def test_what_lies_in_the_middle_tells_nothing():
    structure, scan = scan_with((110, 0, 0))
    assert mirrored_outcome(structure, scan, Search("liver", True, 0.9, [])) is None


def test_the_section_counts_sides_of_hits_and_voxels(bench):
    fresh = replace(bench, explorers={}, reports={})
    run(fresh)
    row = laterality(fresh).systems["embedding"]
    assert row["annotated asked"] == 4 + 2  # both kidneys in two annotated scans and in the labelled one
    for measure in ("annotated and found on the wrong side", "voxels named for the wrong side"):
        assert 0 <= row[measure] <= 1
    outcomes = [row[f"mirrored, unpaired: {name}"] for name in
                ("follows the picture", "stays on the usual side", "refused")]
    assert sum(outcomes) == pytest.approx(1)
