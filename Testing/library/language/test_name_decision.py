"""Outcomes and reasons for names found in a query."""

from dataclasses import replace

import pytest
from anatembed.language.query.name_decision import NameDecision
from anatembed.language.query.phrase_index import PhraseIndex
from anatembed.language.query_words import load_query_words
from anatembed.language.sides import SideReading
from anatembed.language.vocabulary import Synonym, Vocabulary

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


@pytest.mark.parametrize(
    "words",
    [
        "external jugular vein",
        "deep femoral artery",
        "soleus muscle",
        "hyperbolic bone",
        "celiac lymph nodes",
        "liver muscle",
        "trigeminal ganglion",
    ],
)
def test_an_opposite_a_kind_or_another_vessel_is_no_answer(words):
    resolution = decide(words)
    assert (resolution.outcome, resolution.unknown) == ("refuse", True)


def test_a_part_of_a_vessel_is_not_another_vessel():
    assert decide("aorta wall").outcome == "confirm"


def test_findings_do_not_hide_the_structure():
    assert decide("hydronephrosis lymphadenopathy kidney", SideReading((), "one", "left")).outcome == "confirm"


def test_a_name_that_is_known_with_a_side_only_asks_for_both_sides():
    """The name has a side, the text has none, the structure has two."""
    synonyms = {"subclavian_artery": (), "subclavian_artery_right": (Synonym("arteria dextra nova", "la", "latin"),)}
    terms = [replace(term, synonyms=synonyms.get(term.id, term.synonyms)) for term in VOCABULARY.terms]
    vocabulary = Vocabulary(terms)
    decision = NameDecision(vocabulary, PhraseIndex(vocabulary, TABLES, frozenset()), TABLES)
    resolution = decision.of_words(("arteria", "nova"), NO_SIDE, frozenset(), "arteria nova")
    assert [one.id for one in resolution.candidates] == ["subclavian_artery_left", "subclavian_artery_right"]
    assert resolution.outcome == "ask"


def test_only_a_text_with_letters_is_an_unknown_name():
    assert DECISION.unknown("qqqqqqqq").unknown
    assert not DECISION.unknown("42").unknown


@pytest.mark.parametrize(
    ("words", "term_id", "possible"),
    [
        ("tibial nerve", "tibia", False),
        ("lesser trochanter", "greater_trochanter", False),
        ("close window", "aortopulmonary_window", False),
        ("ring", "circle_of_willis", False),
        ("cholecystitis", "gallbladder", False),
        ("pee hose", "urethra", True),
        ("knee disc", "patella", True),
    ],
)
def test_words_that_say_of_another_structure_cannot_name_this_one(words, term_id, possible):
    assert DECISION.could_name(tuple(words.split()), term_id) is possible
