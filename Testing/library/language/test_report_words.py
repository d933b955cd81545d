"""The tables of words of reports."""

import json
import re

from anatembed.language.report.words import _PATH, load_report_words


def test_every_table_is_read_and_no_other_is_there():
    table = json.loads(_PATH.read_text(encoding="utf-8"))
    words = load_report_words()
    assert set(table) - {"about"} == set(words.__annotations__)
    assert set(table["negation"]) == set(words.negation.__annotations__)
    assert load_report_words() is words


def test_words_are_written_as_they_are_compared():
    for name, kind in load_report_words().__annotations__.items():
        if kind == frozenset[str]:
            assert all(re.fullmatch("[a-z]+", word) for word in getattr(load_report_words(), name)), name


def test_patterns_do_not_match_nothing():
    words = load_report_words()
    patterns = (words.masked, words.negation.forward, words.negation.backward, words.negation.ends)
    assert not any(pattern.search("") for pattern in patterns)
