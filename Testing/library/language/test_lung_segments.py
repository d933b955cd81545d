"""Segments of the lungs by number."""

import pytest
from anatembed.language.query.resolver import Resolver
from anatembed.language.vocabulary import Vocabulary

VOCABULARY = Vocabulary.load()
RESOLVER = Resolver(VOCABULARY)


def answer(text):
    resolution = RESOLVER.resolve(text)
    return resolution.outcome, [one.id for one in resolution.candidates]


def test_every_segment_of_the_right_lung_is_found_in_every_form():
    ids = {term.id for term in VOCABULARY.terms if term.id.startswith("lung_segment_r")}
    for form in ("right lung S{0}", "right S{0} segment", "segment {0} of the right lung", "right lung segment {0}"):
        found = [answer(form.format(number)) for number in range(1, 11)]
        assert {outcome for outcome, _ in found} == {"accept"}
        assert {one for _, candidates in found for one in candidates} == ids


@pytest.mark.parametrize("text", ["segment 1+2 of the left lung", "left S1 segment", "left lung segment II"])
def test_the_apicoposterior_segment_has_two_numbers(text):
    assert answer(text) == ("accept", ["lung_segment_lul_apicoposterior"])


def test_a_roman_number_is_read():
    assert answer("segment X of the right lung") == ("accept", ["lung_segment_rll_posterior_basal"])


def test_without_a_side_both_lungs_are_offered():
    assert answer("segment 6 of the lung") == ("ask", ["lung_segment_lll_superior", "lung_segment_rll_superior"])


def test_a_number_alone_with_a_side_must_be_confirmed():
    assert answer("right S6") == ("confirm", ["lung_segment_rll_superior"])


def test_an_impossible_number_is_refused_with_the_range():
    resolution = RESOLVER.resolve("right lung segment 12")
    assert (resolution.outcome, resolution.unknown) == ("refuse", False)
    assert "1 to 10" in resolution.reason


def test_a_segment_of_the_liver_is_not_one_of_the_lung():
    assert answer("liver segment 6") == answer("liver S6") == ("accept", ["liver_segment_6"])
