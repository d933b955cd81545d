"""Questions for what is not in a scan, on a planted model and little scans."""

import numpy as np
import pytest
from anatembed.ask.explorer import Explorer
from anatembed.scan.volume import Volume
from little_people import VOCABULARY
from planted import CENTRES_RAS, planted_checkpoint, whole_body_map
from research.evaluation.absence import Question, absence_section, ask
from research.evaluation.absence_scans import ENDS, LISTED, MIRRORED, PHANTOM, SLAB, Made
from research.evaluation.truth import Structure

SCAN = Volume(np.zeros((24, 20, 32), np.int16), np.diag([6.0, 6.0, 6.0, 1.0]))


@pytest.fixture(scope="module")
def explorer():
    return Explorer(whole_body_map(left_out=("spleen",)), planted_checkpoint(), VOCABULARY)


def structure(concept: str, centre) -> Structure:
    centre = np.array(centre, float)
    return Structure(concept, centre - 10, centre + 10, centre, centre, True)


def test_a_refusal_of_what_is_absent_and_a_find_of_what_is_present_are_right(explorer):
    made = Made("p", ENDS, "", SCAN, ["spleen", "liver"], [structure("heart", CENTRES_RAS["heart"])])
    spleen, liver, heart = ask(made, explorer)
    assert [(q.concept, q.truth, q.shown, q.right) for q in (spleen, liver, heart)] == [
        ("spleen", False, False, True), ("liver", False, True, False), ("heart", True, True, True),
    ]
    assert spleen.presence < 0.5 < liver.presence


def test_what_the_model_has_not_learnt_is_not_asked(explorer):
    assert ask(Made("p", PHANTOM, "", SCAN, ["brain"]), explorer) == []


def test_in_a_reversed_picture_a_place_is_right_only_where_the_structure_went(explorer):
    middle = (np.array(SCAN.array_kji.shape[::-1]) - 1) * 6.0 / 2
    there = np.array(CENTRES_RAS["liver"])
    usual = there.copy()
    usual[0] = 2 * middle[0] - there[0]  # in the true picture; the reversed one shows it where the model finds it
    moved = Made("p", MIRRORED, "", SCAN, present=[structure("liver", usual)], reversed=(0,))
    stays = Made("p", MIRRORED, "", SCAN, present=[structure("liver", there)], reversed=(0,))
    refused = Made("p", MIRRORED, "", SCAN, present=[structure("spleen", there)], reversed=(0,))
    assert [ask(made, explorer)[0].right for made in (moved, stays, refused)] == [True, False, True]


def question(kind, truth, right, presence=0.5, person="p") -> Question:
    return Question(person, kind, "", "liver", truth, truth == right, presence, right)


def test_the_table_counts_refusals_by_kind_and_what_is_kept():
    section = absence_section("ours", [
        question(LISTED, False, True), question(ENDS, False, False, 0.8), question(SLAB, False, True, 0.1),
        question(SLAB, True, True, 0.9), question(SLAB, True, False, 0.4), question(MIRRORED, True, False),
    ])
    measures = section.systems["ours"]
    assert (measures["all that is absent: asked"], measures["all that is absent: refused"]) == (3, pytest.approx(2 / 3))
    assert (measures[f"{ENDS}: refused"], measures[f"{SLAB}: refused"]) == (0, 1)
    assert (measures["present in cut scans: asked"], measures["present in cut scans: kept"]) == (2, 0.5)
    assert (measures["mirrored: asked"], measures["mirrored: refused or at its place"]) == (1, 0)
    assert measures["cut scans: AUROC of presence"] == pytest.approx(3 / 4)
    assert len(section.rows) == 6
