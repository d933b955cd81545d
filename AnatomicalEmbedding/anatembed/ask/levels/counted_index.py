"""An index whose vertebrae and ribs are where they were counted; all else is as the network sees it."""
from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property

import numpy as np

from anatembed.ask.index import Hit, QueryIndex, Search
from anatembed.ask.levels.count import NEAR, SURE, Level, LevelCount, Rib, count
from anatembed.geometry import transform_points

VERTEBRA = re.compile(r"vertebrae_([CTLS]\d+)")
RIB = re.compile(r"rib_(left|right)_(\d+)")
BONE_CONCEPTS = {"vertebra": "spine", "rib": "rib_cage"}
"""What the network calls any vertebra and any rib."""
PLACE_CERTAINTY = 0.95
"""How often a counted place lies within 10 mm where its number is right."""
LEAST_SHOWN = 0.02
RIB_SPREAD_MM, RIB_NAME_MM = 8.0, 12.0
DISAGREE_LEVELS, DISAGREE_CONFIDENCE = 1.5, 0.5
"""From so many levels on, and with such confidence of the network, a disagreement is said."""


class CountedIndex(QueryIndex):
    """As `QueryIndex`, but search, likelihood and names of vertebrae and ribs follow the count, where there is one."""

    @cached_property
    def levels(self) -> LevelCount | None:
        """The count of this scan, made when it is first needed; None where nothing could be counted."""
        return count(self)

    def search(self, concept_id: str, k: int = 5) -> Search:
        """The places of a concept: of a vertebra or rib the counted one, with what it was counted from."""
        self.readout.index(concept_id)
        if VERTEBRA.fullmatch(concept_id) and self.levels is not None:
            return self._vertebra(self.levels, concept_id, k)
        if RIB.fullmatch(concept_id) and self.levels is not None:
            thing = self.levels.find(concept_id)
            if isinstance(thing, Rib):
                return self._search(self.levels, concept_id, [(thing.position_ras, thing.probability)], k)
        return super().search(concept_id, k)

    def probability_kji(self, concept_id: str) -> np.ndarray:
        """How likely each voxel (K,J,I) belongs to a concept: of a counted vertebra or rib, bone at its place."""
        found, thing = self.levels, self._counted(concept_id)
        whole = BONE_CONCEPTS["vertebra" if isinstance(thing, Level) else "rib"]
        if found is None or thing is None or whole not in self.readout.concept_ids:
            return self.seen_kji(concept_id)
        bone = self.seen_kji(whole)
        kji = np.argwhere(bone > LEAST_SHOWN)
        field = np.zeros_like(bone)
        positions = transform_points(self.map.ijk_to_ras, kji[:, ::-1])
        field[tuple(kji.T)] = bone[tuple(kji.T)] * _belongs(found, thing, positions)
        return field

    def name_probabilities(self, positions_ras: np.ndarray) -> np.ndarray:
        """As the network's, with what it gives to vertebrae and to ribs shared out as they were counted."""
        probabilities = super().name_probabilities(positions_ras)
        if self.levels is None:
            return probabilities
        for row, position in zip(probabilities, np.atleast_2d(positions_ras), strict=True):
            self._share_out(row, self._vertebrae, _names_of_level(self.levels, position))
            self._share_out(row, self._ribs, _names_of_rib(self.levels, position))
        return probabilities

    @cached_property
    def _vertebrae(self) -> list[int]:
        return [n for n, one in enumerate(self.readout.concept_ids) if VERTEBRA.fullmatch(one)]

    @cached_property
    def _ribs(self) -> list[int]:
        return [n for n, one in enumerate(self.readout.concept_ids) if RIB.fullmatch(one)]

    def _share_out(self, row: np.ndarray, columns: list[int], shares: dict[str, float]) -> None:
        if not shares or not columns:
            return
        together = min(float(row[columns].sum()), 1.0)
        row[columns] = 0
        for concept_id in shares.keys() & set(self.readout.concept_ids):
            row[self.readout.index(concept_id)] = together * shares[concept_id]

    def _counted(self, concept_id: str) -> Level | Rib | None:
        if not (VERTEBRA.fullmatch(concept_id) or RIB.fullmatch(concept_id)) or self.levels is None:
            return None
        return self.levels.find(concept_id)

    def _vertebra(self, found: LevelCount, concept_id: str, k: int) -> Search:
        name = concept_id.removeprefix("vertebrae_")
        places = [(level.position_ras, dict(level.names).get(name, 0.0)) for level in found.levels]
        likely = sorted((one for one in places if one[1] >= NEAR), key=lambda one: -one[1])
        return self._search(found, concept_id, likely, k, float(min(sum(p for _, p in places), 1.0)))

    def _search(
        self, found: LevelCount, concept_id: str, places: list, k: int, presence: float | None = None
    ) -> Search:
        """Hits at counted places with the probability that they have this number."""
        presence = places[0][1] if presence is None else presence
        hits = [
            Hit(position, min(PLACE_CERTAINTY * p, presence), concept_id, presence,
                basis=f"counted from {found.anchor}")
            for position, p in places[:k]
        ]  # fmt: skip
        if hits:
            hits[0] = replace(hits[0], caution=self._caution(found, concept_id, hits[0]))
        return Search(concept_id, bool(hits) and presence >= 0.5, presence, hits)

    def _caution(self, found: LevelCount, concept_id: str, hit: Hit) -> str:
        """What has to be said about a counted place: other numbers that it may have, what is unusual in this person,
        and a network that sees it elsewhere."""
        level = found.nearest(hit.position_ras) if VERTEBRA.fullmatch(concept_id) else None
        said = []
        if level is not None and level.probability < SURE:
            said.append(f"By the count this may be {level.words}.")
        if found.anomaly:
            said.append(f"This person seems to have {found.anomaly}.")
        seen = super().search(concept_id, 1)
        if seen.found and seen.hits[0].confidence >= DISAGREE_CONFIDENCE:
            here, there = found.canal.heights_mm(np.stack([hit.position_ras, seen.hits[0].position_ras]))
            if level is not None and abs(there - here) > DISAGREE_LEVELS * found.spacing_mm:
                way = "higher" if there > here else "lower"
                said.append(f"By its look alone it would be {abs(there - here):.0f} mm {way}: check it.")
        return " ".join(said)


def _names_of_level(found: LevelCount, position_ras: np.ndarray) -> dict[str, float]:
    level = found.nearest(position_ras)
    return {} if level is None else {f"vertebrae_{name}": p for name, p in level.names}


def _names_of_rib(found: LevelCount, position_ras: np.ndarray) -> dict[str, float]:
    distances = [float(np.linalg.norm(rib.way_ras - position_ras, axis=1).min()) for rib in found.ribs]
    if not distances or min(distances) > RIB_NAME_MM:
        return {}
    rib = found.ribs[int(np.argmin(distances))]
    return {rib.concept_id: rib.probability}


def _belongs(found: LevelCount, thing: Level | Rib, positions_ras: np.ndarray) -> np.ndarray:
    """How well positions (N,3) fit to a vertebra's height, or to the way of a rib: 0..1."""
    if isinstance(thing, Level):
        low, high = found.ends_mm(thing)
        heights = found.canal.heights_mm(positions_ras)
        return ((heights >= low) & (heights <= high)).astype(np.float32)
    squares = np.full(len(positions_ras), np.inf)
    for place in thing.way_ras[::2]:
        np.minimum(squares, ((positions_ras - place) ** 2).sum(axis=1), out=squares)
    return np.exp(-0.5 * squares / RIB_SPREAD_MM**2).astype(np.float32)
