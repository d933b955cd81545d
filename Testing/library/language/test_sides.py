"""Left and right read out of a query."""

import pytest
from anatembed.language.query_words import load_query_words
from anatembed.language.sides import read_sides
from anatembed.language.text_normalisation import normalise

KNOWN = frozenset({"kidney", "lung", "spine", "renal"})


def read(text):
    return read_sides(normalise(text), KNOWN, load_query_words())


@pytest.mark.parametrize(
    "text",
    [
        "left kidney",
        "kidney left",
        "kidney, left",
        "lt kidney",
        "lt. kidney",
        "L kidney",
        "l. kidney",
        "kidney (L)",
        "left-sided kidney",
        "kidney on the left",
        "left side kidney",
        "linke kidney",
        "kidney gauche",
        "kidney sinister",
        "leftkidney",
        "left hand side kidney",
    ],
)
def test_usual_forms_of_left_are_left(text):
    reading = read(text)
    assert (reading.kind, reading.side) == ("one", "left")
    assert "kidney" in reading.words and "left" not in reading.words


@pytest.mark.parametrize("text", ["rigth kidney", "rihgt kidney", "rght kidney", "lefft kidney", "elft kidney"])
def test_a_misspelt_side_is_read_and_reported(text):
    reading = read(text)
    assert reading.side == ("right" if "g" in text else "left")
    assert reading.typo == text.split()[0]


@pytest.mark.parametrize("word", ["leift", "laft", "leftt", "lefd", "rigght", "raght", "richt", "righ", "rigth"])
def test_one_typing_error_still_is_a_side(word):
    reading = read(f"{word} kidney")
    assert (reading.kind, reading.typo) == ("one", word)


@pytest.mark.parametrize("word", ["leifd", "lafd", "lefttt", "lefdd", "rigghtt", "raghd", "rixxt", "rihgtt"])
def test_two_typing_errors_are_no_side(word):
    reading = read(f"{word} kidney")
    assert (reading.kind, reading.side, reading.typo) == ("none", None, None)
    assert word in reading.words


@pytest.mark.parametrize("word", ["night", "light", "lift", "let", "eight", "might", "rest"])
def test_a_real_word_is_no_side(word):
    assert read(f"{word} kidney").kind == "none"


@pytest.mark.parametrize("text", ["L spine", "L 3", "L"])
def test_the_letter_of_the_lumbar_spine_is_no_side(text):
    assert read(text).kind == "none"


@pytest.mark.parametrize("text", ["both kidneys", "left and right kidney", "bilateral kidney", "kidney left right"])
def test_two_sides_are_both(text):
    assert (read(text).kind, read(text).side) == ("both", None)


def test_a_negated_side_is_not_a_side():
    assert (read("not the left kidney").kind, read("not the left kidney").side) == ("negated", None)


@pytest.mark.parametrize(
    "text", ["not the left, the right kidney", "right kidney, not the left", "right not left kidney"]
)
def test_the_side_that_is_not_negated_remains(text):
    assert read(text).side == "right"
    assert read(text).negation


@pytest.mark.parametrize("between", ["", "the", "big", "the big", "on the big"])
def test_a_negation_reaches_a_side_over_one_content_word_and_any_grammar(between):
    reading = read(f"not {between} left kidney")
    assert (reading.kind, reading.side) == ("negated", None)


@pytest.mark.parametrize("between", ["big strange", "the big and strange", "big strange old", "kidney the big"])
def test_a_negation_does_not_reach_a_side_over_two_content_words(between):
    reading = read(f"not {between} left kidney")
    assert (reading.kind, reading.side, reading.negation) == ("one", "left", True)


def test_a_side_ends_the_reach_of_a_negation():
    reading = read("not left right kidney")
    assert (reading.kind, reading.side) == ("one", "right")


@pytest.mark.parametrize(("text", "kind"), [
    ("right kidney rather than left", "one"), ("right kidney rather than big left", "both"),
])
def test_than_reaches_only_the_next_content_word(text, kind):
    assert read(text).kind == kind


@pytest.mark.parametrize("text", ["kidney on the left of the image", "kidney on the left side of the screen"])
def test_a_side_of_the_picture_is_not_the_side_of_the_patient(text):
    assert (read(text).kind, read(text).side) == ("screen", None)


@pytest.mark.parametrize("text", ["to the left of the kidney", "left of the kidney"])
def test_beside_a_structure_is_not_its_side(text):
    assert (read(text).kind, read(text).side) == ("relative", None)


@pytest.mark.parametrize("text", ["leftkidney", "kidneyleft"])
def test_a_side_that_is_glued_to_a_known_word_is_read(text):
    reading = read_sides(text, frozenset({"kidney"}), load_query_words())
    assert (reading.words, reading.side) == (("kidney",), "left")


def test_a_known_word_that_begins_with_a_side_stays():
    assert read_sides("leftover", frozenset({"leftover", "over"}), load_query_words()).kind == "none"
