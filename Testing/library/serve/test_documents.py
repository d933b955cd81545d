"""Answers, readings and descriptions as plain data."""

import json
from types import SimpleNamespace
from typing import get_args

import numpy as np
import pytest
from anatembed.ask.explorer import Description, Explorer, NamedProbability
from anatembed.ask.locating import CHECK_SIDE, Decision, Refusal
from anatembed.ask.report import read_report
from anatembed.serve import cli_output, documents
from planted import CENTRES_RAS, planted_checkpoint, whole_body_map

TEXT = "Cyst in the left kidney. The spleen is normal. No lesion in the kidneys."


@pytest.fixture(scope="module")
def explorer():
    return Explorer(whole_body_map(left_out=("spleen",)), planted_checkpoint())


@pytest.fixture(scope="module")
def reading(explorer):
    return documents.reading_document(read_report(explorer, TEXT, 2), explorer)


def answer(explorer, text: str) -> dict:
    return documents.answer_document(explorer.locate(text), explorer.vocabulary)


@pytest.mark.parametrize("text", ["liver", "kidney", "spleen", "livr", "flurbogast", "liver at L3", "liver segment 2"])
def test_every_answer_is_plain_data_that_says_its_decision_and_its_frame(explorer, text):
    document = answer(explorer, text)
    assert json.loads(json.dumps(document)) == json.loads(json.dumps(document, default=str))
    assert document["decision"] in get_args(Decision) and document["frame"] == "RAS mm"
    assert (document["refusal"] in get_args(Refusal)) == (document["decision"] == "refuse")
    assert bool(document["places"]) == (document["decision"] == "go")
    assert bool(document["options"]) == (document["decision"] == "choose")
    assert document["reason"]


def test_a_place_says_its_side_and_its_position_in_numbers_and_words(explorer):
    (place,) = answer(explorer, "left kidney")["places"]
    assert (place["id"], place["side"], place["label"]) == ("kidney_left", "left", "left kidney")
    assert np.linalg.norm(np.subtract(place["position_ras_mm"], CENTRES_RAS["kidney_left"])) < 6
    assert place["in_words"].startswith("L 6")


def test_words_that_are_no_name_have_no_id_and_no_side(explorer):
    hit = explorer.locate("liver").places[0]
    place = documents.place_document(SimpleNamespace(**{**vars(hit), "concept_id": "", "label": "“fat”"}), None)
    assert (place["id"], place["side"], place["label"]) == ("", None, "“fat”")


def test_positions_are_plain_hundredths_without_a_negative_zero():
    assert str(documents.position(np.array([-0.001, 1.23456, 2]))) == "(0.0, 1.23, 2.0)"


def test_a_point_is_described_with_its_names(explorer):
    where = CENTRES_RAS["kidney_left"]
    document = documents.description_document(explorer.describe(where), where, explorer.vocabulary)
    assert document["names"][0] | {"probability": 1} == {
        "name": "left kidney", "id": "kidney_left", "side": "left", "probability": 1, "basis": "",
    }
    assert (document["caution"], document["whole"]) == ("", None)
    assert document["inside_body"] and document["position_ras_mm"] == where


def test_what_is_doubtful_about_a_point_and_what_it_surely_belongs_to_is_in_its_document(explorer):
    whole = NamedProbability("kidney_left", "left kidney", 0.86)
    part = NamedProbability("renal_pelvis_left", "left renal pelvis", 0.48, "counted from the last rib")
    document = documents.description_document(
        Description(True, [part], "Check it.", whole), (1, 2, 3), explorer.vocabulary)
    assert (document["caution"], document["whole"]["id"]) == ("Check it.", "kidney_left")
    assert document["names"][0]["basis"] == "counted from the last rib"
    assert list(cli_output.description(document)) == [
        " 48.0%  left renal pelvis  renal_pelvis_left (counted from the last rib)", "part of left kidney, 86.0%",
        "Caution: Check it.",
    ]  # fmt: skip


@pytest.mark.parametrize(("text", "decision", "listed"), [
    ("LV", "go", "understood"), ("kidney", "choose", "options"), ("livr", "choose", "options"),
    ("right spleen", "refuse", "suggestions"), ("lung nodule", "refuse", "suggestions"),
])
def test_a_resolution_has_the_words_of_an_answer(explorer, text, decision, listed):
    document = documents.resolution_document(explorer.resolver.resolve(text), text)
    assert document["decision"] == decision
    assert [one for one in ("understood", "options", "suggestions") if document[one]] in ([listed], [])
    answer = documents.answer_document(explorer.locate(text), explorer.vocabulary)
    assert (document["decision"], document["refusal"]) == (answer["decision"], answer["refusal"])


def test_mentions_say_where_they_stand_and_what_was_found(reading):
    left, spleen, both = reading["mentions"]
    assert TEXT[left["start"] : left["end"]] == left["text"] == "left kidney"
    assert left["decision"] == "go" and left["places"][0]["position_ras_mm"][0] < 0
    assert (spleen["decision"], spleen["refusal"], spleen["places"]) == ("refuse", "not in this scan", [])
    assert both["negated"] and both["decision"] == "choose" and all(one["place"] for one in both["options"])


def test_a_side_that_a_structure_has_not_is_to_be_checked(explorer):
    reading = documents.reading_document(read_report(explorer, "The right spleen is large."), explorer)
    assert (reading["mentions"][0]["decision"], reading["mentions"][0]["refusal"]) == ("refuse", CHECK_SIDE)


def test_key_slices_point_to_their_mentions(reading):
    first = reading["key_slices"][0]
    assert first["mentions"] == [0, 2] and first["scan_slice"] is None and 0 <= first["index"] < first["of"]


def test_the_slice_of_the_scan_is_named_where_the_scan_is_at_hand(explorer):
    ijk_to_ras = np.diag([1.0, 1.0, -2.0, 1.0])
    ijk_to_ras[:3, 3] = (-100, -100, 80)
    volume = SimpleNamespace(array_kji=np.zeros((80, 200, 200)), ijk_to_ras=ijk_to_ras)
    one = documents.reading_document(read_report(explorer, TEXT, 1), explorer, volume)["key_slices"][0]
    assert one["scan_slice"] == {"axis": "k", "index": round((80 - one["position_ras_mm"][2]) / 2), "of": 80}
