"""Parts that are called by a name of their own: dome, apex, splenium, spinous process, lesser curvature."""

from collections.abc import Iterator
from dataclasses import dataclass

from anatembed.language.query.place_words import Phrase, PlaceWords
from anatembed.language.query_words import QueryWords


@dataclass(frozen=True)
class TypedPart:
    """Words that name a part, and the words that are left for the name of the structure.

    directions: of the words. noun: how large ("" where only a direction is typed). word: a word or phrase whose
    directions differ from structure to structure (apex, distal, spinous process). sides: side words that stood among
    the words of the part. certain: False where the words may say something else.
    """

    directions: tuple[str, ...]
    noun: str
    name: Phrase
    word: str = ""
    sides: Phrase = ()
    certain: bool = True


class LandmarkReader:
    """Finds the words of place_words.json ("landmarks", "nouns_with_of") and what is left for the structure."""

    def __init__(self, tables: QueryWords, words: PlaceWords):
        self._tables, self._words = tables, words
        self._phrases = frozenset(words.landmark_phrases)
        self._lengths = sorted(set(map(len, self._phrases)), reverse=True)

    def read(self, tokens: Phrase) -> Iterator[TypedPart]:
        """ "Dome of the liver", "liver dome", "left pedicle of L4", "spinous process L4", "lateral malleolus"."""
        for start, phrase in self._found(tokens):
            yield from self._landmark(phrase, tokens[:start], tokens[start + len(phrase) :])
        for position, word in enumerate(tokens):
            if word in self._words.nouns_with_of and tokens[position + 1 : position + 2] != ():
                yield from self._noun_with_of(word, tokens[:position], tokens[position + 1 :])

    def _found(self, tokens: Phrase) -> Iterator[tuple[int, Phrase]]:
        """Landmarks with where they begin; a longer one hides those inside it."""
        start = 0
        while start < len(tokens):
            typed = (tokens[start : start + length] for length in self._lengths)
            phrase = next((one for one in typed if one in self._phrases), ())
            if phrase:
                yield start, phrase
            start += len(phrase) or 1

    def _landmark(self, phrase: Phrase, before: Phrase, after: Phrase) -> Iterator[TypedPart]:
        word = " ".join(phrase)
        noun = "end" if word == "tip" else ""
        directions, sides, name = self._leading_place(before)
        behind = self.only_place(after)
        if behind is None:
            if not name:
                later, rest = self.without_sides(self.name(after))
                yield TypedPart(directions, noun, rest, word, sides + later)
            return
        if name and not behind[0]:
            yield TypedPart((), noun, before, word, behind[1])  # "superior mesenteric artery base"
        yield TypedPart(directions + behind[0], noun, name or phrase, word, sides + behind[1])

    def _noun_with_of(self, word: str, before: Phrase, after: Phrase) -> Iterator[TypedPart]:
        """ "Top of the bladder"."""
        place = self.only_place(before)
        if after[0] in self._words.of and place is not None:
            direction, noun = self._words.nouns_with_of[word]
            yield TypedPart((*place[0], direction), noun, self.name(after), "", place[1])

    def _leading_place(self, tokens: Phrase) -> tuple[tuple[str, ...], Phrase, Phrase]:
        """Directions at the beginning, sides, and the rest: "T12 left" before a pedicle is T12 with a side."""
        beginnings = ((end, self.only_place(tokens[:end])) for end in range(len(tokens), 0, -1))
        longest = ((end, place) for end, place in beginnings if place is not None)
        end, (directions, sides) = next(longest, (0, ((), ())))
        later, rest = self.without_sides(tokens[end:])
        return directions, sides + later, rest

    def without_sides(self, tokens: Phrase) -> tuple[Phrase, Phrase]:
        """The side words among tokens, and the others."""
        sides = tuple(word for word in tokens if word in self._tables.side_words)
        return sides, tuple(word for word in tokens if word not in sides)

    def only_place(self, tokens: Phrase) -> tuple[tuple[str, ...], Phrase] | None:
        """Directions and side words of tokens that hold nothing else; None of all others."""
        directions: list[str] = []
        sides: list[str] = []
        for word in tokens:
            own = self._words.directions_of(word)
            if own:
                directions += own
            elif self.is_side(word):
                sides.append(word)
            elif word == "to" or word not in self._words.articles and word not in self._tables.grammar:
                return None  # "lateral to" is outside
        return tuple(directions), tuple(sides)

    def is_side(self, word: str) -> bool:
        """True for "left", "r", "both" and the like."""
        return word in self._tables.side_words or word in ("l", "r") or word in self._tables.both

    def name(self, tokens: Phrase) -> Phrase:
        """The name after "of the"."""
        skipped = self._words.of | self._words.articles
        while tokens and tokens[0] in skipped:
            tokens = tokens[1:]
        return tokens
