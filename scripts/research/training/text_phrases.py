"""Names as people type them, and which structures are withheld together."""
from __future__ import annotations

import re
import zlib

import numpy as np
from anatembed.language.text_normalisation import is_chinese

SENTENCES = (
    "show me {}", "where is {}", "look at {} again", "take a second look at {}", "{} please", "zoom to {}",
    "{} on this scan", "go to the {}", "find the {}", "position of {}", "wo ist {}", "zeige {}", "montre {}",
    "ou est {}", "muestra {}", "{} region", "the patient s {}", "check {}", "is {} normal", "near {}",
)  # fmt: skip
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def fold_of(family: str, folds: int) -> int:
    """The fold of a family; numbered structures (ribs, vertebrae) stay together, so that none tells of another."""
    return zlib.crc32(re.sub(r"_?\d+$", "", family).encode()) % folds


class Typist:
    """Varies phrases as people type them: sentences, typing errors, other word order; decided by a seed."""

    def __init__(self, seed: int):
        self.random = np.random.default_rng(seed)

    def vary(self, text: str) -> str:
        chance = self.random.random()
        if is_chinese(text):
            return text
        if chance < 0.15:
            return SENTENCES[self.random.integers(len(SENTENCES))].format(text)
        if chance < 0.35:
            return self._mistyped(text)
        if chance < 0.45:
            words = text.split()
            self.random.shuffle(words)
            return " ".join(words)
        return text

    def _mistyped(self, text: str) -> str:
        """One letter of one longer word left out, doubled, exchanged or swapped with the next."""
        words = text.split()
        longer = [i for i, word in enumerate(words) if len(word) > 4]
        if not longer:
            return text
        chosen = longer[self.random.integers(len(longer))]
        word, at = words[chosen], int(self.random.integers(1, len(words[chosen]) - 1))
        letter = LETTERS[self.random.integers(26)]
        words[chosen] = (
            word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:], word[:at] + letter + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        )[self.random.integers(4)]  # fmt: skip
        return " ".join(words)
