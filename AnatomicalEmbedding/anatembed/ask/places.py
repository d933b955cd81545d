"""Where a place in, at or beside a structure lies: its region in the scan, from the embedding alone.

The probability of the structure says how far it reaches, the anatomical coordinate which way is up; so a pole is a pole
in a scan that is turned, flipped or oblique, too.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from anatembed.ask.body_axes import BodyAxes, body_axes
from anatembed.ask.index import QueryIndex
from anatembed.geometry import spacing_mm, transform_points
from anatembed.language.query.place_phrase import BETWEEN, LEVEL, PART, PlacePhrase

SHARES = {"pole": 1 / 3, "third": 1 / 3, "half": 1 / 2, "tip": 1 / 5}
"""How much of the length of a structure, along the direction, its part is."""
EDGE = 0.3
"""Share of the best score down to which voxels belong to a structure."""
OUTLIERS = 0.01
"""Share of a structure at either end that does not count for how far it reaches."""
LEVEL_SHARE = 0.1
"""Share of a structure at either end that is left out of the height which it gives."""
THINNEST_LEVEL_MM = 10.0
BESIDE_MM, BESIDE_SPREAD_MM, BETWEEN_SPREAD_MM = 10.0, 8.0, 10.0
AXES = {"right": (0, 1), "left": (0, -1), "anterior": (1, 1), "posterior": (1, -1), "superior": (2, 1),
        "inferior": (2, -1)}
SIDES = ("left", "right")


@dataclass(frozen=True)
class Body:
    """Voxels of a structure: mask (K,J,I), their RAS positions (n,3) and weights (n,), which are scores."""

    mask_kji: np.ndarray
    positions_ras: np.ndarray
    weights: np.ndarray

    @property
    def middle_ras(self) -> np.ndarray:
        return np.average(self.positions_ras, axis=0, weights=self.weights)


class Places:
    """Regions in one embedded scan."""

    def __init__(self, index: QueryIndex):
        self._index, self._map = index, index.map

    def region_kji(self, concept_id: str, place: PlacePhrase, others: list[str]) -> np.ndarray:
        """Score in 0..1 of a place: float32 (K,J,I), all 0 where the structure does not reach it.

        others: learnt structures that are in the scan, for a level or the second one of "between".
        """
        probability = self._index.probability_kji(concept_id)
        if place.kind == PART:
            return self._part(probability, place)
        if place.kind == LEVEL:
            return self._level(probability, others)
        if place.kind == BETWEEN:
            return self._between(probability, self._index.probability_kji(others[0]))
        return self._beside(probability, place.directions)

    def body(self, probability_kji: np.ndarray) -> Body:
        """The connected region of a structure that holds its best place."""
        peak = np.unravel_index(np.argmax(probability_kji), probability_kji.shape)
        regions, _ = ndimage.label(probability_kji >= EDGE * probability_kji[peak], structure=np.ones((3, 3, 3)))
        mask = regions == regions[peak]
        return Body(mask, self._positions(mask), probability_kji[mask].astype(np.float64))

    def axes(self, around_ras: np.ndarray | None = None) -> BodyAxes:
        """The patient's axes near a RAS position (3,), of the whole body without one."""
        return body_axes(self._positions(self._map.body_kji), self._index.coordinates, around_ras)

    def _positions(self, mask_kji: np.ndarray) -> np.ndarray:
        return transform_points(self._map.ijk_to_ras, np.argwhere(mask_kji)[:, ::-1])

    def _part(self, probability_kji: np.ndarray, place: PlacePhrase) -> np.ndarray:
        body = self.body(probability_kji)
        positions_mm = self.axes(body.middle_ras).positions_mm(body.positions_ras)
        along = part_position(positions_mm, body.weights, place.directions)
        region = np.zeros_like(probability_kji)
        region[body.mask_kji] = np.where(along >= 1 - SHARES[place.share], probability_kji[body.mask_kji], 0)
        return region

    def _level(self, probability_kji: np.ndarray, others: list[str]) -> np.ndarray:
        axes = self.axes()
        ends = []
        for other in others:
            body = self.body(self._index.probability_kji(other))
            ends.append(_ends(axes.positions_mm(body.positions_ras)[:, 2], body.weights, LEVEL_SHARE))
        low, high = np.mean(ends, axis=0)
        middle, half = (low + high) / 2, max(high - low, THINNEST_LEVEL_MM) / 2
        heights = axes.positions_mm(self._positions(self._map.body_kji))[:, 2]
        region = np.zeros_like(probability_kji)
        region[self._map.body_kji] = np.where(
            np.abs(heights - middle) <= half, probability_kji[self._map.body_kji], 0)
        return region if region.max() >= EDGE * probability_kji.max() else np.zeros_like(region)

    def _between(self, first_kji: np.ndarray, second_kji: np.ndarray) -> np.ndarray:
        """High near the shortest ways from one structure to the other, and in the middle of these."""
        one, other = (self._distance(self.body(field).mask_kji) for field in (first_kji, second_kji))
        total = one + other
        detour = total - total[self._map.body_kji].min()
        # Touching structures leave no voxel between them: within a voxel of both counts as the middle.
        balance = 1 - ((one - other) / (total + 2 * float(np.max(self._spacing)))) ** 2
        score = np.exp(-detour / BETWEEN_SPREAD_MM) * balance
        return np.where(self._map.body_kji, score, 0).astype(np.float32)

    def _beside(self, probability_kji: np.ndarray, directions: tuple[str, ...]) -> np.ndarray:
        """High about a centimetre outside a structure, in the direction as seen from its nearest voxel, and highest
        straight on from its middle."""
        body = self.body(probability_kji)
        nearest = ndimage.distance_transform_edt(
            ~body.mask_kji, sampling=self._spacing, return_distances=False, return_indices=True)
        away_kji = (np.indices(body.mask_kji.shape) - nearest)[:, self._map.body_kji].T
        away = away_kji[:, ::-1] @ self._map.ijk_to_ras[:3, :3].T
        distance = np.linalg.norm(away, axis=1)
        score = np.exp(-0.5 * ((distance - BESIDE_MM) / BESIDE_SPREAD_MM) ** 2) * (distance > 0)
        axes = self.axes(body.middle_ras)
        for direction in directions:
            towards = _towards(direction, axes, body)
            score *= np.maximum(away @ towards / np.maximum(distance, 1e-6), 0) ** 2
            score *= _straight_on(self._positions(self._map.body_kji), towards, body)
        region = np.zeros_like(probability_kji)
        region[self._map.body_kji] = score
        return region

    @property
    def _spacing(self) -> np.ndarray:
        """Distance of voxels along K, J and I in mm."""
        return np.asarray(spacing_mm(self._map.ijk_to_ras))[::-1]

    def _distance(self, mask_kji: np.ndarray) -> np.ndarray:
        return ndimage.distance_transform_edt(~mask_kji, sampling=self._spacing)


def part_position(positions_mm: np.ndarray, weights: np.ndarray, directions: tuple[str, ...]) -> np.ndarray:
    """How far along its directions each voxel of a structure lies: (n,), 0 at the near end and 1 at the far end.

    positions_mm: (n,3) right, anterior and superior of the patient, 0 for right being the midline. weights: (n,).
    Several directions count alike, whatever the structure's length along them; but what is right or left of its middle
    is never a part of its other half, however far up or forward it lies.
    """
    along = {direction: _along(positions_mm, weights, direction) for direction in directions}
    side = next((values for one, values in along.items() if one in SIDES and len(along) > 1), np.ones(len(weights)))
    position, half = np.zeros(len(weights)), side >= 0.5
    position[half] = _normalised(sum(along.values(), np.zeros(len(weights)))[half], weights[half])
    return position


def _along(positions_mm: np.ndarray, weights: np.ndarray, direction: str) -> np.ndarray:
    if direction == "middle":
        lengths = [np.subtract(*_ends(axis, weights)[::-1]) for axis in positions_mm.T]
        return 1 - np.abs(2 * _normalised(positions_mm[:, int(np.argmax(lengths))], weights) - 1)
    if direction in ("medial", "lateral"):
        from_midline = np.abs(positions_mm[:, 0])
        return _normalised(from_midline if direction == "lateral" else -from_midline, weights)
    axis, sign = AXES[direction]
    return _normalised(sign * positions_mm[:, axis], weights)


def _towards(direction: str, axes: BodyAxes, body: Body) -> np.ndarray:
    """Unit vector in RAS (3,) of a direction as seen from a structure."""
    if direction in ("medial", "lateral"):
        side = np.sign(axes.positions_mm(body.middle_ras[None])[0, 0]) or 1.0
        return axes.axes[0] * (side if direction == "lateral" else -side)
    axis, sign = AXES[direction]
    return sign * axes.axes[axis]


def _straight_on(positions_ras: np.ndarray, towards: np.ndarray, body: Body) -> np.ndarray:
    """How near RAS positions (N,3) lie to the line through the middle of a structure, by its own thickness: (N,)."""
    def squares(positions: np.ndarray) -> np.ndarray:
        offset = positions - body.middle_ras
        return (offset**2).sum(axis=1) - (offset @ towards) ** 2

    thickness = np.average(squares(body.positions_ras), weights=body.weights)
    return np.exp(-0.5 * squares(positions_ras) / max(thickness, BESIDE_SPREAD_MM**2))


def _normalised(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    low, high = _ends(values, weights)
    return (values - low) / max(high - low, 1e-6)


def _ends(values: np.ndarray, weights: np.ndarray, outliers: float = OUTLIERS) -> tuple[float, float]:
    """Weighted quantiles: where values begin and end, without outliers."""
    order = np.argsort(values)
    share = np.cumsum(weights[order]) / weights.sum()
    low, high = np.searchsorted(share, (outliers, 1 - outliers))
    return float(values[order[low]]), float(values[order[min(high, len(order) - 1)]])
