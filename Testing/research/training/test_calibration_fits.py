"""The regressions of the calibration, on numbers drawn from what they should find."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from research.training.calibration_fits import SHRINKAGE, fit_hits, fit_naming, fit_presence, typical_evidence
from scipy.special import expit


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_presence_is_fitted_to_separate_what_can_be_separated(seed):
    random = np.random.default_rng(seed)
    truth = random.random(300) < 0.2
    truth[:2] = True, False
    evidence = random.normal(size=(300, 3))
    evidence[:, 0] += np.where(truth, 4, -4)
    weights = fit_presence(evidence, truth)
    scores = 1 / (1 + np.exp(-(weights[0] + evidence @ weights[1:])))
    assert weights[1] > 0
    assert np.mean(scores[truth] >= 0.5) > 0.95
    assert np.mean(scores[~truth] < 0.5) > 0.95


def test_rare_presence_counts_as_much_as_frequent_absence():
    evidence = np.zeros((100, 3))
    truth = np.arange(100) < 5
    weights = fit_presence(evidence, truth)
    assert weights[0] == pytest.approx(0, abs=1e-3)


def test_typical_evidence_is_drawn_to_the_mean_of_all_where_views_are_few():
    concepts = np.array([0, 0, 0, 1, 0])
    evidence = np.array([[1.0, 10, 0], [3, 30, 0], [2, 20, 0], [10, 0, 0], [99, 99, 99]])
    truth = np.array([True, True, True, True, False])
    typical = typical_evidence(concepts, evidence, truth, 3)
    everyone = np.array([4.0, 15.0])
    np.testing.assert_allclose(typical[0], (3 * np.array([2, 20]) + SHRINKAGE * everyone) / (3 + SHRINKAGE))
    np.testing.assert_allclose(typical[1], (np.array([10, 0]) + SHRINKAGE * everyone) / (1 + SHRINKAGE))
    np.testing.assert_allclose(typical[2], everyone)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_more_similarity_never_speaks_against_a_structure_nor_a_nearer_place(seed):
    """Even where chance says so."""
    random = np.random.default_rng(seed)
    truth = random.random(60) < 0.5
    truth[:2] = True, False
    weights = fit_presence(random.normal(size=(60, 3)), truth)
    assert (weights[1:3] >= 0).all()
    assert weights[3] <= 0


def drawn_hits(offsets, weights, per_concept: int, seed: int = 0):
    random = np.random.default_rng(seed)
    concepts = np.repeat(np.arange(len(offsets)), per_concept)
    evidence = random.normal(scale=2, size=(len(concepts), 3))
    right = random.random(len(concepts)) < expit(weights[0] + evidence @ weights[1:] + np.array(offsets)[concepts])
    return evidence, right, concepts


def test_the_weights_and_offsets_that_places_were_drawn_with_are_found():
    weights, offsets = np.array([0.5, 0.2, 0.8, 0.4]), np.array([1.0, -1.0, 0.0])
    found, own = fit_hits(*drawn_hits(offsets, weights, 3000), 3)
    np.testing.assert_allclose(found[1:], weights[1:], atol=0.1)
    np.testing.assert_allclose(found[0] + own, weights[0] + offsets, atol=0.2)


def test_offsets_are_drawn_to_zero_where_views_are_few_and_are_zero_where_there_are_none():
    weights, offsets = np.array([0.0, 0.0, 1.0, 0.0]), np.array([3.0, -3.0])
    _, few = fit_hits(*drawn_hits(offsets, weights, 3), 4)
    _, many = fit_hits(*drawn_hits(offsets, weights, 300), 4)
    assert abs(few[0] - few[1]) < 0.6 * abs(many[0] - many[1])
    np.testing.assert_allclose(few[2:], 0, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_a_better_place_is_never_less_sure(seed):
    random = np.random.default_rng(seed)
    weights, _ = fit_hits(random.normal(size=(50, 3)), random.random(50) < 0.5, random.integers(0, 3, 50), 3)
    assert (weights[1:] >= 0).all()


def named(temperature: float, none: float, seed: int = 0):
    """Logits of rows whose true name, or none (all targets -1), was drawn by the probabilities they stand for."""
    random = np.random.default_rng(seed)
    logits = random.normal(scale=4, size=(6000, 4))
    odds = np.exp(np.column_stack([logits / temperature, np.full(len(logits), none)]))
    chosen = (random.random((len(odds), 1)) > np.cumsum(odds / odds.sum(axis=1, keepdims=True), axis=1)).sum(axis=1)
    return logits, np.where(chosen[:, None] == np.arange(4), 1, -1)


@pytest.mark.parametrize(("temperature", "none"), [(1.0, 0.0), (2.0, -1.0), (0.7, 1.0)])
def test_the_temperature_that_names_were_drawn_with_is_found(temperature, none):
    found = fit_naming(*named(temperature, none), 1 - np.eye(4))
    assert found[0] == pytest.approx(temperature, rel=0.1)
    assert found[1] == pytest.approx(none, abs=0.2)


def test_unknown_names_say_nothing():
    logits, targets = named(1.5, 0.0)
    unknown = np.zeros_like(targets)
    again = fit_naming(np.concatenate([logits, 50 - logits]), np.concatenate([targets, unknown]), 1 - np.eye(4))
    np.testing.assert_allclose(again, fit_naming(logits, targets, 1 - np.eye(4)), atol=0.02)


def test_the_largest_logits_do_not_overflow():
    logits, targets = named(1.0, 0.0)
    with np.errstate(over="raise", invalid="raise"):
        assert np.isfinite(fit_naming(100 * logits, targets, 1 - np.eye(4))).all()
