"""The names of the vocabulary as the text encoder reads them."""

import pytest
from anatembed.language.query_words import load_query_words
from anatembed.language.vocabulary import Vocabulary
from anatembed.language.vocabulary_phrases import family_of, phrases_of

VOCABULARY, TABLES = Vocabulary.load(), load_query_words()


@pytest.fixture(scope="module")
def phrases():
    return phrases_of(VOCABULARY, TABLES)


def test_no_phrase_holds_a_side_word(phrases):
    assert not [phrase.text for phrase in phrases if set(phrase.text.split()) & TABLES.side_words.keys()]


def test_both_sides_of_a_structure_share_its_family():
    assert len({family_of(VOCABULARY[one]) for one in ("kidney", "kidney_left", "kidney_right")}) == 1
    assert len({family_of(VOCABULARY[one]) for one in ("left_hepatic_vein", "right_hepatic_vein")}) == 1


def test_the_side_of_a_name_is_kept_beside_its_words(phrases):
    assert {p.side for p in phrases if p.term_id == "kidney_left" and p.text == "kidney"} == {"left"}
    assert {p.side for p in phrases if p.term_id == "kidney"} == {None}


def test_a_name_whose_side_makes_it_another_structure_is_left_out(phrases):
    # "Right colon" is the ascending colon; "colon" is not.
    assert "colon" not in {p.text for p in phrases if p.term_id == "ascending_colon"}


def test_every_term_has_a_phrase(phrases):
    without = set(VOCABULARY.ids) - {phrase.term_id for phrase in phrases}
    assert all(VOCABULARY[one].laterality == "none" for one in without)
    assert len(without) < 5
