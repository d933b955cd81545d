"""Each loss against its definition, and what it does to the network's answers."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from research.training.losses import (
    balanced_rows,
    capacity,
    distillation,
    gaussian_kl,
    initial_bias,
    masked_siglip,
    masked_softmax,
)

LOG_SCALE, BIAS = torch.tensor(10.0).log(), torch.tensor(-4.0)


def random_pairs(seed: int, rows: int = 5, concepts: int = 7):
    random = torch.Generator().manual_seed(seed)
    similarity = 2 * torch.rand(rows, concepts, generator=random) - 1
    targets = torch.randint(-1, 2, (rows, concepts), generator=random).float()
    focus = 1 + 3 * torch.rand(rows, concepts, generator=random)
    return similarity, targets, focus


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_the_language_loss_is_the_mean_over_voxels_of_the_sum_over_known_pairs(seed):
    similarity, targets, focus = random_pairs(seed)
    total = 0.0
    for row in range(5):
        for concept in range(7):
            sign = targets[row, concept].item()
            if sign:
                logit = similarity[row, concept].item() * 10.0 - 4.0
                total += focus[row, concept].item() * math.log1p(math.exp(-sign * logit))
    loss = masked_siglip(similarity, targets, LOG_SCALE, BIAS, focus)
    assert loss.item() == pytest.approx(total / 5, rel=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_unknown_pairs_have_no_gradient_positives_are_drawn_near_and_negatives_pushed_away(seed):
    similarity, targets, focus = random_pairs(seed)
    similarity.requires_grad_()
    masked_siglip(similarity, targets, LOG_SCALE, BIAS, focus).backward()
    assert (similarity.grad[targets == 0] == 0).all()
    assert (similarity.grad[targets > 0] <= 0).all()  # descent raises the similarity
    assert (similarity.grad[targets < 0] >= 0).all()
    sure = targets * (similarity.detach() * 10 - 4) < 3
    assert (similarity.grad[(targets != 0) & sure] != 0).all()


def test_several_positives_of_one_voxel_do_not_compete():
    similarity = torch.zeros(1, 3, requires_grad=True)
    masked_siglip(similarity, torch.tensor([[1.0, 1.0, 0.0]]), LOG_SCALE, BIAS, torch.ones(1, 3)).backward()
    assert similarity.grad[0, 0] == similarity.grad[0, 1] < 0


def test_focus_multiplies_a_pair():
    similarity, targets, focus = random_pairs(0)
    one, twice = (masked_siglip(similarity, targets, LOG_SCALE, BIAS, n * focus) for n in (1, 2))
    assert twice.item() == pytest.approx(2 * one.item())


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_the_kl_divergence_is_that_of_torch(seed):
    random = torch.Generator().manual_seed(seed)
    mean, log_variance = (2 * torch.randn(6, 4, generator=random) for _ in range(2))
    posterior = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    expected = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).sum(dim=1)
    torch.testing.assert_close(gaussian_kl(mean, log_variance), expected, rtol=1e-4, atol=1e-4)
    assert (gaussian_kl(mean, log_variance) >= 0).all()


def test_the_capacity_rises_evenly_to_its_end_at_four_fifths_of_the_run():
    assert [capacity(step, 100, 24.0) for step in (0, 20, 40, 80, 90, 100)] == [0, 6, 12, 24, 24, 24]


@given(st.integers(2, 1000))
def test_the_bias_begins_where_one_of_all_concepts_is_expected(concepts):
    assert 1 / (1 + math.exp(-initial_bias(concepts))) == pytest.approx(1 / (concepts + 1))


def test_rows_are_drawn_by_the_root_of_the_size_of_their_label():
    labels = torch.cat([torch.zeros(9000), torch.ones(90), torch.full((10,), 2.0)]).to(torch.int16)
    rows = balanced_rows(labels, 60_000, torch.Generator().manual_seed(0))
    shares = torch.bincount(labels[rows].long(), minlength=3) / 60_000
    roots = torch.tensor([9000.0, 90.0, 10.0]).sqrt()
    torch.testing.assert_close(shares, roots / roots.sum(), atol=0.01, rtol=0)
    assert len(rows[labels[rows] == 2].unique()) == 10


@given(st.lists(st.integers(0, 5), min_size=1, max_size=50), st.integers(0, 1000))
def test_rows_are_indices_of_the_labels_and_their_seed_decides_them(values, seed):
    labels = torch.tensor(values, dtype=torch.int16)
    one, same = (balanced_rows(labels, 40, torch.Generator().manual_seed(seed)) for _ in range(2))
    assert ((one >= 0) & (one < len(values))).all()
    assert torch.equal(one, same)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_the_segmenters_loss_is_the_cross_entropy_over_what_is_known(seed):
    similarity, targets, _ = random_pairs(seed)
    total = 0.0
    for row in range(5):
        odds = {concept: math.exp(10 * similarity[row, concept].item() - 4) for concept in range(7)}
        right = [odds[c] for c in range(7) if targets[row, c] > 0]
        known = [odds[c] for c in range(7) if targets[row, c] != 0]
        total -= math.log((sum(right) if right else 1.0) / (1 + sum(known)))
    assert masked_softmax(similarity, targets, LOG_SCALE, BIAS).item() == pytest.approx(total / 5, rel=1e-4)


def test_a_student_that_agrees_with_a_sure_teacher_has_no_gradient_and_known_pairs_take_no_part():
    teacher = torch.tensor([[4.0, -4.0, 0.5, 4.0]])
    unknown = torch.tensor([[True, True, True, False]])
    student = teacher.clone().requires_grad_()
    distillation(student, teacher, unknown).backward()
    torch.testing.assert_close(student.grad, torch.zeros(1, 4))
    student = torch.zeros(1, 4, requires_grad=True)
    distillation(student, teacher, unknown).backward()
    assert student.grad[0, 0] < 0 < student.grad[0, 1]
    assert (student.grad[0, 2:] == 0).all()
