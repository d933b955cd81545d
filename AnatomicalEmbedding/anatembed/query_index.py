"""Finding named structures in an embedding map, and naming a place; NumPy only.

The score of a concept at a voxel is its language logit, lowered where the voxel's own body coordinate lies far from
where the concept is found in people (the left kidney's look-alike on the right is not a left kidney), and where a
structure that excludes it scores higher (the edge of the liver is not kidney).
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from anatembed.embedding_map import EmbeddingMap
from anatembed.geometry import transform_points
from anatembed.readout import Readout, sigmoid

PLACE_WEIGHT = 0.5
"""Weight of the Gaussian log-likelihood of the body coordinate beside the language logit."""
FREE_DISTANCE = 4.0
"""Squared Mahalanobis distance within which a place is as good as any: people differ."""
SMOOTHING_VOXELS = 0.8
FLOOR_LOGIT = -20.0
STRONGEST = 8
"""Concepts per voxel that are kept as possible rivals; a structure has at most a few compatible ones."""
CHUNK = 16384


@dataclass(frozen=True)
class Hit:
    """A place where a structure was found: RAS mm, and its score in 0..1."""

    position_ras: np.ndarray
    score: float
    concept_id: str


@dataclass(frozen=True)
class Search:
    """Hits of one concept, best first; `found` is false when the calibrated presence is below the threshold."""

    concept_id: str
    found: bool
    presence: float
    hits: list[Hit]


class QueryIndex:
    """An embedding map prepared for queries; ValueError if the map was made by another model."""

    def __init__(self, embedding_map: EmbeddingMap, readout: Readout, encoder_id: str):
        if embedding_map.encoder_id != encoder_id:
            raise ValueError(
                f"this map was made by the model {embedding_map.encoder_id}, the model in use is {encoder_id}: "
                "embed the scan again"
            )
        self.map, self.readout = embedding_map, readout

    @cached_property
    def _latents(self) -> np.ndarray:
        return self.map.latents(self.map.body_kji)

    @cached_property
    def _unit_features(self) -> np.ndarray:
        return self.readout.unit_features(self._latents)

    @cached_property
    def _coordinates(self) -> np.ndarray:
        return self.readout.body_coordinates(self._latents)

    @cached_property
    def _strongest(self) -> tuple[np.ndarray, np.ndarray]:
        """Indices and logits (STRONGEST,N) of the concepts that score highest at each voxel of the body."""
        unit = self._unit_features
        amount = min(STRONGEST, len(self.readout.concept_ids) - 1)
        indices = np.empty((amount, len(unit)), np.int16)
        values = np.empty((amount, len(unit)), np.float32)
        for start in range(0, len(unit), CHUNK):
            logits = self.readout.logits(unit[start : start + CHUNK])
            best = np.argpartition(-logits, amount, axis=1)[:, :amount]
            indices[:, start : start + CHUNK] = best.T
            values[:, start : start + CHUNK] = np.take_along_axis(logits, best, axis=1).T
        return indices, values

    def _rival_logits(self, concept: int) -> np.ndarray:
        """Logit (N,) of the strongest concept that excludes this one, below any score where there is none."""
        handicap = np.where(self.readout.compatible[concept] == 0, 0, 2 * FLOOR_LOGIT).astype(np.float32)
        rival = np.full(len(self._unit_features), 2 * FLOOR_LOGIT, np.float32)
        for indices, values in zip(*self._strongest, strict=True):
            np.maximum(rival, values + handicap[indices], out=rival)
        return rival

    def similarity_kji(self, vector: np.ndarray) -> np.ndarray:
        """Cosine with a unit vector (E,) of the language space: float32 (K,J,I), -1 outside the body."""
        field = np.full(self.map.shape_kji, -1, np.float32)
        field[self.map.body_kji] = self._unit_features @ np.asarray(vector, np.float32)
        return field

    def logit_kji(self, concept_id: str) -> np.ndarray:
        """Score of a concept as smoothed log-odds: float32 (K,J,I), FLOOR_LOGIT outside the body."""
        concept = self.readout.index(concept_id)
        logits = self.readout.logits(self._unit_features, concept)
        far = np.maximum(self.readout.misplacement(self._coordinates, concept) - FREE_DISTANCE, 0)
        logits = logits - PLACE_WEIGHT * 0.5 * far
        logits -= np.logaddexp(0, self._rival_logits(concept) - logits)  # odds times the probability to beat the rival
        field = np.full(self.map.shape_kji, FLOOR_LOGIT, np.float32)
        field[self.map.body_kji] = np.maximum(logits, FLOOR_LOGIT)
        return field

    def probability_kji(self, concept_id: str) -> np.ndarray:
        """Probability of a concept, smoothed by about half a voxel: float32 (K,J,I), 0 outside the body."""
        probability = ndimage.gaussian_filter(sigmoid(self.logit_kji(concept_id)), SMOOTHING_VOXELS, truncate=2.5)
        return np.where(self.map.body_kji, probability, 0).astype(np.float32)

    def search(self, concept_id: str, k: int = 5) -> Search:
        """The `k` best places of a concept, without overlap; ValueError if the model has not learnt it."""
        probability = self.probability_kji(concept_id)
        presence = self.presence(concept_id, probability)
        hits = self._hits(probability, concept_id, k)
        return Search(concept_id, bool(hits) and presence >= self.readout.presence_threshold, presence, hits)

    def presence(self, concept_id: str, probability_kji: np.ndarray) -> float:
        """Calibrated probability that the structure is in the scan."""
        evidence = self.evidence(concept_id, probability_kji)
        evidence[:2] -= self.readout.typical_evidence[self.readout.index(concept_id)]
        weights = self.readout.presence
        return float(sigmoid(weights[0] + evidence @ weights[1:]))

    def evidence(self, concept_id: str, probability_kji: np.ndarray) -> np.ndarray:
        """What speaks for presence (3,): log-odds of the best place, log of the expected voxels, and how far the
        nearest body coordinate in the scan is from where the structure belongs (Mahalanobis, capped at 6)."""
        peak = float(np.clip(probability_kji.max(initial=0), 1e-7, 1 - 1e-7))
        volume = float(probability_kji.sum())
        if not len(self._coordinates):
            return np.array([np.log(1e-7), np.log(1e-3), 6.0])
        expected = self.readout.misplacement(self._coordinates[::4], self.readout.index(concept_id)).min()
        return np.array([np.log(peak / (1 - peak)), np.log(volume + 1e-3), min(6.0, float(np.sqrt(max(expected, 0))))])

    def _hits(self, probability: np.ndarray, concept_id: str, k: int) -> list[Hit]:
        """Separate regions above half of the best probability, then of what is left; each gives its middle."""
        # Nothing below a twentieth of the best takes part, so only the box around the rest is worked on.
        box = ndimage.find_objects((probability >= 0.05 * probability.max()).view(np.uint8))[0]
        corner_kji = np.array([part.start for part in box])
        left = probability[box].copy()
        # Only a place that was a peak from the start can be a hit: the fringe of a region that was taken is not.
        peaks = left == ndimage.maximum_filter(left, 3)
        hits: list[Hit] = []
        while len(hits) < k:
            peak = np.unravel_index(np.argmax(left * peaks), left.shape)
            best = float(left[peak] * peaks[peak])
            # The first is given whatever its score: whether it counts is for `presence` to say.
            if best <= 0 or (hits and best < max(0.02, 0.1 * hits[0].score)):
                break
            regions, _ = ndimage.label(left > 0.5 * best, structure=np.ones((3, 3, 3)))
            region = regions == regions[peak]
            kji = self._middle(left, region) + corner_kji
            hits.append(Hit(transform_points(self.map.ijk_to_ras, kji[::-1]), best, concept_id))
            left[ndimage.binary_dilation(region, iterations=2)] = 0
        return hits

    @staticmethod
    def _middle(probability: np.ndarray, region: np.ndarray) -> np.ndarray:
        """The weighted centroid in voxels (3,), or the most probable voxel near it when the region curves around it."""
        kji = np.argwhere(region)
        weights = probability[region].astype(np.float64)
        centroid = (kji * weights[:, None]).sum(axis=0) / weights.sum()
        nearest = np.rint(centroid).astype(int)
        if not region[tuple(nearest)] or probability[tuple(nearest)] < 0.7 * weights.max():
            sure = weights >= 0.7 * weights.max()
            distances = np.linalg.norm(kji[sure] - centroid, axis=1)
            centroid = kji[sure][np.argmin(distances)]
        return np.asarray(centroid, np.float64)

    def describe(self, position_ras: np.ndarray, k: int = 5) -> list[tuple[str, float]]:
        """The `k` most probable concepts at a RAS position; ValueError outside the scan."""
        probabilities = self.name_probabilities(np.atleast_2d(position_ras))[0]
        order = np.argsort(probabilities)[::-1][:k]
        return [(self.readout.concept_ids[i], float(probabilities[i])) for i in order]

    def name_probabilities(self, positions_ras: np.ndarray) -> np.ndarray:
        """Probability of every concept at RAS positions (N,3): (N,K)."""
        latents = self.map.sample(positions_ras)
        logits = self.readout.logits(self.readout.unit_features(latents))
        coordinates = self.readout.body_coordinates(latents)
        far = np.stack([self.readout.misplacement(coordinates, c) for c in range(logits.shape[1])], axis=1)
        return sigmoid(logits - PLACE_WEIGHT * 0.5 * np.maximum(far - FREE_DISTANCE, 0))
