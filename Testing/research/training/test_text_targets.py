"""What voxels are to terms that the image model has not learnt itself."""

import numpy as np
from little_people import VOCABULARY
from research.training.text_targets import term_targets

CONCEPTS = ("heart", "kidney_left", "kidney_right")
NUMBER = {term.id: number for number, term in enumerate(VOCABULARY.terms)}


def column(term_id, targets):
    return term_targets(np.array(targets, np.int8), CONCEPTS, VOCABULARY)[:, NUMBER[term_id]].tolist()


def test_a_learnt_concept_keeps_its_targets():
    assert column("kidney_left", [[0, 1, -1], [1, -1, -1], [0, 0, 0]]) == [1, -1, 0]


def test_a_structure_without_side_is_either_side_and_not_there_where_neither_is():
    assert column("kidney", [[0, 1, -1], [0, -1, 1], [0, -1, -1], [0, 0, -1]]) == [1, 1, -1, 0]


def test_a_part_is_surely_not_where_its_whole_is_not_and_more_is_not_known():
    assert column("renal_pelvis_left", [[0, 1, -1], [0, -1, 1], [0, 0, 0]]) == [0, -1, 0]


def test_of_a_term_without_any_relation_nothing_is_known():
    assert column("tongue", [[1, -1, -1], [-1, 1, -1]]) == [0, 0]
