import json

import pytest
from anatembed.serve import cli_output

PLACE = {"label": "upper third of left kidney", "position_ras_mm": [-78.0, 10.25, -149.0], "confidence": 0.879}
NOTHING = {"reason": "Because.", "caution": None, "places": [], "options": [], "less_likely": [], "suggestions": []}


def test_a_found_answer_lists_its_places():
    first, second = cli_output.answer({**NOTHING, "reason": "Left kidney: found.", "places": [PLACE]})
    assert first == "Left kidney: found."
    assert second == "  1. upper third of left kidney  RAS (  -78.0,    10.2,  -149.0) mm  confidence 87%"


def test_less_likely_places_stand_under_a_heading_and_a_caution_below_the_reason():
    document = {**NOTHING, "caution": "Look.", "places": [PLACE], "less_likely": [PLACE]}
    lines = list(cli_output.answer(document))
    assert lines[:2] == ["Because.", "Caution: Look."] and lines[3] == "Less likely places:"
    assert lines[2].startswith("  1. ") and lines[4].startswith("  2. ")


def test_options_are_named_with_their_places():
    options = [{"name": "left kidney", "place": PLACE}, {"name": "right kidney", "place": None}]
    lines = list(cli_output.answer({**NOTHING, "options": options}))
    assert lines[1].startswith("  - left kidney: RAS (") and lines[2] == "  - right kidney: no place"


def test_a_refused_answer_is_its_reason_and_near_names():
    document = {**NOTHING, "suggestions": [{"name": "left kidney"}, {"name": "right kidney"}]}
    assert list(cli_output.answer(document)) == ["Because.", "Did you mean: left kidney, right kidney?"]


def test_a_resolution_shows_its_structures():
    document = {
        "decision": "choose", "reason": "Choose.", "understood": [], "suggestions": [],
        "options": [{"id": "kidney_left", "name": "left kidney"}],
    }  # fmt: skip
    assert list(cli_output.resolution(document)) == ["choose: Choose.", "  kidney_left  left kidney"]


def test_a_description_names_structures_or_says_outside():
    assert list(cli_output.description({"inside_body": False, "names": []})) == ["outside the body"]
    names = [{"id": "liver", "name": "liver", "probability": 0.913, "basis": ""}]
    document = {"inside_body": True, "names": names, "caution": "", "whole": None}
    assert list(cli_output.description(document)) == [" 91.3%  liver  liver"]


def test_terms_mark_what_was_learnt():
    rows = [{"id": "liver", "name": "liver", "learnt": True}, {"id": "skin", "name": "skin", "learnt": False}]
    lines = list(cli_output.terms({"terms": rows, "understood": 2, "learnt": 1}))
    assert lines == ["* liver  liver", "  skin   skin", "2 understood, 1 of them learnt (*)"]


def test_info_warns_of_a_map_of_another_model():
    facts = {"map": "m.npz", "bytes": 2_000_000, "shape_kji": [3, 4, 5], "spacing_mm": [6.0] * 3, "encoder_id": "old"}
    facts |= {"source": {}, "bounds_ras": [[-1, -2, -3], [1, 2, 3]], "model_in_use": "new"}
    own = "\n".join(cli_output.info({**facts, "fits_the_model_in_use": True}))
    other = "\n".join(cli_output.info({**facts, "fits_the_model_in_use": False}))
    assert "R -1..1, A -2..2, S -3..3 mm" in own
    assert "5 x 4 x 3 places of 6 mm" in own
    assert "not the model in use" not in own
    assert "not the model in use, which is new" in other


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({"kind": "cuda", "name": "NVIDIA RTX 3060"}, "NVIDIA RTX 3060, 12 GB free"),
        ({"kind": "cuda", "name": "NVIDIA RTX 3060", "seconds": 2.4}, "NVIDIA RTX 3060, 12 GB free, about 2 s"),
        ({"kind": "cpu", "name": "CPU", "seconds": 6.3}, "CPU, about 6 s"),
        ({"kind": "cpu", "name": "CPU", "seconds": 0.2}, "CPU, about 1 s"),
        ({"kind": "cpu", "name": "CPU"}, "CPU, 12 GB free"),
    ],
)
def test_a_device_is_one_line(facts, line):
    document = {"seconds": None, "free_bytes": 12_100_000_000, "works": True, "problem": "", **facts}
    assert list(cli_output.device(document)) == [line]
    broken = {**document, "works": False, "problem": "it is on fire"}
    assert list(cli_output.device(broken)) == [line, "does not work: it is on fire"]


def test_json_lines_keep_letters_as_they_are():
    (line,) = cli_output.json_lines([{"query": "左肾"}])
    assert "左肾" in line
    assert json.loads(line) == {"query": "左肾"}
