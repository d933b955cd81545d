"""The answer that users get to a name, once it is clear which structure is meant."""
from __future__ import annotations

from anatembed.ask.explorer import Explorer
from anatembed.ask.locating import Answer
from anatembed.language.query.resolution import accept


def asked_for(explorer: Explorer, concept: str) -> Answer | None:
    """The answer with its first hit; None if neither the concept nor a whole that may stand for it was learnt."""
    if shown_for(explorer, concept) is None:
        return None
    return explorer.locating.answer(concept, accept(explorer.vocabulary, concept, ""), 1)


def shown_for(explorer: Explorer, concept: str) -> str | None:
    """The concept itself, or the learnt whole that users are shown in its place."""
    return concept if explorer.locating.targets(concept, None) else explorer.known_whole(concept)
