"""Vertebrae and ribs of one scan, counted as a sequence along the canal.

The network says where the canal is, which region of the spine is where, and where a few organs lie; HU say where
vertebrae are, what they look like and which of them carry ribs. The network's own labels of single vertebrae are not
used: they are independent of the count, so that a disagreement means something.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from anatembed.ask.index import QueryIndex
from anatembed.ask.levels import evidence
from anatembed.ask.levels.canal import STEP_MM, Canal, find_canal
from anatembed.ask.levels.evidence import ORGANS, REGIONS, OrganPlace
from anatembed.ask.levels.ribs import RibWays, follow_ribs
from anatembed.ask.levels.sequence import LEVEL_OF_STATE, ORDINAL, SCALES, STATES, Decoding, decode
from anatembed.ask.levels.spine_atlas import SpineAtlas
from anatembed.ask.levels.straight_spine import StraightSpine, straighten
from anatembed.geometry import transform_points
from anatembed.maps.spine_hu import canal_probability

SURE = 0.8
"""From this probability on a level is named alone."""
NEAR = 0.15
"""From this probability on a neighbouring level is named beside the likeliest one."""
RANGE = 0.9
"""What the levels of a range must have together."""
BESIDE = 0.4
"""Share of a height within which the middle of another way of counting is the same vertebra."""
RIB_PLACE_MM = 60.0
LEAST_RIB_MM = 36.0
USUAL_SPACING_MM = 25.0
ORGAN_PRESENCE = 0.8
FROM_END_MM = 8.0
"""An organ whose place is so near the end of the canal in view may go on beyond it."""
IDENTITY = ("look", "ribs", "pelvis", "organs", "regions")
"""The kinds of evidence that can tell one level from the next."""
BODY_MM = (14.0, 20.0, 26.0)
"""Distance before the canal at which the network is asked about the vertebral bodies."""


@dataclass(frozen=True, eq=False)
class Level:
    """One vertebra: the middle of its body in RAS mm, how far up the canal it lies, and the probability that this is
    its number; `names` are all numbers that it may have with theirs, likeliest first, of which the first is `name`."""

    name: str
    position_ras: np.ndarray
    height_mm: float
    probability: float
    names: tuple[tuple[str, float], ...]

    @property
    def concept_id(self) -> str:
        """Empty for the thirteenth thoracic and the sixth lumbar vertebra, which the vocabulary has not."""
        return "" if self.name in ("T13", "L6") else f"vertebrae_{self.name}"

    @property
    def words(self) -> str:
        """The number ("L2"), "L2 or L3" where both are likely, "T9 to T12" where it cannot be said better."""
        return _words([(STATES.index(name), p) for name, p in self.names], STATES)


@dataclass(frozen=True, eq=False)
class Rib:
    """A rib by the vertebra that it joins: side "left" or "right", its way (n,3) RAS mm from beside the spine as far as
    it was followed, a place on it, and the concepts it may be, with their probabilities."""

    number: int
    side: str
    way_ras: np.ndarray
    position_ras: np.ndarray
    probability: float
    names: tuple[tuple[str, float], ...] = ()

    @property
    def concept_id(self) -> str:
        """Empty for a thirteenth rib, which the vocabulary has not."""
        return "" if self.number > 12 else f"rib_{self.side}_{self.number}"

    @property
    def words(self) -> str:
        """"rib 5", "rib 5 or 6" where both are likely, "rib 5 to 8" where it cannot be said better."""
        numbers = [(int(name.rsplit("_", 1)[1]), p) for name, p in self.names]
        return f"rib {_words(numbers, [str(n) for n in range(14)])}"


@dataclass(frozen=True)
class LevelCount:
    """levels from above downwards, their ribs, the person's scale, what the count was fixed by ("the sacrum"), and what
    is unusual in this person, empty if nothing is."""

    canal: Canal
    levels: tuple[Level, ...]
    ribs: tuple[Rib, ...]
    scale: float
    anchor: str
    anomaly: str = ""

    def find(self, concept_id: str) -> Level | Rib | None:
        """The vertebra or rib of a concept; None where it was not counted."""
        things: tuple[Level | Rib, ...] = (*self.levels, *self.ribs)
        return next((one for one in things if one.concept_id == concept_id), None)

    def places(self, concept_id: str) -> list[tuple[np.ndarray, float]]:
        """Every place (3,) RAS mm that may be a vertebra or rib, with the probability that it is."""
        name = concept_id.removeprefix("vertebrae_")
        things: tuple[Level | Rib, ...] = (*self.levels, *self.ribs)
        return [(one.position_ras, dict(one.names)[name]) for one in things if name in dict(one.names)]

    def nearest(self, position_ras: np.ndarray) -> Level | None:
        """The vertebra at whose height a position (3,) lies; None above and below those that were counted."""
        height = float(self.canal.heights_mm(np.reshape(position_ras, (1, 3)))[0])
        best = min(self.levels, key=lambda level: abs(level.height_mm - height))
        low, high = self.ends_mm(best)
        return best if low <= height <= high else None

    @property
    def spacing_mm(self) -> float:
        """Mean distance of neighbouring vertebrae along the canal."""
        middles = [level.height_mm for level in self.levels]
        return float(np.abs(np.diff(middles)).mean()) if len(middles) > 1 else USUAL_SPACING_MM

    def ends_mm(self, level: Level) -> tuple[float, float]:
        """Heights along the canal between which a vertebra lies: half way to its neighbours."""
        at = self.levels.index(level)
        middles = [one.height_mm for one in self.levels]
        half = self.spacing_mm / 2
        high = (middles[at - 1] + middles[at]) / 2 if at else middles[at] + half
        low = (middles[at] + middles[at + 1]) / 2 if at + 1 < len(middles) else middles[at] - half
        return low, high


def _words(likely: Sequence[tuple[int, float]], names: Sequence[str]) -> str:
    """One name of a row, several or a range, from places in the row with their probabilities, likeliest first."""
    some = [at for at, p in likely[:2] if p >= NEAR] if likely[0][1] < SURE else [likely[0][0]]
    if sum(p for at, p in likely if at in some) >= SURE or len(likely) < 3:
        return " or ".join(names[at] for at in sorted(some or [likely[0][0]]))
    some, together = [], 0.0
    for at, p in likely:
        some.append(at)
        together += p
        if together >= RANGE:
            break
    return f"{names[min(some)]} to {names[max(some)]}"


def count(
    index: QueryIndex, hu_kji: np.ndarray | None = None, ijk_to_ras: np.ndarray | None = None
) -> LevelCount | None:
    """The levels of an embedded scan: `LevelCount`, None without a canal in view.

    hu_kji (K,J,I) and ijk_to_ras (4,4): the scan on a finer grid than the map (3 mm suffice, OUTSIDE_HU and less where
    there is no scan); without, what the map carries of it around the spine, else its own coarse HU, with which fewer
    levels are sure. None also for a map without any HU.
    """
    if hu_kji is None and index.map.spine_hu is not None:
        hu_kji, ijk_to_ras = index.map.spine_hu.hu_kji, index.map.spine_hu.ijk_to_ras
    if hu_kji is None or ijk_to_ras is None:
        hu_kji, ijk_to_ras = index.map.hu_kji, index.map.ijk_to_ras
    canal = canal_of(index)
    if canal is None or hu_kji is None:
        return None
    hu = np.asarray(hu_kji, np.float32)
    return count_along(canal, hu, ijk_to_ras, organ_places(index, canal), region_logits(index, canal))


def canal_of(index: QueryIndex) -> Canal | None:
    """The spinal canal as the network sees it."""
    probability = canal_probability(index.unit_features, index.readout)
    if probability is None:
        return None
    positions = transform_points(index.map.ijk_to_ras, np.argwhere(index.map.body_kji)[:, ::-1])
    return find_canal(positions, probability)


def organ_places(index: QueryIndex, canal: Canal) -> list[OrganPlace]:
    """Organs in the scan that lie at a usual height, apart from those near an end of the canal in view."""
    places = []
    for organ in ORGANS:
        for concept_id in set(organ.concept_ids) & set(index.readout.concept_ids):
            search = index.search(concept_id, 1)
            if not search.hits or search.presence < ORGAN_PRESENCE:
                continue
            height = float(canal.heights_mm(search.hits[0].position_ras[None])[0])
            if FROM_END_MM <= height <= canal.length_mm - FROM_END_MM:
                places.append(OrganPlace(organ, height, search.presence / len(organ.concept_ids)))
    return places


def region_logits(index: QueryIndex, canal: Canal) -> np.ndarray | None:
    """What the network says about regions of the spine, along the canal: logits (S,4); None without such."""
    if not set(REGIONS) <= set(index.readout.concept_ids):
        return None
    heights = np.arange(len(canal.points_ras)) * STEP_MM
    body = index.map.body_kji
    found = np.full((len(BODY_MM), len(heights), len(REGIONS)), -np.inf)
    rows = np.cumsum(body.ravel()) - 1  # of each voxel of the body among them
    columns = np.stack([index.language_logits(region) for region in REGIONS], axis=1)
    for depth, values in zip(BODY_MM, found, strict=True):
        kji = transform_points(np.linalg.inv(index.map.ijk_to_ras), canal.places_ras(heights, depth))[:, ::-1]
        k, j, i = np.clip(np.rint(kji).astype(int), 0, np.array(body.shape) - 1).T
        inside = body[k, j, i]
        values[inside] = columns[rows[np.ravel_multi_index((k, j, i), body.shape)[inside]]]
    best = found.max(axis=0)
    return np.where(np.isfinite(best), best, 0.0)


def count_along(
    canal: Canal, hu_kji: np.ndarray, ijk_to_ras: np.ndarray, organs: Sequence[OrganPlace] = (),
    regions: np.ndarray | None = None,
) -> LevelCount | None:  # fmt: skip
    """The levels along a canal from HU (K,J,I) around it, organs that lie at usual heights, and logits (S,4) of regions
    of the spine at its points; None where no vertebra fits."""
    atlas, spine = SpineAtlas.load(), straighten(canal, hu_kji, ijk_to_ras)
    heights = atlas.heights_mm[LEVEL_OF_STATE]
    ways = follow_ribs(spine)
    parts = evidence_of(atlas, spine, ways, organs, regions)
    decoding = decode_weighed(parts, heights, atlas.temperature)
    if not len(decoding.states):
        return None
    levels = _levels(decoding, spine.canal, atlas)
    return LevelCount(
        spine.canal, levels, _ribs(decoding, levels, ways, spine.canal, heights), decoding.scale,
        _anchor(decoding, parts[int(np.argmin(np.abs(SCALES - decoding.scale)))], organs), _anomaly(levels),
    )  # fmt: skip


def evidence_of(
    atlas: SpineAtlas, spine: StraightSpine, ways: RibWays, organs: Sequence[OrganPlace] = (),
    regions: np.ndarray | None = None,
) -> list[dict[str, np.ndarray]]:  # fmt: skip
    """Log-likelihoods (S, states or 1) by kind, of every scale in SCALES: that a vertebra has its middle "there", and
    which one it is by each of IDENTITY."""
    heights, pelvis = atlas.heights_mm[LEVEL_OF_STATE], evidence.pelvis(spine)
    region = np.zeros((len(spine.hu), len(STATES))) if regions is None else evidence.regions(regions)
    parts = []
    for scale in SCALES:
        there, which = evidence.look(*atlas.likeness(spine, scale), scale)
        rib = evidence.ribs(ways, heights * scale)
        organ = evidence.organs(list(organs), len(spine.hu), heights * scale)
        parts.append({"there": there, "look": which, "ribs": rib, "pelvis": pelvis, "organs": organ,
                      "regions": region})
    return parts


def decode_weighed(parts: list[dict[str, np.ndarray]], heights_mm: np.ndarray, temperature: float) -> Decoding:
    """The best way of counting by all evidence of `evidence_of`, and how probable it is when kinds that tell one level
    from the next count less: neighbouring levels look alike, so they do not err independently."""
    best, careful = (
        decode([part["there"] + sum(part[name] for name in IDENTITY) / heat for part in parts], heights_mm)
        for heat in (1.0, temperature)
    )
    return replace(best, posterior=careful.posterior)


def _levels(decoding: Decoding, canal: Canal, atlas: SpineAtlas) -> tuple[Level, ...]:
    levels = []
    for state, step in zip(decoding.states, decoding.steps, strict=True):
        near = int(atlas.heights_mm[LEVEL_OF_STATE[state]] * decoding.scale * BESIDE / STEP_MM)
        probable = decoding.posterior[:, max(step - near, 0) : step + near + 1].sum(axis=1)
        order = sorted(np.flatnonzero(probable > 0.01), key=lambda one: (one != state, -probable[one]))
        names = tuple((STATES[one], float(min(probable[one], 1.0))) for one in order) or ((STATES[state], 0.0),)
        if names[0][0] != STATES[state]:  # the best way as a whole has this number, hardly any other way has
            names = ((STATES[state], float(probable[state])), *names)
        depth = atlas.depths_mm[LEVEL_OF_STATE[state]] * decoding.scale
        position = canal.places_ras([step * STEP_MM], depth)[0]
        levels.append(Level(STATES[state], position, float(step * STEP_MM), names[0][1], names))
    return tuple(levels)


def _ribs(decoding: Decoding, levels: tuple[Level, ...], ways: RibWays, canal: Canal, heights) -> tuple[Rib, ...]:
    ribs = []
    for state, step, level in zip(decoding.states, decoding.steps, levels, strict=True):
        if not level.name.startswith("T"):
            continue
        low, high = evidence.rib_window(state, heights[state] * decoding.scale)
        beside = np.arange(max(step + low, 0), min(step + high, len(ways.reach_mm) - 1) + 1)
        for side, word in enumerate(("left", "right")):
            if not len(beside) or ways.reach_mm[beside, side].max() < LEAST_RIB_MM:
                continue
            way = ways.way(int(beside[np.argmax(ways.reach_mm[beside, side])]), side)
            way_ras = canal.places_ras(way[:, 0] * STEP_MM, way[:, 1], way[:, 2])
            place = way_ras[int(np.argmin(np.abs(np.abs(way[:, 2]) - RIB_PLACE_MM)))]
            names = tuple((f"rib_{word}_{name[1:]}", p) for name, p in level.names if name.startswith("T"))
            ribs.append(Rib(int(level.name[1:]), word, way_ras, place, level.probability, names))
    return tuple(ribs)


def _anchor(decoding: Decoding, part: dict[str, np.ndarray], organs: Sequence[OrganPlace]) -> str:
    """What speaks most against counting one more or one less."""
    usual = np.rint(ORDINAL[decoding.states]).astype(int)
    gains = []
    for shift in (-1, 1):
        inside = (usual + shift >= 0) & (usual + shift <= ORDINAL[-1])
        other = np.array([int(np.argmax(one == ORDINAL)) for one in np.clip(usual + shift, 0, int(ORDINAL[-1]))])
        at = decoding.steps
        gains.append({
            name: np.where(inside, part[name][at, decoding.states] - part[name][at, other], 0)
            for name in IDENTITY
        })  # fmt: skip
    total = {name: sum((gain[name] for gain in gains), np.zeros(1)) for name in IDENTITY}
    name = max(IDENTITY, key=lambda one: total[one].sum())
    deciding = STATES[decoding.states[int(np.argmax(total[name]))]]
    if name == "organs":
        return " and ".join(dict.fromkeys(f"the {place.organ.name}" for place in organs))
    if name == "regions":
        return "the region of the spine"
    if name == "pelvis":
        return "the sacrum"
    if name == "ribs":
        return "the first rib" if ORDINAL[STATES.index(deciding)] < 13 else "the last rib"
    return {"L5": "the sacrum", "L6": "the sacrum", "S1": "the sacrum", "C1": "the atlas", "C2": "the axis"}.get(
        deciding, f"the look of {deciding}")


def _anomaly(levels: tuple[Level, ...]) -> str:
    """What is unusual: a supernumerary or a missing level between two that were counted."""
    names = [level.name for level in levels]
    pairs = set(zip(names, names[1:], strict=False))
    found = {
        "13 thoracic vertebrae": "T13" in names and "T12" in names,
        "11 thoracic vertebrae": ("T11", "L1") in pairs,
        "six lumbar vertebrae": "L6" in names,
        "four lumbar vertebrae": ("L4", "S1") in pairs,
    }
    return " and ".join(words for words, true in found.items() if true)
