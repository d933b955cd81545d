"""Questions made from the vocabulary."""

import random

from anatembed.language.text_normalisation import normalise
from anatembed.language.vocabulary import Vocabulary
from rapidfuzz.distance import OSA
from research.evaluation.vocabulary_names import misspelt, name_questions, typo_questions, withheld_folds

VOCABULARY = Vocabulary.load()


def test_every_name_is_asked_once_and_a_paired_one_means_both_sides():
    questions = {(one.group, normalise(one.text)): one for one in name_questions(VOCABULARY)}
    assert questions["French", "foie"].expect == ("liver",)
    assert questions["English", "kidney"].expect == ("kidney_left", "kidney_right")
    assert questions["English", "kidney"].answer == "sides"
    assert {group for group, _ in questions} == {"English", "Latin", "French", "German", "Spanish", "Chinese"}


def test_a_typing_error_is_one_error_and_never_in_a_side():
    names = {normalise(one.text) for one in name_questions(VOCABULARY, ("en", "la"))}
    for question in typo_questions(VOCABULARY, 200, seed=1):
        assert question.text not in names
        assert any(OSA.distance(question.text, name, score_cutoff=1) == 1 for name in names)


def test_the_same_seed_gives_the_same_errors():
    assert typo_questions(VOCABULARY, 5, seed=3) == typo_questions(VOCABULARY, 5, seed=3)
    assert misspelt("aaaaa", random.Random(0)) != "aaaaa"


def test_withheld_names_are_gone_from_the_vocabulary_that_is_asked():
    asked = set()
    for reduced, questions in withheld_folds(VOCABULARY, ("fr",), folds=3):
        left = {normalise(one.text) for term in reduced.terms for one in term.synonyms}
        assert questions and not {normalise(one.text) for one in questions} & left
        asked |= {one.text for one in questions}
        assert len(reduced.terms) == len(VOCABULARY.terms)
    assert {"foie", "vésicule biliaire"} <= asked
