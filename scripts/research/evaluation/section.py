"""One part of the evaluation: a table of measures by system, with intervals, details and figures."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from research.evaluation.metrics import bootstrap_interval


@dataclass
class Figure:
    """What a picture shows: for each system of `series` one number per `x`; kind is "line" or "bar"."""

    name: str
    title: str
    x_label: str
    y_label: str
    kind: str
    x: list
    series: dict[str, list[float]]


@dataclass
class Section:
    """`systems`: system to measure to value; `intervals`: the same with (low, high); `rows`: details as a table."""

    name: str
    title: str
    text: str
    systems: dict[str, dict[str, float]]
    intervals: dict[str, dict[str, tuple[float, float]]] = field(default_factory=dict)
    rows: list[dict] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)


class Tally:
    """Values of measures by system and person, summed up by one statistic a measure."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, dict[str, list[float]]]] = {}
        self._statistics: dict[str, Callable] = {}

    def add(self, system: str, measure: str, person: str, values, statistic: Callable = np.mean) -> None:
        """Add a number or several of one person; what is not finite is left out."""
        numbers = np.atleast_1d(np.asarray(values, float))
        own = self._values.setdefault(system, {}).setdefault(measure, {}).setdefault(person, [])
        own.extend(numbers[np.isfinite(numbers)].tolist())
        self._statistics[measure] = statistic

    def value(self, system: str, measure: str) -> float:
        """The statistic over all people, NaN without values; a sum counts something."""
        people = self._values.get(system, {}).get(measure, {})
        pooled = [value for own in people.values() for value in own]
        if not pooled:
            return float("nan")
        return round(sum(pooled)) if self._statistics[measure] is np.sum else float(self._statistics[measure](pooled))

    def systems(self) -> dict[str, dict[str, float]]:
        """Every system with every measure, in the order in which they came."""
        return {system: {m: self.value(system, m) for m in self._statistics} for system in self._values}

    def intervals(self) -> dict[str, dict[str, tuple[float, float]]]:
        """95 % bootstrap intervals over people, where there are at least two; counts have none."""
        found: dict[str, dict[str, tuple[float, float]]] = {}
        for system, measures in self._values.items():
            for measure, people in measures.items():
                people = {person: own for person, own in people.items() if own}
                if len(people) > 1 and self._statistics[measure] is not np.sum:
                    span = bootstrap_interval(people, self._statistics[measure], draws=300)
                    found.setdefault(system, {})[measure] = span
        return found


def joined(sections: list[Section]) -> Section:
    """The same section of several models as one; the first brings the details, and the baselines, which come last."""
    first, *others = sections
    model, *baselines = first.systems
    systems = {model: first.systems[model]}
    for other in others:
        systems |= other.systems
    systems |= {name: first.systems[name] for name in baselines}
    figures = [_joined_figures([s.figures[n] for s in sections]) for n in range(len(first.figures))]
    intervals = {name: span for section in sections for name, span in section.intervals.items()}
    return Section(first.name, first.title, first.text, systems, intervals, first.rows, figures)


def _joined_figures(figures: list[Figure]) -> Figure:
    first, *others = figures
    model, *baselines = first.series
    series = {model: first.series[model]}
    for other in others:
        if other.x != first.x:
            raise ValueError(f"expected the same axis of {first.name} for every model, got {other.x} and {first.x}")
        series |= other.series
    series |= {name: first.series[name] for name in baselines}
    return Figure(first.name, first.title, first.x_label, first.y_label, first.kind, first.x, series)
