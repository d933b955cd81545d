"""Which words may belong to a name, before the resolver is asked."""

import pytest
from anatembed.language.query_words import load_query_words
from anatembed.language.report.names import ReportNames, Role
from anatembed.language.report.tokens import clauses
from anatembed.language.report.words import load_report_words
from anatembed.language.vocabulary import Vocabulary

WORDS = load_report_words()
NAMES = ReportNames(Vocabulary.load(), load_query_words(), WORDS)


def roles(text, shouted=False):
    (tokens,) = clauses(text, WORDS)
    return [NAMES.role(token, shouted) for token in tokens]


def test_every_word_of_a_name_has_a_role():
    text = "lower pole of the left kidney"
    assert roles(text) == [Role.MODIFIER, Role.MODIFIER, Role.LINK, Role.LINK, Role.SIDE, Role.NAME]
    assert roles("4th rib") == [Role.NUMBER, Role.NAME] and roles("segment VI") == [Role.NAME, Role.NUMBER]
    assert roles("livers renal L4 RUL C-spine") == [Role.NAME] * 5


@pytest.mark.parametrize("text", ["lesion", "contrast", "as", "in", "and", "pa", "rul", "is", "above", "l"])
def test_other_words_have_none(text):
    assert roles(text) == [None]


def test_an_abbreviation_needs_its_capitals_and_a_clause_in_which_they_mean_something():
    assert roles("LA IVC") == [Role.NAME] * 2
    assert roles("LA IVC", shouted=True) == [None, Role.NAME]


@pytest.mark.parametrize(("words", "expected"), [
    ("liver", True), ("kidney lower pole", True), ("gall bladder", True), ("segment 4", True), ("l4", True),
    ("mesenteric artery", True), ("lower pole", False), ("bile", False), ("superior", False),
])
def test_words_that_hold_no_name_are_not_asked_about(words, expected):
    assert NAMES.may_name(words.split()) is expected


def test_an_adjective_has_a_noun_and_a_noun_has_none():
    assert NAMES.noun_of(["renal"]) == "kidney" and NAMES.noun_of(["kidney"]) is None
    assert NAMES.noun_of(["cranial"]) is None


def test_a_name_is_known_in_any_order_and_number():
    assert NAMES.is_name(["glands", "adrenal"]) and not NAMES.is_name(["adrenal", "liver"])
    assert NAMES.is_spelt("left anterior descending") and not NAMES.is_spelt("left lesion")
