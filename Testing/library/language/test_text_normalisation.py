"""Plain comparable words from typed text."""

import pytest
from anatembed.language.text_normalisation import base_forms, is_chinese, normalise, upper_case_words
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  Left   KIDNEY! ", "left kidney"),
        ("patient's liver", "patient liver"),
        ("l'aorte", "aorte"),
        ("cœur", "coeur"),
        ("Schlüsselbein", "schlusselbein"),
        ("L4/L5 disc", "l4 l5 disc"),
        ("kidney_left", "kidney left"),
        ("左肾", "左肾"),
        ("…", ""),
    ],
)
def test_text_becomes_plain_words(text, plain):
    assert normalise(text) == plain


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing(text):
    assert normalise(normalise(text)) == normalise(text)


def test_words_in_capitals_are_found():
    assert upper_case_words("show LA of the heart") == {"la"}


def test_chinese_is_recognised():
    assert is_chinese("左肾") and not is_chinese("kidney")


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("arteries", "artery"),
        ("kidneys", "kidney"),
        ("vertebrae", "vertebra"),
        ("pelves", "pelvis"),
        ("nuclei", "nucleus"),
    ],
)
def test_a_plural_has_its_singular_among_the_base_forms(plural, singular):
    assert singular in base_forms(plural)
