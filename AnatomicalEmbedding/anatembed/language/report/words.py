"""The words of radiology reports that are not names of structures (resources/report_words.json)."""

import json
import re
from dataclasses import dataclass
from functools import cache

from anatembed.shipped_file import shipped_file

_PATH = shipped_file("report_words.json")


@dataclass(frozen=True)
class NegationWords:
    """What denies what follows it or what stands before it, what only looks so, and where a denial ends; one that
    follows its word also ends where a new clause begins without a mark."""

    forward: re.Pattern
    backward: re.Pattern
    not_a_negation: re.Pattern
    ends: re.Pattern
    ends_forward: re.Pattern


@dataclass(frozen=True)
class ReportWords:
    """Every table of report_words.json; `masked` finds measurements, dates, image numbers and idioms."""

    masked: re.Pattern
    not_allowed: frozenset[str]
    not_alone: frozenset[str]
    not_adjectives: frozenset[str]
    things_of_their_own: frozenset[str]
    sides: frozenset[str]
    sided: frozenset[str]
    links: frozenset[str]
    connectors: frozenset[str]
    regions: frozenset[str]
    before_regions: frozenset[str]
    short_with_point: frozenset[str]
    directions: frozenset[str]
    parts: frozenset[str]
    negation: NegationWords


@cache
def load_report_words() -> ReportWords:
    """The tables, read once."""
    table = json.loads(_PATH.read_text(encoding="utf-8"))
    denial = table["negation"]
    forward = [re.escape(words).replace(r"\ ", r"\s+") for words in sorted(denial["forward"], key=len, reverse=True)]
    sets = {key: frozenset(table[key]) for key, kind in ReportWords.__annotations__.items() if kind == frozenset[str]}
    return ReportWords(
        masked=_any_of(table["masked"]),
        negation=NegationWords(
            forward=_any_of(rf"\b{words}\b" for words in forward),
            backward=_any_of(rf"{words}\b" for words in denial["backward"]),
            not_a_negation=_any_of(rf"\b{words}\b" for words in denial["not_a_negation"]),
            ends=_any_of(denial["ends"]),
            ends_forward=_any_of(denial["ends"] + denial["ends_forward"]),
        ),
        **sets,
    )


def _any_of(patterns) -> re.Pattern:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)
