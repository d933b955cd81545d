"""Figures from answers: medians, rates, AUROC, and bootstrap intervals over people."""
from __future__ import annotations

import numpy as np
from scipy.stats import rankdata


def auroc(scores: np.ndarray, truth: np.ndarray) -> float:
    """Area under the ROC curve (Mann-Whitney), ties counted half; NaN if a class is empty."""
    truth = np.asarray(truth, bool)
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[truth].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def bootstrap_interval(values: dict[str, list[float]], statistic, draws: int = 1000, seed: int = 0):
    """95 % interval (low, high) of `statistic` over all values, people drawn with replacement."""
    people = list(values)
    random = np.random.default_rng(seed)
    results = []
    for _ in range(draws):
        chosen = random.integers(len(people), size=len(people))
        pooled = [value for person in chosen for value in values[people[person]]]
        if pooled:
            results.append(statistic(pooled))
    return tuple(float(v) for v in np.percentile(results, [2.5, 97.5]))
