"""Places in words."""

import pytest
from anatembed.language.query.candidate import candidate
from anatembed.language.query.place_phrase import at_level, beside, between, part_of, place_of_term
from anatembed.language.query.place_words import load_place_words
from anatembed.language.vocabulary import Vocabulary

VOCABULARY, WORDS = Vocabulary.load(), load_place_words()


def other(concept: str):
    return candidate(VOCABULARY, concept, 1.0)


@pytest.mark.parametrize(("place", "label"), [
    (part_of(("superior",), "pole", WORDS), "upper pole of spleen"),
    (part_of(("inferior", "left"), "part", WORDS), "lower left part of spleen"),
    (at_level((other("vertebrae_L3"),)), "spleen at the level of L3 vertebra"),
    (between(other("liver")), "between spleen and liver"),
    (beside("posterior", WORDS), "behind spleen"),
    (beside("near", WORDS), "next to spleen"),
])
def test_a_place_reads_as_people_say_it(place, label):
    assert place.label("spleen") == label


def test_how_large_a_part_is_comes_from_its_noun():
    shares = {noun: part_of(("superior",), noun, WORDS).share for noun in ("pole", "half", "part", "border", "end")}
    assert shares == {"pole": "pole", "half": "half", "part": "third", "border": "tip", "end": "tip"}


def test_around_and_next_to_have_no_direction():
    assert beside("around", WORDS).directions == beside("near", WORDS).directions == ()
    assert beside("lateral", WORDS).directions == ("lateral",)


def test_a_structure_that_is_only_a_part_is_a_place_in_its_whole():
    whole, place = place_of_term(VOCABULARY, "kidney_upper_pole_left", WORDS)
    assert (whole, place.directions, place.share) == ("kidney_left", ("superior",), "pole")
    assert place_of_term(VOCABULARY, "kidney_left", WORDS) is None


def test_a_disc_is_the_place_between_its_vertebrae():
    first, place = place_of_term(VOCABULARY, "intervertebral_disc_L4_L5", WORDS)
    assert (first, place.kind, [one.id for one in place.others]) == ("vertebrae_L4", "between", ["vertebrae_L5"])
    for disc, vertebrae in WORDS.terms_between.items():
        assert disc in VOCABULARY and all(one in VOCABULARY for one in vertebrae)


def test_every_part_in_the_table_is_known_and_of_the_side_of_its_whole():
    for base in WORDS.terms:
        sides = VOCABULARY.sides(base)
        assert set(sides) == {"left", "right"}
        for side, part in sides.items():
            assert VOCABULARY[place_of_term(VOCABULARY, part, WORDS)[0]].laterality == side
