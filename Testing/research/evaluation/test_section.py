"""Tables of several models, with the statistic and the interval that each measure asks for."""

import numpy as np
import pytest
from research.evaluation.section import Figure, Section, Tally, joined


def test_each_measure_has_its_own_statistic():
    tally = Tally()
    tally.add("a", "mean", "p", [1, 2, 6])
    tally.add("a", "median", "p", [1, 2], np.median)
    tally.add("a", "median", "q", 6, np.median)
    assert tally.systems() == {"a": {"mean": 3, "median": 2}}


def test_what_is_not_finite_is_left_out_and_what_was_not_measured_is_nan():
    tally = Tally()
    tally.add("a", "rate", "p", [np.nan, 1.0, np.inf])
    tally.add("b", "other", "p", [])
    assert tally.value("a", "rate") == 1
    assert np.isnan(tally.value("a", "other"))
    assert np.isnan(tally.value("b", "other"))
    assert list(tally.systems()["b"]) == ["rate", "other"]


def test_intervals_are_over_people_and_need_two():
    tally = Tally()
    tally.add("a", "rate", "p", [0] * 50)
    tally.add("a", "alone", "p", [0, 1])
    for person in ("p", "q"):
        tally.add("a", "asked", person, [1, 1], np.sum)
    assert tally.intervals() == {}
    tally.add("a", "rate", "q", [1] * 50)
    assert tally.intervals() == {"a": {"rate": (0, 1)}}


def section(name: str, baselines: bool, value: float, x=(1, 2)) -> Section:
    names = [name, "lookup"] if baselines else [name]
    series = {one: [value, value] for one in names}
    figure = Figure("f", "F", "x", "y", "line", list(x), series)
    return Section("s", "S", "text", {n: {"rate": value} for n in names}, {name: {"rate": (0, 1)}}, [{"row": name}],
                   [figure])


def test_models_stand_side_by_side_and_baselines_come_last():
    both = joined([section("embedding", True, 0.5), section("segmenter", False, 0.7)])
    assert list(both.systems) == ["embedding", "segmenter", "lookup"]
    assert both.systems["segmenter"] == {"rate": 0.7}
    assert both.intervals == {"embedding": {"rate": (0, 1)}, "segmenter": {"rate": (0, 1)}}
    assert both.rows == [{"row": "embedding"}]
    assert list(both.figures[0].series) == ["embedding", "segmenter", "lookup"]


def test_one_model_stays_as_it_is():
    alone = section("embedding", True, 0.5)
    assert joined([alone]) == alone


def test_figures_with_different_axes_are_not_drawn_over_each_other():
    with pytest.raises(ValueError, match="same axis of f for every model"):
        joined([section("a", True, 0.5), section("b", False, 0.7, x=(1, 3))])
