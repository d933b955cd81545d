"""Typing errors in ordinals and in the nouns that are counted."""

import pytest
from anatembed.language.query.number_spelling import NumberSpelling
from anatembed.language.query_words import load_query_words

SPELLING = NumberSpelling(load_query_words(), {"fift", "regiment"}.__contains__)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("fitfh", "fifth"),
        ("eghth", "eighth"),
        ("vertabra", "vertebra"),
        ("segmnt", "segment"),
        ("lumbr", "lumbar"),
        ("thracica", "thoracica"),
    ],
)
def test_a_typing_error_is_put_right_and_named(typed, read):
    assert SPELLING.corrected((typed, "3")) == ((read, "3"), [(typed, read)])


@pytest.mark.parametrize("word", ["regiment", "rib", "rob", "kidney", "l3", "fift"])
def test_other_words_stay(word):
    assert SPELLING.corrected((word,)) == ((word,), [])
