"""`anatembed report`: a report beside a map or a scan, from a file or from standard input."""

import io

import numpy as np
import pytest
from planted import CENTRES_RAS


@pytest.fixture
def read(anatembed, planted, planted_model, tmp_path):
    """read("report text") reads it beside the planted map."""

    def read(text, *more):
        path = tmp_path / "report.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return anatembed("report", planted, path, "--model", planted_model, *more)

    return read


def test_a_report_gives_its_mentions_and_key_slices(read):
    said = read("Cyst in the left kidney. No lesion in the liver. The right spleen is large.", "--json", "-k", "2")
    assert said.code == 0
    assert set(said.document) == {"characters", "mentions", "key_slices", "seconds", "frame"}
    assert [one["decision"] for one in said.document["mentions"]] == ["go", "go", "refuse"]
    assert said.document["mentions"][2]["refusal"] == "check the side"
    assert 1 <= len(said.document["key_slices"]) <= 2
    best = said.document["mentions"][0]["places"][0]
    assert np.linalg.norm(np.array(best["position_ras_mm"]) - CENTRES_RAS["kidney_left"]) < 6


def test_a_report_is_text_for_people(read):
    said = read("Cyst in the kidney, not in the liver. The spleen is normal.")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].startswith("  1. kidney") and "choose: " in lines[0]
    assert "left kidney" in lines[1] and "right kidney" in lines[2]
    assert "liver" in lines[3] and "(denied in the report)" in lines[3]
    assert "spleen" in lines[4] and "not in this scan" in lines[4]
    assert lines[5].startswith("key slice at ")


@pytest.mark.parametrize(("text", "code", "words"), [
    ("The spleen is normal.", 3, "not in this scan"), ("Contrast was given.", 4, "No structure is mentioned"),
])
def test_a_report_of_nothing_that_is_here_has_its_exit_code(read, text, code, words):
    said = read(text)
    assert said.code == code and words in said.out


@pytest.mark.parametrize(("content", "words"), [
    (b"", "got none"), (b"\xff\xfe\x00\x01", "UTF-8"), (b"liver " * 4000, "at most 20,000 characters"),
])
def test_a_file_that_is_no_report_is_bad_input_in_one_sentence(read, content, words):
    said = read(content)
    assert said.code == 2 and said.out == ""
    assert words in said.err and len(said.err.splitlines()) == 1


def test_a_report_may_come_from_standard_input(anatembed, planted, planted_model, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"liver")))
    said = anatembed("report", planted, "-", "--model", planted_model, "--json")
    assert said.code == 0 and said.document["mentions"][0]["text"] == "liver"


def test_key_slices_of_a_scan_say_which_slice_of_it_they_are(anatembed, scan, tiny_model, tmp_path):
    path = tmp_path / "report.txt"
    path.write_text("Liver and both kidneys.")
    said = anatembed("report", scan, path, "--model", tiny_model, "--json")
    assert said.code in (0, 3)
    for one in said.document["key_slices"]:
        assert one["scan_slice"]["axis"] == "k" and 0 <= one["scan_slice"]["index"] < one["scan_slice"]["of"]
