"""Structures near in meaning to words: what a side does to them, and when one is sure."""

import numpy as np
import pytest
from anatembed.language.query.suggestions import Suggestions
from anatembed.language.query_words import load_query_words
from anatembed.language.text_encoder import TextEncoder
from anatembed.language.vocabulary import Vocabulary
from anatembed.language.vocabulary_phrases import phrases_of
from little_text import little_encoder

VOCABULARY = Vocabulary.load()
ALWAYS = {"suggestions": {"weights": [1.0, 0.0, 0.0, 0.0, 0.0], "sure": 0.0}}
PAIRED = sorted({term.base for term in VOCABULARY.terms if term.base and term.side_policy == "paired"})


@pytest.fixture(scope="module")
def eager():
    """Suggestions of an encoder that is sure of everything."""
    return Suggestions(VOCABULARY, little_encoder(levels=ALWAYS))


@pytest.fixture(scope="module")
def shipped():
    return Suggestions(VOCABULARY, TextEncoder.load())


@pytest.mark.parametrize("side", ["left", "right"])
def test_of_a_side_that_is_given_nothing_of_the_other_side_and_nothing_unpaired_comes_back(eager, side):
    for words in ("kidney", "trachea", "hepatic vein", "qwerty", "rib 5"):
        found = eager.near(words, side, 20)
        assert len(found) == 20
        assert {VOCABULARY[one.id].laterality for one in found} == {side}


def test_without_a_side_no_paired_structure_gets_one(shipped):
    for base in PAIRED[::6]:
        words = VOCABULARY.name(base).lower()
        sided = [one for one in shipped.near(words, None, 5) if VOCABULARY[one.id].side_policy == "paired"]
        assert {VOCABULARY[one.id].laterality for one in sided} <= {"none"}


def test_what_is_only_named_with_a_side_is_never_sure_without_one(eager):
    found = eager.near("gastric artery", None, 3)
    assert found[0].id == "left_gastric_artery"
    assert not found[0].sure
    assert eager.near("gastric artery", "left", 3)[0].sure
    assert "left_gastric_artery" not in [one.id for one in eager.near("gastric artery", "right", 5)]


def test_a_name_without_side_words_of_a_one_sided_structure_may_be_sure(eager):
    assert [(one.id, one.sure) for one in eager.near("lingula", None, 1)] == [("lingula", True)]


def test_only_the_nearest_is_sure(eager):
    assert [one.sure for one in eager.near("spleen", None, 4)] == [True, False, False, False]


def test_a_name_is_nearest_to_its_own_structure_and_scores_one(eager):
    found = eager.near("spleen", None, 3)
    assert found[0].id == "spleen"
    assert found[0].score == pytest.approx(1, abs=1e-5)
    assert found[0].score >= found[1].score >= found[2].score


def test_words_without_letters_suggest_nothing(eager):
    assert eager.near("", None, 3) == []
    assert eager.near(" ", "left", 3) == []


def test_an_encoder_without_a_calibrated_level_is_never_sure():
    unfitted = Suggestions(VOCABULARY, little_encoder())
    assert not any(one.sure for one in unfitted.near("spleen", None, 3))


def test_withheld_names_can_be_left_out(eager):
    phrases = [p for p in phrases_of(VOCABULARY, load_query_words()) if p.family != "spleen"]
    assert Suggestions(VOCABULARY, little_encoder(), phrases).near("spleen", None, 1)[0].id != "spleen"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("urinary blader", "urinary_bladder"),
        ("arteria splenica", "splenic_artery"),
        ("schilddruse", "thyroid_gland"),
        ("artere du rein", "renal_artery"),
        ("vena del rinon", "renal_vein"),
    ],
)
def test_words_of_several_languages_find_their_structure(shipped, words, expected):
    assert expected in [one.id for one in shipped.near(words, None, 3)]


@pytest.mark.parametrize("words", ["quarterly report", "metformin", "cheap flights", "xylophone concert", "wlq grtz"])
def test_words_that_name_no_structure_are_not_sure(shipped, words):
    assert not any(one.sure for one in shipped.near(words, None, 3))


def test_a_score_is_a_plain_number_and_sure_is_a_plain_truth(shipped):
    one = shipped.near("kidneys", None, 1)[0]
    assert (type(one.score), type(one.sure)) == (float, bool)
    assert np.isfinite(one.score)
