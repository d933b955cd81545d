"""A text without its side words."""

import pytest
from anatembed.language.query_words import load_query_words
from anatembed.language.side_less import side_less


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Left kidney", ("kidney", "left")),
        ("rein gauche", ("rein", "left")),
        ("arteria renalis dextra", ("arteria renalis", "right")),
        ("upper lobe of the left lung", ("upper lobe lung", "left")),
        ("fifth rib", ("5 rib", None)),
        ("左肾", ("肾", "left")),
        ("右侧第5肋", ("第5肋", "right")),
        ("left and right kidney", ("and kidney", None)),
        ("trachea", ("trachea", None)),
    ],
)
def test_the_side_is_taken_out_and_told(text, expected):
    assert side_less(text, load_query_words()) == expected
