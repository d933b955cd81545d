"""Figures in the README and the model card are those of the results."""

import json

import pytest
import write_figures
from write_figures import BLOCK, PAGES, RESULTS, TEXTS, block, filled, page


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_says_what_the_results_say(path):
    text = path.read_text()
    assert BLOCK.search(text)
    assert page(text) == text, "run python scripts/write_figures.py"


def test_every_text_with_figures_is_on_a_page():
    used = {found["name"] for path in PAGES for found in BLOCK.finditer(path.read_text())}
    assert {path.stem for path in TEXTS.glob("*.md")} | set(write_figures.TABLES) == used


def test_a_text_with_figures_takes_them_from_the_results_and_writes_none_of_a_rate_itself():
    for path in TEXTS.glob("*.md"):
        text = write_figures.FIELD.sub("", path.read_text())
        assert "{{" not in text
        assert not [word for word in text.split() if word.endswith("%") and word[:-1].strip()], path.name


def test_results_are_numbers_and_names_and_no_file_is_of_another_kind():
    for path in RESULTS.glob("*.json"):
        assert json.loads(path.read_text())


@pytest.fixture
def planted(tmp_path, monkeypatch):
    (tmp_path / "one.json").write_text(json.dumps({"a: b": {"rate": 0.943, "mm, mean": 18.46, "name": "x"}}))
    monkeypatch.setattr(write_figures, "RESULTS", tmp_path)
    monkeypatch.setattr(write_figures, "TEXTS", tmp_path)
    return tmp_path


@pytest.mark.parametrize(("field", "text"), [
    ("{{one > a: b > rate | %}}", "94 %"), ("{{one > a: b > rate | .2f}}", "0.94"),
    ("{{one > a: b > mm, mean | .1f}}", "18.5"), ("{{one > a: b > rate | >= 0.9}}", "met"),
    ("{{ one >a: b> rate|>= 0.95}}", "missed"), ("{{one > a: b > mm, mean | <= 20}}", "met"),
])
def test_a_field_becomes_the_number_in_the_form_that_is_asked_for(planted, field, text):
    assert filled(f"It is {field} of all.") == f"It is {text} of all."


@pytest.mark.parametrize(("field", "message"), [
    ("{{one > a > rate | %}}", "expected 'a' on the way"), ("{{one > a: b > name | %}}", "expected a number at"),
    ("{{one > a: b > rate > more | %}}", "expected 'more'"),
])
def test_a_field_that_leads_nowhere_is_named(planted, field, message):
    with pytest.raises(ValueError, match=message):
        filled(field)


def test_missing_results_are_named(planted):
    with pytest.raises(FileNotFoundError, match=r"two\.json"):
        filled("{{two > rate | %}}")


def test_only_what_stands_between_the_marks_is_replaced(planted):
    (planted / "note.md").write_text("now {{one > a: b > rate | %}}\n")
    before = "A\n<!-- figures: note -->\nthen 12 %\n<!-- /figures -->\nB 12 %\n"
    assert page(before) == "A\n<!-- figures: note -->\nnow 94 %\n<!-- /figures -->\nB 12 %\n"
    assert page(page(before)) == page(before)


def test_an_unknown_name_or_an_open_mark_is_refused(planted):
    with pytest.raises(ValueError, match="got the name 'nothing'"):
        block("nothing")
    with pytest.raises(ValueError, match="got 2 opened and 1 closed"):
        page("<!-- figures: a -->\n<!-- figures: b -->\n<!-- /figures -->")


def test_checking_changes_nothing_and_fails_where_something_would_change(planted, monkeypatch, capsys):
    (planted / "note.md").write_text("{{one > a: b > rate | %}}")
    path = planted / "PAGE.md"
    path.write_text("<!-- figures: note -->\nold\n<!-- /figures -->\n")
    monkeypatch.setattr(write_figures, "PAGES", (path,))
    monkeypatch.setattr(write_figures, "ROOT", planted)
    for arguments, code, content in ((["--check"], 1, "old"), ([], 0, "94 %"), (["--check"], 0, "94 %")):
        monkeypatch.setattr("sys.argv", ["write_figures.py", *arguments])
        with pytest.raises(SystemExit) as left:
            write_figures.main()
        assert left.value.code == code
        assert content in path.read_text()
    assert capsys.readouterr().out == "differs: PAGE.md\nwritten: PAGE.md\n"
