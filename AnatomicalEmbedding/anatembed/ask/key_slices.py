"""The few axial slices of a scan that are worth a look: those that show most of what is asked for.

Attentive slice selection: a slice scores the mean over its voxels of an attention, which here is how probable each
structure is there. Every structure counts alike, however large it is, and one that a chosen slice shows well counts
less for the next. Chosen slices lie apart, because neighbours show the same.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from anatembed.geometry import spacing_mm, transform_points
from anatembed.maps.embedding_map import EmbeddingMap

APART_MM = 15.0
SHOWN = 0.3
"""A slice shows a structure where it scores at least this share of the best slice for that structure."""
LEFT_OVER = 0.1
"""How much a structure counts at least, even where chosen slices show it already."""
FEWEST_VOXELS = 8.0
"""Expected voxels of a structure below which it is noise and attracts no slice."""


@dataclass(frozen=True)
class KeySlice:
    """An axial slice of a map: `index` along its axis from head or foot as the map is stored, the RAS place (3,) of
    its middle in mm, its score (higher is shown first) and the names of what it shows well."""

    index: int
    position_ras: np.ndarray
    score: float
    shows: tuple[str, ...]


class AxialSlices:
    """The slices of a map that lie across the body, whichever axis of the array they are stored along."""

    def __init__(self, embedding_map: EmbeddingMap):
        column = _across_body(embedding_map.ijk_to_ras)
        self.axis = 2 - column
        self.count = embedding_map.shape_kji[self.axis]
        self.spacing_mm = float(spacing_mm(embedding_map.ijk_to_ras)[column])
        self._map = embedding_map

    def scores(self, attention_kji: np.ndarray) -> np.ndarray:
        """Mean attention (n,) of every slice of an array (K,J,I)."""
        return attention_kji.mean(axis=tuple(axis for axis in range(3) if axis != self.axis), dtype=np.float64)

    def middle_ras(self, index: int) -> np.ndarray:
        """RAS position (3,) of the middle of a slice, mm."""
        kji = (np.array(self._map.shape_kji) - 1) / 2
        kji[self.axis] = index
        return transform_points(self._map.ijk_to_ras, kji[::-1])


def best_slices(scores: np.ndarray, k: int, apart: int = 1, weights: np.ndarray | None = None) -> list[int]:
    """Indices of at most `k` slices, most worth first, from scores (n,), or (C,n) of several structures, 0 or more.

    No two lie nearer than `apart` slices. Slices without any score are never chosen; of equal ones the first is.
    weights (C,): how much each structure counts. ValueError for scores that are negative or not finite.
    """
    scores = np.atleast_2d(np.asarray(scores, np.float64))
    if scores.ndim != 2 or not np.isfinite(scores).all() or (scores < 0).any():
        raise ValueError(f"expected scores (n,) or (C,n), finite and 0 or more, got shape {scores.shape}")
    shares = _shares(scores)
    weights = np.ones(len(shares)) if weights is None else np.array(weights, np.float64)
    wanted, free = weights.copy(), np.ones(shares.shape[1], bool)
    chosen: list[int] = []
    while len(chosen) < k:
        worth = np.where(free, np.round(wanted @ shares, 9), 0)  # sums of the same numbers in any order are equal
        if not worth.any():
            break
        best = int(np.argmax(worth))
        chosen.append(best)
        free[max(0, best - apart + 1) : best + apart] = False
        wanted = np.maximum(wanted * (1 - shares[:, best]), LEFT_OVER * weights)
    return chosen


def key_slices(
    slices: AxialSlices, scores: dict[str, np.ndarray], k: int, apart_mm: float = APART_MM, weights=None
) -> list[KeySlice]:
    """At most `k` slices for the scores (n,) of named structures, most worth first."""
    if not scores:
        return []
    names, table = list(scores), np.array(list(scores.values()))
    apart = max(1, int(np.ceil(apart_mm / slices.spacing_mm - 1e-6)))
    shares = _shares(table)
    counts = np.ones(len(names)) if weights is None else np.array([weights[name] for name in names], np.float64)
    worth = counts @ shares / counts.sum()
    return [
        KeySlice(
            index, slices.middle_ras(index), float(worth[index]),
            tuple(name for name, share in zip(names, shares[:, index], strict=True) if share >= SHOWN),
        )
        for index in best_slices(table, k, apart, counts)
    ]


def structure_scores(explorer, concept_ids: Iterable[str]) -> dict[str, np.ndarray]:
    """Scores (n,) of the axial slices for learnt structures, by id."""
    slices = AxialSlices(explorer.map)
    return {one: slices.scores(explorer.index.probability_kji(one)) for one in dict.fromkeys(concept_ids)}


def richness_scores(explorer) -> dict[str, np.ndarray]:
    """Scores (n,) of the axial slices for every structure that the model names somewhere in the scan, by id.

    Each voxel counts for its likeliest structure, by how much likelier that is than none at all.
    """
    slices, ids = AxialSlices(explorer.map), explorer.checkpoint.readout.concept_ids
    indices, odds = explorer.index.named
    best = np.argmax(odds, axis=0)[None]
    likeliest = np.take_along_axis(indices, best, axis=0)[0].astype(int)
    strongest = np.take_along_axis(odds, best, axis=0)[0].astype(np.float64)
    place = np.nonzero(explorer.map.body_kji)[slices.axis]
    table = np.zeros((len(ids), slices.count))
    np.add.at(table, (likeliest, place), strongest / (1 + strongest))
    return {one: row for one, row in zip(ids, table, strict=True) if row.sum() >= FEWEST_VOXELS}


def scan_slice(shape_kji, ijk_to_ras: np.ndarray, position_ras: np.ndarray) -> tuple[str, int]:
    """Which slice of a scan lies at a RAS position: its voxel axis ("i", "j" or "k") and zero-based number."""
    column = _across_body(ijk_to_ras)
    ijk = transform_points(np.linalg.inv(ijk_to_ras), position_ras)
    return "ijk"[column], int(np.clip(np.rint(ijk[column]), 0, shape_kji[2 - column] - 1))


def _across_body(ijk_to_ras: np.ndarray) -> int:
    """The voxel axis (0 is i) that runs most along S, so that slices across it are axial."""
    linear = np.asarray(ijk_to_ras)[:3, :3]
    return int(np.argmax(np.abs(linear[2]) / np.linalg.norm(linear, axis=0)))


def _shares(scores: np.ndarray) -> np.ndarray:
    """Scores (C,n) as shares of the best slice of each structure."""
    best = scores.max(axis=1, keepdims=True, initial=0)
    return np.divide(scores, best, out=np.zeros_like(scores), where=best > 0)
