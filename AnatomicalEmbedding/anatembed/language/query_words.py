"""The words of a query that are not names: commands, grammar, sides, numbers (resources/query_words.json)."""

import json
import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from anatembed.language.finding_words import FindingWords, load_finding_words
from anatembed.shipped_file import shipped_file

_PATH = shipped_file("query_words.json")
_ORDINAL_DIGITS = re.compile(r"(\d+)(?:st|nd|rd|th|e|eme|er|re|a|o)")


@dataclass(frozen=True)
class QueryWords:
    """Every table of query_words.json; `side_words` maps a word to "left" or "right"."""

    side_words: dict[str, str]
    side_look_alikes: frozenset[str]
    both: frozenset[str]
    negation: frozenset[str]
    connectors: frozenset[str]
    screen: frozenset[str]
    grammar: frozenset[str]
    command: frozenset[str]
    dropped_phrases: tuple[re.Pattern, ...]
    side_phrases: tuple[tuple[re.Pattern, str], ...]
    written: tuple[tuple[re.Pattern, str], ...]
    screen_side: tuple[re.Pattern, ...]
    relative_side: tuple[re.Pattern, ...]
    glued_number: re.Pattern
    joined: dict[str, str]
    expansions: dict[str, str]
    numbers: dict[str, int]
    single_roman: dict[str, int]
    regions: dict[str, str]
    level_letters: dict[str, str]
    level_counts: dict[str, int]
    level_names: dict[str, str]
    vertebra_words: frozenset[str]
    disc_words: frozenset[str]
    rib_words: frozenset[str]
    segment_words: frozenset[str]
    liver_words: frozenset[str]
    mr_words: frozenset[str]
    generic: frozenset[str]
    generic_for_category: dict[str, list[str]]
    head_nouns: frozenset[str]
    part_words: frozenset[str]
    kinds: frozenset[str]
    qualifiers: frozenset[str]
    findings: FindingWords
    part_nouns: frozenset[str]
    other_meanings: re.Pattern
    opposites: tuple[tuple[str, str], ...]
    opposite_words: dict[str, frozenset[str]]
    everyday_words: frozenset[str]
    unspecific: frozenset[str]
    whole_for_both_sides: frozenset[str]
    chinese_sides: dict[str, str]
    chinese_both: tuple[str, ...]
    chinese_command: re.Pattern
    chinese_other: re.Pattern
    chinese_generic: re.Pattern
    chinese_numerals: dict[str, int]
    chinese_counted: str
    chinese_traditional: dict[int, str]
    range_words: frozenset[str]
    between_words: frozenset[str]
    lung_words: frozenset[str]

    @cached_property
    def ignorable(self) -> frozenset[str]:
        """Words that may stay unexplained without any doubt about the structure."""
        return self.command | self.grammar

    def is_finding(self, word: str) -> bool:
        """True for a word of a disease, a finding, an implant or a procedure ("nodule", "appendicitis")."""
        return self.findings.is_known(word)

    def canonical_numbers(self, words: list[str]) -> list[str]:
        """Ordinals and Roman numerals as digits ("fifth", "5th", "V" after "rib" -> "5")."""
        numbers, beside = self.numbers, self._numbers_beside
        result = list(words)
        for at, word in enumerate(words):
            if word in numbers:
                result[at] = str(numbers[word])
            elif word[:1].isdigit() and (match := _ORDINAL_DIGITS.fullmatch(word)):
                result[at] = match.group(1)
            elif word in beside and not beside[word][1].isdisjoint({*words[max(0, at - 1) : at + 2]} - {word}):
                result[at] = beside[word][0]
        return result

    @cached_property
    def _numbers_beside(self) -> dict[str, tuple[str, frozenset[str]]]:
        """Words that are a number only beside what is counted, with that number and what may be counted."""
        in_words = self.rib_words | self.vertebra_words | set(self.regions)
        roman = {word: (str(number), in_words | self.segment_words) for word, number in self.single_roman.items()}
        return {"one": ("1", in_words), **roman}

    def written_out(self, text: str) -> str:
        """The typed text with short forms written out that need its punctuation ("L3-L5", "subclavian v.", "1/3")."""
        for pattern, new in self.written:
            text = pattern.sub(new, text)
        return text

    def drop_commands(self, text: str) -> str:
        """The normalised text without phrases such as "take a second look at"."""
        for pattern in self.dropped_phrases:
            text = pattern.sub(" ", text)
        text = self.glued_number.sub(r"\1 \2", text)
        return " ".join(self.join(text).split())

    def join(self, text: str) -> str:
        """Names that hold a side word by accident as one word ("grand droit", the French rectus muscle)."""
        for phrase, joined in self.joined.items():
            text = text.replace(phrase, joined)
        return text


@cache
def load_query_words() -> QueryWords:
    """The tables, read once."""
    table = json.loads(_PATH.read_text(encoding="utf-8"))
    kinds = QueryWords.__annotations__
    alike: dict[str, Any] = {key: frozenset(table[key]) for key in table if kinds.get(key) == frozenset[str]}
    alike |= {key: tuple(map(re.compile, table[key])) for key in ("dropped_phrases", "screen_side", "relative_side")}
    maps = ("chinese_numerals", "joined", "expansions", "single_roman", "level_letters", "level_counts", "level_names")
    alike |= {key: table[key] for key in maps}
    return QueryWords(
        side_words={word: side for side in ("left", "right") for word in table[side]},
        side_phrases=tuple((re.compile(pattern), new) for pattern, new in table["side_phrases"]),
        written=tuple((re.compile(pattern), new) for pattern, new in table["written"]),
        glued_number=re.compile(table["glued_number"]),
        numbers=table["ordinals"],
        regions={word: letter for letter, words in table["regions"].items() for word in words},
        generic_for_category=table["generic_for_category"],
        opposites=tuple(map(tuple, table["opposites"])),
        opposite_words=_others_of_group(table["opposite_words"]),
        chinese_sides={table["chinese_left"]: "left", table["chinese_right"]: "right"},
        chinese_both=tuple(table["chinese_both"]),
        chinese_command=re.compile(table["chinese_command"]),
        other_meanings=re.compile(r"\b(?:" + "|".join(table["other_meanings"]) + r")\b"),
        findings=load_finding_words(),
        chinese_other=re.compile(table["chinese_other"]),
        chinese_generic=re.compile(table["chinese_generic"]),
        chinese_counted=table["chinese_counted"],
        chinese_traditional=str.maketrans(table["chinese_traditional"]),
        **alike,
    )


def _others_of_group(groups: list[list[str]]) -> dict[str, frozenset[str]]:
    """Every word with the words that exclude it ("major": minor)."""
    others: dict[str, set[str]] = {}
    for group in groups:
        for word in group:
            others.setdefault(word, set()).update(set(group) - {word})
    return {word: frozenset(found) for word, found in others.items()}
