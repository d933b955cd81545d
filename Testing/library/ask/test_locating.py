"""Places in answers: what is looked for, where it is found, how it is called."""

from dataclasses import replace

import numpy as np
import pytest
from anatembed.ask.explorer import Explorer
from anatembed.ask.index import Hit, Search
from anatembed.ask.locating import CHOOSE, GO, NOT_HERE, NOT_LEARNT, REFUSE, UNSURE, Looked, Meaning, decide
from anatembed.language.query.resolver import Resolver
from anatembed.language.vocabulary import Vocabulary
from phantoms import GEOMETRIES
from planted import planted_checkpoint, planted_map
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
        best = explorer.locate(text).places[0]
        assert 1 / 3 < height(best, "kidney_right", grid) < 1, text
        assert to_patient(best.position_ras, GEOMETRIES[grid])[0] > 30, text


def test_a_part_is_called_by_its_name_and_keeps_the_structure_and_its_certainty(explorer):
    whole, answer = explorer.locate("left kidney"), explorer.locate("lower third of left kidney")
    best = answer.places[0]
    assert (answer.decision, best.label, best.concept_id) == (GO, "lower third of left kidney", "kidney_left")
    assert answer.reason == "Lower third of left kidney: found."
    assert answer.place.directions == ("inferior",) and not answer.options
    assert (best.presence, best.confidence) == (whole.places[0].presence, whole.places[0].confidence)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("grid", ["flipped left-right", "oblique"])
def test_what_was_not_learnt_is_shown_by_the_nearest_whole_of_its_own_side_only(grid, side):
    other = {"left": "right", "right": "left"}[side]
    part = replace(VOCABULARY[f"renal_pelvis_{side}"], part_of=(f"kidney_{other}", f"kidney_{side}"))
    vocabulary = Vocabulary([part if term.id == part.id else term for term in VOCABULARY.terms], VOCABULARY.aliases)
    explorer = Explorer(planted_patient(GEOMETRIES[grid]), planted_checkpoint(readout()), vocabulary)
    answer = explorer.locate(f"{side} renal pelvis")
    assert {hit.concept_id for hit in answer.places} == {f"kidney_{side}"} and answer.caution


def test_every_hit_has_a_label(explorer):
    for text in ("liver", "kidney", "upper pole of left kidney", "above the liver", "liver at the level of the heart"):
        assert all(hit.label for hit in explorer.locate(text).marked), text
    assert explorer.locate("upper pole of left kidney").places[0].label == "upper pole of left kidney"
    assert explorer.locate("upper pole of left kidney").places[0].concept_id == "kidney_upper_pole_left"


def test_the_likelihood_of_a_part_is_that_of_the_structure_within_the_part_and_zero_outside(explorer):
    whole, _ = explorer.probability("right kidney")
    part, answer = explorer.probability("upper third of right kidney")
    inside = part > 0
    assert answer.decision == GO and inside.any()
    np.testing.assert_array_equal(part[inside], whole[inside])
    assert inside.sum() < 0.5 * (whole > 0.5).sum()


def test_a_part_without_a_side_is_a_question_that_keeps_the_place(explorer):
    answer = explorer.locate("lateral border of the kidney", 2)
    assert answer.decision == CHOOSE and {hit.concept_id for hit in answer.marked} == {"kidney_left", "kidney_right"}
    assert [one.name for one in answer.options] == ["lateral border of left kidney", "lateral border of right kidney"]
    for hit in answer.marked:
        across = to_patient(hit.position_ras, GEOMETRIES["oblique"])[0]
        assert across > 65 if hit.concept_id == "kidney_right" else across < -65
    for one in answer.options:
        assert explorer.locate(one.name).places[0].position_ras == pytest.approx(one.hit.position_ras)


def test_a_level_that_the_structure_does_not_reach_is_said_and_not_shown(explorer):
    answer = explorer.locate("heart at the level of the spleen")
    assert (answer.decision, answer.refusal, answer.marked) == (REFUSE, NOT_HERE, ())
    assert answer.reason == "Heart at the level of spleen: heart was found, but does not reach there."
    assert not explorer.probability("heart at the level of the spleen")[0].any()


def test_a_level_is_at_the_height_of_the_other_structure(explorer):
    answer = explorer.locate("liver at the level of the heart")
    assert answer.decision == GO
    assert to_patient(answer.places[0].position_ras, GEOMETRIES["oblique"])[2] == pytest.approx(-15, abs=14)


@pytest.mark.parametrize("text", ["liver at the level of the spleen", "between liver and spleen"])
def test_a_place_beside_something_that_is_not_in_the_scan_is_refused_with_the_reason(text):
    structures = {name: shape for name, shape in STRUCTURES.items() if name != "spleen"}
    answer = explorer_of("canonical", structures).locate(text)
    assert (answer.decision, answer.refusal) == (REFUSE, NOT_HERE)
    assert answer.reason.endswith("because of spleen: not in this scan.")


def test_a_place_beside_something_that_the_model_has_not_learnt_is_refused_with_the_reason(explorer):
    answer = explorer.locate("liver at L3")
    assert (answer.decision, answer.refusal) == (REFUSE, NOT_LEARNT)
    assert answer.reason.endswith("because of L3 vertebra: not learnt by this model.")


def test_the_part_of_a_structure_that_is_not_in_the_scan_is_not_there():
    structures = {name: shape for name, shape in STRUCTURES.items() if name != "spleen"}
    answer = explorer_of("canonical", structures).locate("upper pole of the spleen")
    assert answer.refusal == NOT_HERE
    assert answer.reason.startswith("Upper pole of spleen: not in this scan (confidence that it is there")


TURNED = np.array([[0.0, 0, 6], [-6, 0, 0], [0, -6, 0]])
"""I runs to the back, J downwards, K to the right."""


@pytest.mark.parametrize(("linear", "thin_kji"), [
    (np.diag([6.0, 6, 6]), (24, 20, 15)), (np.diag([-6.0, -6, 6]), (24, 12, 32)), (np.diag([6.0, 6, -3]), (18, 20, 32)),
    (TURNED, (15, 24, 20)),
])  # fmt: skip
def test_in_a_field_too_narrow_to_tell_nothing_is_called_absent(linear, thin_kji):
    explorer = Explorer(planted_map([], linear=linear, shape_kji=thin_kji), planted_checkpoint(), VOCABULARY)
    answer = explorer.locate("spleen")
    assert (answer.decision, answer.refusal) == (REFUSE, UNSURE)
    assert answer.reason.startswith("Spleen: not seen, but this scan is too narrow to tell (confidence that it is")


@pytest.mark.parametrize("linear", [np.diag([6.0, 6, 6]), np.diag([-6.0, -6, 6]), TURNED])
def test_a_small_body_that_is_wholly_in_the_scan_is_not_a_narrow_field(linear):
    wide = planted_map([], linear=linear, shape_kji=(30, 30, 30))
    body = np.zeros_like(wide.body_kji)
    body[10:20, 10:20, 10:20] = True
    explorer = Explorer(replace(wide, body_kji=body), planted_checkpoint(), VOCABULARY)
    assert explorer.locate("spleen").refusal == NOT_HERE


@pytest.mark.parametrize(("presence", "refusal"), [(0.05, NOT_HERE), (0.14, NOT_HERE), (0.16, UNSURE), (0.49, UNSURE)])
def test_what_may_be_there_is_not_called_absent(explorer, monkeypatch, presence, refusal):
    monkeypatch.setattr(explorer.index, "search", lambda concept, k=5: Search(concept, False, presence, []))
    answer = explorer.locate("spleen")
    assert (answer.decision, answer.refusal, answer.places) == (REFUSE, refusal, ())
    assert ("cannot be told" in answer.reason) == (refusal == UNSURE)
    assert f"{int(100 * presence)}%" in answer.reason


def test_no_part_of_one_kidney_is_ever_shown_on_the_other(explorer):
    for side, sign in (("left", -1), ("right", 1)):
        for form in ("upper pole of {}", "{} lateral border", "medial aspect of {}", "middle of {}", "behind {}",
                     "{} at the level of the heart", "around {}", "anterior third {}"):
            answer = explorer.locate(form.format(f"the {side} kidney"))
            assert answer.places, form
            for hit in (*answer.places, *answer.less_likely):
                assert sign * to_patient(hit.position_ras, GEOMETRIES["oblique"])[0] > 20, (form, side)


def test_a_name_that_is_only_probably_meant_is_an_option(explorer):
    answer = explorer.locate("upper spleen")
    assert answer.decision == CHOOSE
    assert answer.options[0].name == "upper part of spleen"
    assert explorer.locate("spleen").decision == GO
    assert [one.name for one in explorer.locate("livr").options] == ["liver"]


def test_what_is_only_probably_meant_and_not_there_is_refused_with_what_it_was_read_as():
    structures = {name: shape for name, shape in STRUCTURES.items() if name != "liver"}
    answer = explorer_of("canonical", structures).locate("livr")
    assert (answer.decision, answer.refusal) == (REFUSE, NOT_HERE)
    assert answer.reason.startswith("“livr” may mean “liver”. Liver: not in this scan")


@pytest.mark.parametrize("text", ["kidney", "both kidneys", "upper pole of the kidney", "liver and spleen", "livr"])
def test_an_option_that_is_asked_for_is_not_asked_back_again(explorer, text):
    for one in explorer.locate(text).options:
        answer = explorer.locate(one.name)
        assert answer.decision == GO and answer.meant[0].id == one.id


def test_near_names_are_offered_for_what_is_not_understood_only_and_never_as_it_was_typed(explorer):
    for text in ("kidney", "liver", "mandible", "right spleen", "flurbogast", "liver segment 2"):
        answer = explorer.locate(text)
        assert not answer.suggestions or answer.decision == REFUSE
        assert text not in {one.name for one in answer.suggestions}


@pytest.mark.parametrize("text", ["liver", "mandible", "livr", "liver at L3", "liver segment 2", "liver and mandible"])
def test_what_is_said_begins_with_a_capital_or_a_quotation_and_ends_as_a_sentence(explorer, text):
    said = explorer.locate(text).words
    assert said[0] == said[0].upper() and said[-1] in ".?!" and "  " not in said


def test_a_disc_is_never_answered_with_any_other_disc(explorer):
    answer = explorer.locate("L4-L5 disc")
    assert (answer.decision, answer.refusal, answer.marked) == (REFUSE, NOT_LEARNT, ())
    assert explorer.locating.known_whole("intervertebral_disc_L4_L5") is None


def option(name: str, basis: str = "", caution: str = "") -> Looked:
    hit = Hit(np.zeros(3), 0.8, name, basis=basis, caution=caution)
    return Looked(Meaning(name, name, None, hit=hit), (hit,))


def test_what_options_were_counted_from_is_said_once_and_a_doubt_with_the_name_that_it_is_about():
    resolution = Resolver(VOCABULARY).resolve("rib 9")
    both = [option("left rib 9", "counted from the sacrum"), option("right rib 9", "counted from the sacrum", "Odd.")]
    answer = decide("rib 9", resolution, both)
    assert answer.decision == CHOOSE and answer.reason.count("Counted from the sacrum.") == 1
    assert answer.caution == "Right rib 9: Odd."
    alike = decide("rib 9", resolution, [option("left rib 9", "", "Odd."), option("right rib 9", "", "Odd.")])
    assert alike.caution == "Odd." and "Counted" not in alike.reason
