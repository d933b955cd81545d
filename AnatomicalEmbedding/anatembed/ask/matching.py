"""The same place in another scan: nearest code, held together by what the places around it say; NumPy only.

Single nearest neighbours go astray, their neighbours do not all go the same way. So a few hundred places of the first
scan (anchors) are matched there and back; those that return to where they came from fit a local affine map around
each asked point, robustly (iteratively reweighted least squares), and a voxel pays for its distance from there.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from anatembed.geometry import transform_points
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.model.readout import Readout

KINDS = ("latent", "names and place", "place")
PLACE_WEIGHT = 0.5
"""Weight of body coordinates (units of 100 mm) beside language features of unit length."""
ANCHORS = 300
RELIABLE_MM = 20.0
"""Standard deviation of the round trip with which an anchor, or a match, is still to be trusted."""
REACH_MM = 60.0
"""Standard deviation of the distance over which anchors speak for a point."""
RIDGE_MM = 20.0
"""Draws the local affine map towards translation."""
OUTLIER_MM = 20.0
FAR_PENALTY = 3e-4
"""Added to the squared distance of codes for each squared mm from where the anchors point."""
MIN_ANCHORS = 8.0
NEIGHBOURHOOD_MM = 9.0
CHUNK = 256


@dataclass(frozen=True)
class Match:
    """Where points of one scan lie in another: RAS mm (N,3); confidence (N,) in 0..1 from the distance (N,) in mm
    between a point and what its match leads back to."""

    positions_ras: np.ndarray
    confidence: np.ndarray
    round_trip_mm: np.ndarray


class Matcher:
    """Two maps of one model, ready for many points.

    kind: "latent" (cosine of latents), "names and place" (language features and body coordinates) or "place" (body
    coordinates). anchors: how many places of the first scan speak for the surroundings, 0 for plain nearest codes.
    ValueError for maps of two models, a map without body, or an unknown kind.
    """

    def __init__(
        self,
        query_map: EmbeddingMap,
        target_map: EmbeddingMap,
        readout: Readout | None,
        *,
        kind: str = "latent",
        anchors: int = ANCHORS,
    ):
        if query_map.encoder_id != target_map.encoder_id:
            raise ValueError(
                f"expected two maps of one model, got {query_map.encoder_id} and {target_map.encoder_id}: "
                "embed one of the scans again"
            )
        if kind not in KINDS:
            raise ValueError(f"expected one of {', '.join(KINDS)}, got {kind!r}")
        self.query, self.target = (_Side(m, readout, kind) for m in (query_map, target_map))
        self.anchors = anchors

    def __call__(self, positions_ras) -> Match:
        """The match of RAS positions (N,3), with no confidence outside the body; ValueError outside the scan."""
        positions = np.atleast_2d(np.asarray(positions_ras, np.float64))
        found = np.empty((len(positions), 3))
        for n, (position, code) in enumerate(zip(positions, self.query.at(positions), strict=True)):
            cost = self.target.square_distances(code[None])[0]
            expected = expected_place(position, *self._anchors)
            if expected is not None:
                cost += FAR_PENALTY * np.square(self.target.positions - expected).sum(axis=1)
            found[n] = refined(cost, self.target.positions)
        # The way back does without anchors: these would confirm themselves.
        back = self.query.positions[self.query.nearest(self.target.at(found))]
        trip = np.linalg.norm(back - positions, axis=1)
        inside = self.query.map.inside_body(positions)
        return Match(found, np.where(inside, reliability(trip), 0.0), trip)

    @cached_property
    def _anchors(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Positions (M,3) in the first scan, in the second, and how reliable they are (M,)."""
        amount = min(self.anchors, len(self.query.codes))
        chosen = np.random.default_rng(0).choice(len(self.query.codes), amount, replace=False)
        there = self.target.nearest(self.query.codes[chosen])
        back = self.query.nearest(self.target.codes[there])
        start = self.query.positions[chosen]
        trip = np.linalg.norm(self.query.positions[back] - start, axis=1)
        return start, self.target.positions[there], reliability(trip)


class _Side:
    """The body voxels of a map: codes (V,C) and RAS positions (V,3)."""

    def __init__(self, embedding_map: EmbeddingMap, readout: Readout | None, kind: str):
        if not embedding_map.body_kji.any():
            raise ValueError("expected a scan with a body in it, got only air")
        self.map, self.readout, self.kind = embedding_map, readout, kind
        self.codes = codes(embedding_map.latents(embedding_map.body_kji), readout, kind)
        self.half_squares = 0.5 * np.square(self.codes).sum(axis=1)
        self.positions = transform_points(embedding_map.ijk_to_ras, np.argwhere(embedding_map.body_kji)[:, ::-1])

    def at(self, positions_ras: np.ndarray) -> np.ndarray:
        """Codes (N,C) at RAS positions within the scan."""
        return codes(self.map.sample(positions_ras), self.readout, self.kind)

    def square_distances(self, rows: np.ndarray) -> np.ndarray:
        """Squared distances (N,V) of codes (N,C) to every body voxel's."""
        return np.square(rows).sum(axis=1)[:, None] + 2 * (self.half_squares - rows @ self.codes.T)

    def nearest(self, rows: np.ndarray) -> np.ndarray:
        """Index (N,) of the body voxel with the nearest code."""
        found = np.empty(len(rows), int)
        for n in range(0, len(rows), CHUNK):
            found[n : n + CHUNK] = self.square_distances(rows[n : n + CHUNK]).argmin(axis=1)
        return found


def codes(latents: np.ndarray, readout: Readout | None, kind: str) -> np.ndarray:
    """What is compared, (N,D) float32, of latents (N,C); `readout` may be None for latents."""
    if kind == "latent":
        return latents / np.maximum(np.linalg.norm(latents, axis=1, keepdims=True), 1e-12)
    if readout is None:
        raise ValueError(f"expected a read-out to compare {kind}, got none")
    place = readout.body_coordinates(latents).astype(np.float32)
    if kind == "place":
        return place
    return np.concatenate([readout.unit_features(latents), PLACE_WEIGHT * place], axis=1)


def reliability(round_trip_mm: np.ndarray) -> np.ndarray:
    """1 for a match that leads back to its start, falling to 0 with the distance that it misses by."""
    return np.exp(-0.5 * np.square(round_trip_mm / RELIABLE_MM))


def expected_place(position: np.ndarray, start: np.ndarray, end: np.ndarray, weight: np.ndarray) -> np.ndarray | None:
    """Where the anchors (M,3 to M,3, weights M) say that a position (3,) goes, None if too few speak for it."""
    if not len(start):
        return None
    near = weight * np.exp(-0.5 * np.square(start - position).sum(axis=1) / REACH_MM**2)
    now = near
    for _ in range(5):
        total = now.sum()
        if total < MIN_ANCHORS / 2:
            return None
        middle, target = now @ start / total, now @ end / total
        x, y = start - middle, end - target
        ridge = RIDGE_MM**2 * np.eye(3)
        linear = np.linalg.solve((x.T * now) @ x / total + ridge, (x.T * now) @ y / total + ridge)
        miss = np.square(y - x @ linear).sum(axis=1)
        now = near / np.square(1 + miss / OUTLIER_MM**2)
    return target + (position - middle) @ linear


def refined(distance: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """The place (3,) of the smallest distance (V,), between voxels: the mean of those around it, near codes first."""
    best = distance.argmin()
    around = np.square(positions - positions[best]).sum(axis=1) <= NEIGHBOURHOOD_MM**2
    excess = distance[around] - distance[best]
    weight = np.exp(-excess / max(0.5 * float(np.median(excess)), 1e-12))
    return weight @ positions[around] / weight.sum()
