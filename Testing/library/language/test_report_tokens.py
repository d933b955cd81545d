"""Words of a report with their places, cut where no name can go on."""

import pytest
from anatembed.language.report.tokens import COMMA, JOINED, SLASH, clauses, in_capitals
from anatembed.language.report.words import load_report_words

WORDS = load_report_words()


def plain(text):
    return [[token.word for token in clause] for clause in clauses(text, WORDS)]


@pytest.mark.parametrize(("text", "expected"), [
    ("left kidney. Liver: normal", [["left", "kidney"], ["liver"], ["normal"]]),
    ("cyst (left) kidney", [["cyst"], ["left"], ["kidney"]]),
    ("left\nkidney", [["left"], ["kidney"]]),
    ("a line that is long enough to be wrapped at the left\nkidney", [
        ["a", "line", "that", "is", "long", "enough", "to", "be", "wrapped", "at", "the", "left", "kidney"]]),
    ("a line that is long enough to be wrapped at the left\n\nkidney", [
        ["a", "line", "that", "is", "long", "enough", "to", "be", "wrapped", "at", "the", "left"], ["kidney"]]),
    ("Lt. kidney", [["lt", "kidney"]]),
    ("C-spine", [["c spine"]]),
    ("left-sided", [["left", "sided"]]),
])
def test_clauses(text, expected):
    assert plain(text) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("nodule 1.2 x 0.8 cm lung", [["nodule"], ["lung"]]),
    ("lung (series 3, image 45-47) liver", [["lung"], ["liver"]]),
    ("on 12/01/2023 liver", [["on"], ["liver"]]),
    ("T2 N1 M0 lung", [["lung"]]),
    ("T2 vertebra", [["t2", "vertebra"]]),
    ("level II node", [["node"]]),
    ("T2-weighted spine", [["weighted", "spine"]]),
])
def test_measurements_dates_and_numbers_of_images_are_cut_out(text, expected):
    assert plain(text) == expected


def test_what_stands_between_words_is_kept():
    (tokens,) = clauses("liver, spleen/lung L4-L5 4-6 & rib", WORDS)
    assert [token.gap for token in tokens[1:]] == [COMMA, SLASH, JOINED, JOINED, JOINED, SLASH, SLASH]


def test_places_are_those_of_the_text():
    text = "  The LIVER,\n\nand spleen "
    for clause in clauses(text, WORDS):
        for token in clause:
            assert text[token.start : token.end] == token.raw


def test_capitals_mean_nothing_where_all_words_have_them():
    shouted, quiet, short = (clauses(text, WORDS)[0] for text in (
        "THE LA IS NOT DILATED", "The LA is not dilated", "IVC AND SMA"))
    assert in_capitals(shouted) and not in_capitals(quiet) and not in_capitals(short)
