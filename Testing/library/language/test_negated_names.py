"""Structures that are not wanted."""

import pytest
from anatembed.language.query.negated_names import without_negated
from anatembed.language.query.resolver import Resolver
from anatembed.language.vocabulary import Vocabulary

RESOLVER = Resolver(Vocabulary.load())


def answer(text):
    resolution = RESOLVER.resolve(text)
    return resolution.outcome, [one.id for one in resolution.candidates]


@pytest.mark.parametrize(
    "text",
    [
        "not the spleen, the liver",
        "the liver, not the spleen",
        "show me the liver instead of the spleen",
        "not the spleen but the liver",
        "the liver rather than the spleen please",
        "nicht die Milz, sondern die Leber",
        "neither the spleen nor the pancreas, I want the liver",
        "skip the spleen and go to the liver",
        "the liver, ignore the spleen",
    ],
)
def test_what_is_not_wanted_is_left_out_and_the_rest_confirmed(text):
    assert answer(text) == ("confirm", ["liver"])


def test_a_paired_structure_that_is_wanted_still_asks_for_its_side():
    assert answer("not the spleen, the kidney") == ("ask", ["kidney_left", "kidney_right"])


@pytest.mark.parametrize("text", ["not the left kidney, the right one", "the right kidney, not the left one"])
def test_a_side_that_is_not_wanted_is_left_to_the_sides(text):
    assert answer(text) == ("confirm", ["kidney_right"])


def test_only_what_is_not_wanted_is_never_accepted():
    assert answer("not the spleen")[0] == "confirm"
    assert answer("neither liver nor spleen")[0] != "accept"


def test_without_a_plain_wish_the_answer_stays():
    found = RESOLVER.resolve("not qqqqqqqq")
    assert without_negated("not qqqqqqqq", found, RESOLVER.resolve) is found
