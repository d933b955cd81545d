"""What the latent code of a voxel means: names, body coordinates and colours; NumPy only."""
from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

import numpy as np

MOST_EVIDENCE, MOST_MARGIN = 6.0, 3.0
"""Where evidence for a hit and its margin (log-odds) are cut off; a hit without competitor has the full margin."""
TISSUE_SD_HU, MOST_TISSUE_COST = 15.0, 8.0
"""How fast a place becomes improbable below the HU that a structure is seen with, and at most by how much (log)."""
LARGEST_EXPONENT = 80.0
"""Where exp() is cut off: 1,000 such odds still add up in float32."""
UNFITTED_HIT = (2.0, 0.0, 1.0, 0.0)
"""Of a model without calibrated hits: a place that is as clear as is usual for its structure counts as likely."""

NOT_FITTED = np.empty(0)
"""In place of the numbers, one a concept, that a model was not calibrated with: then they change nothing."""


@dataclass(frozen=True)
class Readout:
    """The trained heads of a model, applied to rows of latent codes (N,C).

    language (E,C) and vectors (K,E, unit length): probability of concept k = sigmoid(scale * cosine + bias), SigLIP.
    coordinate_layers: two (weight, bias) pairs with a ReLU between: latent to the body frame (units of 100 mm, RAS
    axes of the reference person, origin at its twelfth thoracic vertebra).
    body_mean (K,3), body_covariance (K,3,3): where each concept lies in the body frame over the training set.
    compatible (K,K): 1 where two concepts may both be true of a voxel (a whole and its part), else they are rivals.
    typical_evidence (K,2): usual `QueryIndex.evidence` of the concept where it is present: small structures never
    score as high as large ones. presence (4,): logistic regression from the evidence, less what is typical, to "this
    structure is in the scan", for one who asks for what is there as often as for what is not; presence_threshold: from
    where on it counts as found.
    hit (4,) and hit_offsets (K,): logistic regression from `hit_evidence` to "this place is within 10 mm of
    the structure" for structures that are in the scan; its constant differs by the offset of the concept.
    naming (2,): temperature of the logits, and the log-odds of "none of the learnt structures", for names of places.
    lowest_hu (K,): lowest HU that is usual inside the concept, -inf if any is: fat and air are no kidney.
    """

    concept_ids: tuple[str, ...]
    language: np.ndarray
    vectors: np.ndarray
    scale: float
    bias: float
    coordinate_layers: tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
    body_mean: np.ndarray
    body_covariance: np.ndarray
    compatible: np.ndarray
    typical_evidence: np.ndarray
    presence: np.ndarray
    presence_threshold: float
    hit: np.ndarray = field(default_factory=lambda: np.array(UNFITTED_HIT))
    hit_offsets: np.ndarray = field(default_factory=lambda: NOT_FITTED)
    naming: np.ndarray = field(default_factory=lambda: np.array([1.0, 0.0]))
    lowest_hu: np.ndarray = field(default_factory=lambda: NOT_FITTED)

    def __post_init__(self):
        for name, neutral in (("hit_offsets", 0.0), ("lowest_hu", -np.inf)):
            values, expected = getattr(self, name), (len(self.concept_ids),)
            if values is NOT_FITTED:
                object.__setattr__(self, name, np.full(expected, neutral))
            elif values.shape != expected:
                raise ValueError(f"expected {name} of shape {expected}, one a concept, got {values.shape}")

    @cached_property
    def space_id(self) -> str:
        """Names the language space: the same for a model whose answers were only calibrated again."""
        parts = (self.language, self.vectors, [self.scale, self.bias])
        return sha256(b"".join(np.asarray(part, np.float32).tobytes() for part in parts)).hexdigest()[:12]

    def index(self, concept_id: str) -> int:
        """Column of a concept; ValueError if the model has not learnt it."""
        try:
            return self.concept_ids.index(concept_id)
        except ValueError:
            raise ValueError(f"this model has not learnt {concept_id!r}; it knows {len(self.concept_ids)} structures")\
                from None

    def unit_features(self, latents: np.ndarray) -> np.ndarray:
        """Language embedding of unit length (N,E) of latents (N,C); a zero latent stays zero."""
        projected = np.asarray(latents, np.float32) @ self.language.T
        length = np.linalg.norm(projected, axis=1, keepdims=True)
        return projected / np.maximum(length, 1e-12)

    def logits(self, unit_features: np.ndarray, concept: int | slice = slice(None)) -> np.ndarray:
        """scale * cosine + bias: (N,) for one concept, (N,K) for all."""
        return self.scale * (unit_features @ self.vectors[concept].T) + self.bias

    def body_coordinates(self, latents: np.ndarray) -> np.ndarray:
        """Position in the body frame (N,3), units of 100 mm."""
        (first, first_bias), (second, second_bias) = self.coordinate_layers
        hidden = np.maximum(np.asarray(latents, np.float32) @ first.T + first_bias, 0)
        return hidden @ second.T + second_bias

    def misplacement(self, coordinates: np.ndarray, concept: int) -> np.ndarray:
        """Squared Mahalanobis distance (N,) of body coordinates (N,3) from where the concept is found."""
        precision = np.linalg.inv(self.body_covariance[concept]).astype(np.float32)
        # Axis by axis: a product of (N,3) with (3,3) takes NumPy ten times as long.
        r, a, s = (np.asarray(coordinates, np.float32) - self.body_mean[concept].astype(np.float32)).T.copy()
        cross = precision[0, 1] * r * a + precision[0, 2] * r * s + precision[1, 2] * a * s
        return precision[0, 0] * r * r + precision[1, 1] * a * a + precision[2, 2] * s * s + 2 * cross

    def misplacements(self, coordinates: np.ndarray) -> np.ndarray:
        """`misplacement` of all concepts: float32 (N,K)."""
        x = np.asarray(coordinates, np.float32)
        squares = np.stack([x[:, i] * x[:, j] for i, j in zip(*np.triu_indices(3), strict=True)], axis=1)
        return np.maximum(squares @ self._place_form[:6] + x @ self._place_form[6:9] + self._place_form[9], 0)

    @cached_property
    def _place_form(self) -> np.ndarray:
        """Coefficients float32 (10,K) of the squared distances as polynomials of xx, xy, xz, yy, yz, zz, x, y, z, 1."""
        precision = np.linalg.inv(self.body_covariance)
        slope = np.einsum("kij,kj->ki", precision, self.body_mean)
        rows = [precision[:, i, j] * (1 if i == j else 2) for i, j in zip(*np.triu_indices(3), strict=True)]
        rows += [*(-2 * slope.T), (slope * self.body_mean).sum(axis=1)]
        return np.array(rows, np.float32)

    def tissue_costs(self, hu: np.ndarray, concept: int | slice = slice(None)) -> np.ndarray:
        """What HU (N,) argue against one concept (N,) or all (N,K), to be taken from logits.

        Only too low ones do: contrast, calcium and consolidation make structures denser than they were ever seen.
        """
        hu = np.asarray(hu, np.float32)
        below = self.lowest_hu[concept].astype(np.float32) - (hu if np.isscalar(concept) else hu[:, None])
        return np.minimum(0.5 * np.square(np.maximum(below, 0) / TISSUE_SD_HU), MOST_TISSUE_COST)

    def odds(self, logits: np.ndarray) -> np.ndarray:
        """exp(logits), cut off where sums would overflow."""
        return np.exp(np.minimum(logits, LARGEST_EXPONENT))

    def name_probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Probability (N,K) of every name from logits (N,K): odds against none and all that exclude the concept.

        Of concepts that exclude each other, together at most 1; a whole and its part do not compete.
        """
        temperature, none = self.naming
        odds = self.odds(logits / temperature)
        return odds / (np.exp(none) + odds + odds @ self.rivals)

    @cached_property
    def rivals(self) -> np.ndarray:
        """float32 (K,K), symmetric: 1 where two concepts exclude each other."""
        return (self.compatible == 0).astype(np.float32)

    def presences(self, concept: int | np.ndarray, evidence: np.ndarray) -> np.ndarray:
        """Calibrated probability (...) that a structure is in the scan, from its `QueryIndex.evidence` (...,3)."""
        unusual = np.array(evidence, np.float64)
        unusual[..., :2] -= self.typical_evidence[concept]
        return sigmoid(self.presence[0] + unusual @ self.presence[1:])

    def hit_evidence(self, concept: int, presence: float, scores: np.ndarray) -> np.ndarray:
        """What speaks for each of the places of a concept with these scores (n,), best first: float (n,3).

        Log-odds of presence, log-odds of the score less what is usual for the concept, and the margin before the best
        other place.
        """
        own = log_odds(scores)
        evidence = np.empty((len(own), 3))
        evidence[:, 0], evidence[:, 1] = log_odds(presence), own - self.typical_evidence[concept, 0]
        evidence[:, 2] = own - np.where(np.arange(len(own)) == 0, own[1:2], own[:1]) if len(own) > 1 else MOST_MARGIN
        limits = np.array([MOST_EVIDENCE, MOST_EVIDENCE, MOST_MARGIN])
        return np.clip(evidence, -limits, limits)

    def hit_confidences(self, concept: int, presence: float, scores: np.ndarray) -> np.ndarray:
        """Probabilities (n,) that the structure is in the scan and within 10 mm of each place."""
        evidence = self.hit_evidence(concept, presence, scores)
        return presence * sigmoid(self.hit[0] + self.hit_offsets[concept] + evidence @ self.hit[1:])

    def colours(self, latents: np.ndarray) -> np.ndarray:
        """uint8 RGB (N,3) of the body position; the same place has the same colour in every patient.

        Height is lightness and left-right is blue against yellow, which survive the common colour blindnesses;
        front-back is the weak red-green axis.
        """
        right, anterior, superior = self.body_coordinates(latents).T
        right, anterior = np.clip(right / 1.7, -1, 1), np.clip(anterior / 1.2, -1, 1)
        light = 0.5 + 0.34 * np.tanh(superior / 3)
        rgb = np.stack(
            (light + 0.30 * right + 0.16 * anterior, light + 0.12 * right - 0.16 * anterior, light - 0.42 * right),
            axis=1,
        )
        return (np.clip(rgb, 0, 1) * 255).round().astype(np.uint8)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)) without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(logits)))


def log_odds(probability: np.ndarray | float) -> np.ndarray:
    """log(p / (1 - p)), finite for 0 and 1."""
    p = np.clip(np.asarray(probability, np.float64), 1e-7, 1 - 1e-7)
    return np.log(p / (1 - p))
