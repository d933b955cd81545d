"""Splitting words into the longest known pieces."""

import pytest
from anatembed.language.word_pieces import UNKNOWN, WordPieces, words_of
from hypothesis import given
from hypothesis import strategies as st
from little_text import PIECES


def split(text, pieces=PIECES):
    known = WordPieces(pieces)
    return [known.pieces[number] for number in known.split(text)]


def test_the_longest_piece_goes_first():
    assert split("kidneys liver") == ["kidney", "##s", "liver"]
    assert split("kidney", ["[UNK]", "kid", "kidne", "##ney", "##y"]) == ["kidne", "##y"]


def test_a_word_of_which_any_part_is_unknown_is_unknown_as_a_whole():
    assert split("kidney7 liver") == [UNKNOWN, "liver"]


def test_a_word_of_more_than_a_hundred_letters_is_unknown():
    assert split("a" * 100) == ["a"] + ["##a"] * 99
    assert split("a" * 101) == [UNKNOWN]


def test_every_chinese_character_is_a_word():
    assert words_of("左kidney肾 脏") == ["左", "kidney", "肾", "脏"]
    assert split("肾肾") == ["肾", "肾"]


def test_pieces_without_the_unknown_one_are_refused():
    with pytest.raises(ValueError, match="UNK"):
        WordPieces(["a"])


@given(st.text("abcdefghijklmnopqrstuvwxyz ", max_size=60))
def test_the_pieces_put_together_are_the_text_without_its_spaces(text):
    assert "".join(piece.removeprefix("##") for piece in split(text)) == text.replace(" ", "")
