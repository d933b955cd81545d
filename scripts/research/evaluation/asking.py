"""What users are shown for a name, once it is clear which structure is meant."""
from __future__ import annotations

from dataclasses import dataclass

from anatembed.ask.explorer import Explorer
from anatembed.ask.index import Hit
from anatembed.language.query.resolution import accept


@dataclass(frozen=True)
class Shown:
    """The surest place that is marked, None for a refusal, and the calibrated presence of the structure."""

    hit: Hit | None
    presence: float


def asked_for(explorer: Explorer, concept: str) -> Shown | None:
    """What is shown; None if neither the concept nor a whole that may stand for it was learnt."""
    if shown_for(explorer, concept) is None:
        return None
    answer = explorer.locating.answer(concept, accept(explorer.vocabulary, concept, ""), 1)
    return Shown(answer.marked[0] if answer.marked else None, answer.presence or 0.0)


def shown_for(explorer: Explorer, concept: str) -> str | None:
    """The concept itself, or the learnt whole that users are shown in its place."""
    return concept if explorer.locating.targets(concept, None) else explorer.known_whole(concept)
