"""Places in answers: what is looked for, where it is found, how it is called."""

from dataclasses import replace

import numpy as np
import pytest
from anatembed.ask.explorer import FOUND, NOT_HERE, Explorer
from anatembed.language.vocabulary import Vocabulary
from phantoms import GEOMETRIES
from planted import planted_checkpoint
from planted_patient import STRUCTURES, planted_patient, readout, to_patient

VOCABULARY = Vocabulary.load()


def explorer_of(grid: str, structures=STRUCTURES) -> Explorer:
    embedding_map = planted_patient(GEOMETRIES[grid], structures=structures)
    return Explorer(embedding_map, planted_checkpoint(readout()), VOCABULARY)


@pytest.fixture(scope="module")
def explorer():
    return explorer_of("oblique")


def height(hit, concept: str, grid="oblique") -> float:
    """-1 at the lower end of a structure, 1 at the upper end."""
    centre, half = STRUCTURES[concept]
    return (to_patient(hit.position_ras, GEOMETRIES[grid])[2] - centre[2]) / half[2]


@pytest.mark.parametrize("grid", ["flipped left-right", "as DICOM stores it", "anisotropic", "off origin", "oblique"])
def test_the_superior_pole_of_the_right_kidney_is_in_the_upper_third_of_the_right_kidney(grid):
    explorer = explorer_of(grid)
    for text in ("superior pole of the right kidney", "right kidney upper third", "pôle supérieur du rein droit"):
        best = explorer.locate(text).hits[0]
        assert 1 / 3 < height(best, "kidney_right", grid) < 1, text
        assert to_patient(best.position_ras, GEOMETRIES[grid])[0] > 30, text


def test_a_part_is_called_by_its_name_and_keeps_the_structure_and_its_certainty(explorer):
    whole, answer = explorer.locate("left kidney"), explorer.locate("lower third of left kidney")
    best = answer.hits[0]
    assert (answer.outcome, best.label, best.concept_id) == (FOUND, "lower third of left kidney", "kidney_left")
    assert answer.reason == "lower third of left kidney: found"
    assert answer.place.directions == ("inferior",) and not answer.question
    assert (best.presence, best.confidence) == (whole.hits[0].presence, whole.hits[0].confidence)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("grid", ["flipped left-right", "oblique"])
def test_what_was_not_learnt_is_shown_by_the_nearest_whole_of_its_own_side_only(grid, side):
    other = {"left": "right", "right": "left"}[side]
    part = replace(VOCABULARY[f"renal_pelvis_{side}"], part_of=(f"kidney_{other}", f"kidney_{side}"))
    vocabulary = Vocabulary([part if term.id == part.id else term for term in VOCABULARY.terms], VOCABULARY.aliases)
    explorer = Explorer(planted_patient(GEOMETRIES[grid]), planted_checkpoint(readout()), vocabulary)
    answer = explorer.locate(f"{side} renal pelvis")
    assert {hit.concept_id for hit in answer.hits} == {f"kidney_{side}"}


def test_every_hit_has_a_label(explorer):
    for text in ("liver", "kidney", "upper pole of left kidney", "above the liver", "liver at the level of the heart"):
        assert all(hit.label for hit in explorer.locate(text).hits), text
    assert explorer.locate("upper pole of left kidney").hits[0].label == "upper pole of left kidney"
    assert explorer.locate("upper pole of left kidney").hits[0].concept_id == "kidney_upper_pole_left"


def test_the_likelihood_of_a_part_is_that_of_the_structure_within_the_part_and_zero_outside(explorer):
    whole, _ = explorer.probability("right kidney")
    part, answer = explorer.probability("upper third of right kidney")
    inside = part > 0
    assert answer.found and inside.any()
    np.testing.assert_array_equal(part[inside], whole[inside])
    assert inside.sum() < 0.5 * (whole > 0.5).sum()


def test_a_part_without_a_side_is_a_question_that_keeps_the_place(explorer):
    answer = explorer.locate("lateral border of the kidney", 2)
    assert answer.question and {hit.concept_id for hit in answer.hits} == {"kidney_left", "kidney_right"}
    assert answer.choices == ("lateral border of left kidney", "lateral border of right kidney")
    for hit in answer.hits:
        across = to_patient(hit.position_ras, GEOMETRIES["oblique"])[0]
        assert across > 65 if hit.concept_id == "kidney_right" else across < -65
    field, _ = explorer.probability("lateral border of the kidney")
    assert field.max() > 0.5 and (field > 0).sum() < 0.5 * (explorer.probability("kidney")[0] > 0.5).sum()


def test_a_level_that_the_structure_does_not_reach_is_said_and_not_shown(explorer):
    answer = explorer.locate("heart at the level of the spleen")
    assert (answer.found, answer.outcome, answer.hits) == (False, NOT_HERE, [])
    assert answer.reason == "heart at the level of spleen: heart was found, but does not reach there"
    assert not explorer.probability("heart at the level of the spleen")[0].any()


def test_a_level_is_at_the_height_of_the_other_structure(explorer):
    answer = explorer.locate("liver at the level of the heart")
    assert answer.found
    assert to_patient(answer.hits[0].position_ras, GEOMETRIES["oblique"])[2] == pytest.approx(-15, abs=14)


@pytest.mark.parametrize("text", ["liver at the level of the spleen", "between liver and spleen"])
def test_a_place_beside_something_that_is_not_in_the_scan_is_refused_with_the_reason(text):
    structures = {name: shape for name, shape in STRUCTURES.items() if name != "spleen"}
    answer = explorer_of("canonical", structures).locate(text)
    assert (answer.found, answer.outcome) == (False, NOT_HERE)
    assert answer.reason.endswith("because of spleen: not in this scan")


def test_a_place_beside_something_that_the_model_has_not_learnt_is_refused_with_the_reason(explorer):
    answer = explorer.locate("liver at L3")
    assert not answer.found and answer.reason.endswith("because of L3 vertebra: not learnt by this model")


def test_the_part_of_a_structure_that_is_not_in_the_scan_is_not_there():
    structures = {name: shape for name, shape in STRUCTURES.items() if name != "spleen"}
    answer = explorer_of("canonical", structures).locate("upper pole of the spleen")
    assert not answer.found and answer.reason.startswith("spleen: not in this scan (confidence that it is there")


def test_no_part_of_one_kidney_is_ever_shown_on_the_other(explorer):
    for side, sign in (("left", -1), ("right", 1)):
        for form in ("upper pole of {}", "{} lateral border", "medial aspect of {}", "middle of {}", "behind {}",
                     "{} at the level of the heart", "around {}", "anterior third {}"):
            answer = explorer.locate(form.format(f"the {side} kidney"))
            assert answer.hits, form
            for hit in answer.hits:
                assert sign * to_patient(hit.position_ras, GEOMETRIES["oblique"])[0] > 20, (form, side)


def test_a_confirmed_name_is_a_question_with_its_name_as_the_choice(explorer):
    answer = explorer.locate("upper spleen")
    assert answer.question and answer.found
    assert answer.choices[0] == "upper part of spleen"
    assert not explorer.locate("spleen").question


def test_a_disc_is_never_answered_with_any_other_disc(explorer):
    answer = explorer.locate("L4-L5 disc")
    assert (answer.outcome, answer.hits) == (NOT_HERE, [])
    assert explorer.locating.known_whole("intervertebral_disc_L4_L5") is None
