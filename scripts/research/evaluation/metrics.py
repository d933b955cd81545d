"""Figures from answers: AUROC, and bootstrap intervals over people."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import bootstrap, mannwhitneyu


def auroc(scores: np.ndarray, truth: np.ndarray) -> float:
    """Area under the ROC curve (Mann-Whitney), ties counted half; NaN if a class is empty."""
    scores, truth = np.asarray(scores, float), np.asarray(truth, bool)
    if truth.all() or not truth.any():
        return float("nan")
    with np.errstate(invalid="ignore"):  # of the p value, which nobody asked for
        larger = mannwhitneyu(scores[truth], scores[~truth], method="asymptotic").statistic
    return float(larger / (truth.sum() * (~truth).sum()))


def bootstrap_interval(
    values: dict[str, list[float]], statistic: Callable, draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """95 % interval (low, high) of `statistic` over all values, people drawn with replacement: the percentile method.

    People without values are left out; of one person the interval is the statistic itself.
    """
    people = [own for own in values.values() if own]

    def pooled(chosen: np.ndarray) -> float:
        return statistic([value for person in chosen for value in people[int(person)]])

    if len(people) == 1:
        return (float(statistic(people[0])),) * 2
    interval = bootstrap(
        (np.arange(len(people)),), pooled, vectorized=False, n_resamples=draws, method="percentile", random_state=seed
    ).confidence_interval
    return float(interval.low), float(interval.high)
