"""Linear read-outs against their definitions, and against what must not matter: rotation and scale of the codes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from research.evaluation.probes import (
    RIDGE,
    Discriminant,
    Ridge,
    active_units,
    effective_rank,
    mean_dice,
    name_ranks,
    psnr,
)
from scipy.stats import ortho_group

SEEDS = st.integers(0, 2**32 - 1)
SCALES = st.floats(1e-3, 1e3)


def moved(codes, seed, scale):
    """The same codes rotated (or reflected), scaled and shifted."""
    random = np.random.default_rng(seed)
    size = codes.shape[1]
    return scale * codes @ ortho_group.rvs(size, random_state=random) + scale * random.normal(size=size)


def rows(seed, count=60, size=5, values=3):
    random = np.random.default_rng(seed)
    codes = random.normal(size=(count, size)) * random.uniform(0.2, 3, size) + random.normal(size=size)
    return codes, codes @ random.normal(size=(size, values)) + random.normal(size=(count, values))


@settings(max_examples=25, deadline=None)
@given(SEEDS, SCALES)
def test_ridge_predicts_the_same_from_rotated_scaled_and_shifted_codes(seed, scale):
    codes, values = rows(seed)
    other = moved(codes, seed, scale)
    predicted = Ridge.fit(codes[:40], values[:40]).predict(codes[40:])
    np.testing.assert_allclose(Ridge.fit(other[:40], values[:40]).predict(other[40:]), predicted, rtol=1e-6, atol=1e-6)


def test_ridge_is_least_squares_with_the_penalty_as_additional_rows():
    codes, values = rows(0)
    x, y = codes - codes.mean(axis=0), values - values.mean(axis=0)
    penalty = RIDGE * len(x) * x.var(axis=0).mean()
    stacked = np.vstack([x, np.sqrt(penalty) * np.eye(5)]), np.vstack([y, np.zeros((5, 3))])
    np.testing.assert_allclose(Ridge.fit(codes, values).weights, np.linalg.lstsq(*stacked, rcond=None)[0], rtol=1e-9)


def test_ridge_finds_an_affine_map_again():
    codes, _ = rows(1)
    values = codes @ np.array([[1.0, 2], [0, 1], [3, 0], [0, 0], [1, 1]]) + [7.0, -4.0]
    np.testing.assert_allclose(Ridge.fit(codes, values).predict(codes), values, atol=0.05)


def test_codes_that_do_not_vary_predict_the_mean():
    _, values = rows(2)
    predicted = Ridge.fit(np.zeros((60, 4)), values).predict(np.zeros((2, 4)))
    np.testing.assert_allclose(predicted, [values.mean(axis=0)] * 2)


def groups(seed, each=(40, 25, 60), size=4):
    random = np.random.default_rng(seed)
    classes = np.repeat(np.arange(len(each)), each)
    codes = random.normal(size=(len(each), size))[classes] + random.normal(size=(len(classes), size))
    return codes, classes, classes[:, None] == np.arange(len(each))


@settings(max_examples=25, deadline=None)
@given(SEEDS, SCALES)
def test_the_discriminant_names_rotated_scaled_and_shifted_codes_alike(seed, scale):
    codes, _, members = groups(seed)
    other = moved(codes, seed, scale)
    one, two = Discriminant.fit(codes, members).scores(codes), Discriminant.fit(other, members).scores(other)
    np.testing.assert_allclose(one - one[:, :1], two - two[:, :1], rtol=1e-5, atol=1e-5)


def test_the_discriminant_compares_distances_from_the_class_means_in_units_of_the_spread_within():
    codes, classes, members = groups(3)
    means = np.array([codes[classes == c].mean(axis=0) for c in range(3)])
    within = np.cov((codes - means[classes]).T, bias=True)
    distances = [np.einsum("nc,cd,nd->n", codes - m, np.linalg.inv(within), codes - m) for m in means]
    scores = Discriminant.fit(codes, members).scores(codes)
    expected = -0.5 * np.array(distances).T
    np.testing.assert_allclose(scores - scores[:, :1], expected - expected[:, :1], atol=0.05)


def test_a_class_counts_alike_however_many_members_it_has():
    codes = np.concatenate([np.full(990, -1.0), np.full(10, 1.0)])[:, None] + np.tile([-0.5, 0.5], 500)[:, None]
    members = np.stack([np.arange(1000) < 990, np.arange(1000) >= 990], axis=1)
    scores = Discriminant.fit(codes, members).scores(np.array([[-0.1], [0.1]]))
    assert scores.argmax(axis=1).tolist() == [0, 1]


def test_a_class_without_members_names_nothing_and_rows_of_no_class_do_not_count():
    codes, _, members = groups(4)
    padded = np.column_stack([members, np.zeros(len(members), bool)])
    scores = Discriminant.fit(codes, padded).scores(codes)
    assert (scores[:, 3] == -np.inf).all()
    more = np.vstack([codes, 50 + codes]), np.vstack([members, np.zeros_like(members)])
    np.testing.assert_allclose(
        np.diff(Discriminant.fit(*more).scores(codes)), np.diff(scores[:, :3]), rtol=1e-6, atol=1e-6
    )


def test_a_row_may_be_of_a_part_and_of_its_whole():
    codes, _, members = groups(5)
    whole = np.column_stack([members, members[:, 0] | members[:, 1]])
    found = Discriminant.fit(codes, whole)
    alone = Discriminant.fit(np.vstack([codes, codes[whole[:, 3]]]), np.vstack([
        np.column_stack([members, np.zeros(len(members), bool)]),
        np.tile([False, False, False, True], (whole[:, 3].sum(), 1)),
    ]))
    np.testing.assert_allclose(np.diff(found.scores(codes)), np.diff(alone.scores(codes)), rtol=1e-6, atol=1e-6)


def test_codes_that_do_not_vary_name_nothing():
    _, _, members = groups(6)
    scores = Discriminant.fit(np.zeros((len(members), 2)), members).scores(np.zeros((3, 2)))
    assert name_ranks(scores, np.array([1, -1, -1])).tolist() == [2, 2, 2]


@settings(max_examples=25, deadline=None)
@given(SEEDS, SCALES, st.integers(1, 6))
def test_the_effective_rank_lies_between_one_and_the_dimension_and_knows_no_rotation_or_scale(seed, scale, size):
    codes = np.random.default_rng(seed).normal(size=(50, size)) * np.geomspace(1, 0.1, size)
    rank = effective_rank(codes)
    assert 1 - 1e-9 <= rank <= size + 1e-9
    if size > 1:
        assert effective_rank(moved(codes, seed, scale)) == pytest.approx(rank, rel=1e-6)


@pytest.mark.parametrize("rank", [1, 2, 4])
def test_the_effective_rank_of_equal_directions_is_their_number(rank):
    signs = np.array(np.meshgrid(*[(-1.0, 1.0)] * rank)).reshape(rank, -1).T
    assert effective_rank(np.pad(3 * signs, ((0, 0), (0, 3))) + 5) == pytest.approx(rank)


def test_codes_that_do_not_vary_have_rank_one():
    assert effective_rank(np.ones((9, 3))) == 1


def test_active_units_vary_by_more_than_a_hundredth():
    units = np.outer([-1.0, 1.0, -1.0, 1.0], [0.05, 0.2, 1.0, 0.0]) + 3
    assert active_units(units) == 2


@given(SEEDS, st.floats(0.1, 500))
def test_an_error_of_a_tenth_of_the_peak_is_twenty_decibels(seed, peak):
    random = np.random.default_rng(seed)
    true = random.normal(size=20)
    assert psnr(true + peak / 10 * random.choice([-1, 1], 20), true, peak) == pytest.approx(20)
    assert psnr(true, true, peak) == float("inf")


SCORES = st.lists(st.integers(0, 4), min_size=5, max_size=5)
TRUTHS = st.lists(st.integers(-1, 1), min_size=5, max_size=5).filter(lambda truth: 1 in truth)


@given(SCORES, TRUTHS)
def test_the_rank_of_a_name_counts_the_wrong_ones_before_it(scores, truth):
    best = max(s for s, t in zip(scores, truth, strict=True) if t == 1)
    wrong = sum(t == -1 and s >= best for s, t in zip(scores, truth, strict=True))
    assert name_ranks(np.array([scores, scores], float), np.array(truth)).tolist() == [wrong, wrong]


def test_an_unknown_name_is_neither_right_nor_wrong():
    scores = np.array([[5.0, 4.0, 3.0]])
    assert name_ranks(scores, np.array([0, 1, -1])).tolist() == [0]
    assert name_ranks(scores, np.array([[-1, 0, 1]])).tolist() == [1]


def test_dice_is_the_mean_over_the_true_labels():
    true, found = np.array([1, 1, 1, 2, 2, 3]), np.array([1, 1, 2, 2, 4, 4])
    assert mean_dice(found, true) == pytest.approx((4 / 5 + 2 / 4 + 0) / 3)
    assert mean_dice(true, true) == 1
    assert np.isnan(mean_dice(true[:0], true[:0]))
