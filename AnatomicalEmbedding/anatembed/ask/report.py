"""A radiology report read beside its scan: where each structure that it mentions lies, and which slices show them."""
from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from anatembed.ask.explorer import Explorer
from anatembed.ask.key_slices import AxialSlices, KeySlice, key_slices
from anatembed.ask.locating import CHECK_SIDE, Answer, Looked, Meaning, decide
from anatembed.geometry import transform_points
from anatembed.language.query.candidate import Candidate
from anatembed.language.query.place_phrase import PlacePhrase
from anatembed.language.report.mentions import Mention, mentions
from anatembed.language.report.phrases import NAME

MOST_CHARACTERS = 20_000
LESS = 0.5
"""How much a structure counts for the key slices when all that is said of it is denied, or only its adjective is."""
_NOT_PLAIN = ("{\\rtf", "%PDF", "PK\x03\x04")


@dataclass(frozen=True)
class ReadMention:
    """A mention with the answer of the scan."""

    mention: Mention
    answer: Answer

    @property
    def found(self) -> tuple[Meaning, ...]:
        """The structures that the mention may mean and that have a place."""
        return tuple(one for one in self.answer.meant if one.hit is not None)


@dataclass(frozen=True)
class ReportReading:
    """The mentions of a report from beginning to end, and the slices worth a look, most worth first. caution: what is
    doubtful about every place in this scan, else empty."""

    text: str
    mentions: list[ReadMention]
    slices: list[KeySlice] = field(default_factory=list)
    seconds: float = 0.0
    caution: str = ""

    def seen_in(self, one: KeySlice) -> list[int]:
        """Numbers (from 0) of the mentions that a slice shows."""
        shown = set(one.shows)
        return [n for n, read in enumerate(self.mentions) if any(meant.shown in shown for meant in read.found)]

    def moved(self, motion_ras: np.ndarray) -> ReportReading:
        """The reading for a scan that was moved in the world by a 4x4 matrix (RAS mm) since it was embedded."""
        mentions = [replace(one, answer=one.answer.moved(motion_ras)) for one in self.mentions]
        slices = [replace(one, position_ras=transform_points(motion_ras, one.position_ras)) for one in self.slices]
        return replace(self, mentions=mentions, slices=slices)


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
    return ReportReading(text, read, reader.slices(read, k), time.perf_counter() - began, explorer.orientation)


class _Reader:
    """Looks for mentions in one scan; what is asked twice is looked for once."""

    def __init__(self, explorer: Explorer):
        self._explorer = explorer
        self._looked: dict[tuple, list[Looked]] = {}

    def read(self, mention: Mention) -> ReadMention:
        resolution = mention.resolution
        if resolution.outcome == "refuse":
            return ReadMention(mention, replace(decide(mention.text, resolution, ()), refusal=CHECK_SIDE))
        meant = resolution.candidates[:1] if resolution.outcome == "accept" else resolution.candidates
        looked = [one for each in meant for one in self._look_for(each, resolution.place)]
        return ReadMention(mention, decide(mention.text, resolution, looked))

    def slices(self, read: list[ReadMention], k: int) -> list[KeySlice]:
        """The slices that show most of what was found; whole regions of the body only where nothing else was."""
        weights: dict[str, float] = {}
        shown: dict[str, tuple[Meaning, PlacePhrase | None]] = {}
        regions = set()
        for one in read:
            for meant in one.found:
                said = LESS if one.mention.negated or one.mention.kind != NAME else 1.0
                weights[meant.shown] = max(weights.get(meant.shown, 0), said / len(one.found))
                shown[meant.shown] = meant, one.answer.place
                if self._explorer.vocabulary[meant.id].category == "region":
                    regions.add(meant.shown)
        wanted = [name for name in weights if name not in regions] or list(weights)
        slices = AxialSlices(self._explorer.map)
        scores = {name: slices.scores(self._likelihood_kji(*shown[name])) for name in wanted}
        return key_slices(slices, scores, k, weights=weights)

    def _look_for(self, one: Candidate, place: PlacePhrase | None) -> list[Looked]:
        if (one.id, place) not in self._looked:
            self._looked[one.id, place] = self._explorer.locating.look_for(one, place, 1)
        return self._looked[one.id, place]

    def _likelihood_kji(self, meant: Meaning, place: PlacePhrase | None) -> np.ndarray:
        return self._explorer.locating.likelihood_kji([meant], place)


def _one_line(text: str) -> str:
    return " ".join(text.split())
