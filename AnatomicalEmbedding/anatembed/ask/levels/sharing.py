"""Which number a vertebra or rib at a place has by the count: what the network sees of all is shared out so."""
from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from anatembed.ask.levels.count import LevelCount

VERTEBRA = re.compile(r"vertebrae_([CTLS]\d+)")
RIB = re.compile(r"rib_(left|right)_(\d+)")
REGION = re.compile(r"(cervical|thoracic|lumbar)_spine")
RIB_NAME_MM = 12.0
"""So far from the way of a rib a place has its number."""
LEAST_SHARE = 1e-3
"""Of a number that a place cannot have: smoothing leaves the border between two numbers where it was counted."""


@dataclass(frozen=True)
class Family:
    """Structures that differ by their number only: how their ids read, what the network calls any of them, and how
    probable each of some ids (n) is at positions RAS mm (N,3) of a counted scan: (N,n), rows of NaN where nothing was
    counted."""

    pattern: re.Pattern[str]
    whole: str
    shares: Callable[[LevelCount, np.ndarray, Sequence[str]], np.ndarray]

    def columns(self, concept_ids: Sequence[str]) -> list[int]:
        """Which of a model's concepts belong to it."""
        return [n for n, one in enumerate(concept_ids) if self.pattern.fullmatch(one)]

    def columns_of_any(self, concept_ids: Sequence[str]) -> list[int]:
        """The same with what the network calls any of them: it may be sure of a vertebra and of no number."""
        return [n for n, one in enumerate(concept_ids) if one == self.whole or self.pattern.fullmatch(one)]


def vertebra_shares(found: LevelCount, positions_ras: np.ndarray, concept_ids: Sequence[str]) -> np.ndarray:
    """By the height of a place along the canal; nothing above and below the vertebrae that were counted."""
    heights = found.canal.heights_mm(positions_ras)
    table = _table([{f"vertebrae_{name}": p for name, p in one.names} for one in found.levels], concept_ids)
    ends = np.array([found.ends_mm(one) for one in found.levels])
    inside = np.logical_and(heights[:, None] >= ends[:, 0], heights[:, None] <= ends[:, 1])
    counted = inside.any(axis=1, keepdims=True)
    return np.where(counted, table[inside.argmax(axis=1)], np.nan)


def region_shares(found: LevelCount, positions_ras: np.ndarray, concept_ids: Sequence[str]) -> np.ndarray:
    """By the vertebrae there: a region of the spine has the letter of its vertebrae."""
    names = sorted({name for one in found.levels for name, _ in one.names})
    of_names = vertebra_shares(found, positions_ras, [f"vertebrae_{name}" for name in names])
    within = np.array([[one[0].upper() == name[0] for one in concept_ids] for name in names], float)
    return of_names @ within


def rib_shares(found: LevelCount, positions_ras: np.ndarray, concept_ids: Sequence[str]) -> np.ndarray:
    """By the nearest rib that was followed; nothing farther than RIB_NAME_MM from all of them."""
    if not found.ribs:
        return np.full((len(positions_ras), len(concept_ids)), np.nan)
    table = _table([dict(rib.names) for rib in found.ribs], concept_ids)
    owner = np.concatenate([np.full(len(rib.way_ras), n) for n, rib in enumerate(found.ribs)])
    ways = cKDTree(np.concatenate([rib.way_ras for rib in found.ribs]))
    _, nearest = ways.query(positions_ras, distance_upper_bound=RIB_NAME_MM)
    near = nearest < len(owner)
    return np.where(near[:, None], table[owner[np.where(near, nearest, 0)]], np.nan)


FAMILIES = (Family(VERTEBRA, "spine", vertebra_shares), Family(RIB, "rib_cage", rib_shares))
NAMED = (*FAMILIES, Family(REGION, "spine", region_shares))
"""What is named by the count: the regions of the spine too, which are found by their look."""


def family_of(concept_id: str) -> Family | None:
    """Vertebrae for a vertebra, ribs for a rib, None for everything else."""
    return next((one for one in FAMILIES if one.pattern.fullmatch(concept_id)), None)


def share_logits(logits: np.ndarray, shares: np.ndarray, temperature: float) -> np.ndarray:
    """Logits (N,n) of a family's concepts with what they say together shared out, where that was counted."""
    warm = logits / temperature
    highest = warm.max(axis=1, keepdims=True)
    together = highest + np.log(np.exp(warm - highest).sum(axis=1, keepdims=True))
    return np.where(np.isnan(shares), logits, temperature * (together + np.log(np.maximum(shares, LEAST_SHARE))))


def share_odds(
    columns: np.ndarray, odds: np.ndarray, family: Sequence[int], shares: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Columns and odds (M,N) of the strongest concepts with the odds of a family (columns of the model) given to its
    likeliest number, where that was counted: shares (N, family)."""
    columns, odds = columns.copy(), odds.copy()
    own = np.isin(columns, family)
    counted = np.flatnonzero(own.any(axis=0) & ~np.isnan(shares[:, 0]))
    own, best = own[:, counted], np.nan_to_num(shares[counted])
    together = np.where(own, odds[:, counted], 0).sum(axis=0)
    slot = own.argmax(axis=0)
    odds[:, counted] = np.where(own, 0, odds[:, counted])
    odds[slot, counted] = together * best.max(axis=1)
    columns[slot, counted] = np.asarray(family)[best.argmax(axis=1)]
    return columns, odds


def _table(numbers: list[dict[str, float]], concept_ids: Sequence[str]) -> np.ndarray:
    return np.array([[one.get(concept, 0.0) for concept in concept_ids] for one in numbers])
