"""Outcomes and reasons for names found in a query."""

import pytest
from anatembed.language.name_decision import NameDecision
from anatembed.language.phrase_index import PhraseIndex
from anatembed.language.query_words import load_query_words
from anatembed.language.sides import SideReading
from anatembed.language.vocabulary import Vocabulary

VOCABULARY = Vocabulary.load()
TABLES = load_query_words()
DECISION = NameDecision(VOCABULARY, PhraseIndex(VOCABULARY, TABLES, frozenset()), TABLES)
NO_SIDE = SideReading(())


def decide(words, reading=NO_SIDE, upper=frozenset()):
    return DECISION.of_words(tuple(words.split()), reading, upper, words)


def test_an_unknown_text_offers_near_names_that_respect_its_side():
    resolution = DECISION.unknown("left kidnez", side="left")
    assert resolution.outcome == "refuse"
    assert "kidney_left" in [one.id for one in resolution.candidates]
    assert all(one.side == "left" for one in resolution.candidates)


def test_a_text_without_near_names_says_what_to_type():
    resolution = DECISION.unknown("qqqqqqqq")
    assert resolution.candidates == ()
    assert "Type the name of a structure" in resolution.reason


def test_every_word_of_an_accepted_text_is_explained():
    assert decide("liver").outcome == "accept"
    assert decide("liver strange").outcome == "confirm"
    assert decide("liver extraordinarily strange words").outcome == "refuse"


def test_the_whole_explains_its_part():
    """The segment lies in a lobe, the lobe in the lung."""
    assert decide("apical segment upper lobe lung", SideReading((), "one", "right")).outcome == "accept"


def test_an_abbreviation_in_small_letters_needs_no_stranger_beside_it():
    assert decide("mv clip", upper=frozenset()).outcome == "refuse"
    assert decide("mv clip", upper=frozenset({"mv"})).outcome == "confirm"


@pytest.mark.parametrize("kind", ["both", "negated", "screen", "relative"])
def test_the_question_for_a_side_says_why_it_is_asked(kind):
    resolution = decide("kidney", SideReading((), kind))
    assert resolution.outcome == "ask"
    assert "exists on both sides" not in resolution.reason


def test_two_whole_names_are_a_question():
    resolution = decide("liver pancreas")
    assert resolution.outcome == "ask"
    assert {one.id for one in resolution.candidates} == {"liver", "pancreas"}
