"""Questions in words and their answers, on a planted map."""

import dataclasses

import numpy as np
import pytest
from anatembed.ask.explorer import Explorer, NamedProbability
from anatembed.ask.locating import CHOOSE, GO, NOT_HERE, NOT_LEARNT, REFUSE
from anatembed.geometry import bounds_ras, transform_points
from anatembed.language.query.resolution import FINDING, NOT_UNDERSTOOD
from anatembed.language.vocabulary import Vocabulary
from planted import CENTRES_RAS, CONCEPTS, planted_checkpoint, planted_map, planted_readout, whole_body_map

VOCABULARY = Vocabulary.load()


def explorer_of(embedding_map, concepts=CONCEPTS) -> Explorer:
    return Explorer(embedding_map, planted_checkpoint(planted_readout(concepts)), VOCABULARY)


@pytest.fixture(scope="module")
def explorer():
    return explorer_of(whole_body_map())


def near(position, concept) -> bool:
    return np.linalg.norm(np.asarray(position) - CENTRES_RAS[concept]) < 4.0


@pytest.mark.parametrize(("text", "concept"), [
    ("liver", "liver"), ("Spleen", "spleen"), ("left kidney", "kidney_left"), ("kidney, right", "kidney_right"),
    ("left ventricle", "heart_ventricle_left"),
])
def test_a_clear_name_is_found_and_named_in_the_answer(explorer, text, concept):
    answer = explorer.locate(text)
    assert (answer.decision, answer.refusal, answer.caution, answer.query) == (GO, "", "", text)
    (place,) = answer.places
    assert near(place.position_ras, concept)
    assert [one.id for one in answer.meant] == [concept] and answer.options == ()
    name = VOCABULARY.name(concept)
    assert answer.reason == f"{name[0].upper()}{name[1:]}: found."
    assert answer.seconds > 0


@pytest.mark.parametrize("k", [1, 5])
def test_a_name_without_its_side_is_to_be_chosen_with_a_place_for_either_side(explorer, k):
    answer = explorer.locate("kidney", k=k)
    assert (answer.decision, answer.places, answer.less_likely) == (CHOOSE, (), ())
    assert [one.id for one in answer.options] == ["kidney_left", "kidney_right"]
    for one in answer.options:
        assert near(one.hit.position_ras, one.id)
    assert {hit.concept_id for hit in answer.marked} == {"kidney_left", "kidney_right"}
    assert "exists on both sides" in answer.reason


def test_a_side_that_is_not_in_the_scan_stays_an_option_without_a_place():
    answer = explorer_of(whole_body_map(left_out=("kidney_left",))).locate("kidney")
    assert answer.decision == CHOOSE
    left, right = answer.options
    assert left.hit is None and near(right.hit.position_ras, "kidney_right")
    assert "Left kidney: not in this scan" in answer.reason


def test_when_no_side_is_in_the_scan_there_is_nothing_to_choose():
    answer = explorer_of(whole_body_map(left_out=("kidney_left", "kidney_right"))).locate("kidney")
    assert (answer.decision, answer.refusal, answer.options) == (REFUSE, NOT_HERE, ())


def test_a_second_hit_of_a_single_organ_is_less_likely_and_not_painted():
    twice = planted_map([(["liver"], CENTRES_RAS["liver"]), (["liver"], (55.0, 20.0, 50.0))])
    explorer = explorer_of(twice)
    probability, answer = explorer.probability("liver")
    (place,), (other,) = answer.places, answer.less_likely
    assert other.confidence <= place.confidence

    def at(position):
        ijk = transform_points(np.linalg.inv(twice.ijk_to_ras), position)
        return probability[tuple(np.rint(ijk[::-1]).astype(int))]

    assert at(place.position_ras) > 0.5 and at(other.position_ras) == 0
    assert explorer.locate("liver", k=1).less_likely == ()


def test_a_structure_in_several_pieces_has_several_places():
    concepts = ("psoas_major_left", *CONCEPTS[1:])
    twice = planted_map([(["psoas_major_left"], place) for place in ((35, 20, 50), (35, 20, 0))], concepts=concepts)
    readout = dataclasses.replace(planted_readout(), concept_ids=concepts)
    answer = Explorer(twice, planted_checkpoint(readout), VOCABULARY).locate("left psoas major")
    assert len(answer.places) == 2 and answer.less_likely == ()


def test_an_answer_follows_a_scan_that_was_moved(explorer):
    motion = np.array([[0, -1, 0, 5], [1, 0, 0, -7], [0, 0, 1, 11], [0, 0, 0, 1.0]])
    for text in ("kidney", "liver"):
        answer = explorer.locate(text)
        moved = answer.moved(motion)
        for was, now in zip(answer.marked, moved.marked, strict=True):
            np.testing.assert_allclose(now.position_ras, transform_points(motion, was.position_ras))


def test_what_is_no_anatomy_is_not_understood(explorer):
    answer = explorer.locate("banana")
    assert (answer.decision, answer.refusal, answer.marked) == (REFUSE, NOT_UNDERSTOOD, ())
    assert "banana" in answer.reason


def test_a_finding_is_refused_as_one_and_the_structure_that_it_is_in_is_named(explorer):
    answer = explorer.locate("left kidney cyst")
    assert (answer.decision, answer.refusal, answer.marked) == (REFUSE, FINDING, ())
    assert [one.id for one in answer.suggestions] == ["kidney_left"]


def test_what_is_not_in_the_scan_is_refused_with_the_confidence():
    answer = explorer_of(whole_body_map(left_out=("spleen",))).locate("spleen")
    assert (answer.decision, answer.refusal, answer.marked) == (REFUSE, NOT_HERE, ())
    assert answer.reason.startswith("Spleen: not in this scan (confidence that it is there ")
    assert answer.reason.endswith("%).")


def test_a_refusal_never_comes_with_a_confidence_of_half_or_more():
    """A presence of 49.99 % is not rounded to 50 %."""
    readout = planted_readout(presence=(np.log(0.4999 / 0.5001), 0, 0, 0))
    answer = Explorer(whole_body_map(), planted_checkpoint(readout), VOCABULARY).locate("liver")
    assert answer.decision == REFUSE
    assert answer.presence == pytest.approx(0.4999)
    assert answer.reason.endswith("(confidence that it is there 49%).")


def test_the_presence_of_an_answer_is_that_of_the_likeliest_structure(explorer):
    answer = explorer.locate("kidney")
    assert answer.presence == max(explorer.index.search(c).presence for c in ("kidney_left", "kidney_right"))
    assert explorer.locate("banana").presence is None
    assert explorer.locate("pancreas").presence is None


@pytest.mark.parametrize("confidence", [0.31, 0.4999])
def test_what_is_in_the_scan_but_not_surely_at_the_place_is_found_with_a_warning(confidence):
    presence, constant = 0.99, np.log(confidence / (0.99 - confidence))
    readout = dataclasses.replace(
        planted_readout(presence=(np.log(presence / (1 - presence)), 0, 0, 0)), hit=np.array([constant, 0, 0, 0]))
    answer = Explorer(whole_body_map(), planted_checkpoint(readout), VOCABULARY).locate("liver")
    assert (answer.decision, answer.reason) == (GO, "Liver: found.")
    assert answer.caution == f"The place is uncertain (confidence {int(100 * confidence)}%)."
    assert answer.places[0].confidence == pytest.approx(confidence)


def test_the_surest_of_two_options_is_marked_first():
    offsets = np.zeros(len(CONCEPTS))
    offsets[CONCEPTS.index("kidney_left")] = -30
    readout = dataclasses.replace(planted_readout(), hit_offsets=offsets)
    answer = Explorer(whole_body_map(), planted_checkpoint(readout), VOCABULARY).locate("kidney")
    assert [hit.concept_id for hit in answer.marked] == ["kidney_right", "kidney_left"]
    assert [one.id for one in answer.options] == ["kidney_left", "kidney_right"]


def test_what_the_model_has_not_learnt_is_said_to_be_understood(explorer):
    answer = explorer.locate("pancreas")
    assert (answer.decision, answer.refusal) == (REFUSE, NOT_LEARNT)
    assert answer.reason == "Pancreas: understood, but this model has not learnt to see it."
    assert [one.id for one in answer.meant] == ["pancreas"] and answer.suggestions == ()


def test_a_part_that_the_model_has_not_learnt_is_shown_by_its_whole_which_is_said(explorer):
    answer = explorer.locate("caudate lobe of liver")
    assert (answer.decision, answer.reason) == (GO, "Liver: found.")
    assert {hit.concept_id for hit in answer.places} == {"liver"}
    assert "not learnt by this model, the whole is shown" in answer.caution
    assert "liver" not in {one.id for one in answer.meant} and answer.options == ()


@pytest.mark.parametrize(("part", "whole"), [
    ("liver_segment_1", "liver"), ("renal_pelvis_left", "kidney_left"), ("heart_atrium_right", None),
    ("pancreas", None), ("rib_left_5", None),
    ("pulmonary_artery_left", None),
])
def test_the_whole_of_a_part_is_of_its_side_and_no_region(explorer, part, whole):
    assert explorer.known_whole(part) == whole


def test_the_nearest_whole_is_shown_even_where_its_name_has_a_side_and_that_of_the_part_has_none():
    readout = dataclasses.replace(planted_readout(), concept_ids=("liver", "liver_left_lobe", *CONCEPTS[2:]))
    explorer = Explorer(whole_body_map(), planted_checkpoint(readout), VOCABULARY)
    assert explorer.known_whole("liver_segment_2") == "liver_left_lobe"
    assert explorer.known_whole("liver_segment_8") == "liver"


def test_a_whole_of_the_other_side_is_never_shown(explorer, monkeypatch):
    monkeypatch.setattr(Vocabulary, "ancestors", lambda vocabulary, term: ("kidney_right", "kidney_left", "liver"))
    assert explorer.known_whole("renal_pelvis_left") == "kidney_left"
    assert explorer.known_whole("renal_pelvis_right") == "kidney_right"


def test_one_side_is_never_shown_for_the_other_that_was_not_learnt():
    concepts = ("kidney_right", "liver")
    balls = [([concept], CENTRES_RAS[concept]) for concept in concepts]
    explorer = explorer_of(planted_map(balls, concepts=concepts), concepts)
    answer = explorer.locate("left kidney")
    assert (answer.decision, answer.refusal, answer.marked) == (REFUSE, NOT_LEARNT, ())
    assert "not learnt" in answer.reason


def test_a_place_is_described_by_its_most_specific_name(explorer):
    description = explorer.describe(CENTRES_RAS["liver"])
    assert description.inside_body
    assert (description.candidates[0].id, description.candidates[0].name) == ("liver", "liver")
    assert description.candidates[0].probability > 0.9


def named(explorer, probabilities: dict, k=5) -> list[str]:
    values = np.array([probabilities.get(concept, 0.0) for concept in CONCEPTS])
    return [name.id for name in explorer.specific(values, k)]


def test_a_likely_part_names_a_place_before_its_whole_and_before_other_structures(explorer):
    assert named(explorer, {"heart": 0.9, "heart_ventricle_left": 0.2, "liver": 0.3})[:2] == [
        "heart_ventricle_left", "liver",
    ]


def test_a_whole_stays_when_its_part_is_improbable(explorer):
    assert named(explorer, {"heart": 0.9, "heart_ventricle_left": 0.05})[:2] == ["heart", "heart_ventricle_left"]


def test_names_of_other_structures_are_never_left_out_and_k_limits_them(explorer):
    probabilities = {"kidney_left": 0.5, "kidney_right": 0.6, "spleen": 0.7}
    assert named(explorer, probabilities, 3) == ["spleen", "kidney_right", "kidney_left"]
    assert named(explorer, probabilities, 1) == ["spleen"]


def test_outside_the_body_nothing_is_named(explorer):
    low = explorer.map.ijk_to_ras[:3, 3]
    assert explorer.describe(low) == type(explorer.describe(low))(inside_body=False, candidates=[])


@pytest.mark.parametrize("position", [(0, 0), (0, 0, np.nan), [[0, 0, 0]]])
def test_what_is_no_position_is_refused(explorer, position):
    with pytest.raises(ValueError, match="expected a RAS position of three finite numbers"):
        explorer.describe(position)


def test_a_position_outside_the_scan_is_refused(explorer):
    with pytest.raises(ValueError, match="outside the scan"):
        explorer.describe((0.0, 0.0, 1e4))


def test_nothing_is_painted_before_a_side_is_chosen(explorer):
    total, answer = explorer.probability("kidney")
    assert answer.decision == CHOOSE and not total.any()
    assert all(explorer.probability(one.name)[0].max() > 0.5 for one in answer.options)


def test_the_probability_of_what_is_not_found_is_zero(explorer):
    total, answer = explorer.probability("banana")
    assert answer.decision == REFUSE
    assert total.shape == explorer.map.shape_kji
    assert not total.any()


def test_colours_are_transparent_outside_the_body_and_differ_between_right_and_left(explorer):
    colours, body = explorer.colours_kji(), explorer.map.body_kji
    assert colours.dtype == np.uint8
    assert (colours[body, 3] == 255).all()
    assert (colours[~body] == 0).all()
    left, right = colours[12, 10, 3].astype(int), colours[12, 10, -4].astype(int)
    assert right[0] > left[0]
    assert right[2] < left[2]


def test_a_map_of_another_model_is_refused():
    with pytest.raises(ValueError, match="embed the scan again"):
        explorer_of(dataclasses.replace(whole_body_map(), encoder_id="anatembed-0123"))


def exclusive_explorer() -> Explorer:
    readout = dataclasses.replace(planted_readout(), compatible=np.eye(len(CONCEPTS)))
    return Explorer(whole_body_map(), planted_checkpoint(readout), VOCABULARY)


def test_the_structures_of_a_scan_have_a_legend_and_are_computed_once():
    explorer = exclusive_explorer()
    picture = explorer.structures()
    assert {name for name, _ in picture.legend} == {VOCABULARY.name(one) for one in CONCEPTS}
    assert explorer.structures() is picture


def test_the_uncertainty_covers_the_body_and_nothing_else():
    explorer = exclusive_explorer()
    unsure, ijk_to_ras = explorer.uncertainty()
    box = bounds_ras(unsure.shape, ijk_to_ras)
    np.testing.assert_allclose(box, bounds_ras(explorer.map.shape_kji, explorer.map.ijk_to_ras))
    assert unsure[0, 0, 0] == -1 and set(np.unique(np.sign(unsure))) <= {-1, 0, 1}
    i, j, k = np.rint(transform_points(np.linalg.inv(ijk_to_ras), CENTRES_RAS["liver"])).astype(int)
    assert 0 <= unsure[k, j, i] < 0.1
    assert unsure.max() > 0.9


def test_a_border_is_between_two_structures_and_offers_the_likeliest_ones():
    explorer = exclusive_explorer()
    border = explorer.border("liver", "spleen")
    assert border.masks["liver"].any() and border.masks["spleen"].any()
    assert explorer.likeliest_pair(CENTRES_RAS["liver"])[0] == "liver"
    with pytest.raises(ValueError, match="two different"):
        explorer.border("liver", "liver")


def test_an_unsure_part_comes_with_the_nearest_whole_that_is_sure():
    explorer = Explorer(whole_body_map(), planted_checkpoint())
    ids = explorer.checkpoint.readout.concept_ids
    probabilities = np.zeros(len(ids))
    part = next(one for one in ids if set(explorer.vocabulary.ancestors(one)) & set(ids))
    whole = next(one for one in explorer.vocabulary.ancestors(part) if one in ids)
    probabilities[ids.index(whole)] = 0.9
    unsure = NamedProbability(part, part, 0.4)
    found = explorer._sure_whole(unsure, probabilities)
    assert (found.id, found.probability) == (whole, 0.9)
    assert explorer._sure_whole(dataclasses.replace(unsure, probability=0.6), probabilities) is None
    assert explorer._sure_whole(unsure, 0.5 * probabilities) is None
