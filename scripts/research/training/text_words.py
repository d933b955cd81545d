"""Names put together from a dictionary of single words: how other languages would build them, if not how they do.

Only for training: a name like "Nierenschlagader" teaches the text encoder what its parts mean.
"""
from __future__ import annotations

import csv
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from anatembed.language.text_normalisation import normalise
from anatembed.language.vocabulary_phrases import Phrase

ORDER = {"de": 1, "zh": 1, "fr": -1, "es": -1}
"""Whether the words stay in the English order or are reversed."""
ROUNDS = 2
Words = dict[str, dict[str, list[str]]]


def read_words(path: Path) -> Words:
    """Translations of English words by language, from a table with a header line; "|" parts several."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        row["english"]: {lang: [normalise(word) for word in row[lang].split("|")] for lang in ORDER} for row in rows
    }


def translated(phrases: Iterable[Phrase], words: Words, left_out: Collection[str], seed: int) -> list[Phrase]:
    """Phrases put together for English ones whose every word is in the dictionary or a number, without `left_out`."""
    random = np.random.default_rng(seed)
    found: dict[tuple[str, str], Phrase] = {}
    for phrase in phrases:
        parts = phrase.text.split()
        if phrase.lang != "en" or not all(part in words or part.isdigit() for part in parts):
            continue
        for lang, order in ORDER.items():
            for _ in range(ROUNDS):
                text = _together([_one(part, lang, words, random) for part in parts][::order], lang, random)
                if text not in left_out:
                    found.setdefault((text, phrase.term_id), replace(phrase, text=text, lang=lang, kind="translated"))
    return list(found.values())


def _one(word: str, lang: str, words: Words, random: np.random.Generator) -> str:
    choices = words.get(word, {}).get(lang, [word])
    return choices[random.integers(len(choices))]


def _together(parts: list[str], lang: str, random: np.random.Generator) -> str:
    """Chinese without spaces; German in half of the cases as one word."""
    glued = lang == "zh" or lang == "de" and random.random() < 0.5
    return ("" if glued else " ").join(parts)
