"""From a resolved question to an answer: the one place where it is decided whether to go, to ask back or to refuse."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal

import numpy as np
from scipy import ndimage

from anatembed.ask.index import PART_MIDDLE, Hit, QueryIndex, Search
from anatembed.ask.places import Places
from anatembed.ask.single_structures import is_single
from anatembed.geometry import transform_points
from anatembed.language.query.candidate import Candidate, candidate
from anatembed.language.query.place_phrase import BETWEEN, LEVEL, PART, PlacePhrase, place_of_term
from anatembed.language.query.place_words import load_place_words
from anatembed.language.query.resolution import Resolution, Unsearched
from anatembed.language.vocabulary import Vocabulary

Decision = Literal["go", "choose", "refuse"]
GO: Final = "go"
CHOOSE: Final = "choose"
REFUSE: Final = "refuse"
Refusal = Literal["not in this scan", "cannot be told", "not learnt", Unsearched, "check the side"]
NOT_HERE: Final = "not in this scan"
UNSURE: Final = "cannot be told"
"""What is looked for may be in the scan, but not so surely that a place can be shown."""
NOT_LEARNT: Final = "not learnt"
CHECK_SIDE: Final = "check the side"
"""Of a side in a report that the structure does not have: not understood, and perhaps a slip of the report."""

SURE_PLACE = 0.5
"""From this confidence of its best hit on, a place is shown without a warning."""
DOUBTFUL_PRESENCE = 0.15
"""From this presence on, what has no place is not called absent."""
NARROWEST_MM = (100.0, 90.0, 60.0)
"""Along R, A and S: of a body that is shown less wide than this, the network sees too little of what is around a
structure, and misses some of what is there."""
FRINGE_VOXELS = 2
"""How far the likelihood of a single structure is shown around the region of its place."""


@dataclass(frozen=True)
class Meaning:
    """A structure that a question may mean, with its best place.

    name: with the part that is meant; asked for alone, it is understood without a question. shown: the name of what
    lies at `hit`, which is the whole where the model has not learnt the structure; `caution` then says so. hit: None
    where there is no place, for which `reason` is the sentence. presence: None where nothing was looked for.
    """

    id: str
    name: str
    side: str | None
    hit: Hit | None = None
    shown: str = ""
    presence: float | None = None
    reason: str = ""
    caution: str = ""


@dataclass(frozen=True)
class Answer:
    """The answer to a typed question, as every door shows it.

    decision: go (one structure is meant and is in the scan: `places`), choose (one of `options` is meant, and only the
    asker knows which) or refuse (`refusal` says of which kind, `suggestions` are near names of what is not understood,
    or what can be searched instead of a finding). reason: sentences for the asker. caution: why a place that is shown
    has to be checked, else empty. places: of a single structure one; `less_likely` are the further hits of such a
    structure. meant: what was understood. presence: probability that the structure (of several, the likeliest) is in
    the scan, None where nothing was looked for. place: where in, at or beside the structure.
    """

    query: str
    decision: Decision
    reason: str
    refusal: Refusal | Literal[""] = ""
    caution: str = ""
    places: tuple[Hit, ...] = ()
    less_likely: tuple[Hit, ...] = ()
    meant: tuple[Meaning, ...] = ()
    suggestions: tuple[Candidate, ...] = ()
    place: PlacePhrase | None = None
    presence: float | None = None
    seconds: float = 0.0

    @property
    def options(self) -> tuple[Meaning, ...]:
        """What there is to choose from."""
        return self.meant if self.decision == CHOOSE else ()

    @property
    def marked(self) -> tuple[Hit, ...]:
        """The places to mark in a picture: those found, or the best one of every option, the surest first."""
        if self.decision != CHOOSE:
            return self.places
        return tuple(sorted((one.hit for one in self.meant if one.hit), key=lambda hit: -hit.confidence))

    @property
    def words(self) -> str:
        """All that there is to say: the reason, then the caution."""
        return f"{self.reason} {self.caution}".strip()

    def moved(self, motion_ras: np.ndarray) -> Answer:
        """The answer for a scan that was moved in the world by a 4x4 matrix (RAS mm) since it was embedded."""
        meant = tuple(replace(one, hit=one.hit and _moved(one.hit, motion_ras)) for one in self.meant)
        places, less_likely = (
            tuple(_moved(hit, motion_ras) for hit in hits) for hits in (self.places, self.less_likely)
        )
        return replace(self, meant=meant, places=places, less_likely=less_likely)


@dataclass(frozen=True)
class Target:
    """What is looked for: `learnt` is the structure that the model sees, `place` where in or beside it; `concept_id`
    and `label` are what is shown."""

    concept_id: str
    learnt: str
    place: PlacePhrase | None
    label: str


@dataclass(frozen=True)
class Looked:
    """What came of looking for one meaning: `hits` are all its places, best first; `refusal` why there are none."""

    meaning: Meaning
    hits: tuple[Hit, ...] = ()
    single: bool = True
    refusal: Refusal | Literal[""] = ""


@dataclass(frozen=True)
class _Outcome:
    """A search; where nothing was found, `obstacle` says why and `refusal` of which kind that is."""

    target: Target
    search: Search
    obstacle: str = ""
    refusal: Refusal = NOT_HERE


class Locating:
    """Searches of one embedded scan; `learnt` are the ids that the model knows."""

    def __init__(self, index: QueryIndex, vocabulary: Vocabulary):
        self._index, self._vocabulary = index, vocabulary
        self._learnt = frozenset(index.readout.concept_ids)
        self._places = Places(index)
        self._first: dict[str, Search] = {}

    def answer(self, text: str, resolution: Resolution, k: int) -> Answer:
        """The answer to a text, with at most `k` places, less likely ones included; options are never left out."""
        meant = resolution.candidates[:1] if resolution.outcome == "accept" else resolution.candidates
        if resolution.outcome == "refuse":
            return decide(text, resolution, ())
        return decide(text, resolution, [one for each in meant for one in self.look_for(each, resolution.place, k)])

    def look_for(self, one: Candidate, place: PlacePhrase | None, k: int) -> list[Looked]:
        """Look for a structure, for both its sides where it is only known by these, or for its whole."""
        targets, whole = self._to_show(one.id, place)
        name = place.label(one.name) if place else one.name
        if not targets:
            reason = sentence(f"{name}: understood, but this model has not learnt to see it")
            return [Looked(Meaning(one.id, name, one.side, reason=reason), refusal=NOT_LEARNT)]
        return [self._looked(self._search(target, k), name if whole else "", one) for target in targets]

    def _looked(self, outcome: _Outcome, instead_of: str, one: Candidate) -> Looked:
        """`instead_of` is the name of what is meant where the target is its whole."""
        target, search = outcome.target, outcome.search
        meaning = Meaning(one.id, instead_of, one.side, presence=search.presence)
        if not instead_of:
            meant = candidate(self._vocabulary, target.concept_id, 1.0)
            meaning = replace(meaning, id=meant.id, name=target.label, side=meant.side)
        if search.found:
            caution = sentence(f"{instead_of}: not learnt by this model, the whole is shown") if instead_of else ""
            meaning = replace(meaning, hit=search.hits[0], shown=target.label, caution=caution)
            return Looked(meaning, tuple(search.hits), is_single(self._vocabulary, target.learnt))
        reason = sentence(outcome.obstacle)
        if instead_of:
            reason = f"{sentence(f'{instead_of}: not learnt by this model, so the whole was looked for')} {reason}"
        return Looked(replace(meaning, reason=reason), refusal=outcome.refusal)

    def _to_show(self, concept_id: str, place: PlacePhrase | None) -> tuple[list[Target], bool]:
        """What to look for, and whether that is the whole of the structure or of the part of it that is meant."""
        targets = self.targets(concept_id, place)
        within = place is None or place.kind == PART
        whole = self.known_whole(concept_id) if within and not targets else None
        return (targets, False) if whole is None else (self.targets(whole, None), True)

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
        of_whole = place_of_term(self._vocabulary, concept_id, load_place_words())
        if of_whole is not None:
            whole, part = of_whole
            if whole in self._learnt and all(one.id in self._learnt for one in part.others):
                return Target(concept_id, whole, part, name)
        return Target(concept_id, concept_id, None, name) if concept_id in self._learnt else None

    def _search(self, target: Target, k: int) -> _Outcome:
        search = self._index.search(target.learnt, k)
        if target.place is None or not search.found:
            hits = [replace(hit, label=target.label) for hit in search.hits]
            shown = replace(search, concept_id=target.concept_id, hits=hits)
            return _Outcome(target, shown, *(() if search.found else self._why_not(target.label, search.presence)))
        others = self._others(target)
        absent = [one.concept_id for one in others if not one.found]
        nothing = replace(search, concept_id=target.concept_id, found=False, hits=[])
        if target.place.others and len(absent) == len(others):
            names = " and ".join(one.name for one in target.place.others)
            cannot = f"{target.label}: cannot be shown, because of {names}"
            if others:
                return _Outcome(target, nothing, f"{cannot}: not in this scan", NOT_HERE)
            return _Outcome(target, nothing, f"{cannot}: not learnt by this model", NOT_LEARNT)
        region = self.region_kji(target)
        if not region.any():
            reach = self._vocabulary.name(target.learnt)
            return _Outcome(target, nothing, f"{target.label}: {reach} was found, but does not reach there")
        certain = min(one.hits[0].confidence for one in (search, *others) if one.found)
        hits = self._hits(target, region, certain, search.presence, k)
        return _Outcome(target, replace(search, concept_id=target.concept_id, hits=hits))

    def _why_not(self, label: str, presence: float) -> tuple[str, Refusal]:
        """Words and kind of the refusal of what was not found: absence is claimed only where it can be told."""
        confidence = f"(confidence that it is there {percent(presence)})"
        if presence >= DOUBTFUL_PRESENCE:
            return f"{label}: whether it is in this scan cannot be told {confidence}", UNSURE
        if self._narrow:
            return f"{label}: not seen, but this scan is too narrow to tell {confidence}", UNSURE
        return f"{label}: not in this scan {confidence}", NOT_HERE

    @cached_property
    def _narrow(self) -> bool:
        """Whether the scan cuts the body on both sides of R, A or S, and shows less of it than NARROWEST_MM."""
        field = self._index.map
        if not field.body_kji.any():
            return False
        box_ijk = ndimage.find_objects(field.body_kji.view(np.uint8))[0][::-1]
        for part, size, axis in zip(box_ijk, field.shape_kji[::-1], field.ijk_to_ras[:3, :3].T, strict=True):
            thick = (part.stop - part.start) * np.linalg.norm(axis)
            if part.start <= 1 and part.stop >= size - 1 and thick < NARROWEST_MM[int(np.argmax(np.abs(axis)))]:
                return True
        return False

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
        """Score in 0..1 of what an answer shows: float32 (K,J,I), all 0 unless it goes."""
        return self.likelihood_kji(answer.meant if answer.decision == GO else (), answer.place)

    def likelihood_kji(self, meanings: Iterable[Meaning], place: PlacePhrase | None) -> np.ndarray:
        """Score in 0..1 of all meanings that have a place: float32 (K,J,I); of a single structure only around it."""
        total = np.zeros(self._index.map.shape_kji, np.float32)
        for one in meanings:
            for target in self._to_show(one.id, place)[0] if one.hit is not None else ():
                total = np.maximum(total, self._around_its_place(target, self.region_kji(target)))
        return total

    def _around_its_place(self, target: Target, region_kji: np.ndarray) -> np.ndarray:
        if target.place is not None and target.place.kind != LEVEL or not is_single(self._vocabulary, target.learnt):
            return region_kji
        near = ndimage.binary_dilation(self._places.body(region_kji).mask_kji, iterations=FRINGE_VOXELS)
        return np.where(near, region_kji, np.float32(0))

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


def decide(text: str, resolution: Resolution, looked: Iterable[Looked]) -> Answer:
    """Go, choose or refuse: from how a text was understood, and what came of looking for each of its meanings.

    What is not understood, not learnt or not there is refused; what may be several structures, or is only probably
    meant, is asked back, also where only one of them is in the scan; all else is gone to.
    """
    looked = tuple(looked)
    if resolution.outcome == "refuse":
        return _not_understood(text, resolution)
    if not any(one.hits for one in looked):
        return _nowhere(text, resolution, looked)
    if resolution.outcome != "accept" or len(looked) > 1:
        return _to_choose(text, resolution, looked)
    return _to_go(text, resolution, looked[0])


def _not_understood(text: str, resolution: Resolution) -> Answer:
    near = tuple(one for one in resolution.candidates if one.name.casefold() != text.strip().casefold())
    return Answer(
        text, REFUSE, sentence(resolution.reason), resolution.refusal, suggestions=near, place=resolution.place
    )


def _nowhere(text: str, resolution: Resolution, looked: tuple[Looked, ...]) -> Answer:
    answer, reason = _understood(text, resolution, looked), _missing(looked)
    if resolution.outcome == "confirm":
        names = " or ".join(f"“{one.name}”" for one in answer.meant)
        reason = f"“{text.strip()}” may mean {names}. {reason}"
    refusals = {one.refusal for one in looked}
    return replace(answer, reason=reason, refusal=next(kind for kind in (UNSURE, NOT_HERE, NOT_LEARNT)
                                                       if kind in refusals or kind == NOT_LEARNT))


def _to_choose(text: str, resolution: Resolution, looked: tuple[Looked, ...]) -> Answer:
    sides = f"“{text.strip()}” exists on both sides. Choose left or right."
    question = resolution.reason if resolution.outcome != "accept" else sides
    said = [sentence(question), _missing(looked), *_bases(looked)]
    reason = " ".join(filter(None, said))
    return replace(_understood(text, resolution, looked), decision=CHOOSE, reason=reason, caution=_cautions(looked))


def _to_go(text: str, resolution: Resolution, one: Looked) -> Answer:
    first = 1 if one.single else len(one.hits)
    best = one.hits[0]
    caution = " ".join(filter(None, (one.meaning.caution, _doubt(best), best.caution)))
    found = f"{one.meaning.shown}: {best.basis or 'found'}"
    return replace(_understood(text, resolution, (one,)), decision=GO, reason=sentence(found), caution=caution,
                   places=one.hits[:first], less_likely=one.hits[first:])


def _understood(text: str, resolution: Resolution, looked: tuple[Looked, ...]) -> Answer:
    """What all answers have to what is understood; the decision is still to come."""
    meant = tuple(one.meaning for one in looked)
    presence = max((one.presence for one in meant if one.presence is not None), default=None)
    return Answer(text, REFUSE, "", meant=meant, place=resolution.place, presence=presence)


def _bases(looked: tuple[Looked, ...]) -> list[str]:
    """How the places of options were found, where not by their look."""
    return list(dict.fromkeys(sentence(one.hits[0].basis) for one in looked if one.hits and one.hits[0].basis))


def _cautions(looked: tuple[Looked, ...]) -> str:
    """What is doubtful about the places of options: with the option's name where it does not hold for all of them."""
    shown = [one for one in looked if one.hits]
    said = [" ".join(filter(None, (one.meaning.caution, one.hits[0].caution))) for one in shown]
    if len(set(said)) == 1:
        return said[0]
    told = [(one, doubt) for one, doubt in zip(shown, said, strict=True) if doubt]
    return " ".join(f"{sentence(one.meaning.name)[:-1]}: {doubt}" for one, doubt in told)


def _missing(looked: tuple[Looked, ...]) -> str:
    """Why some meanings have no place."""
    return " ".join(dict.fromkeys(one.meaning.reason for one in looked if one.meaning.hit is None))


def percent(probability: float) -> str:
    """Whole percent, rounded down: 49.9 % is not yet a half, and nearly sure is not sure."""
    return f"{int(100 * probability)}%"


def sentence(text: str) -> str:
    """The text with a capital letter in front and a full stop at its end."""
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _doubt(hit: Hit) -> str:
    """A sentence on what is in the scan, but not surely at the place that is shown for it."""
    return "" if hit.confidence >= SURE_PLACE else f"The place is uncertain (confidence {percent(hit.confidence)})."


def _moved(hit: Hit, motion_ras: np.ndarray) -> Hit:
    return replace(hit, position_ras=transform_points(motion_ras, hit.position_ras))
