"""The middle line of the spinal canal, with the patient's directions at every point of it; NumPy only."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

STEP_MM = 2.0
"""Distance of points along the line."""
LAYER_MM = 6.0
"""Thickness of the layers that give one point each before smoothing."""
SURE, SHARE = 0.15, 0.3
"""Least probability of the best voxel of a layer with canal, and the share of it that its other voxels need."""
WIDEST_MM = 18.0
"""Voxels farther from the best one of their layer are something else."""
LONGEST_GAP_MM, FARTHEST_JUMP_MM = 30.0, 25.0
SMOOTH_MM = 10.0
SHORTEST_MM = 20.0
CHUNK = 4096
"""Positions that are compared with the whole canal at once: a whole scan would take gigabytes."""


@dataclass(frozen=True)
class Canal:
    """Points (S,3) RAS mm, STEP_MM apart and from below upwards, with unit vectors (S,3) along the canal (`up`) and
    across it to the patient's right and front as the world's axes say; `up`, `right` and `anterior` are at right
    angles."""

    points_ras: np.ndarray
    up: np.ndarray
    right: np.ndarray
    anterior: np.ndarray

    @property
    def length_mm(self) -> float:
        return (len(self.points_ras) - 1) * STEP_MM

    def heights_mm(self, positions_ras: np.ndarray) -> np.ndarray:
        """How far along the canal (N,), from its lower end, the plane across it lies that holds each position (N,3)."""
        positions = np.asarray(positions_ras, np.float64)
        parts = [self._heights_mm(positions[n : n + CHUNK]) for n in range(0, len(positions), CHUNK)]
        return np.concatenate(parts) if parts else np.empty(0)

    def _heights_mm(self, positions: np.ndarray) -> np.ndarray:
        middle = self.points_ras.mean(axis=0)
        places, points = positions - middle, self.points_ras - middle
        along = places @ self.up.T - (points * self.up).sum(axis=1)
        squares = (places**2).sum(axis=1)[:, None] + (points**2).sum(axis=1) - 2 * places @ points.T
        # Planes of a bent canal meet far from it: of several that hold a place, the one of the nearest point counts.
        nearest = np.argmin(np.abs(along) + 0.1 * np.sqrt(np.maximum(squares, 0)), axis=1)
        rest = along[np.arange(len(nearest)), nearest]
        return np.clip(nearest * STEP_MM + np.clip(rest, -STEP_MM, STEP_MM), 0, self.length_mm)

    def places_ras(self, heights_mm, anterior_mm=0.0, right_mm=0.0) -> np.ndarray:
        """Positions (N,3) at heights along the canal (N,), so far in front of it and to its right."""
        at = np.asarray(heights_mm, np.float64) / STEP_MM
        grid = np.arange(len(self.points_ras))

        def there(values: np.ndarray) -> np.ndarray:
            return np.stack([np.interp(at, grid, axis) for axis in values.T], axis=1)

        ahead, aside = np.broadcast_to(anterior_mm, at.shape), np.broadcast_to(right_mm, at.shape)
        return there(self.points_ras) + ahead[:, None] * there(self.anterior) + aside[:, None] * there(self.right)

    def rolled(self, angle: float) -> Canal:
        """The same line with its directions turned about it by an angle in radians, right towards the front."""
        cosine, sine = np.cos(angle), np.sin(angle)
        right = cosine * self.right + sine * self.anterior
        return Canal(self.points_ras, self.up, right, cosine * self.anterior - sine * self.right)


def find_canal(positions_ras: np.ndarray, probabilities: np.ndarray) -> Canal | None:
    """The canal from RAS positions (N,3) of voxels and the probability (N,) that each is in it; None where too little
    of it is seen. The patient may lie tilted by less than half a right angle."""
    points = _longest_chain(_layer_middles(positions_ras, probabilities))
    return None if points is None else centreline(points)


def _layer_middles(positions_ras: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Middle (n,3) of the canal in every layer that shows it, and its weight: (n,4), from below upwards."""
    likely = probabilities > SHARE * SURE
    positions, weights = positions_ras[likely], probabilities[likely]
    layers = np.floor(positions[:, 2] / LAYER_MM).astype(int)
    middles = []
    for layer in np.unique(layers):
        here, weight = positions[layers == layer], weights[layers == layer]
        best = np.argmax(weight)
        if weight[best] < SURE:
            continue
        near = (weight > SHARE * weight[best]) & (np.linalg.norm(here - here[best], axis=1) < WIDEST_MM)
        middles.append([*np.average(here[near], axis=0, weights=weight[near] ** 2), weight[near].sum()])
    return np.reshape(middles, (-1, 4))


def _longest_chain(middles: np.ndarray) -> np.ndarray | None:
    """Of chains of middles without gap or jump, the points (n,3) of the one with most weight."""
    if len(middles) < 2:
        return None
    step = np.diff(middles[:, :3], axis=0)
    broken = (step[:, 2] > LONGEST_GAP_MM) | (np.linalg.norm(step[:, :2], axis=1) > FARTHEST_JUMP_MM)
    chains = np.split(middles, np.flatnonzero(broken) + 1)
    chain = max(chains, key=lambda one: one[:, 3].sum())
    return chain[:, :3] if np.ptp(chain[:, 2]) >= SHORTEST_MM else None


def centreline(points_ras: np.ndarray) -> Canal:
    """A smooth line through rough points (n,3) that rise in S, without a bend for single ones that lie aside."""
    heights = points_ras[:, 2]
    fine = np.arange(heights[0], heights[-1] + 1e-6, 1.0)
    steady = [ndimage.median_filter(points_ras[:, axis], 5, mode="nearest") for axis in (0, 1)]
    line = np.stack([*(_smooth(np.interp(fine, heights, one)) for one in steady), fine], axis=1)
    arc = np.r_[0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))]
    points = np.stack([np.interp(np.arange(0, arc[-1], STEP_MM), arc, axis) for axis in line.T], axis=1)
    up = np.stack([ndimage.gaussian_filter1d(axis, 3, mode="nearest") for axis in np.gradient(points, axis=0).T], 1)
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    right = np.array([1.0, 0.0, 0.0]) - up[:, :1] * up
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    return Canal(points, up, right, np.cross(up, right))


def _smooth(values: np.ndarray) -> np.ndarray:
    """Gaussian smoothing of one value per mm that keeps the direction at both ends."""
    reach = min(int(4 * SMOOTH_MM), len(values) - 1)
    before, after = 2 * values[0] - values[reach:0:-1], 2 * values[-1] - values[-2 : -reach - 2 : -1]
    return ndimage.gaussian_filter1d(np.r_[before, values, after], SMOOTH_MM)[reach : reach + len(values)]
