"""What codes hold, by read-outs that are the same for every model: closed forms in NumPy, the same result every time.

Codes are rows (N,C). A linear read-out is fitted to codes of training people and judged on another person, so models
can be compared whatever heads they were trained with.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RIDGE = 1e-3
SHRINKAGE = 1e-3
"""Penalties as shares of the codes' mean variance: neither the scale nor a rotation of the codes matters."""
ACTIVE_VARIANCE = 0.01


@dataclass(frozen=True)
class Ridge:
    """Ridge regression: `weights` (C,D) on codes less their `centre` (C,), and the `mean` (D,) of the values."""

    centre: np.ndarray
    weights: np.ndarray
    mean: np.ndarray

    @classmethod
    def fit(cls, codes: np.ndarray, values: np.ndarray) -> Ridge:
        """From codes (N,C) to values (N,D); codes without variance predict the mean."""
        codes, values = np.asarray(codes, np.float64), np.asarray(values, np.float64)
        centre, mean = codes.mean(axis=0), values.mean(axis=0)
        x = codes - centre
        return cls(centre, np.linalg.solve(_loaded(x.T @ x / len(x), RIDGE), x.T @ (values - mean) / len(x)), mean)

    def predict(self, codes: np.ndarray) -> np.ndarray:
        return (codes - self.centre) @ self.weights + self.mean


@dataclass(frozen=True)
class Discriminant:
    """Linear discriminant analysis with equal priors: a code's score for a class is `weights` (C,K) and `offsets` (K,).
    """

    weights: np.ndarray
    offsets: np.ndarray

    @classmethod
    def fit(cls, codes: np.ndarray, members: np.ndarray) -> Discriminant:
        """From codes (N,C) and bool members (N,K); a row may be of several classes (a part and its whole) or of none.

        The covariance is that within classes, shared by all. A class without members never scores above another.
        """
        codes, belongs = np.asarray(codes, np.float64), np.asarray(members, np.float64)
        centre, counts = codes.mean(axis=0), belongs.sum(axis=0)
        x = codes - centre
        means = belongs.T @ x / np.maximum(counts, 1)[:, None]
        within = (x * belongs.sum(axis=1, keepdims=True)).T @ x - (means * counts[:, None]).T @ means
        weights = np.linalg.solve(_loaded(within / max(counts.sum(), 1), SHRINKAGE), means.T)
        offsets = -0.5 * (means.T * weights).sum(axis=0) - centre @ weights
        return cls(weights, np.where(counts > 0, offsets, -np.inf))

    def scores(self, codes: np.ndarray) -> np.ndarray:
        """Log-likelihoods (N,K) up to a constant of the row."""
        return codes @ self.weights + self.offsets


def _loaded(covariance: np.ndarray, share: float) -> np.ndarray:
    scale = max(np.trace(covariance) / len(covariance), 1e-12)
    return covariance + share * scale * np.eye(len(covariance))


def effective_rank(codes: np.ndarray) -> float:
    """exp of the entropy of the normalised singular values of centred codes (N,C) (Roy & Vetterli 2007); 1 to C."""
    centred = np.asarray(codes, np.float64) - np.mean(codes, axis=0, dtype=np.float64)
    singular = np.sqrt(np.maximum(np.linalg.eigvalsh(centred.T @ centred), 0))
    if not singular.any():
        return 1.0
    shares = singular[singular > 0] / singular.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def active_units(codes: np.ndarray) -> int:
    """Number of code dimensions whose variance over rows (N,C) exceeds 0.01 (Burda et al. 2016).

    Means something where the KL term fixes the scale of the codes.
    """
    return int((np.var(codes, axis=0, dtype=np.float64) > ACTIVE_VARIANCE).sum())


def psnr(found: np.ndarray, true: np.ndarray, peak: float) -> float:
    """Peak signal-to-noise ratio in dB; infinite for equal arrays."""
    error = np.mean(np.square(np.asarray(found, np.float64) - true))
    return float("inf") if error == 0 else float(10 * np.log10(peak**2 / error))


def name_ranks(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """How many wrong names come before the first right one: int (N,), 0 is named rightly at once.

    scores: (N,K); truth: (K,) or (N,K) in {-1, 0, 1}, at least one 1 a row; 0 is unknown, neither right nor wrong.
    Ties count against, so that codes that tell nothing apart name nothing.
    """
    best = np.where(truth == 1, scores, -np.inf).max(axis=1, keepdims=True)
    return ((scores >= best) & (truth == -1)).sum(axis=1)


def mean_dice(found: np.ndarray, true: np.ndarray) -> float:
    """Dice of two label maps as flat arrays, mean over the labels that occur in `true`; NaN if it is empty."""
    pairs = [(found == label, true == label) for label in np.unique(true)]
    scores = [2 * np.sum(a & b) / (np.sum(a) + np.sum(b)) for a, b in pairs]
    return float(np.mean(scores)) if scores else float("nan")
