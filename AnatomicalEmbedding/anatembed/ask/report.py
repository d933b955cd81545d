"""A radiology report read beside its scan: where each structure that it mentions lies, and which slices show them."""
from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from anatembed.ask.explorer import Explorer
from anatembed.ask.index import Hit
from anatembed.ask.key_slices import AxialSlices, KeySlice, key_slices
from anatembed.ask.locating import Answer
from anatembed.language.query.candidate import Candidate
from anatembed.language.query.place_phrase import PlacePhrase
from anatembed.language.query.resolution import Resolution
from anatembed.language.report.mentions import Mention, mentions
from anatembed.language.report.phrases import NAME

FOUND, AMBIGUOUS, NOT_HERE, SIDE_UNCLEAR = "found", "ambiguous", "not in this scan", "check the side"
MOST_CHARACTERS = 20_000
LESS = 0.5
"""How much a structure counts for the key slices when all that is said of it is denied, or only its adjective is."""
_NOT_PLAIN = ("{\\rtf", "%PDF", "PK\x03\x04")


@dataclass(frozen=True)
class Choice:
    """A structure that a mention means: its best place, or None with the reason.

    name: with the part that is meant. shown: the name of what lies at that place, which is the whole where the model
    has not learnt the structure.
    """

    id: str
    name: str
    side: str | None
    shown: str
    hit: Hit | None
    presence: float | None
    reason: str


@dataclass(frozen=True)
class ReadMention:
    """A mention with what the scan says about it; `status` is one of the four words above.

    Where the status is "ambiguous", it is for the reader to say which choice is meant, or whether the only one is.
    """

    mention: Mention
    status: str
    choices: tuple[Choice, ...]
    reason: str

    @property
    def found(self) -> tuple[Choice, ...]:
        return tuple(choice for choice in self.choices if choice.hit is not None)


@dataclass(frozen=True)
class ReportReading:
    """The mentions of a report from beginning to end, and the slices worth a look, most worth first."""

    text: str
    mentions: list[ReadMention]
    slices: list[KeySlice] = field(default_factory=list)
    seconds: float = 0.0

    def seen_in(self, one: KeySlice) -> list[int]:
        """Numbers (from 0) of the mentions that a slice shows."""
        shown = set(one.shows)
        return [n for n, read in enumerate(self.mentions) if any(choice.shown in shown for choice in read.found)]


def check_report(text: str) -> str:
    """The text; ValueError if it is empty, too long or no plain text."""
    if not text.strip():
        raise ValueError("expected the text of a report, got none")
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"expected a report of at most {MOST_CHARACTERS:,} characters, got {len(text):,}")
    if text.lstrip().startswith(_NOT_PLAIN) or any(ord(letter) < 32 and letter not in "\t\n\r\f\v" for letter in text):
        raise ValueError("expected a report as plain text, got another kind of file")
    return text


def read_report(explorer: Explorer, text: str, k: int = 5, progress: Callable | None = None) -> ReportReading:
    """Look for everything that a report mentions, and choose at most `k` slices; ValueError as `check_report`."""
    began = time.perf_counter()
    reader = _Reader(explorer)
    found = mentions(check_report(text), explorer.resolver)
    read = []
    for number, mention in enumerate(found):
        if progress is not None:
            progress(f"Looking for “{_one_line(mention.text)}”", number / len(found))
        read.append(reader.read(mention))
    return ReportReading(text, read, reader.slices(read, k), time.perf_counter() - began)


class _Reader:
    """Looks for mentions in one scan; what is asked twice is looked for once."""

    def __init__(self, explorer: Explorer):
        self._explorer = explorer
        self._answers: dict[tuple, Answer] = {}

    def read(self, mention: Mention) -> ReadMention:
        resolution = mention.resolution
        if resolution.outcome == "refuse":
            return ReadMention(mention, SIDE_UNCLEAR, (), resolution.reason)
        meant = resolution.candidates if resolution.outcome == "ask" else resolution.candidates[:1]
        choices = tuple(self._choice(one, resolution.place) for one in meant)
        found = [choice for choice in choices if choice.hit is not None]
        if not found:
            reason = "; ".join(dict.fromkeys(choice.reason for choice in choices))
            return ReadMention(mention, NOT_HERE, choices, reason)
        if len(choices) > 1 or resolution.outcome == "confirm":
            return ReadMention(mention, AMBIGUOUS, choices, resolution.reason)
        return ReadMention(mention, FOUND, choices, found[0].reason)

    def slices(self, read: list[ReadMention], k: int) -> list[KeySlice]:
        """The slices that show most of what was found; whole regions of the body only where nothing else was."""
        weights: dict[str, float] = {}
        answers: dict[str, Answer] = {}
        regions = set()
        for one in read:
            for choice in one.found:
                said = LESS if one.mention.negated or one.mention.kind != NAME else 1.0
                weights[choice.shown] = max(weights.get(choice.shown, 0), said / len(one.found))
                answers[choice.shown] = self._answers[choice.id, one.mention.resolution.place]
                if self._explorer.vocabulary[choice.id].category == "region":
                    regions.add(choice.shown)
        wanted = [name for name in weights if name not in regions] or list(weights)
        slices = AxialSlices(self._explorer.map)
        scores = {name: slices.scores(self._explorer.locating.field_kji(answers[name])) for name in wanted}
        return key_slices(slices, scores, k, weights=weights)

    def _choice(self, one: Candidate, place: PlacePhrase | None) -> Choice:
        if (one.id, place) not in self._answers:
            alone = Resolution("accept", (one,), "", place)
            self._answers[one.id, place] = self._explorer.locating.answer(one.name, alone, 1)
        answer = self._answers[one.id, place]
        hit = answer.hits[0] if answer.hits else None
        name = one.name if place is None else place.label(one.name)
        return Choice(one.id, name, one.side, hit.label if hit else "", hit, answer.presence, answer.reason)


def _one_line(text: str) -> str:
    return " ".join(text.split())
