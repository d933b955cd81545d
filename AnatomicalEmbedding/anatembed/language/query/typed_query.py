"""A typed text with what its readers share: plain words, capitals, sides, and its meaning as a name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from anatembed.language.query.knowledge import Knowledge
from anatembed.language.query.resolution import Resolution
from anatembed.language.sides import SideReading, read_sides
from anatembed.language.text_normalisation import normalise, upper_case_words

MAX_LENGTH = 300


@dataclass(frozen=True)
class Query:
    """A text as it was typed, cut to `MAX_LENGTH` characters, without white space around it.

    as_name: gives the meaning of another text as a name; as_text: as a name or a place, by the rules alone.
    """

    text: str
    known: Knowledge
    as_name: Callable[[str], Resolution]
    as_text: Callable[[str], Resolution]

    @cached_property
    def plain(self) -> str:
        """The normalised text."""
        return normalise(self.text)

    @cached_property
    def upper(self) -> frozenset[str]:
        """The words that were typed in capitals."""
        return upper_case_words(self.text)

    @cached_property
    def without_commands(self) -> str:
        return self.known.tables.drop_commands(self.plain)

    @cached_property
    def reading(self) -> SideReading:
        """The sides of the text, and its other words with short forms written out."""
        tables = self.known.tables
        return read_sides(_written_out(self.without_commands, self.known), self.known.index.known, tables)

    @cached_property
    def foreign_reading(self) -> SideReading:
        """The sides of the text, and its other words as they stand: an English short form may be a foreign word."""
        return read_sides(self.without_commands, self.known.index.known, self.known.tables)

    @cached_property
    def foreign_words(self) -> tuple[str, ...]:
        """The words without sides, commands and grammar, as they stand."""
        return tuple(word for word in self.foreign_reading.words if word not in self.known.tables.ignorable)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words without sides and grammar, numbers as digits."""
        tables = self.known.tables
        kept = [word for word in self.reading.words if word not in tables.grammar or word in self.upper]
        return tuple(tables.canonical_numbers(kept))

    @cached_property
    def decided(self) -> Resolution:
        """What the names say that these words hold."""
        return self.known.decision.of_words(self.words, self.reading, self.upper, self.text)

    @cached_property
    def named(self) -> Resolution:
        """The meaning of the text as a name."""
        return self.as_name(self.text)


def _written_out(text: str, known: Knowledge) -> str:
    """Short forms written out: "inf" is inferior, "RUL nodule" has the words of the lobe."""
    expansions, names = known.tables.expansions, known.index.known
    words = text.split()
    return " ".join(
        expansions[word] if word in expansions and (word not in names or " " in expansions[word]) else word
        for word in words
    )
