import json

import pytest
from anatembed.serve import cli_output


def test_a_found_answer_lists_its_places():
    hit = {"position_ras": [-78.0, 10.25, -149.0], "confidence": 0.879, "presence": 0.99, "id": "kidney_left"}
    hits = [{**hit, "label": "upper third of left kidney"}]
    document = {"reason": "left kidney: found", "hits": hits, "resolved": []}
    first, second = cli_output.answer(document)
    assert first == "left kidney: found"
    assert "1. upper third of left kidney  RAS (  -78.0,    10.2,  -149.0) mm  confidence 87%" in second


def test_a_refused_answer_is_its_reason_and_what_was_understood():
    resolved = [{"name": "left kidney"}, {"name": "right kidney"}]
    lines = list(cli_output.answer({"reason": "not in this scan", "hits": [], "resolved": resolved}))
    assert lines[0] == "not in this scan"
    assert "left kidney, right kidney" in lines[1]


def test_a_resolution_shows_its_candidates():
    document = {
        "outcome": "ask",
        "reason": "Choose.",
        "candidates": [{"id": "kidney_left", "name": "left kidney", "confidence": 0.5}],
    }
    assert list(cli_output.resolution(document)) == ["ask: Choose.", "  kidney_left  left kidney  (50%)"]


def test_a_description_names_structures_or_says_outside():
    assert list(cli_output.description({"inside_body": False, "candidates": []})) == ["outside the body"]
    candidates = [{"id": "liver", "name": "liver", "probability": 0.913}]
    assert list(cli_output.description({"inside_body": True, "candidates": candidates})) == [" 91.3%  liver  liver"]


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
