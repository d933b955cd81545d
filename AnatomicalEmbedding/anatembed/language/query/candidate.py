"""A structure that a text may mean."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """A structure that may be meant; `side` is that of the structure, `confidence` 0..1."""

    id: str
    name: str
    side: str | None
    confidence: float


def candidate(vocabulary, term_id: str, confidence: float) -> Candidate:
    """The candidate of an id; ValueError for an unknown id."""
    term = vocabulary[term_id]
    return Candidate(term.id, term.preferred, term.laterality if term.laterality != "none" else None, confidence)
