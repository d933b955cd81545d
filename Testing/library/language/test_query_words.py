"""The tables of words that are not names."""

import pytest
from anatembed.language.query_words import load_query_words

TABLES = load_query_words()


def test_no_word_means_both_sides():
    assert set(TABLES.side_words.values()) == {"left", "right"}
    assert not set(TABLES.side_words) & (TABLES.ignorable | TABLES.side_look_alikes)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("upper 1/3 of the femur", "upper third of the femur"),
        ("L1/2", "L1/2"),
        ("L3-L5", "L3 to L5"),
        ("portal v.", "portal vein"),
        ("hepatitis A. Liver", "hepatitis A. Liver"),
        ("there is no 4th rib", "there is no 4th rib"),
        ("re: left kidney", "re: left kidney"),
        ("die Leber der Patientin", "die Leber der Patientin"),
    ],
)
def test_short_forms_are_written_out_and_nothing_else(text, written):
    assert TABLES.written_out(text) == written


def test_no_head_noun_or_negation_is_ignored():
    assert not TABLES.ignorable & (TABLES.head_nouns | TABLES.negation | TABLES.part_words)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("fifth rib", "5 rib"),
        ("5th rib", "5 rib"),
        ("costa v", "costa 5"),
        ("ventricle iv", "ventricle 4"),
        ("rib one", "rib 1"),
        ("the left one", "the left one"),
        ("quinta costilla", "5 costilla"),
    ],
)
def test_numbers_become_digits(words, expected):
    assert TABLES.canonical_numbers(words.split()) == expected.split()


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("take a second look at the liver", "take at the liver"),
        ("go back to the liver", "to the liver"),
        ("rib5", "rib 5"),
        ("i would see the liver", "see the liver"),
    ],
)
def test_phrases_of_a_command_are_dropped(text, rest):
    assert TABLES.drop_commands(text) == rest


@pytest.mark.parametrize("word", ["appendicitis", "cholecystectomy", "nodule", "splenomegaly"])
def test_findings_are_told_by_their_ending_or_by_the_table(word):
    assert TABLES.is_finding(word)


@pytest.mark.parametrize("text", ["bone scan", "by heart", "chest of drawers", "the heart of the matter"])
def test_a_phrase_with_another_meaning_is_known(text):
    assert TABLES.other_meanings.search(text)


def test_no_command_or_finding_is_a_side_or_a_number():
    words = TABLES.ignorable | {word for phrase in TABLES.findings.findings for word in phrase}
    assert not words & set(TABLES.side_words)
    assert not words & set(TABLES.numbers)


def test_opposite_words_exclude_each_other():
    for word, others in TABLES.opposite_words.items():
        assert all(word in TABLES.opposite_words[other] for other in others)
