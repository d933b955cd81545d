"""Segments of the lungs by side and number: "right S6", "segment 1+2 of the left lung"."""

import re

from anatembed.language.query.resolution import Resolution, accept, ask, confirm, refuse
from anatembed.language.query_words import QueryWords
from anatembed.language.sides import SideReading

SEGMENT_COUNT = 10
_NAME = re.compile(r"(left|right) S([\d+]+) segment")
_WITH_LETTER = re.compile(r"[sb]\d{1,2}")


class LungSegments:
    """Rules for the numbers of bronchopulmonary segments; the numbers come from the names of the vocabulary."""

    def __init__(self, vocabulary, tables: QueryWords):
        self._vocabulary, self._tables = vocabulary, tables
        self._ids: dict[tuple[str, int], str] = {}
        for term in vocabulary.terms:
            for synonym in term.synonyms:
                if match := _NAME.fullmatch(synonym.text):
                    for number in match.group(2).split("+"):
                        self._ids[match.group(1), int(number)] = term.id

    def resolve(self, words: list[str], reading: SideReading) -> Resolution | None:
        """The segment that content words name; None when they are about something else."""
        numbers, others = self._numbers(words)
        tables = self._tables
        lung = any(word in tables.lung_words for word in others)
        segment = any(word in tables.segment_words for word in others) or any(map(_WITH_LETTER.fullmatch, words))
        explained = tables.lung_words | tables.segment_words | tables.generic | tables.connectors | {"s", "number"}
        plain = all(word in explained for word in others)
        if not numbers or not segment or not plain or reading.kind not in ("one", "none") or reading.negation:
            return None
        if not lung and reading.kind == "none":
            return None
        if max(numbers) > SEGMENT_COUNT or not min(numbers):
            sentence = f"There is no lung segment {max(numbers)}: they are numbered 1 to {SEGMENT_COUNT}."
            return refuse(self._vocabulary, sentence)
        sides = [reading.side] if reading.side else ["left", "right"]
        found = [self._ids.get((side, number)) for side in sides for number in numbers]
        ids = list(dict.fromkeys(one for one in found if one))
        if not ids or None in found and reading.side:
            return None
        name = self._vocabulary.name(ids[0])
        if len(ids) > 1:
            return ask(self._vocabulary, ids, "More than one lung segment fits. Choose one.")
        if lung or any(word in tables.segment_words for word in others):
            return accept(self._vocabulary, ids[0], f"“{name}” is named.")
        return confirm(self._vocabulary, ids, f"A number without “segment” or “lung”. Go to “{name}”?")

    def _numbers(self, words) -> tuple[list[int], list[str]]:
        numbers = [int(word.lstrip("sb")) for word in words if word.isdigit() or _WITH_LETTER.fullmatch(word)]
        others = [word for word in words if not word.isdigit() and not _WITH_LETTER.fullmatch(word)]
        return numbers, others
