"""What is withheld from the training of a text encoder to measure it: names of structures, and whole structures."""
from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from anatembed.language.vocabulary_phrases import Phrase
from rapidfuzz import fuzz, process

from research.training.text_phrases import fold_of

BY = ("structures", "names")
TOP = 5


@dataclass(frozen=True)
class Fold:
    """known: what may be learnt. names: other names of structures of which at least the preferred name is known.
    unknown: every name of structures that are left out altogether."""

    known: list[Phrase]
    names: list[Phrase]
    unknown: list[Phrase]


def fold(phrases: Sequence[Phrase], number: int, folds: int, by: str) -> Fold:
    """The fold `number` of `folds`; ValueError for what does not exist.

    by "structures": all but the preferred names of every structure of the fold are withheld; by "names": single names
    of any structure. Structures of the next fold are unknown altogether. A withheld text that is also a known name of
    another structure is not asked for.
    """
    if by not in BY or not 0 <= number < folds or folds < 2:
        raise ValueError(f"expected a fold 0..{folds - 1} of at least 2 by {' or '.join(BY)}, got {number} by {by!r}")
    gone = {p.family for p in phrases if fold_of(p.family, folds) == (number + 1) % folds}
    rest = [p for p in phrases if p.family not in gone]
    own = [zlib.crc32(p.text.encode()) % folds if by == "names" else fold_of(p.family, folds) for p in rest]
    known = [p for p, one in zip(rest, own, strict=True) if one != number or p.kind == "preferred"]
    texts = {p.text for p in known}
    withheld = {(p.text, p.family): p for p, one in zip(rest, own, strict=True) if one == number}
    names = [p for p in withheld.values() if p.text not in texts]
    unknown = {p.text: p for p in phrases if p.family in gone and p.text not in texts}
    return Fold(known, names, list(unknown.values()))


def ranks(similar: np.ndarray, families: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """Place (N,) of the wanted family from 0 on, from similarities (N,P) with names of `families` (P,); of two that are
    as near, the first in the alphabet."""
    names = sorted(set(families))
    number = np.array([names.index(family) for family in families])
    best = np.full((len(similar), len(names)), -np.inf)
    for column in range(similar.shape[1]):
        np.maximum(best[:, number[column]], similar[:, column], out=best[:, number[column]])
    column = np.array([names.index(family) for family in wanted])[:, None]
    own = np.take_along_axis(best, column, axis=1)
    return ((best > own) | ((best == own) & (np.arange(len(names)) < column))).sum(axis=1)


def spelling(asked: Sequence[str], known: Sequence[str]) -> np.ndarray:
    """The baseline without meaning: mean of two ratios of rapidfuzz (N,P)."""
    return sum(process.cdist(asked, known, scorer=scorer) for scorer in (fuzz.token_set_ratio, fuzz.ratio)) / 2


def by_language(places: np.ndarray, phrases: Sequence[Phrase]) -> dict[str, dict[str, float]]:
    """Share of the names whose structure is first, and among the first five, for every language."""
    languages = np.array([phrase.lang for phrase in phrases])
    return {
        lang: {
            "names": int((languages == lang).sum()),
            "first": round(float((places[languages == lang] < 1).mean()), 3),
            "first_five": round(float((places[languages == lang] < TOP).mean()), 3),
        }
        for lang in sorted(set(languages))
    }
