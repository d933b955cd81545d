"""The statistics of the calibration: regressions from what was seen in views of training people to probabilities."""
from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

SHRINKAGE = 3.0
"""Views that the mean of all concepts counts for in what is typical of one."""
OFFSET_VARIANCE = 1.0
"""Variance between concepts of the log-odds that a place is right, other things being equal."""
RIDGE = 1e-4


def typical_evidence(concepts: np.ndarray, evidence: np.ndarray, truth: np.ndarray, count: int) -> np.ndarray:
    """Mean evidence (count,2) of each concept where it is present, drawn to the mean of all where views are few."""
    everyone = evidence[truth, :2].mean(axis=0)
    typical = np.empty((count, 2))
    for concept in range(count):
        own = evidence[truth & (concepts == concept), :2]
        typical[concept] = (own.sum(axis=0) + SHRINKAGE * everyone) / (len(own) + SHRINKAGE)
    return typical


def fit_presence(evidence: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Logistic regression (4,) of presence on evidence (N,3), present and absent weighted alike.

    More similarity never speaks against a structure, nor does being nearer to where it belongs: no weight has the
    wrong sign.
    """
    x = np.concatenate([np.ones((len(evidence), 1)), evidence], axis=1)
    weight = np.where(truth, 0.5 / max(truth.sum(), 1), 0.5 / max((~truth).sum(), 1))
    bounds = [(None, None), (0, None), (0, None), (None, 0)]
    return _logistic(x, truth, weight, np.array([0, *[RIDGE] * 3]), bounds)


def fit_hits(
    evidence: np.ndarray, right: np.ndarray, concepts: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (4,) and offsets (count,) of the logistic regression of "this place is right" on hit evidence (N,3).

    Offsets are drawn to 0, and are 0 for concepts without a view; no weight is negative, so that of the places of a
    structure the better one is never the less sure.
    """
    own = (concepts[:, None] == np.arange(count)).astype(np.float64)
    x = np.concatenate([np.ones((len(evidence), 1)), evidence, own], axis=1)
    ridge = np.array([0, *[RIDGE] * 3, *[1 / (2 * OFFSET_VARIANCE * len(x))] * count])
    bounds = [(None, None), *[(0, None)] * 3, *[(None, None)] * count]
    weights = _logistic(x, right, np.full(len(x), 1 / len(x)), ridge, bounds)
    return weights[:4], weights[4:]


def _logistic(x: np.ndarray, truth: np.ndarray, weight: np.ndarray, ridge: np.ndarray, bounds: list) -> np.ndarray:
    """Weights (D,) that minimise the weighted log loss plus the sum of ridge * weights^2, within bounds."""
    sign = np.where(truth, 1.0, -1.0)

    def loss(w):
        margin = sign * (x @ w)
        value = (weight * np.logaddexp(0, -margin)).sum() + (ridge * w**2).sum()
        return value, x.T @ (-weight * sign * expit(-margin)) + 2 * ridge * w

    return minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds).x


def fit_naming(logits: np.ndarray, targets: np.ndarray, rivals: np.ndarray) -> np.ndarray:
    """Temperature and log-odds of "none" (2,) for `Readout.name_probabilities`.

    logits (N,K); targets (N,K): 1 it is, -1 it is not, 0 unknown; rivals (K,K): 1 where concepts exclude each other.
    """
    known = targets != 0

    def loss(parameters):
        odds = np.exp(logits / np.exp(parameters[0]) - shift / np.exp(parameters[0]))
        none = np.exp(parameters[1] - shift / np.exp(parameters[0]))
        probability = np.clip(odds / (none + odds + odds @ rivals), 1e-7, 1 - 1e-7)
        return -np.log(np.where(targets == 1, probability, 1 - probability))[known].sum() / len(logits)

    shift = np.maximum(logits.max(axis=1, keepdims=True), 0)  # so that nothing overflows
    found = minimize(loss, np.zeros(2), method="Nelder-Mead", bounds=[(-1.5, 1.5), (-8, 8)], options={"maxiter": 120})
    return np.array([np.exp(found.x[0]), found.x[1]])
