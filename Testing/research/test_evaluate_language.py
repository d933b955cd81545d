"""The command that evaluates how questions are read, on a handful of questions."""

import json

import evaluate_language
import pytest

QUESTIONS = [
    {"question": "left kidney", "group": "name", "expect": ["kidney_left"], "answer": "one"},
    {"question": "kidney", "group": "side", "expect": ["kidney_left", "kidney_right"], "answer": "sides"},
    {"question": "not the left kidney, the right one", "group": "side", "expect": ["kidney_right"], "answer": "one"},
    {"question": "linke Niere", "group": "german", "expect": ["kidney_left"], "answer": "one"},
    {"question": "livr", "group": "typo", "expect": ["liver"], "answer": "one"},
    {
        "question": "upper third of the esophagus",
        "group": "part",
        "expect": ["esophagus"],
        "answer": "one",
        "part": "superior",
    },
    {"question": "carburetor", "group": "everyday", "expect": [], "answer": "refuse"},
    {"question": "splenic ligament", "group": "unknown_anatomy", "expect": [], "answer": "refuse"},
    {"question": "right spleen", "group": "impossible", "expect": [], "answer": "refuse"},
]


@pytest.fixture
def questions(tmp_path):
    path = tmp_path / "handful.jsonl"
    path.write_text("\n".join(map(json.dumps, QUESTIONS)), encoding="utf-8")
    return path


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr("sys.argv", ["evaluate_language.py", *map(str, arguments)])
    evaluate_language.main()
    return capsys.readouterr().out


def test_the_tables_are_printed(monkeypatch, capsys, questions):
    out = run(monkeypatch, capsys, questions)
    assert "### handful: 9 questions" in out
    assert "| side flips | at most 0 | 0.000 | 9 | yes |" in out
    assert "| nonsense accepted | at most 0 | 0.000 | 1 | yes |" in out
    for system in ("resolver", "exact look-up", "rapidfuzz"):
        assert f"| {system} | 9 |" in out
    assert "No --text-model was given" in out


def test_the_tables_are_written_between_the_marks(monkeypatch, capsys, questions, tmp_path):
    document = tmp_path / "LANGUAGE.md"
    document.write_text("# Language\n<!-- measured -->\nold\n<!-- end of measured -->\n", encoding="utf-8")
    out = run(monkeypatch, capsys, questions, "--write", document)
    written = document.read_text(encoding="utf-8")
    assert out.strip() in written and "old" not in written


def test_the_questions_of_the_repository_can_be_read():
    paths = sorted(evaluate_language.QUESTIONS.glob("*.jsonl"))
    assert {"development.jsonl", "held_out.jsonl"} <= {path.name for path in paths}


def test_the_document_has_the_marks():
    evaluate_language.with_measured(evaluate_language.DOCUMENT.read_text(encoding="utf-8"), "new")
