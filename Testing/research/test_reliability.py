"""Predicted and observed rates, against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from research import reliability

SCORED = st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.floats(0.1, 3)), min_size=1, max_size=40)


def columns(rows):
    return tuple(np.array(column) for column in zip(*rows, strict=True))


@given(SCORED)
def test_every_score_is_in_one_part_of_the_table_and_the_parts_make_up_the_mean(rows):
    scores, truth, weights = columns(rows)
    table = reliability.table(scores, truth, weights)
    assert [row["low"] for row in table[1:]] == [row["high"] for row in table[:-1]]
    assert sum(row["count"] for row in table) == len(rows)
    filled = [row for row in table if row["count"]]
    for row in filled:
        assert row["low"] - 1e-9 <= row["predicted"] <= row["high"] + 1e-9
    total = sum(row["weight"] * row["predicted"] for row in filled)
    assert total == pytest.approx((weights * scores).sum())


@given(SCORED)
def test_the_calibration_error_is_at_least_the_distance_of_the_means_and_at_most_one(rows):
    scores, truth, weights = columns(rows)
    error = reliability.expected_calibration_error(scores, truth, weights)
    means = np.average(scores, weights=weights) - np.average(truth, weights=weights)
    assert abs(means) - 1e-9 <= error <= 1


def test_scores_that_come_true_as_often_as_they_say_have_no_calibration_error():
    scores = np.repeat([0.25, 0.75], 40)
    truth = np.tile([True, False, False, False], 10).tolist() + np.tile([True, True, True, False], 10).tolist()
    assert reliability.expected_calibration_error(scores, truth) == pytest.approx(0)
    assert reliability.brier(scores, truth) == pytest.approx(0.25 * 0.75)


def test_scores_that_are_too_sure_are_off_by_what_they_promise_too_much():
    assert reliability.expected_calibration_error([0.9] * 10, [True] * 6 + [False] * 4) == pytest.approx(0.3)
    assert reliability.brier([1.0, 0.0], [False, False]) == pytest.approx(0.5)


def test_a_score_of_one_belongs_to_the_last_part_and_one_on_a_border_to_the_higher():
    counts = [row["count"] for row in reliability.table([0.0, 0.5, 1.0], [True] * 3)]
    assert counts == [1, 0, 0, 0, 0, 1, 0, 0, 0, 1]


def test_classes_alike_count_alike():
    truth = np.array([True] + [False] * 9)
    weights = reliability.classes_alike(truth)
    assert weights[truth].sum() == pytest.approx(weights[~truth].sum())
    assert weights.sum() == pytest.approx(len(truth))
    assert reliability.summary([0.5] * 10, truth, weights)["ece"] == pytest.approx(0)


@pytest.mark.parametrize(("scores", "truth", "message"), [
    ([0.5], [True, False], "as many scores as truths"), ([1.2], [True], "scores in 0..1"),
    ([float("nan")], [True], "scores in 0..1"),
])
def test_what_is_no_probability_is_refused(scores, truth, message):
    with pytest.raises(ValueError, match=message):
        reliability.brier(scores, truth)


def test_nothing_asked_is_no_figure():
    assert np.isnan(reliability.brier([], []))
    assert np.isnan(reliability.expected_calibration_error([], []))
