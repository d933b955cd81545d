"""What is withheld, and how well it is found."""

import numpy as np
import pytest
from anatembed.language.query_words import load_query_words
from anatembed.language.vocabulary_phrases import phrases_of
from little_people import VOCABULARY
from research.training.text_folds import by_language, fold, ranks, spelling
from research.training.text_phrases import fold_of

PHRASES = phrases_of(VOCABULARY, load_query_words())


@pytest.mark.parametrize("by", ["structures", "names"])
@pytest.mark.parametrize("number", range(3))
def test_nothing_that_is_withheld_is_known(by, number):
    parts = fold(PHRASES, number, 3, by)
    known = {phrase.text for phrase in parts.known}
    assert parts.names
    assert parts.unknown
    assert not known & {phrase.text for phrase in parts.names + parts.unknown}
    assert not {p.family for p in parts.known} & {p.family for p in parts.unknown}


def test_of_a_withheld_structure_only_the_preferred_names_are_known():
    parts = fold(PHRASES, 1, 4, "structures")
    own = [p for p in parts.known if fold_of(p.family, 4) == 1]
    assert own
    assert {p.kind for p in own} == {"preferred"}


def test_every_withheld_name_belongs_to_a_structure_that_is_known():
    for by in ("structures", "names"):
        parts = fold(PHRASES, 0, 4, by)
        assert {p.family for p in parts.names} <= {p.family for p in parts.known}


@pytest.mark.parametrize("wrong", [(4, 4, "names"), (-1, 4, "names"), (0, 1, "names"), (0, 4, "letters")])
def test_a_fold_that_does_not_exist_is_refused(wrong):
    with pytest.raises(ValueError, match="expected a fold"):
        fold(PHRASES, *wrong)


def test_the_place_of_a_structure_is_that_of_its_best_name():
    similar = np.array([[0.1, 0.9, 0.3, 0.8], [0.5, 0.1, 0.2, 0.5]])
    assert ranks(similar, ["a", "b", "a", "c"], ["a", "c"]).tolist() == [2, 1]


def test_shares_are_told_by_language():
    phrases = [p for p in PHRASES if p.family == "kidney"]
    places = np.array([0 if p.lang == "de" else 3 if p.lang == "fr" else 7 for p in phrases])
    shares = by_language(places, phrases)
    assert (shares["de"]["first"], shares["de"]["first_five"]) == (1, 1)
    assert (shares["fr"]["first"], shares["fr"]["first_five"]) == (0, 1)
    assert shares["es"]["first_five"] == 0


def test_spelling_is_highest_for_the_same_words():
    assert np.argmax(spelling(["renal artery"], ["renal vein", "artery renal", "liver"])) == 1
