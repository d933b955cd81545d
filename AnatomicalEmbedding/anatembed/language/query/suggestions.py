"""Structures whose names are near in meaning to words that the rules do not know, as the text encoder sees it."""
from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import islice

import numpy as np

from anatembed.language.query_words import load_query_words
from anatembed.language.text_encoder import TextEncoder
from anatembed.language.vocabulary import Vocabulary
from anatembed.language.vocabulary_phrases import Phrase, phrases_of

UNFITTED = {"weights": [0.0] * 5, "sure": 1.0}
"""Without a calibrated level nothing is sure."""


@dataclass(frozen=True)
class Suggestion:
    """A term that may be meant; `score` is a cosine; `sure` when both it and its margin before other structures are
    above the calibrated level, so that it may be put as a question."""

    id: str
    score: float
    sure: bool


@dataclass(frozen=True)
class Nearness:
    """The nearest family; its cosine, its margin before the next, and how familiar the words are (4,); numbers of all
    families from the nearest on, their cosines, and the cosines of all names."""

    family: str
    evidence: np.ndarray
    order: np.ndarray
    best: np.ndarray
    similar: np.ndarray


class Suggestions:
    """Names of the vocabulary by meaning; `phrases` instead of all names for measuring with some of them withheld."""

    def __init__(self, vocabulary: Vocabulary, encoder: TextEncoder, phrases: list[Phrase] | None = None):
        self._vocabulary, self._encoder = vocabulary, encoder
        phrases = phrases_of(vocabulary, load_query_words()) if phrases is None else phrases
        self._families = sorted({phrase.family for phrase in phrases})
        self._vectors, self._number, self._sides = self._table(phrases)
        texts = {phrase.text for phrase in phrases}
        self._groups = {group for text in texts for groups in encoder.word_groups(text) for group in groups}
        self._members: dict[str, list[str]] = defaultdict(list)
        for phrase in phrases:
            if phrase.term_id not in self._members[phrase.family]:
                self._members[phrase.family].append(phrase.term_id)

    def _table(self, phrases: list[Phrase]) -> tuple[np.ndarray, np.ndarray, list[str | None]]:
        """One row for each side-less name of a family: vectors (P,D), numbers of families (P,), sides in the names."""
        number = {family: i for i, family in enumerate(self._families)}
        rows: dict[tuple[str, int], str | None] = {}
        for phrase in phrases:
            key = (phrase.text, number[phrase.family])
            rows[key] = None if phrase.side is None else rows.get(key, phrase.side)
        vectors = self._encoder.encode([text for text, _ in rows])
        return vectors, np.array([family for _, family in rows]), list(rows.values())

    def near(self, words: str, side: str | None, limit: int) -> list[Suggestion]:
        """At most `limit` terms near side-less words, nearest first; a side that is given is kept, none is added.

        Without a side a paired structure comes back as its side-less term. Structures that only exist with a side in
        their name ("left ventricle") come back as they are, but never as sure.
        """
        near = self.near_families(words)
        if not near.similar.any():
            return []
        families = ((family, ids) for family in near.order if (ids := self._terms(self._families[family], side)))
        result = []
        for place, (family, ids) in enumerate(islice(families, limit)):
            sure = place == 0 and family == near.order[0] and self.is_sure(near.evidence)
            sure = sure and len(ids) == 1 and (side is not None or self._side_is_free(ids[0], family, near.similar))
            result += [Suggestion(one, float(near.best[family]), sure) for one in ids]
        return result[:limit]

    def near_families(self, words: str) -> Nearness:
        """How near every structure is to side-less words; all at 0 for words without letters."""
        # Not `@`: the threads of a matrix product wait longer for a busy machine than the product takes.
        similar = np.einsum("pd,d->p", self._vectors, self._encoder.encode([words])[0])
        best = np.full(len(self._families), -1.0)
        np.maximum.at(best, self._number, similar)
        order = np.argsort(-best, kind="stable")
        margin = best[order[0]] - best[order[1]] if len(order) > 1 else 1.0
        evidence = np.array([best[order[0]], margin, *self._familiarity(words)])
        return Nearness(self._families[order[0]], evidence, order, best, similar)

    def _familiarity(self, words: str) -> tuple[float, float]:
        """Share of the letter groups of the words that occur in names: mean, and of the least familiar word."""
        shares = [np.mean([group in self._groups for group in groups]) for groups in self._encoder.word_groups(words)]
        return (float(np.mean(shares)), float(min(shares))) if shares else (0.0, 0.0)

    def is_sure(self, evidence: np.ndarray) -> bool:
        """Whether the nearest structure is so near, and the words so familiar, that it may be asked for."""
        level = self._encoder.levels.get("suggestions", UNFITTED)
        return bool(np.dot(level["weights"], [1.0, *evidence]) >= level["sure"])

    def _terms(self, family: str, side: str | None) -> list[str]:
        """The terms of a family that fit the side: of that side, or the side-less one."""
        members = self._members[family]
        if side is not None:
            return [one for one in members if self._vocabulary[one].laterality == side]
        plain = [one for one in members if self._vocabulary[one].laterality == "none"]
        return plain or members

    def _side_is_free(self, term_id: str, family: int, similar: np.ndarray) -> bool:
        """False for a structure of one side that was only found by a name with its side left out."""
        if self._vocabulary[term_id].laterality == "none":
            return True
        rows = np.flatnonzero(self._number == family)
        return self._sides[rows[np.argmax(similar[rows])]] is None
