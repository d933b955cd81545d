"""Figures from answers, against their definitions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from research.evaluation.metrics import auroc, bootstrap_interval

SCORED = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=40)


@given(SCORED)
def test_auroc_is_the_share_of_pairs_in_the_right_order_with_ties_counted_half(rows):
    scores, truth = np.array([row[0] for row in rows], float), np.array([row[1] for row in rows])
    pairs = [(one > other) + 0.5 * (one == other) for one in scores[truth] for other in scores[~truth]]
    found = auroc(scores, truth)
    if pairs:
        assert found == pytest.approx(np.mean(pairs))
    else:
        assert math.isnan(found)


VALUES = st.dictionaries(st.text(min_size=1), st.lists(st.floats(0, 1), min_size=1, max_size=5), min_size=1, max_size=6)


@given(VALUES)
def test_the_interval_lies_within_the_people(values):
    low, high = bootstrap_interval(values, np.mean, draws=100)
    means = [np.mean(own) for own in values.values()]
    assert min(means) - 1e-9 <= low <= high <= max(means) + 1e-9


def test_the_interval_contains_the_mean_and_is_as_wide_as_theory_says():
    random = np.random.default_rng(0)
    values = {f"p{i}": [x] for i, x in enumerate(random.normal(5, 2, 100))}
    low, high = bootstrap_interval(values, np.mean, draws=2000)
    mean = np.mean([v[0] for v in values.values()])
    spread = np.std([v[0] for v in values.values()]) / 10
    assert low < mean < high
    assert (high - low) == pytest.approx(2 * 1.96 * spread, rel=0.1)


def test_people_are_drawn_and_not_single_values():
    """Two people who differ by themselves leave the mean unsure however often each was asked."""
    low, high = bootstrap_interval({"a": [0.0] * 500, "b": [1.0] * 500}, np.mean)
    assert (low, high) == (0, 1)


def test_a_person_without_values_is_no_obstacle():
    assert bootstrap_interval({"a": [], "b": [1.0]}, np.mean) == (1, 1)


def test_the_interval_is_the_same_every_time():
    values = {"a": [0.1, 0.9], "b": [0.4], "c": [0.7]}
    assert bootstrap_interval(values, np.mean) == bootstrap_interval(values, np.mean)
