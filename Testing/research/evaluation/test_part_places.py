"""Whether a hit lies in the third of a structure that was asked for."""

import numpy as np
import pytest
from anatembed.ask.explorer import Explorer
from anatembed.language.vocabulary import Vocabulary
from anatembed.scan.volume import Volume
from phantoms import GEOMETRIES
from planted import planted_checkpoint
from planted_patient import STRUCTURES, planted_patient, readout
from research.evaluation import part_places
from research.evaluation.label_maps import LabelMap
from research.evaluation.part_places import Outline, ask_parts, outlines_of, part_is_right
from research.evaluation.section import Tally
from research.evaluation.truth import Case, Structure

VOCABULARY = Vocabulary.load()
KIDNEY = Outline("kidney_left", "left", np.array([[-80.0, -10, 100], [-40, 30, 190]]))


@pytest.mark.parametrize(("point", "direction", "right"), [
    ((-60, 10, 165), "superior", True), ((-60, 10, 155), "superior", False), ((-60, 10, 205), "superior", False),
    ((-60, 10, 195), "superior", True), ((-60, 10, 110), "inferior", True), ((-60, 20, 145), "anterior", True),
    ((-60, 20, 145), "posterior", False), ((-75, 10, 145), "lateral", True), ((-75, 10, 145), "medial", False),
    ((-45, 10, 145), "medial", True), ((-60, 10, 145), "middle", True), ((-60, 10, 165), "middle", False),
])
def test_a_third_of_the_left_kidney(point, direction, right):
    assert part_is_right(np.array(point, float), KIDNEY, direction) is right


def test_lateral_of_a_right_structure_is_to_the_right():
    mirrored = Outline("kidney_right", "right", KIDNEY.points_ras * (-1, 1, 1))
    assert part_is_right(np.array([75.0, 10, 145]), mirrored, "lateral") is True


def test_what_cannot_be_told_is_none():
    short = Outline("adrenal_gland_left", "left", np.array([[0.0, 0, 0], [29, 40, 29]]))
    assert part_is_right(np.zeros(3), short, "superior") is None
    assert part_is_right(np.zeros(3), Outline("liver", "none", KIDNEY.points_ras), "lateral") is None


def test_outlines_come_from_a_mask_or_from_boxes():
    kidney = Structure("kidney_left", *KIDNEY.points_ras, np.zeros(3), np.zeros(3), True)
    point = Structure("carina", *KIDNEY.points_ras, np.zeros(3), np.zeros(3), False)
    case = Case("one", "annotated", Volume(np.zeros((2, 2, 2), np.int16), np.eye(4)), [kidney, point], [], [])
    assert [one.concept for one in outlines_of(case, None, VOCABULARY)] == ["kidney_left"]
    array = np.zeros((4, 5, 6), np.uint8)
    array[1:3, 1:4, 2:5] = 7
    labels = LabelMap(Volume(array, np.diag([2.0, 3, 4, 1])), {"kidney_left": 7, "liver": 8})
    (only,) = outlines_of(case, labels, VOCABULARY)
    assert (only.concept, only.side) == ("kidney_left", "left")
    np.testing.assert_allclose([only.points_ras.min(axis=0), only.points_ras.max(axis=0)], [[4, 3, 4], [8, 9, 8]])


def test_a_planted_patient_who_lies_straight_is_asked_for_every_third():
    embedding_map = planted_patient(GEOMETRIES["canonical"], np.eye(3))
    explorer = Explorer(embedding_map, planted_checkpoint(readout()), VOCABULARY)
    names = ("kidney_left", "kidney_right", "liver")
    boxes = {name: np.array([np.subtract(*STRUCTURES[name]), np.add(*STRUCTURES[name])]) for name in names}
    outlines = [Outline(name, VOCABULARY[name].laterality, box) for name, box in boxes.items()]
    tally, rows = Tally(), []
    ask_parts("one", explorer, iter(outlines), tally, rows)
    result = part_places.section(tally, rows)
    assert len(rows) == 7 + 7 + 5
    assert result.systems[part_places.PARTS]["all"] == 1
    assert result.systems[part_places.WHOLE]["all"] == pytest.approx(3 / 19)
    assert result.systems[part_places.CHANCE]["all"] == pytest.approx(1 / 3)
    assert [row["structure"] for row in result.rows] == ["kidney_left", "kidney_right", "liver"]
