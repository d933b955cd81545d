"""Whether a probability means what it says: predicted against observed rates, as figures and a table.

Everything takes plain arrays: `scores` (N,) in 0..1, `truth` (N,) bool, and `weights` (N,), alike where left out.
Brier 1950; expected calibration error as in Naeini et al. 2015, with bins of one width.
"""
from __future__ import annotations

import numpy as np

BINS = 10


def table(scores, truth, weights=None, bins: int = BINS) -> list[dict]:
    """A row for each of `bins` equal parts of 0..1: low, high, count, and the mean score (`predicted`) and the rate of
    truth (`observed`) in it, NaN where it is empty; a score on a border counts as the higher part."""
    scores, truth, weights = checked(scores, truth, weights)
    part = np.minimum((scores * bins).astype(int), bins - 1)
    rows = []
    for number in range(bins):
        own = part == number
        total = weights[own].sum()
        predicted, observed = (
            float((weights[own] * values[own]).sum() / total) if total else float("nan") for values in (scores, truth)
        )
        rows.append({
            "low": number / bins, "high": (number + 1) / bins, "count": int(own.sum()), "weight": float(total),
            "predicted": predicted, "observed": observed,
        })
    return rows


def expected_calibration_error(scores, truth, weights=None, bins: int = BINS) -> float:
    """Mean distance of predicted and observed rate over the bins, weighted by what lies in them; NaN without data."""
    rows = [row for row in table(scores, truth, weights, bins) if row["weight"]]
    if not rows:
        return float("nan")
    share = np.array([row["weight"] for row in rows])
    gap = np.array([abs(row["predicted"] - row["observed"]) for row in rows])
    return float((share * gap).sum() / share.sum())


def brier(scores, truth, weights=None) -> float:
    """Mean squared distance of score and truth, 0 is best; NaN without data."""
    scores, truth, weights = checked(scores, truth, weights)
    return float((weights * (scores - truth) ** 2).sum() / weights.sum()) if weights.sum() else float("nan")


def classes_alike(truth) -> np.ndarray:
    """Weights (N,) by which true and false count alike in sum, as they do for the calibrated presence."""
    truth = np.asarray(truth, bool)
    return np.where(truth, 0.5 / max(truth.sum(), 1), 0.5 / max((~truth).sum(), 1)) * len(truth)


def summary(scores, truth, weights=None) -> dict:
    """count, mean score (`predicted`), rate of truth (`observed`), ece and brier."""
    scores, truth, weights = checked(scores, truth, weights)
    total = weights.sum()
    return {
        "count": len(scores),
        "predicted": float((weights * scores).sum() / total) if total else float("nan"),
        "observed": float((weights * truth).sum() / total) if total else float("nan"),
        "ece": expected_calibration_error(scores, truth, weights),
        "brier": brier(scores, truth, weights),
    }


def checked(scores, truth, weights=None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """float scores, truth and weights, each (N,); ValueError if lengths differ or a score is not in 0..1."""
    scores, truth = np.asarray(scores, np.float64).ravel(), np.asarray(truth, bool).ravel()
    weights = np.ones(len(scores)) if weights is None else np.asarray(weights, np.float64).ravel()
    if not len(scores) == len(truth) == len(weights):
        raise ValueError(
            f"expected as many scores as truths and weights, got {len(scores)}, {len(truth)} and {len(weights)}"
        )
    if len(scores) and not (scores.min() >= 0 and scores.max() <= 1):  # also refuses NaN
        raise ValueError(f"expected scores in 0..1, got {scores.min():g} to {scores.max():g}")
    return scores, truth.astype(np.float64), weights

