"""The file of a report."""

import io
from types import SimpleNamespace

import pytest
from anatembed.ask.report import MOST_CHARACTERS
from anatembed.serve.report_file import read_report_file


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
