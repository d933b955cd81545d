"""Finding named structures in an embedding map, and naming a place; NumPy only.

The score of a concept at a voxel is its language logit, lowered where the voxel's own body coordinate lies far from
where the concept is found in people (the left kidney's look-alike on the right is not a left kidney) or the scan has
HU that the concept never has (the fat around a kidney is not kidney), against those of all structures that exclude it,
each judged in the same way (the edge of the liver is not kidney). Scores only rank places. What is said about them are
two calibrated probabilities: that the structure is in the scan (`presence`, which alone decides whether it counts as
found) and that a place lies within 10 mm of it (`confidence`).
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from anatembed.geometry import transform_points
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.model.readout import Readout, log_odds, sigmoid

PLACE_WEIGHT = 0.5
"""Weight of the Gaussian log-likelihood of the body coordinate beside the language logit."""
FREE_DISTANCE = 4.0
"""Squared Mahalanobis distance within which a place is as good as any: people differ."""
SMOOTHING_VOXELS = 0.8
FLOOR_LOGIT = -20.0
STRONGEST = 8
"""Concepts per voxel that are kept as possible rivals; a structure has at most a few compatible ones."""
CHUNK = 16384
SURE_MIDDLE = 0.9
"""Share of the best probability that the middle of a place must have; what is bent has its own beside it."""
PART_MIDDLE = 0.7
"""The same for a part of a structure: its middle counts for more than its surest voxel, which is the organ's."""


@dataclass(frozen=True)
class Hit:
    """A place where a structure was found: RAS mm; `confidence` that it lies within 10 mm of the structure, and
    `presence`, that the structure is in the scan, are calibrated probabilities, the first never above the second.

    label: the name to show ("right kidney", "upper pole of right kidney"). concept_id is empty for words that are no
    known name and were only compared with the image. basis: how the place was found, where not by its look ("counted
    from the last rib"); caution: sentences on what is doubtful about it.
    """

    position_ras: np.ndarray
    confidence: float
    concept_id: str
    presence: float = 1.0
    label: str = ""
    basis: str = ""
    caution: str = ""


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
    def unit_features(self) -> np.ndarray:
        """Language features (N,E) of the voxels of the body, in array order."""
        return self.readout.unit_features(self._latents)

    @cached_property
    def coordinates(self) -> np.ndarray:
        """Body coordinates (N,3) of the voxels of the body, in array order, units of 100 mm."""
        return self.readout.body_coordinates(self._latents)

    @cached_property
    def strongest(self) -> tuple[np.ndarray, np.ndarray]:
        """Indices and odds (STRONGEST,N) of the concepts that score highest at each voxel of the body."""
        unit = self.unit_features
        amount = min(STRONGEST, len(self.readout.concept_ids))
        indices = np.empty((amount, len(unit)), np.int16)
        odds = np.empty((amount, len(unit)), np.float32)
        hu = self._hu
        for start in range(0, len(unit), CHUNK):
            part = slice(start, start + CHUNK)
            logits = self._placed_logits(unit[part], self.coordinates[part], None if hu is None else hu[part])
            best = np.argpartition(-logits, amount - 1, axis=1)[:, :amount]
            indices[:, part] = best.T
            odds[:, part] = self.readout.odds(np.take_along_axis(logits, best, axis=1).T)
        return indices, odds

    @property
    def named(self) -> tuple[np.ndarray, np.ndarray]:
        """Indices and odds (STRONGEST,N) by which the voxels of the body are named."""
        return self.strongest

    def number_of(self, concept_id: str) -> tuple[str, str]:
        """How the number of a concept is known, and what is doubtful about it: here nothing has a number."""
        return "", ""

    def alike(self, concept_id: str) -> list[int]:
        """Columns of what the network may call a concept: here only its own."""
        return [self.readout.index(concept_id)]

    @cached_property
    def _hu(self) -> np.ndarray | None:
        """Mean HU (N,) of the voxels of the body; None for a map without."""
        return None if self.map.hu_kji is None else self.map.hu_kji[self.map.body_kji].astype(np.float32)

    def _placed_logits(self, unit_features: np.ndarray, coordinates: np.ndarray, hu: np.ndarray | None) -> np.ndarray:
        """Language logits (N,K) of all concepts, lowered where a concept is out of place or of another tissue."""
        far = np.maximum(self.readout.misplacements(coordinates) - FREE_DISTANCE, 0)
        logits = self.readout.logits(unit_features) - PLACE_WEIGHT * 0.5 * far
        return logits if hu is None else logits - self.readout.tissue_costs(hu)

    def _rival_odds(self, concept: int) -> np.ndarray:
        """Sum (N,) of the odds of the strongest concepts that exclude this one."""
        total = np.zeros(len(self.unit_features), np.float32)
        for indices, odds in zip(*self.strongest, strict=True):
            total += self.readout.rivals[concept][indices] * odds
        return total

    def similarity_kji(self, vector: np.ndarray) -> np.ndarray:
        """Cosine with a unit vector (E,) of the language space: float32 (K,J,I), -1 outside the body."""
        field = np.full(self.map.shape_kji, -1, np.float32)
        field[self.map.body_kji] = self.unit_features @ np.asarray(vector, np.float32)
        return field

    def language_logits(self, concept_id: str) -> np.ndarray:
        """What the language head alone says about a concept: logits (N,) of the voxels of the body, in array order."""
        return self.readout.logits(self.unit_features, self.readout.index(concept_id))

    def logit_kji(self, concept_id: str) -> np.ndarray:
        """Score of a concept as log-odds: float32 (K,J,I), FLOOR_LOGIT outside the body."""
        concept = self.readout.index(concept_id)
        logits = self.language_logits(concept_id)
        far = np.maximum(self.readout.misplacement(self.coordinates, concept) - FREE_DISTANCE, 0)
        logits = logits - PLACE_WEIGHT * 0.5 * far
        if self._hu is not None:
            logits -= self.readout.tissue_costs(self._hu, concept)
        logits -= np.log1p(self._rival_odds(concept))  # against the rivals and against none of the learnt structures
        field = np.full(self.map.shape_kji, FLOOR_LOGIT, np.float32)
        field[self.map.body_kji] = np.maximum(logits, FLOOR_LOGIT)
        return field

    def probability_kji(self, concept_id: str) -> np.ndarray:
        """Score of a concept in 0..1 as it is shown: float32 (K,J,I), 0 outside the body."""
        return self.seen_kji(concept_id)

    def seen_kji(self, concept_id: str) -> np.ndarray:
        """What the network sees of a concept, 0..1, smoothed by about half a voxel: float32 (K,J,I), 0 outside the
        body."""
        probability = ndimage.gaussian_filter(sigmoid(self.logit_kji(concept_id)), SMOOTHING_VOXELS, truncate=2.5)
        return np.where(self.map.body_kji, probability, 0).astype(np.float32)

    def uncertainty_kji(self) -> np.ndarray:
        """How unsure the name of every voxel is: float32 (K,J,I), one less the probability of its best name.

        Near 1 where no learnt structure is likely, and 1 outside the body, of which the model says nothing.
        """
        temperature, none = self.readout.naming
        indices, odds = self.named
        odds = odds.astype(np.float64) ** (1 / temperature)
        best = np.zeros(odds.shape[1])
        for own, own_odds in zip(indices, odds, strict=True):
            rivals = sum(self.readout.rivals[own, other] * o for other, o in zip(indices, odds, strict=True))
            np.maximum(best, own_odds / (np.exp(none) + own_odds + rivals), out=best)
        field = np.ones(self.map.shape_kji, np.float32)
        field[self.map.body_kji] = 1 - best
        return field

    def search(self, concept_id: str, k: int = 5) -> Search:
        """The `k` best places of a concept, without overlap; ValueError if the model has not learnt it."""
        probability = self.seen_kji(concept_id)
        presence = self.presence(concept_id, probability)
        # Two at least: how sure the first is depends on the second.
        positions, scores = self.places(probability, max(k, 2))
        confidences = self.readout.hit_confidences(self.readout.index(concept_id), presence, scores)
        hits = [
            Hit(position, float(confidence), concept_id, presence)
            for position, confidence in zip(positions[:k], confidences[:k], strict=True)
        ]
        return Search(concept_id, bool(hits) and presence >= self.readout.presence_threshold, presence, hits)

    def presence(self, concept_id: str, probability_kji: np.ndarray) -> float:
        """Calibrated probability that the structure is in the scan."""
        evidence = self.evidence(concept_id, probability_kji)
        return float(self.readout.presences(self.readout.index(concept_id), evidence))

    def evidence(self, concept_id: str, probability_kji: np.ndarray) -> np.ndarray:
        """What speaks for presence (3,): log-odds of the best place, log of the expected voxels, and how far the
        nearest body coordinate in the scan is from where the structure belongs (Mahalanobis, capped at 6)."""
        peak = log_odds(probability_kji.max(initial=0))
        volume = float(probability_kji.sum())
        if not len(self.coordinates):
            return np.array([peak, np.log(1e-3), 6.0])
        expected = self.readout.misplacement(self.coordinates[::4], self.readout.index(concept_id)).min()
        return np.array([peak, np.log(volume + 1e-3), min(6.0, float(np.sqrt(max(expected, 0))))])

    def places(
        self, probability_kji: np.ndarray, k: int, sure: float = SURE_MIDDLE
    ) -> tuple[np.ndarray, np.ndarray]:
        """RAS positions (n,3) and scores (n,) of separate regions above half of the best score, then of what is left;
        each gives its middle, which has the share `sure` of its best score. At most `k`, best first."""
        # Nothing below a twentieth of the best takes part, so only the box around the rest is worked on.
        box = ndimage.find_objects((probability_kji >= 0.05 * probability_kji.max()).view(np.uint8))[0]
        corner_kji = np.array([part.start for part in box])
        left = probability_kji[box].copy()
        # Only a place that was a peak from the start can be a hit: the fringe of a region that was taken is not.
        peaks = left == ndimage.maximum_filter(left, 3)
        middles: list[np.ndarray] = []
        scores: list[float] = []
        while len(scores) < k:
            peak = np.unravel_index(np.argmax(left * peaks), left.shape)
            best = float(left[peak] * peaks[peak])
            # The first is given whatever its score: whether it counts is for `presence` to say.
            if best <= 0 or (scores and best < max(0.02, 0.1 * scores[0])):
                break
            regions, _ = ndimage.label(left > 0.5 * best, structure=np.ones((3, 3, 3)))
            region = regions == regions[peak]
            middles.append(self._middle(left, region, sure) + corner_kji)
            scores.append(best)
            left[ndimage.binary_dilation(region, iterations=2)] = 0
        positions_ijk = np.reshape(middles, (-1, 3))[:, ::-1]
        return transform_points(self.map.ijk_to_ras, positions_ijk), np.array(scores)

    @staticmethod
    def _middle(probability: np.ndarray, region: np.ndarray, sure: float) -> np.ndarray:
        """The weighted centroid in voxels (3,), or the nearest voxel that is sure when the region curves around it."""
        kji = np.argwhere(region)
        weights = probability[region].astype(np.float64)
        centroid = (kji * weights[:, None]).sum(axis=0) / weights.sum()
        nearest = np.rint(centroid).astype(int)
        if not region[tuple(nearest)] or probability[tuple(nearest)] < sure * weights.max():
            surest = kji[weights >= sure * weights.max()]
            centroid = surest[np.argmin(np.linalg.norm(surest - centroid, axis=1))]
        return np.asarray(centroid, np.float64)

    def name_probabilities(self, positions_ras: np.ndarray) -> np.ndarray:
        """Calibrated probability of every concept at RAS positions (N,3): (N,K); at most 1 together for those that
        exclude each other."""
        return self.readout.name_probabilities(self.name_logits(positions_ras))

    def name_logits(self, positions_ras: np.ndarray) -> np.ndarray:
        """Scores of every concept at RAS positions (N,3) before calibration, with its place and without rivals."""
        latents = self.map.sample(positions_ras)
        hu = self.map.sample_hu(positions_ras)
        return self._placed_logits(self.readout.unit_features(latents), self.readout.body_coordinates(latents), hu)

