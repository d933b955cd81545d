"""From a resolved question to an answer: the structures, or places in, at or beside them, in one embedded scan."""
from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from anatembed.ask.index import PART_MIDDLE, Hit, QueryIndex, Search
from anatembed.ask.places import Places
from anatembed.language.query.candidate import Candidate, candidate
from anatembed.language.query.place_phrase import BETWEEN, LEVEL, PlacePhrase, place_of_term
from anatembed.language.query.place_words import load_place_words
from anatembed.language.query.resolution import Resolution
from anatembed.language.vocabulary import Vocabulary

FOUND = "found"
NOT_HERE = "not in this scan"
NOT_UNDERSTOOD = "not understood"

SURE_PLACE = 0.5
"""From this confidence of its best hit on, a place is shown without a warning."""


@dataclass(frozen=True)
class Answer:
    """The answer to a typed question; `hits` is empty unless found, `reason` is for the person who asked.

    presence: probability that the structure (of several, the likeliest) is in the scan, the one number that decides
    about `found`; None where nothing was looked for, or the structure does not reach the place. question: the text was
    not fully understood, or no side was given: the candidates in `resolved` are choices. place: where in, at or beside
    these.
    """

    query: str
    found: bool
    outcome: str
    reason: str
    resolved: tuple[Candidate, ...] = ()
    hits: list[Hit] = field(default_factory=list)
    seconds: float = 0.0
    presence: float | None = None
    question: bool = False
    place: PlacePhrase | None = None

    @property
    def choices(self) -> tuple[str, ...]:
        """What to ask instead, for each candidate in `resolved`: its name, with the place."""
        return tuple(self.place.label(one.name) if self.place else one.name for one in self.resolved)


@dataclass(frozen=True)
class Target:
    """What is looked for: `learnt` is the structure that the model sees, `place` where in or beside it; `concept_id`
    and `label` are what is shown."""

    concept_id: str
    learnt: str
    place: PlacePhrase | None
    label: str


@dataclass(frozen=True)
class _Outcome:
    """A search with the reason why nothing was found, where that is not the structure's absence."""

    target: Target
    search: Search
    obstacle: str = ""


class Locating:
    """Searches of one embedded scan; `learnt` are the ids that the model knows."""

    def __init__(self, index: QueryIndex, vocabulary: Vocabulary):
        self._index, self._vocabulary = index, vocabulary
        self._learnt = frozenset(index.readout.concept_ids)
        self._places = Places(index)
        self._first: dict[str, Search] = {}

    def answer(self, text: str, resolution: Resolution, k: int) -> Answer:
        """At most `k` hits, best first, of all structures that a text may mean; a refusal is not understood."""
        if resolution.outcome == "refuse":
            return Answer(text, False, NOT_UNDERSTOOD, resolution.reason)
        asked = resolution.outcome == "ask"
        candidates = resolution.candidates if asked else resolution.candidates[:1]
        answer = self._search(text, candidates, resolution, k)
        question = asked or resolution.outcome == "confirm"
        return replace(answer, resolved=resolution.candidates, question=question, place=resolution.place)

    def _search(self, text: str, candidates: tuple[Candidate, ...], resolution: Resolution, k: int) -> Answer:
        known = [(one, targets) for one in candidates if (targets := self.targets(one.id, resolution.place))]
        if not known:
            return self._instead(text, candidates, k)
        outcomes = [self._look_for(target, k) for _, targets in known for target in targets]
        found = [one for one in outcomes if one.search.found]
        if not found:
            return self._not_here(text, known, outcomes)
        hits = _interleave([one.search for one in found])[:k]
        reason = f"{', '.join(dict.fromkeys(hit.label for hit in hits))}: found"
        reason += "" if resolution.outcome == "accept" else f" ({resolution.reason})"
        reason += _doubts(hits)
        missing = [self._vocabulary.name(one.target.concept_id) for one in outcomes if not one.search.found]
        unknown = [one.name for one in candidates if not self.targets(one.id, resolution.place)]
        reason += f"; not in this scan: {', '.join(missing)}" if missing else ""
        reason += f"; not learnt by this model: {', '.join(unknown)}" if unknown else ""
        return Answer(text, True, FOUND, reason, hits=hits, presence=max(one.search.presence for one in found))

    def _instead(self, text: str, candidates: tuple[Candidate, ...], k: int) -> Answer:
        """The answer for what was not learnt: that of the whole, if there is one."""
        names = " and ".join(one.name for one in candidates)
        whole = self.known_whole(candidates[0].id) if len(candidates) == 1 else None
        if whole is None:
            return Answer(text, False, NOT_HERE, f"{names}: understood, but this model has not learnt to see it")
        one = candidate(self._vocabulary, whole, 0.5)
        answer = self._search(text, (one,), Resolution("accept", (one,), ""), k)
        shown = "the whole is shown" if answer.found else "so the whole was looked for"
        return replace(answer, reason=f"{names}: not learnt by this model, {shown}. {answer.reason}")

    def _not_here(self, text: str, known, outcomes: list[_Outcome]) -> Answer:
        obstacles = [one for one in outcomes if one.obstacle]
        if obstacles:
            return Answer(text, False, NOT_HERE, "; ".join(dict.fromkeys(one.obstacle for one in obstacles)))
        presence = max(one.search.presence for one in outcomes)
        names = " and ".join(one.name for one, _ in known)
        reason = f"{names}: not in this scan (confidence that it is there {percent(presence)})"
        return Answer(text, False, NOT_HERE, reason, presence=presence)

    def targets(self, concept_id: str, place: PlacePhrase | None) -> list[Target]:
        """What to look for: the concept itself, else its two sides, else nothing; never the other side."""
        own = self._target(concept_id, place)
        if own or self._vocabulary[concept_id].laterality != "none":
            return [own] if own else []
        sides = (self._target(side, place) for side in self._vocabulary.sides(concept_id).values())
        return [side for side in sides if side]

    def _target(self, concept_id: str, place: PlacePhrase | None) -> Target | None:
        name = self._vocabulary.name(concept_id)
        if place is not None:
            learnt = concept_id in self._learnt
            return Target(concept_id, concept_id, place, place.label(name)) if learnt else None
        whole, part = place_of_term(self._vocabulary, concept_id, load_place_words()) or (None, None)
        if whole in self._learnt and all(one.id in self._learnt for one in part.others):
            return Target(concept_id, whole, part, name)
        return Target(concept_id, concept_id, None, name) if concept_id in self._learnt else None

    def _look_for(self, target: Target, k: int) -> _Outcome:
        search = self._index.search(target.learnt, k)
        if target.place is None or not search.found:
            hits = [replace(hit, label=target.label) for hit in search.hits]
            return _Outcome(target, replace(search, concept_id=target.concept_id, hits=hits))
        others = self._others(target)
        absent = [one.concept_id for one in others if not one.found]
        nothing = replace(search, concept_id=target.concept_id, found=False, hits=[])
        if target.place.others and len(absent) == len(others):
            names = " and ".join(one.name for one in target.place.others)
            why = "not in this scan" if others else "not learnt by this model"
            return _Outcome(target, nothing, f"{target.label}: cannot be shown, because of {names}: {why}")
        region = self.region_kji(target)
        if not region.any():
            reach = self._vocabulary.name(target.learnt)
            return _Outcome(target, nothing, f"{target.label}: {reach} was found, but does not reach there")
        certain = min(one.hits[0].confidence for one in (search, *others) if one.found)
        hits = self._hits(target, region, certain, search.presence, k)
        return _Outcome(target, replace(search, concept_id=target.concept_id, hits=hits))

    def _hits(self, target: Target, region_kji: np.ndarray, certain: float, presence: float, k: int) -> list[Hit]:
        """Places in a region: the first is as certain as the least certain structure that takes part."""
        positions, scores = self._index.places(region_kji, k, PART_MIDDLE)
        return [
            Hit(position, float(min(certain, presence) * score / scores[0]), target.concept_id, presence, target.label)
            for position, score in zip(positions, scores, strict=True)
        ]

    def region_kji(self, target: Target) -> np.ndarray:
        """Score in 0..1 of what is looked for: float32 (K,J,I)."""
        if target.place is None:
            return self._index.probability_kji(target.learnt)
        others = [one.concept_id for one in self._others(target) if one.found]
        return self._places.region_kji(target.learnt, target.place, others)

    def field_kji(self, answer: Answer) -> np.ndarray:
        """Score in 0..1 of everything that an answer found: float32 (K,J,I)."""
        total = np.zeros(self._index.map.shape_kji, np.float32)
        for concept in dict.fromkeys(hit.concept_id for hit in answer.hits if hit.concept_id):
            place = answer.place if concept in {side for one in answer.resolved for side in self._ids(one.id)} else None
            for target in self.targets(concept, place):
                total = np.maximum(total, self.region_kji(target))
        return total

    def _ids(self, concept_id: str) -> tuple[str, ...]:
        return concept_id, *self._vocabulary.sides(concept_id).values()

    def _others(self, target: Target) -> list[Search]:
        """Searches for the structures that a level or "between" refers to, as far as they are learnt."""
        if target.place is None or target.place.kind not in (LEVEL, BETWEEN):
            return []
        ids = [part.learnt for one in target.place.others for part in self.targets(one.id, None)]
        for one in ids:
            if one not in self._first:
                self._first[one] = self._index.search(one, 1)
        return [self._first[one] for one in dict.fromkeys(ids)]

    def known_whole(self, concept_id: str) -> str | None:
        """The nearest learnt structure that this one is a part of, None if there is none.

        What has a side is never answered with a whole that spans both sides: the place could be on the wrong one. Nor
        is one disc answered with all discs: any of them could be shown.
        """
        if concept_id in load_place_words().terms_between:
            return None
        part = self._vocabulary[concept_id]
        for whole in self._vocabulary.ancestors(concept_id):
            term = self._vocabulary[whole]
            safe = part.laterality in ("none", term.laterality)
            if whole in self._learnt and safe and term.category != "region":
                return whole
        return None


def percent(probability: float) -> str:
    """Whole percent, rounded down: 49.9 % is not yet a half, and nearly sure is not sure."""
    return f"{int(100 * probability)}%"


def _doubts(hits: list[Hit]) -> str:
    """Words on what is in the scan, but not surely at the place that is shown first for it."""
    first: dict[str, Hit] = {}
    for hit in hits:
        first.setdefault(hit.concept_id, hit)
    unsure = [hit for hit in first.values() if hit.confidence < SURE_PLACE]
    if not unsure:
        return ""
    which = f" {percent(unsure[0].confidence)}"
    if len(first) > 1:
        which = ": " + ", ".join(f"{hit.label} {percent(hit.confidence)}" for hit in unsure)
    return f", but the place is uncertain (confidence{which})"


def _interleave(searches: list[Search]) -> list[Hit]:
    """The best hit of every structure first, then the second ones, each round from the highest confidence on."""
    rounds: dict[int, list[Hit]] = {}
    for search in searches:
        for number, hit in enumerate(search.hits):
            rounds.setdefault(number, []).append(hit)
    return [hit for n in sorted(rounds) for hit in sorted(rounds[n], key=lambda hit: -hit.confidence)]
