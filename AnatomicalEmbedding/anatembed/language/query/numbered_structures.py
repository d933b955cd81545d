"""Vertebrae, ribs and liver segments by number: the number decides, and an impossible number is refused."""

import re
from dataclasses import dataclass, replace

from anatembed.language.query.lung_segments import LungSegments
from anatembed.language.query.number_spelling import NumberSpelling
from anatembed.language.query.resolution import Resolution, accept, ask, confirm, refuse
from anatembed.language.query_words import QueryWords
from anatembed.language.sides import SideReading
from anatembed.language.text_normalisation import base_forms

RIB_COUNT = 12
LIVER_SEGMENT_COUNT = 8
TYPO_CONFIDENCE = 0.9
_MAX_ASKED = 8
_NAMED_DISCS = {"intervertebral_disc_L4_L5": [("L", 4), ("L", 5)], "intervertebral_disc_L5_S1": [("L", 5), ("S", 1)]}
_LEVEL = re.compile(r"(c|t|th|d|l|s)(\d{1,2})")
_COUNTED = re.compile(r"(c|t|th|d|l|s|)(\d{1,2})")
_LIVER_LEVEL = re.compile(r"s(\d[ab]?)$")
_SEGMENT_NUMBER = re.compile(r"(\d{1,2})[ab]?")


@dataclass(frozen=True)
class _Query:
    """Content words of a query, its vertebral levels such as ("L", 3), and the words outside the levels."""

    words: list[str]
    levels: list[tuple[str, int]]
    others: list[str]
    reading: SideReading

    @property
    def numbers(self) -> list[int]:
        return [int(word) for word in self.words if word.isdigit()]


@dataclass(frozen=True)
class _Segment:
    """A segment that words name; liver: whether they say that it is one of the liver."""

    number: int
    liver: bool
    findings: list[str]


class NumberedStructures:
    """Rules for numbers; `known` are the words that occur in names, `is_real` tells words that are no typing error."""

    def __init__(self, vocabulary, tables: QueryWords, known: frozenset[str], is_real):
        self._vocabulary = vocabulary
        self._tables = tables
        self._known = known
        self._spelling = NumberSpelling(tables, is_real)
        self._lung_segments = LungSegments(vocabulary, tables)

    def resolve(self, reading: SideReading) -> Resolution | None:
        """The resolution of a query about a numbered structure; None when it is about something else."""
        plain = self._resolve(reading)
        understood = plain is not None and plain.outcome == "accept"
        words, corrections = ((), []) if understood else self._spelling.corrected(reading.words)
        found = self._resolve(replace(reading, words=words)) if corrections else None
        if found is None or found.outcome == "refuse":
            return plain
        read = "; ".join(f"“{typed}” was read as “{word}”" for typed, word in corrections)
        sure = tuple(replace(one, confidence=min(one.confidence, TYPO_CONFIDENCE)) for one in found.candidates)
        return replace(found, candidates=sure, reason=f"{read}. {found.reason}")

    def _resolve(self, reading: SideReading) -> Resolution | None:
        words = self._content(self._tables.canonical_numbers(self._ranges(list(reading.words))))
        if {"t1", "t2"}.intersection(words) and self._tables.mr_words.intersection(words):
            return self._refuse("This reads as an MR sequence, not as a vertebra. Name the structure you want to see.")
        query = _Query(words, *self._levels(words), reading)
        rules = (self._lung_segment, self._disc_or_levels, self._vertebra, self._rib, self._liver_segment)
        return next((found for rule in rules if (found := rule(query))), None)

    def _lung_segment(self, query: _Query) -> Resolution | None:
        return self._lung_segments.resolve(query.words, query.reading)

    def _ranges(self, words: list[str]) -> list[str]:
        """ "t4 to t6" with the levels between them, "t4 t5 t6", and "ribs 3 to 5" in the same way."""
        for position in range(1, len(words) - 1):
            first, last = _COUNTED.fullmatch(words[position - 1]), _COUNTED.fullmatch(words[position + 1])
            if words[position] in self._tables.range_words and first and last and first[1] == last[1]:
                inner = range(int(first[2]) + 1, min(int(last[2]), int(first[2]) + _MAX_ASKED))
                return words[:position] + [f"{first[1]}{number}" for number in inner] + words[position + 1 :]
        return words

    def _content(self, words) -> list[str]:
        """The words that carry meaning; a level's letter stays when its number follows."""
        tables = self._tables
        followed = [word.isdigit() for word in [*words[1:], ""]]
        return [
            word
            for word, number_next in zip(words, followed, strict=False)
            if word not in tables.ignorable or (word in tables.level_letters and number_next)
        ]

    def _levels(self, words) -> tuple[list[tuple[str, int]], list[str]]:
        letters = self._tables.level_letters
        levels, others, position = [], [], 0
        while position < len(words):
            word = words[position]
            following = words[position + 1] if position + 1 < len(words) else ""
            match = _LEVEL.fullmatch(word)
            if match:
                levels.append((letters[match.group(1)], int(match.group(2))))
            elif word in letters and following.isdigit():
                levels.append((letters[word], int(following)))
                position += 1
            else:
                others.append(word)
            position += 1
        return (levels, others) if levels else self._regional_level(words)

    def _regional_level(self, words) -> tuple[list[tuple[str, int]], list[str]]:
        """ "third lumbar vertebra" -> ("L", 3); only when nothing but vertebra words is left."""
        regions = [letter for word in words if (letter := self._region(word))]
        numbers = [int(word) for word in words if word.isdigit()]
        others = [word for word in words if not word.isdigit() and not self._region(word)]
        if len(regions) == 1 and numbers and all(map(self._is_counted_word, others)):
            return [(regions[0], number) for number in numbers], others
        return [], words

    def _is_counted_word(self, word) -> bool:
        tables = self._tables
        return self._is_vertebra_word(word) or word in tables.disc_words | tables.connectors | tables.between_words

    def _region(self, word) -> str | None:
        regions = self._tables.regions
        return next((regions[form] for form in (word, *base_forms(word)) if form in regions), None)

    def _is_vertebra_word(self, word) -> bool:
        return any(form in self._tables.vertebra_words for form in (word, *base_forms(word)))

    def _disc_or_levels(self, query: _Query) -> Resolution | None:
        """A disc, or several levels: a disc without a name of its own leads to its vertebrae."""
        levels, others = _with_lower_level(query.levels, query.others)
        if levels and not self._tables.disc_words.isdisjoint(others):
            return self._disc(levels, others, query.reading)
        return self._several_levels(levels) if len(levels) > 1 else None

    def _disc(self, levels: list[tuple[str, int]], others: list[str], reading: SideReading) -> Resolution:
        if levels == [("L", 5)] and "sacrum" in others:
            levels, others = [*levels, ("S", 1)], [word for word in others if word != "sacrum"]
        named = next((one for one, pair in _NAMED_DISCS.items() if pair == levels), None)
        if named and self._is_plain_disc(others, reading):
            return accept(self._vocabulary, named, f"“{self._vocabulary.name(named)}” is named.")
        question = "This disc has no name of its own here. Choose a vertebra beside it."
        return self._without_such_level(levels) or ask(self._vocabulary, _vertebrae(levels), question)

    def _several_levels(self, levels: list[tuple[str, int]]) -> Resolution | None:
        refused, ids = self._without_such_level(levels), _vertebrae(levels)
        if refused or len(ids) == 1:
            return refused
        return ask(self._vocabulary, ids, "More than one level is named. Choose one.")

    def _without_such_level(self, levels: list[tuple[str, int]]) -> Resolution | None:
        """The refusal of levels of which one does not exist ("T13")."""
        wrong = next((level for level in levels if not self._is_valid(*level)), None)
        return self._refuse(self._range_sentence(*wrong)) if wrong else None

    def _is_plain_disc(self, others: list[str], reading: SideReading) -> bool:
        """True when nothing but the disc is named, without a side."""
        tables = self._tables
        joining = tables.disc_words | tables.connectors | tables.between_words | {"space"}
        plain = all(word in joining or self._is_vertebra_word(word) for word in others)
        return plain and reading.kind == "none" and not reading.negation

    def _vertebra(self, query: _Query) -> Resolution | None:
        if len(query.levels) != 1 or _may_be_a_lung_segment(query):
            return None
        letter, number = query.levels[0]
        rest = [word for word in query.others if not self._is_vertebra_word(word) and word not in self._tables.generic]
        if any(word in self._known and word not in self._tables.part_words for word in rest):
            return None
        if not self._is_valid(letter, number):
            return self._refuse(self._range_sentence(letter, number))
        return self._answer(f"vertebrae_{letter}{number}", rest, query.reading)

    def _answer(self, term_id: str, rest: list[str], reading: SideReading) -> Resolution:
        """rest: the words that are not understood."""
        name = self._vocabulary.name(term_id)
        if reading.kind != "none":
            reason = f"A vertebra has no left and right version. Ask for “{name}” without the side."
            return self._refuse(reason, [term_id])
        if rest or reading.negation:
            doubt = f"Not understood: “{' '.join(rest)}”." if rest else "The text holds a “not”."
            return confirm(self._vocabulary, [term_id], f"{doubt} Go to “{name}”?")
        return accept(self._vocabulary, term_id, f"“{name}” is named.")

    def _rib(self, query: _Query) -> Resolution | None:
        numbers = query.numbers
        if not numbers or self._tables.rib_words.isdisjoint(query.words):
            return None
        rest = self._beside_a_rib(query.words)
        if any(word in self._known for word in rest):
            return None
        wrong = [number for number in numbers if not 1 <= number <= RIB_COUNT]
        if wrong:
            return self._refuse(f"There is no rib {wrong[0]}: ribs are numbered 1 to {RIB_COUNT}.")
        sides = [query.reading.side] if query.reading.kind == "one" else ["left", "right"]
        ids = [f"rib_{side}_{number}" for number in dict.fromkeys(numbers) for side in sides]
        name = self._vocabulary.name(ids[0])
        if len(ids) > 1:
            return ask(self._vocabulary, ids[:_MAX_ASKED], "More than one rib fits. Choose the side and the number.")
        if rest or query.reading.typo or query.reading.negation:
            return confirm(self._vocabulary, ids, f"Part of the text was not understood. Go to “{name}”?")
        return accept(self._vocabulary, ids[0], f"“{name}” is named.")

    def _beside_a_rib(self, words: list[str]) -> list[str]:
        """The words that say nothing of a rib and its number."""
        tables = self._tables
        spoken = tables.rib_words | tables.connectors | tables.generic | tables.negation | {"number"}
        return [word for word in words if not word.isdigit() and word not in spoken]

    def _liver_segment(self, query: _Query) -> Resolution | None:
        typed = self._typed_segment(query.words)
        if typed is None or query.reading.kind != "none":
            return None
        if not 1 <= typed.number <= LIVER_SEGMENT_COUNT:
            return self._refuse(
                f"There is no liver segment {typed.number}: they are numbered 1 to {LIVER_SEGMENT_COUNT}."
            )
        term_id = f"liver_segment_{typed.number}"
        name = self._vocabulary.name(term_id)
        if typed.liver and typed.findings:
            reason = f"Not understood: “{' '.join(typed.findings)}”. Go to “{name}”?"
            return confirm(self._vocabulary, [term_id], reason)
        if typed.liver and not query.reading.negation:
            return accept(self._vocabulary, term_id, f"“{name}” is named.")
        reason = f"“Segment {typed.number}” may belong to the liver or to a lung. Go to “{name}”?"
        return confirm(self._vocabulary, [term_id], reason)

    def _typed_segment(self, words: list[str]) -> _Segment | None:
        """The one segment that words are about; None when they hold anything else than a finding in it."""
        tables = self._tables
        liver = not tables.liver_words.isdisjoint(words)
        short = [_LIVER_LEVEL.sub(r"\1", word) for word in words] if liver else words
        numbers = [int(match.group(1)) for word in short if (match := _SEGMENT_NUMBER.fullmatch(word))]
        rest = [word for word in short if not _SEGMENT_NUMBER.fullmatch(word)]
        named = short != words or not tables.segment_words.isdisjoint(rest)
        findings = [word for word in rest if tables.is_finding(word)]
        spoken = tables.segment_words | tables.liver_words | set(findings)
        if not named or len(numbers) != 1 or not spoken.issuperset(rest):
            return None
        return _Segment(numbers[0], liver, findings)

    def _refuse(self, reason, suggestions=()) -> Resolution:
        return refuse(self._vocabulary, reason, suggestions)

    def _is_valid(self, letter, number) -> bool:
        return 1 <= number <= self._tables.level_counts[letter]

    def _range_sentence(self, letter, number) -> str:
        name, last = self._tables.level_names[letter], self._tables.level_counts[letter]
        return f"There is no vertebra {letter}{number}: {name.lower()} vertebrae are {letter}1 to {letter}{last}."


def _with_lower_level(levels: list[tuple[str, int]], others: list[str]) -> tuple[list[tuple[str, int]], list[str]]:
    """ "L4/5" and "L5/1" with both of their levels; others: the words outside the levels."""
    lower = [int(word) for word in others if word.isdigit()]
    if len(levels) != 1 or len(lower) != 1:
        return levels, others
    letter, upper = levels[0]
    second = (letter if lower[0] == upper + 1 else "S", lower[0])
    return [*levels, second], [word for word in others if not word.isdigit()]


def _vertebrae(levels: list[tuple[str, int]]) -> list[str]:
    return list(dict.fromkeys(f"vertebrae_{letter}{number}" for letter, number in levels))


def _may_be_a_lung_segment(query: _Query) -> bool:
    """ "Right S4 segment" is one of the lung."""
    sided = query.reading.kind != "none" and query.levels[0][0] == "S"
    return sided and (not query.others or not {"segment", "lung"}.isdisjoint(query.others))
