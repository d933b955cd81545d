"""The words of a report with their places, and the clauses within which a name may stand."""

import re
from dataclasses import dataclass

from anatembed.language.report.words import ReportWords
from anatembed.language.text_normalisation import normalise

JOINED, COMMA, SLASH, BREAK = "joined", "comma", "slash", "break"
_WORD = re.compile(r"\b[CTL]-spine\b|[^\W_]+", re.IGNORECASE)
_COUNT = re.compile(r"(?:\d{1,2}|[ivx]{1,4})[ab]?")
_LONG_LINE = 40
_FEWEST_WORDS_IN_CAPITALS = 4
_SHARE_IN_CAPITALS = 0.8


@dataclass(frozen=True)
class Token:
    """A word (or "C-spine") as it is written and in plain letters; `gap` is what stands between it and the last one."""

    start: int
    end: int
    raw: str
    word: str
    gap: str


def clauses(text: str, words: ReportWords) -> list[list[Token]]:
    """The words of a text, cut where no name can go on: at points, colons, brackets, measurements and new lines."""
    masked = [match.span() for match in words.masked.finditer(text)]
    found: list[list[Token]] = []
    before = None
    for match in _WORD.finditer(text):
        if any(start < match.end() and match.start() < end for start, end in masked):
            before = None
            continue
        gap = BREAK if before is None else _gap(text, before, match, words)
        token = Token(match.start(), match.end(), match.group(), normalise(match.group()), gap)
        if gap == BREAK:
            found.append([])
        found[-1].append(token)
        before = token
    return found


def in_capitals(clause: list[Token]) -> bool:
    """True for a clause that is written in capitals, in which they say nothing about a word."""
    words = [token.raw for token in clause if len(token.raw) > 1 and token.raw.isalpha()]
    return len(words) >= _FEWEST_WORDS_IN_CAPITALS and sum(map(str.isupper, words)) >= _SHARE_IN_CAPITALS * len(words)


def _gap(text: str, before: Token, match: re.Match, words: ReportWords) -> str:
    between = text[before.end : match.start()]
    mark = between.strip()
    if "\n" in between or "\r" in between:
        return JOINED if not mark and _is_wrapped(text, before.end, match) else BREAK
    if mark in ("-", "–") and _COUNT.fullmatch(before.word) and _COUNT.fullmatch(match.group().lower()):
        return SLASH
    if not mark or mark in ("-", "–"):
        return JOINED
    if mark in (",", "/", "&"):
        return COMMA if mark == "," else SLASH
    return JOINED if mark == "." and before.word in words.short_with_point else BREAK


def _is_wrapped(text: str, end: int, match: re.Match) -> bool:
    """A long line that goes on in small letters on the next one; a short line is one of a list."""
    line = text[: end].rsplit("\n", 1)[-1]
    return match.group()[0].islower() and len(line.strip()) >= _LONG_LINE and text[end : match.start()].count("\n") == 1
