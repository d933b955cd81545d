"""What the latent code of a voxel means: names, body coordinates and colours; NumPy only."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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
    structure is in the scan"; presence_threshold: from where on it counts as found.
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
        whiten = np.linalg.cholesky(np.linalg.inv(self.body_covariance[concept])).astype(np.float32)
        return np.square((coordinates - self.body_mean[concept]) @ whiten).sum(axis=1)

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
