"""The words that say where in, at or beside a structure (resources/place_words.json)."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from anatembed.shipped_file import shipped_file

_PATH = shipped_file("place_words.json")

_SETS = ("counted", "certain", "lead_in", "landmarks_with_sides")

Phrase = tuple[str, ...]


@dataclass(frozen=True)
class PlaceWords:
    """Every table of place_words.json, turned for look-up.

    directions and nouns: by word. landmarks and along: by word, then by the id of the structure, whose directions
    differ. landmarks_with_sides: those of which an unpaired structure has a left and a right one. landmark_phrases,
    level, between, relations: phrases as words, the longest first.
    """

    directions: dict[str, str]
    compound: re.Pattern
    compound_starts: dict[str, str]
    nouns: dict[str, str]
    share_of_noun: dict[str, str]
    nouns_with_of: dict[str, tuple[str, str]]
    landmarks: dict[str, dict[str, list[str]]]
    landmark_phrases: tuple[Phrase, ...]
    landmarks_with_sides: frozenset[str]
    along: dict[str, dict[str, str]]
    counted: frozenset[str]
    certain: frozenset[str]
    of: frozenset[str]
    articles: frozenset[str]
    conjunctions: frozenset[str]
    both: tuple[Phrase, ...]
    level: tuple[Phrase, ...]
    between: tuple[Phrase, ...]
    relations: tuple[tuple[Phrase, str], ...]
    swallowed: tuple[Phrase, ...]
    lead_in: frozenset[str]
    leads: dict[str, str]
    relation_names: dict[str, str]
    terms: dict[str, list[str]]
    terms_between: dict[str, list[str]]

    def directions_of(self, word: str) -> tuple[str, ...]:
        """The directions that a word names: one, two ("posterolateral") or none."""
        if word in self.directions:
            return (self.directions[word],)
        match = self.compound.fullmatch(word)
        if match and match.group(2) in self.directions:
            return self.compound_starts[match.group(1)], self.directions[match.group(2)]
        return ()

    @property
    def single_words(self) -> frozenset[str]:
        """Words that no command may swallow."""
        starts = {phrase[0] for phrase, _ in self.relations} | {phrase[0] for phrase in (*self.level, *self.between)}
        landmarks = {word for phrase in self.landmark_phrases for word in phrase}
        return frozenset({*self.directions, *self.nouns, *self.nouns_with_of, *landmarks, *self.along, *starts})


@cache
def load_place_words() -> PlaceWords:
    """The tables, read once."""
    table = json.loads(_PATH.read_text(encoding="utf-8"))
    alike: dict[str, Any] = {key: _phrases(table[key]) for key in ("both", "level", "between", "swallowed")}
    alike |= {key: frozenset(table[key]) for key in (*_SETS, "of", "articles")}
    alike |= {key: table[key] for key in ("share_of_noun", "landmarks", "along", "leads", "relation_names", "terms")}
    relations = [(tuple(text.split()), name) for name, texts in table["relations"].items() for text in texts]
    return PlaceWords(
        directions={word: name for name, words in table["directions"].items() for word in words},
        compound=re.compile(f"({'|'.join(table['compound'])})(.+)"),
        compound_starts=table["compound"],
        nouns={word: noun for noun, words in table["shares"].items() for word in words},
        nouns_with_of={word: tuple(meaning) for word, meaning in table["nouns_with_of"].items()},
        conjunctions=frozenset(table["and"]),
        relations=tuple(sorted(relations, key=lambda one: -len(one[0]))),
        landmark_phrases=_phrases(table["landmarks"]),
        **alike,
        terms_between=table["terms_between"],
    )


def _phrases(texts: Iterable[str]) -> tuple[Phrase, ...]:
    return tuple(sorted((tuple(text.split()) for text in texts), key=len, reverse=True))
