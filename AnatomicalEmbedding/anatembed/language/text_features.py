"""What the text encoder reads of a text: word pieces and hashed letter groups with their weights; no NumPy needed."""
from __future__ import annotations

import zlib
from functools import lru_cache

from anatembed.language.word_pieces import is_ideograph, words_of

SIZES = (3, 4, 5)


@lru_cache(maxsize=8192)
def word_groups(word: str, buckets: int) -> tuple[int, ...]:
    """Buckets of the groups of 3 to 5 letters of a word, and of the word."""
    marked = f"<{word}>"
    groups = {marked[i : i + size] for size in SIZES for i in range(len(marked) - size + 1)} | {marked}
    return tuple(sorted(zlib.crc32(group.encode()) % buckets for group in groups))


def letter_groups(text: str, buckets: int) -> tuple[list[int], list[float]]:
    """Buckets of the groups of 3 to 5 letters of every word, of the words, and of pairs of Chinese characters; and
    weights, so that a long word counts somewhat more than a short one."""
    words = words_of(text)
    numbers: list[int] = []
    weights: list[float] = []
    for word in words:
        groups = word_groups(word, buckets)
        numbers += groups
        weights += [len(groups) ** -0.5] * len(groups)
    for one, other in zip(words, words[1:], strict=False):
        if is_ideograph(one[0]) and is_ideograph(other[0]):
            numbers.append(zlib.crc32(f"{one}{other}".encode()) % buckets)
            weights.append(1.0)
    total = max(len(words), 1) ** 0.5
    return numbers, [weight / total for weight in weights]
