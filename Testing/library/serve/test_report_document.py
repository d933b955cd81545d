"""A read report as plain data, and the file that it came from."""

import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from anatembed.ask.explorer import Explorer
from anatembed.ask.report import MOST_CHARACTERS, read_report
from anatembed.serve.report_document import read_report_file, report_document
from planted import planted_checkpoint, whole_body_map

TEXT = "Cyst in the left kidney. The spleen is normal. No lesion in the kidneys."


@pytest.fixture(scope="module")
def explorer():
    return Explorer(whole_body_map(left_out=("spleen",)), planted_checkpoint())


@pytest.fixture(scope="module")
def document(explorer):
    return report_document(read_report(explorer, TEXT, 2), explorer)


def test_it_survives_json(document):
    assert json.loads(json.dumps(document)) == document


def test_mentions_say_where_they_stand_and_what_was_found(document):
    left, spleen, both = document["mentions"]
    assert TEXT[left["start"] : left["end"]] == left["text"] == "left kidney"
    assert left["choices"][0]["side"] == "left" and left["choices"][0]["position_ras"][0] < 0
    assert spleen["status"] == "not in this scan" and spleen["choices"][0]["position_ras"] is None
    assert both["negated"] and [one["found"] for one in both["choices"]] == [True, True]


def test_key_slices_point_to_their_mentions(document):
    first = document["key_slices"][0]
    assert first["mentions"] == [0, 2] and first["scan_slice"] is None and 0 <= first["index"] < first["of"]


def test_the_slice_of_the_scan_is_named_where_the_scan_is_at_hand(explorer):
    ijk_to_ras = np.diag([1.0, 1.0, -2.0, 1.0])
    ijk_to_ras[:3, 3] = (-100, -100, 80)
    volume = SimpleNamespace(array_kji=np.zeros((80, 200, 200)), ijk_to_ras=ijk_to_ras)
    one = report_document(read_report(explorer, TEXT, 1), explorer, volume)["key_slices"][0]
    assert one["scan_slice"] == {"axis": "k", "index": round((80 - one["position_ras"][2]) / 2), "of": 80}


def test_a_file_is_read_with_or_without_a_byte_order_mark(tmp_path):
    for name, content in (("plain.txt", b""), ("marked.txt", b"\xef\xbb\xbf")):
        (tmp_path / name).write_bytes(content + "1.2 × 0.8 cm, liver".encode())
        assert read_report_file(str(tmp_path / name)) == "1.2 × 0.8 cm, liver"


def test_standard_input_is_read(monkeypatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"liver")))
    assert read_report_file("-") == "liver"


@pytest.mark.parametrize(("content", "words"), [
    (b"", "empty.txt: expected the text of a report, got none"),
    (b"\xff\xfe\x00", "UTF-8"), (b"liver\x00", "plain text"),
    (b"x" * (MOST_CHARACTERS + 1), "at most 20,000"), (b"x" * (5 * MOST_CHARACTERS), "at most 20,000"),
])
def test_another_file_is_refused_in_one_sentence(tmp_path, content, words):
    (tmp_path / "empty.txt").write_bytes(content)
    with pytest.raises(ValueError, match=words):
        read_report_file(str(tmp_path / "empty.txt"))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing.txt"):
        read_report_file(str(tmp_path / "nothing.txt"))
