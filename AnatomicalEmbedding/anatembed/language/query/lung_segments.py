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
        lung = not self._tables.lung_words.isdisjoint(others)
        plain_side = reading.kind == "one" or reading.kind == "none" and lung
        if not numbers or not plain_side or reading.negation or not self._are_of_a_segment(words, others):
            return None
        if max(numbers) > SEGMENT_COUNT or not min(numbers):
            sentence = f"There is no lung segment {max(numbers)}: they are numbered 1 to {SEGMENT_COUNT}."
            return refuse(self._vocabulary, sentence)
        ids = self._ids_of(numbers, reading.side)
        said = lung or not self._tables.segment_words.isdisjoint(others)
        return self._answer(ids, said) if ids else None

    def _are_of_a_segment(self, words: list[str], others: list[str]) -> bool:
        """True when a segment is named ("segment", "S6") and every word belongs to it; others: without numbers."""
        tables = self._tables
        explained = tables.lung_words | tables.segment_words | tables.generic | tables.connectors | {"s", "number"}
        named = not tables.segment_words.isdisjoint(others) or any(map(_WITH_LETTER.fullmatch, words))
        return named and explained.issuperset(others)

    def _ids_of(self, numbers: list[int], side: str | None) -> list[str]:
        """The segments with these numbers; none where a number is missing on the side that is given."""
        sides = [side] if side else ["left", "right"]
        found = [self._ids.get((one, number)) for one in sides for number in numbers]
        missing = side and None in found
        return [] if missing else list(dict.fromkeys(one for one in found if one))

    def _answer(self, ids: list[str], said: bool) -> Resolution:
        """said: whether "segment" or "lung" stands in the text."""
        name = self._vocabulary.name(ids[0])
        if len(ids) > 1:
            return ask(self._vocabulary, ids, "More than one lung segment fits. Choose one.")
        if said:
            return accept(self._vocabulary, ids[0], f"“{name}” is named.")
        return confirm(self._vocabulary, ids, f"A number without “segment” or “lung”. Go to “{name}”?")

    def _numbers(self, words) -> tuple[list[int], list[str]]:
        numbers = [int(word.lstrip("sb")) for word in words if word.isdigit() or _WITH_LETTER.fullmatch(word)]
        others = [word for word in words if not word.isdigit() and not _WITH_LETTER.fullmatch(word)]
        return numbers, others
