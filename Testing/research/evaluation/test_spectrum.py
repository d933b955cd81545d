"""Rank, units and divergence, against their definitions."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from research.evaluation.spectrum import effective_rank, eigenvalues, posterior_kl, spectrum
from tiny_model import tiny_encoder


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=20))
def test_the_effective_rank_lies_between_one_and_the_dimension(values):
    assert 1 - 1e-9 <= effective_rank(np.array(values)) <= len(values) + 1e-9


def test_the_effective_rank_counts_equal_directions():
    assert effective_rank(np.array([2.0, 2, 2, 0, 0])) == pytest.approx(3)
    assert effective_rank(np.array([5.0, 0])) == pytest.approx(1)
    assert effective_rank(np.zeros(4)) == 0


def test_eigenvalues_are_those_of_the_covariance_largest_first():
    codes = np.random.default_rng(0).normal(size=(20000, 3)) * (1, 3, 2)
    np.testing.assert_allclose(eigenvalues(codes), [9, 4, 1], rtol=0.05)


def test_the_divergence_is_that_of_torch(bench):
    scan = min(bench.trunks, key=lambda one: one.prepared.array_kji.size)
    from anatembed.model.encoder import network_input

    hu = torch.from_numpy(np.pad(scan.prepared.array_kji, [(0, -n % 8) for n in scan.prepared.array_kji.shape],
                                 constant_values=-1000))[None]
    with torch.inference_mode():
        mean, log_variance = tiny_encoder()(network_input(hu))
    k, j, i = bench.map(scan).shape_kji
    body = torch.from_numpy(bench.map(scan).body_kji)
    posterior = torch.distributions.Normal(mean, torch.exp(log_variance / 2))
    kl = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0))[0, :, :k, :j, :i]
    assert posterior_kl(bench) == pytest.approx(float(kl.sum(dim=0)[body].mean()), rel=0.02)


def test_the_section_says_how_much_is_used(bench):
    section = spectrum(bench)
    row = section.systems["embedding"]
    assert row["dimensions"] == 5
    assert 1 <= row["effective rank"] <= 5
    assert row["effective rank / dimensions"] == pytest.approx(row["effective rank"] / 5)
    assert sum(section.figures[0].series["embedding"]) == pytest.approx(1)
