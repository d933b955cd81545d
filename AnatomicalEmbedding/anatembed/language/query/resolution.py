"""The answer to "which structure is meant?"."""

from dataclasses import dataclass
from typing import Final, Literal

from anatembed.language.query.candidate import Candidate, candidate
from anatembed.language.query.place_phrase import PlacePhrase

Outcome = Literal["accept", "confirm", "ask", "refuse"]
NOT_UNDERSTOOD: Final = "not understood"
FINDING: Final = "finding"
"""Refused as what is found in a scan, such as a nodule; no structure."""
Unsearched = Literal["not understood", "finding"]
"""Why a text is refused whatever the scan shows."""
SUGGESTION_CONFIDENCE = 0.2


@dataclass(frozen=True)
class Resolution:
    """What a text means: accept (one structure, sure), confirm (one, to be confirmed), ask (several) or refuse.

    The candidates of a refusal are suggestions of low confidence. `reason` is one plain sentence for the reader.
    place: where in, at or beside the first candidate. refusal: of what kind a refusal is, else empty. unknown: refused
    because no known structure is named, not because of a side or number that does not exist.
    """

    outcome: Outcome
    candidates: tuple[Candidate, ...]
    reason: str
    place: PlacePhrase | None = None
    refusal: Unsearched | Literal[""] = ""
    unknown: bool = False


def accept(vocabulary, term_id, reason, confidence=1.0) -> Resolution:
    return Resolution("accept", (candidate(vocabulary, term_id, confidence),), reason)


def confirm(vocabulary, term_ids, reason, confidence=0.6) -> Resolution:
    rest = tuple(candidate(vocabulary, one, confidence / 2) for one in term_ids[1:])
    return Resolution("confirm", (candidate(vocabulary, term_ids[0], confidence), *rest), reason)


def ask(vocabulary, term_ids, reason) -> Resolution:
    return Resolution("ask", tuple(candidate(vocabulary, one, 0.5) for one in term_ids), reason)


def refuse(
    vocabulary, reason, suggestions=(), unknown=False, refusal: Unsearched = NOT_UNDERSTOOD
) -> Resolution:
    near = tuple(candidate(vocabulary, one, SUGGESTION_CONFIDENCE) for one in suggestions)
    return Resolution("refuse", near, reason, refusal=refusal, unknown=unknown)
