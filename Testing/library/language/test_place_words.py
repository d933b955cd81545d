"""The tables of places."""

import pytest
from anatembed.language.query.place_words import load_place_words
from anatembed.language.text_normalisation import normalise
from anatembed.language.vocabulary import Vocabulary

VOCABULARY, WORDS = Vocabulary.load(), load_place_words()


@pytest.mark.parametrize(("word", "directions"), [
    ("upper", ("superior",)), ("caudal", ("inferior",)), ("posterolateral", ("posterior", "lateral")),
    ("anterosuperior", ("anterior", "superior")), ("oberer", ("superior",)), ("kidney", ()), ("postero", ()),
    ("mediastinum", ()), ("superoxide", ()),
])
def test_a_word_names_one_direction_two_or_none(word, directions):
    assert WORDS.directions_of(word) == directions


def test_no_side_word_is_a_direction_by_itself():
    from anatembed.language.query_words import load_query_words

    assert not any(WORDS.directions_of(word) for word in load_query_words().side_words)


def test_landmarks_belong_to_known_structures():
    for table in (WORDS.landmarks, WORDS.along):
        concepts = {concept for meanings in table.values() for concept in meanings} - {"vertebrae"}
        assert all(concept in VOCABULARY for concept in concepts)


def test_landmarks_have_known_directions_and_those_with_sides_are_landmarks():
    directions = {one for meanings in WORDS.landmarks.values() for found in meanings.values() for one in found}
    assert directions <= set(WORDS.leads)
    assert WORDS.landmarks_with_sides <= set(WORDS.landmarks)


def test_every_word_is_written_as_queries_are_read():
    phrases = [" ".join(phrase) for phrase, _ in WORDS.relations]
    phrases += [" ".join(phrase) for phrase in (*WORDS.level, *WORDS.between, *WORDS.both)]
    for text in (*WORDS.directions, *WORDS.nouns, *WORDS.nouns_with_of, *WORDS.landmarks, *phrases):
        assert normalise(text) == text


def test_every_noun_has_a_share_and_every_direction_a_word():
    assert set(WORDS.nouns.values()) <= set(WORDS.share_of_noun)
    assert set(WORDS.directions.values()) <= set(WORDS.leads)
    assert {name for _, name in WORDS.relations} == set(WORDS.relation_names)
