"""The letter groups of a text and their weights."""

import numpy as np
import pytest
from anatembed.language.text_features import letter_groups, word_groups
from hypothesis import given
from hypothesis import strategies as st

BUCKETS = 4096


def test_a_misspelt_word_keeps_most_of_its_groups():
    right, wrong, other = (set(word_groups(word, BUCKETS)) for word in ("pancreas", "pancraes", "trachea"))
    assert len(right & wrong) > 3 * len(right & other)


def test_the_order_of_words_does_not_matter_that_of_letters_does():
    def bag(text):
        return sorted(zip(*letter_groups(text, BUCKETS), strict=True))

    assert bag("renal artery") == bag("artery renal")
    assert bag("renal") != bag("laner")


def test_neighbouring_chinese_characters_count_as_pairs():
    alone = set(letter_groups("肾", BUCKETS)[0]) | set(letter_groups("动", BUCKETS)[0])
    assert set(letter_groups("肾动", BUCKETS)[0]) > alone
    assert set(letter_groups("肾 动", BUCKETS)[0]) >= alone


@given(st.text("abc xyz肾动", max_size=40))
def test_weights_of_a_text_do_not_grow_with_its_length(text):
    numbers, weights = letter_groups(text, BUCKETS)
    assert len(numbers) == len(weights)
    assert all(0 <= number < BUCKETS for number in numbers)
    assert all(0 < weight <= 1 for weight in weights)


def test_a_longer_word_counts_somewhat_more():
    short, long = (np.linalg.norm(letter_groups(word, BUCKETS)[1]) for word in ("rib", "diaphragm"))
    assert short == pytest.approx(1)
    assert long == pytest.approx(1)
    assert sum(letter_groups("diaphragm", BUCKETS)[1]) > sum(letter_groups("rib", BUCKETS)[1])
