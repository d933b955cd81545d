"""Numbers in words."""

import pytest
from AnatomicalEmbeddingLib import Words
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("probability, text", [(0.0, "0%"), (0.499, "49%"), (0.999, "99%"), (1.0, "100%")])
def test_percent_is_rounded_down(probability, text):
    assert Words.percent(probability) == text


@pytest.mark.parametrize("inWords", [Words.placeConfidence, Words.nameConfidence])
@given(probability=st.floats(0, 1))
def test_less_than_half_is_always_called_uncertain_and_a_half_is_not(inWords, probability):
    assert ("uncertain" in inWords(probability)) == (probability < 0.5)


@pytest.mark.parametrize(
    "position_ras, text",
    [
        ((62.4, -8.2, -20.6), "R 62, P 8, I 21 mm"),
        ((-1.6, 3.0, 0.0), "L 2, A 3, S 0 mm"),
    ],
)
def test_a_position_has_the_letters_of_the_viewer(position_ras, text):
    assert Words.position(position_ras) == text


@given(x=st.floats(1, 500))
def test_right_and_left_are_never_swapped(x):
    assert Words.position((x, 0, 0)).startswith("R") and Words.position((-x, 0, 0)).startswith("L")


@pytest.mark.parametrize(
    "seconds, text", [(None, ""), (0.2, "about 1 s left"), (37.4, "about 37 s left"), (150, "about 2 min left")]
)
def test_time_left(seconds, text):
    assert Words.timeLeft(seconds) == text


@pytest.mark.parametrize("count, text", [(0, "0 MB"), (120_000_000, "120 MB"), (2_500_000_000, "2.5 GB")])
def test_size(count, text):
    assert Words.size(count) == text


@pytest.mark.parametrize("text, written", [("liver", "Liver"), ("L1 vertebra", "L1 vertebra"), ("", "")])
def test_a_name_begins_with_a_capital_letter(text, written):
    assert Words.capital(text) == written


@pytest.mark.parametrize("text", ["Liver: found", "liver: found.", " liver: found. "])
def test_a_sentence_begins_with_a_capital_letter_and_has_one_full_stop(text):
    assert Words.sentence(text) == "Liver: found."
