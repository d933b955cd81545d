"""An index whose vertebrae and ribs are where they were counted; all else is as the network sees it."""
from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np

from anatembed.ask.index import Hit, QueryIndex, Search
from anatembed.ask.levels.count import NEAR, SURE, Level, LevelCount, Rib, count
from anatembed.ask.levels.sharing import NAMED, VERTEBRA, family_of, share_logits, share_odds
from anatembed.geometry import transform_points

PLACE_CERTAINTY = 0.95
"""Of a counted place, beside the probability of its number: a fifth vertebra may be the right one and still be marked
in its process."""
LEAST_SHOWN = 0.02
LEAST_NAMED = 0.05
"""Where all vertebrae (ribs), the spine (rib cage) included, have less than this share of the odds of the best name,
none of them is a name."""
RIB_SPREAD_MM = 8.0
DISAGREE_LEVELS, DISAGREE_CONFIDENCE = 1.5, 0.5
"""From so many levels on, and with such confidence of the network, a disagreement is said."""
NOT_COUNTED = "This level could not be counted in this scan: it is named by its look alone."


class CountedIndex(QueryIndex):
    """As `QueryIndex`, but search, likelihood and names of vertebrae and ribs follow the count, where there is one."""

    @cached_property
    def levels(self) -> LevelCount | None:
        """The count of this scan, made when it is first needed; None where nothing could be counted."""
        return count(self)

    def search(self, concept_id: str, k: int = 5) -> Search:
        """The places of a concept: of a vertebra or rib the counted one, with what it was counted from; else what the
        network sees, which for these is said to be all there is."""
        self.readout.index(concept_id)
        if family_of(concept_id) is None:
            return super().search(concept_id, k)
        if self.levels is not None and (VERTEBRA.fullmatch(concept_id) or self.levels.find(concept_id)):
            return self._search(self.levels, concept_id, k)
        seen = super().search(concept_id, k)
        return replace(seen, hits=[replace(hit, caution=NOT_COUNTED) for hit in seen.hits])

    def probability_kji(self, concept_id: str) -> np.ndarray:
        """How likely each voxel (K,J,I) belongs to a concept: of a counted vertebra or rib, bone at its place."""
        found, thing, family = self.levels, self._counted(concept_id), family_of(concept_id)
        if found is None or thing is None or family is None or family.whole not in self.readout.concept_ids:
            return self.seen_kji(concept_id)
        bone = self.seen_kji(family.whole)
        kji = np.argwhere(bone > LEAST_SHOWN)
        field = np.zeros_like(bone)
        positions = transform_points(self.map.ijk_to_ras, kji[:, ::-1])
        field[tuple(kji.T)] = bone[tuple(kji.T)] * _belongs(found, thing, positions)
        return field

    def name_logits(self, positions_ras: np.ndarray) -> np.ndarray:
        """As the network's, with what it gives to vertebrae and to ribs shared out as they were counted."""
        logits, ids = super().name_logits(positions_ras), self.readout.concept_ids
        positions, best = np.atleast_2d(positions_ras), logits.max(axis=1, initial=-np.inf)
        for family in NAMED:
            columns = family.columns(ids)
            # Counting takes a while: not for a place that none of them is a name of.
            any_of_them = logits[:, family.columns_of_any(ids)].max(axis=1, initial=-np.inf)
            likely = any_of_them > best + np.log(LEAST_NAMED)
            if columns and likely.any() and self.levels is not None:
                shares = family.shares(self.levels, positions, [ids[n] for n in columns])
                logits[:, columns] = share_logits(logits[:, columns], shares, self.readout.naming[0])
        return logits

    @cached_property
    def named(self) -> tuple[np.ndarray, np.ndarray]:
        """As `strongest`, with what the network gives to vertebrae and ribs given to the number that was counted."""
        columns, odds = self.strongest
        if self.levels is None:
            return columns, odds
        ids, positions = self.readout.concept_ids, None
        for family in NAMED:
            own = family.columns(ids)
            theirs = np.where(np.isin(columns, family.columns_of_any(ids)), odds, 0).sum(axis=0)
            rows = np.flatnonzero(theirs > LEAST_NAMED * odds.max(axis=0))
            if own and len(rows):
                if positions is None:
                    positions = transform_points(self.map.ijk_to_ras, np.argwhere(self.map.body_kji)[:, ::-1])
                shares = family.shares(self.levels, positions[rows], [ids[n] for n in own])
                new = share_odds(columns[:, rows], odds[:, rows], own, shares)
                columns, odds = columns.copy(), odds.copy()
                columns[:, rows], odds[:, rows] = new
        return columns, odds

    def number_of(self, concept_id: str) -> tuple[str, str]:
        """Of a vertebra or rib what it was counted from, and what is unusual in this person, or that it was not
        counted; empty for everything else."""
        if family_of(concept_id) is None:
            return "", ""
        if self.levels is None or self._counted(concept_id) is None:
            return "", NOT_COUNTED
        return f"counted from {self.levels.anchor}", self._unusual(self.levels)

    def alike(self, concept_id: str) -> list[int]:
        """Columns of what the network may call a concept: of a counted vertebra or rib, all of them."""
        family = family_of(concept_id) if self.levels is not None else None
        return family.columns(self.readout.concept_ids) if family else super().alike(concept_id)

    def _counted(self, concept_id: str) -> Level | Rib | None:
        return self.levels.find(concept_id) if family_of(concept_id) and self.levels is not None else None

    def _search(self, found: LevelCount, concept_id: str, k: int) -> Search:
        """Hits at counted places with the probability that they have this number. It is in the scan when any of them
        has it: which one may be open while that is sure."""
        places = found.places(concept_id)
        presence = float(min(sum(p for _, p in places), 1.0))
        likely = sorted((one for one in places if one[1] >= NEAR), key=lambda one: -one[1])
        hits = [
            Hit(position, min(PLACE_CERTAINTY * p, presence), concept_id, presence,
                basis=f"counted from {found.anchor}")
            for position, p in likely[:k]
        ]  # fmt: skip
        if hits:
            hits[0] = replace(hits[0], caution=self._caution(found, concept_id, hits[0]))
        return Search(concept_id, bool(hits) and presence >= 0.5, presence, hits)

    @staticmethod
    def _unusual(found: LevelCount) -> str:
        return f"This person seems to have {found.anomaly}." if found.anomaly else ""

    def _caution(self, found: LevelCount, concept_id: str, hit: Hit) -> str:
        """What has to be said about a counted place: other numbers that it may have, what is unusual in this person,
        and a network that sees it elsewhere."""
        level = found.nearest(hit.position_ras) if VERTEBRA.fullmatch(concept_id) else None
        rib = next((one for one in found.ribs if one.position_ras is hit.position_ras), None)
        said = [f"By the count this may be {one.words}." for one in (level, rib) if one and one.probability < SURE]
        said.extend(filter(None, [self._unusual(found)]))
        seen = super().search(concept_id, 1)
        if seen.found and seen.hits[0].confidence >= DISAGREE_CONFIDENCE:
            here, there = found.canal.heights_mm(np.stack([hit.position_ras, seen.hits[0].position_ras]))
            if level is not None and abs(there - here) > DISAGREE_LEVELS * found.spacing_mm:
                way = "higher" if there > here else "lower"
                said.append(f"By its look alone it would be {abs(there - here):.0f} mm {way}: check it.")
        return " ".join(said)


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
