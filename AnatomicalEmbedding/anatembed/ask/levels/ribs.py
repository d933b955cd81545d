"""Ribs followed from the vertebra that they join outwards, in the straight spine; NumPy only.

Every place beside the spine is led back to where the best way along thin bone begins next to the canal, so that a rib
belongs to one vertebra and the process of the next one does not borrow it.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from anatembed.ask.levels.straight_spine import ANTERIOR_MM, GRID_MM, RIGHT_MM, StraightSpine

FIRST_MM, LAST_MM = 24.0, 81.0
"""Distance from the canal where a way begins and where it ends at most."""
AHEAD_MM, BEHIND_MM = 18.0, -39.0
THICKEST_STEPS = 13
"""What is thicker than this along the canal (26 mm) is no rib: kidneys, shoulder blades."""
THIN_HU, THIN_SD_HU, LEAST, MOST = 50.0, 40.0, -2.5, 1.0
"""Thin bone stands out by more than THIN_HU; evidence per column in units of THIN_SD_HU, cut off at both ends."""
UNKNOWN = -0.3
DROPS = range(-1, 4)
"""Steps of the canal by which a rib falls from column to column: ribs go down and outwards, at most steeply."""
USUAL_DROP, DROP_COST, SIDE_COST = 0.5, 0.12, 0.05
MEAN_EVIDENCE = 0.35
"""A way counts as a rib as far as its mean evidence is above this."""
NEAR_EDGE = 3


@dataclass(frozen=True)
class RibWays:
    """reach_mm (S,2): how far from the canal a rib reaches that begins at a height, on the left and on the right;
    may_reach_mm (S,2): the same where the scan ends before the rib does. FIRST_MM where there is none."""

    reach_mm: np.ndarray
    may_reach_mm: np.ndarray
    _ways: tuple[list[np.ndarray], list[np.ndarray]]
    _ends: tuple[dict, dict]

    def way(self, step: int, side: int) -> np.ndarray:
        """The rib that begins at a step of the canal on a side (0 left, 1 right): heights, distances before the canal
        and to its right (n,3), in steps of the canal and mm; empty where there is none."""
        end = self._ends[side].get(step)
        if end is None:
            return np.empty((0, 3))
        column, height, ahead = end
        sign, places = (-1, 1)[side], []
        while column > 0:
            places.append((height, ANTERIOR_MM[ahead], sign * (FIRST_MM + GRID_MM * column)))
            height, ahead = self._ways[side][column - 1][:, height, ahead]
            column -= 1
        return np.array(places[::-1])


def follow_ribs(spine: StraightSpine) -> RibWays:
    """All ways along thin bone from beside the canal outwards."""
    evidence = _thin_bone(spine)
    edge = np.pad(~spine.known, ((4, 4), (1, 1), (1, 1)), constant_values=True)
    near_edge = ndimage.binary_dilation(edge, iterations=NEAR_EDGE)[4:-4, 1:-1, 1:-1]
    sides = [_one_side(spine, evidence, near_edge, sign) for sign in (-1, 1)]
    reach, may_reach, ways, ends = zip(*sides, strict=True)
    return RibWays(np.stack(reach, axis=1), np.stack(may_reach, axis=1), ways, ends)


def _thin_bone(spine: StraightSpine) -> np.ndarray:
    hu = np.clip(np.where(spine.known, spine.hu, 0), 0, 500)
    thin = hu - ndimage.grey_opening(hu, size=(THICKEST_STEPS, 1, 1))
    thin = np.minimum(thin, np.maximum(hu - 40, 0))
    return np.where(spine.known, np.clip((thin - THIN_HU) / THIN_SD_HU, LEAST, MOST), UNKNOWN)


def _one_side(spine: StraightSpine, evidence: np.ndarray, near_edge: np.ndarray, sign: int):
    steps, depth = evidence.shape[:2]
    columns = [int(np.argmin(np.abs(RIGHT_MM - sign * x))) for x in np.arange(FIRST_MM, LAST_MM + 1, GRID_MM)]
    allowed = (ANTERIOR_MM >= BEHIND_MM) & (ANTERIOR_MM <= AHEAD_MM)
    total = np.where(allowed, evidence[:, :, columns[0]], -9.0)
    root = np.broadcast_to(np.arange(steps)[:, None], (steps, depth))
    reach, may_reach = np.zeros(steps, int), np.zeros(steps, int)
    ways, ends, best_total = [], {}, np.zeros(steps)
    for column, index in enumerate(columns[1:], 1):
        before, came_from = _best_before(total)
        root = root[came_from[0], came_from[1]]
        total = np.where(allowed, before + evidence[:, :, index], -9.0)
        ways.append(came_from)
        rib = (evidence[:, :, index] > 0.3) & (total > MEAN_EVIDENCE * column) & spine.known[:, :, index]
        for height, ahead in np.argwhere(rib):
            start = root[height, ahead]
            if column > reach[start] or total[height, ahead] > best_total[start]:
                ends[int(start)] = (column, int(height), int(ahead))
                best_total[start] = total[height, ahead]
            reach[start] = column
        np.maximum.at(may_reach, root[rib & near_edge[:, :, index]], len(columns) - 1)
    may_reach = np.maximum(reach, may_reach)
    return FIRST_MM + GRID_MM * reach, FIRST_MM + GRID_MM * may_reach, ways, ends


def _best_before(total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best sum of a way to the column before and where it came from: (S,A) and (2,S,A)."""
    padded = np.pad(total, ((4, 4), (1, 1)), constant_values=-1e9)
    steps, depth = total.shape
    best, came_from = np.full(total.shape, -1e9), np.zeros((2, *total.shape), int)
    at = np.indices(total.shape)
    for drop in DROPS:
        for ahead in (-1, 0, 1):
            value = padded[4 + drop : 4 + drop + steps, 1 + ahead : 1 + ahead + depth]
            value = value - DROP_COST * abs(drop - USUAL_DROP) - SIDE_COST * abs(ahead)
            better = value > best
            best = np.where(better, value, best)
            came_from = np.where(better, at + np.array([drop, ahead])[:, None, None], came_from)
    return best, np.clip(came_from, 0, np.array(total.shape)[:, None, None] - 1)
