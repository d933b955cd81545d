"""Names offered while typing."""

import pytest
from anatembed.language.query.completion import Completion
from anatembed.language.vocabulary import Vocabulary

COMPLETION = Completion(Vocabulary.load())


def test_completion_lists_names_that_begin_with_the_text_first():
    found = COMPLETION.complete("kid", limit=3)
    assert found == [("kidney", "kidney"), ("kidney_left", "left kidney"), ("kidney_right", "right kidney")]


def test_completion_reads_a_short_side():
    assert COMPLETION.complete("l kid", limit=1) == [("kidney_left", "left kidney")]


def test_completion_names_the_structure_of_an_abbreviation():
    assert COMPLETION.complete("ivc", limit=1) == [("inferior_vena_cava", "IVC (inferior vena cava)")]


def test_completion_lists_each_structure_once_and_stops_at_the_limit():
    found = COMPLETION.complete("a", limit=20)
    assert len(found) == len({term_id for term_id, _ in found}) == 20


@pytest.mark.parametrize(("prefix", "limit"), [("", 5), ("  ", 5), ("kid", 0), ("zzzz", 5)])
def test_completion_may_be_empty(prefix, limit):
    assert COMPLETION.complete(prefix, limit) == []
