"""Splitting text into word pieces (BERT, Devlin et al. 2019).

Own code, because at run time the package `tokenizers` would bring a tree of dependencies into Slicer for twenty lines;
scripts/train_text.py compares the result with the tokenizer of the teacher.
"""
from __future__ import annotations

from collections.abc import Iterable

UNKNOWN = "[UNK]"
CONTINUED = "##"
LONGEST = 100
"""A longer word is unknown as a whole, as it is to the original."""


class WordPieces:
    """The pieces by number; words are split greedily, longest piece first."""

    def __init__(self, pieces: Iterable[str]):
        self.pieces = tuple(pieces)
        self._numbers = {piece: number for number, piece in enumerate(self.pieces)}
        if UNKNOWN not in self._numbers:
            raise ValueError(f"expected {UNKNOWN} among the word pieces")
        self._longest = max(len(piece.removeprefix(CONTINUED)) for piece in self.pieces)

    def __len__(self) -> int:
        return len(self.pieces)

    def split(self, text: str) -> list[int]:
        """Numbers of the pieces of a normalised text (`text_normalisation`); a Chinese character is a word."""
        return [number for word in words_of(text) for number in self._word(word)]

    def _word(self, word: str) -> list[int]:
        numbers, start = [], 0
        while start < len(word) <= LONGEST:
            for end in range(min(len(word), start + self._longest), start, -1):
                number = self._numbers.get((CONTINUED if start else "") + word[start:end])
                if number is not None:
                    break
            else:
                break
            numbers.append(number)
            start = end
        return numbers if numbers and start == len(word) else [self._numbers[UNKNOWN]]


def words_of(text: str) -> list[str]:
    """Words of a normalised text, every Chinese character as one of its own."""
    return "".join(f" {letter} " if is_ideograph(letter) else letter for letter in text).split()


def is_ideograph(letter: str) -> bool:
    return "\u3400" <= letter <= "\u9fff"
