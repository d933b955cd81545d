"""Questions and answers about one embedded scan: what the command line, the Slicer module and other tools call."""
from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from anatembed.border import Posterior, likeliest_pair, posterior
from anatembed.checkpoint import Checkpoint, load_checkpoint
from anatembed.embedding_map import EmbeddingMap
from anatembed.finer_grid import FACTOR, finer_affine, finer_within
from anatembed.language.resolution import Candidate, candidate
from anatembed.language.resolver import Resolver
from anatembed.language.vocabulary import Vocabulary
from anatembed.query_index import Hit, QueryIndex, Search
from anatembed.structure_colours import StructureColours, structure_colours

FOUND = "found"
NOT_HERE = "not in this scan"
NOT_UNDERSTOOD = "not understood"

SURE_PLACE = 0.5
"""From this confidence of its best hit on, a place is shown without a warning."""
PART_SHARE = 0.1
"""A part is a better name than its whole when it is at least this share as probable."""


@dataclass(frozen=True)
class Answer:
    """The answer to a typed question; `hits` is empty unless found, `reason` is for the person who asked.

    presence: probability that the structure (of several, the likeliest) is in the scan, the one number that decides
    about `found`; None where nothing was looked for.
    """

    query: str
    found: bool
    outcome: str
    reason: str
    resolved: tuple[Candidate, ...] = ()
    hits: list[Hit] = field(default_factory=list)
    seconds: float = 0.0
    presence: float | None = None


@dataclass(frozen=True)
class NamedProbability:
    """A structure that a place may belong to."""

    id: str
    name: str
    probability: float


@dataclass(frozen=True)
class Description:
    """What lies at a position: candidates from the most probable on; none outside the body."""

    inside_body: bool
    candidates: list[NamedProbability] = field(default_factory=list)


class Explorer:
    """Joins a map, the model that made it and the vocabulary; ValueError if the map is another model's."""

    def __init__(
        self,
        embedding_map: EmbeddingMap,
        checkpoint: Checkpoint | None = None,
        vocabulary: Vocabulary | None = None,
    ):
        self.checkpoint = checkpoint or load_checkpoint()
        self.vocabulary = vocabulary or Vocabulary.load()
        self.map = embedding_map
        self.index = QueryIndex(embedding_map, self.checkpoint.readout, self.checkpoint.encoder_id)
        self.resolver = Resolver(self.vocabulary)

    def locate(self, text: str, k: int = 5) -> Answer:
        """Find what a text names: at most `k` hits, best first, of all structures that the text may mean."""
        began = time.perf_counter()
        resolution = self.resolver.resolve(text)
        if resolution.outcome == "refuse":
            return Answer(text, False, NOT_UNDERSTOOD, resolution.reason, seconds=time.perf_counter() - began)
        candidates = resolution.candidates if resolution.outcome == "ask" else resolution.candidates[:1]
        answer = self._search(text, candidates, resolution.reason, resolution.outcome, k)
        return replace(answer, resolved=resolution.candidates, seconds=time.perf_counter() - began)

    def _search(self, text: str, candidates, note: str, outcome: str, k: int) -> Answer:
        known = [(c, ids) for c in candidates if (ids := self.known_parts(c.id))]
        if not known:
            names = " and ".join(c.name for c in candidates)
            whole = self.known_whole(candidates[0].id) if len(candidates) == 1 else None
            if whole is None:
                return Answer(text, False, NOT_HERE, f"{names}: understood, but this model has not learnt to see it")
            answer = self._search(text, [candidate(self.vocabulary, whole, 0.5)], "", "accept", k)
            shown = "the whole is shown" if answer.found else "so the whole was looked for"
            return replace(answer, reason=f"{names}: not learnt by this model, {shown}. {answer.reason}")
        searches = [self.index.search(concept, k) for _, ids in known for concept in ids]
        found = [search for search in searches if search.found]
        presence = max(search.presence for search in found or searches)
        if not found:
            names = " and ".join(c.name for c, _ in known)
            reason = f"{names}: not in this scan (confidence that it is there {percent(presence)})"
            return Answer(text, False, NOT_HERE, reason, presence=presence)
        hits = _interleave(found)[:k]
        names = ", ".join(dict.fromkeys(self.vocabulary.name(hit.concept_id) for hit in hits))
        reason = f"{names}: found" + ("" if outcome == "accept" else f" ({note})")
        reason += self._doubts(hits)
        missing = [self.vocabulary.name(s.concept_id) for s in searches if not s.found]
        if missing:
            reason += f"; not in this scan: {', '.join(missing)}"
        unknown = [c.name for c in candidates if not self.known_parts(c.id)]
        if unknown:
            reason += f"; not learnt by this model: {', '.join(unknown)}"
        return Answer(text, True, FOUND, reason, hits=hits, presence=presence)

    def _doubts(self, hits: list[Hit]) -> str:
        """Words on what is in the scan, but not surely at the place that is shown first for it."""
        first: dict[str, Hit] = {}
        for hit in hits:
            first.setdefault(hit.concept_id, hit)
        unsure = [hit for hit in first.values() if hit.confidence < SURE_PLACE]
        if not unsure:
            return ""
        names = [f"{self.vocabulary.name(hit.concept_id)} {percent(hit.confidence)}" for hit in unsure]
        which = f": {', '.join(names)}" if len(first) > 1 else f" {percent(unsure[0].confidence)}"
        return f", but the place is uncertain (confidence{which})"

    def known_parts(self, concept_id: str) -> list[str]:
        """The concept itself if the model has learnt it, else its two sides, else nothing; never the other side."""
        learnt = self.checkpoint.readout.concept_ids
        if concept_id in learnt:
            return [concept_id]
        if self.vocabulary[concept_id].laterality != "none":
            return []
        return [side for side in self.vocabulary.sides(concept_id).values() if side in learnt]

    def known_whole(self, concept_id: str) -> str | None:
        """The nearest learnt structure that this one is a part of, None if there is none.

        What has a side is never answered with a whole that spans both sides: the place could be on the wrong one.
        """
        part = self.vocabulary[concept_id]
        for whole in self.vocabulary.ancestors(concept_id):
            term = self.vocabulary[whole]
            safe = part.laterality in ("none", term.laterality)
            if whole in self.checkpoint.readout.concept_ids and safe and term.category != "region":
                return whole
        return None

    def describe(self, position_ras, k: int = 5) -> Description:
        """Name a RAS position (3,), the most specific name of each line of descent; ValueError outside the scan."""
        position = np.asarray(position_ras, np.float64)
        if position.shape != (3,) or not np.isfinite(position).all():
            raise ValueError(f"expected a RAS position of three finite numbers, got {position_ras!r}")
        if not self.map.inside_body(position)[0]:
            return Description(False)
        return Description(True, self.specific(self.index.name_probabilities(position[None])[0], k))

    def specific(self, probabilities: np.ndarray, k: int) -> list[NamedProbability]:
        """The `k` best names for probabilities (K,): first the most probable structure or its likeliest part, then
        the others from the most probable on, wholes only where none of their parts is a candidate.

        A part is less probable than its whole by nature: a rib competes with other ribs, the rib cage does not.
        """
        likely = dict(zip(self.checkpoint.readout.concept_ids, map(float, probabilities), strict=True))
        first = max(likely, key=likely.get)
        while parts := self._likely_parts(first, likely):
            first = max(parts, key=likely.get)
        ranked = sorted(likely, key=likely.get, reverse=True)[: 10 * k]
        others = [i for i in ranked if not self._likely_parts(i, likely)]
        names = [first, *(i for i in others if i != first)][:k]
        return [NamedProbability(i, self.vocabulary.name(i), likely[i]) for i in names]

    def _likely_parts(self, whole: str, likely: dict[str, float]) -> list[str]:
        parts = self.vocabulary.descendants(whole)
        return [part for part in parts if likely.get(part, 0.0) >= PART_SHARE * likely[whole]]

    def probability(self, text: str, k: int = 5) -> tuple[np.ndarray, Answer]:
        """Probability (K,J,I) of what a text names on the map's grid, and the answer; zeros when it is not found."""
        answer = self.locate(text, k)
        total = np.zeros(self.map.shape_kji, np.float32)
        for concept in dict.fromkeys(hit.concept_id for hit in answer.hits):
            total = np.maximum(total, self.index.probability_kji(concept))
        return total, answer

    def colours_kji(self) -> np.ndarray:
        """Colours of the body position, uint8 RGBA (K,J,I,4); alpha is 0 outside the body. Computed once."""
        return self._colours

    @cached_property
    def _colours(self) -> np.ndarray:
        rgba = np.zeros((*self.map.shape_kji, 4), np.uint8)
        body = self.map.body_kji
        rgba[body, :3] = self.checkpoint.readout.colours(self.map.latents(body))
        rgba[body, 3] = 255
        return rgba

    def structures(self) -> StructureColours:
        """The likeliest structure of every voxel in a colour of its own, and the legend; computed once."""
        return self._structures

    @cached_property
    def _structures(self) -> StructureColours:
        return structure_colours(self, PART_SHARE)

    def uncertainty(self) -> tuple[np.ndarray, np.ndarray]:
        """How unsure the name of a place is, float32 (K,J,I) in 0..1 and -1 outside the body, and its `ijk_to_ras`; on
        a finer grid than the map, so that the skin is not hidden under a rim. Computed once."""
        return self._uncertainty

    @cached_property
    def _uncertainty(self) -> tuple[np.ndarray, np.ndarray]:
        unsure = finer_within(self.index.uncertainty_kji(), self.map.body_kji, FACTOR, -1)
        return unsure, finer_affine(self.map.ijk_to_ras, FACTOR)

    def border(self, first_id: str, second_id: str) -> Posterior:
        """How sure the places around two structures belong to the first; ValueError if there is no such border."""
        return posterior(self, first_id, second_id)

    def likeliest_pair(self, position_ras) -> tuple[str, str]:
        """The two likeliest structures at a RAS position that exclude each other; ValueError outside the body."""
        return likeliest_pair(self, position_ras)


def percent(probability: float) -> str:
    """Whole percent, rounded down: 49.9 % is not yet a half, and nearly sure is not sure."""
    return f"{int(100 * probability)}%"


def _interleave(searches: list[Search]) -> list[Hit]:
    """The best hit of every structure first, then the second ones, each round from the highest confidence on."""
    rounds: dict[int, list[Hit]] = {}
    for search in searches:
        for number, hit in enumerate(search.hits):
            rounds.setdefault(number, []).append(hit)
    return [hit for n in sorted(rounds) for hit in sorted(rounds[n], key=lambda hit: -hit.confidence)]
