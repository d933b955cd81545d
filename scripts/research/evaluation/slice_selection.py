"""Whether chosen slices show what was asked for: against chance, evenly spaced slices and the middle of the scan."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import comb

import numpy as np
from anatembed.ask.explorer import Explorer
from anatembed.ask.key_slices import APART_MM, AxialSlices, best_slices, key_slices, richness_scores, structure_scores

from research.evaluation.metrics import bootstrap_interval
from research.evaluation.truth import Case, Structure

CHOSEN, RANDOM, EVEN, MIDDLE = "chosen", "random", "evenly spaced", "middle"
SYSTEMS = (CHOSEN, RANDOM, EVEN, MIDDLE)
COUNTS = (1, 3, 5)


@dataclass(frozen=True)
class SliceHits:
    """One structure of one person: `share` of `k` slices that cross it and whether `any` does, each 0..1 (for random
    slices, what is expected of them)."""

    person: str
    system: str
    k: int
    share: float
    any: float


def selection_hits(case: Case, explorer: Explorer, counts: Iterable[int] = COUNTS) -> list[SliceHits]:
    """Every structure of a case that is marked by a box and that the model has learnt, asked for by itself."""
    slices = AxialSlices(explorer.map)
    learnt = [one for one in case.present if one.is_box and one.concept in explorer.checkpoint.readout.concept_ids]
    scores = structure_scores(explorer, (one.concept for one in learnt))
    rows = []
    for one in learnt:
        crossed = crossed_slices(slices, one)
        for k in counts if crossed.any() else ():
            found = [part.index for part in key_slices(slices, {one.concept: scores[one.concept]}, k)]
            rows += _rows(case.person, k, crossed, {CHOSEN: found, **_baselines(slices, k)})
    return rows


def overview_hits(case: Case, explorer: Explorer, counts: Iterable[int] = COUNTS) -> list[SliceHits]:
    """Slices chosen without a question; `any` says for each marked structure whether one of them shows it."""
    slices = AxialSlices(explorer.map)
    rows, table = [], np.array(list(richness_scores(explorer).values()))
    apart = max(1, int(np.ceil(APART_MM / slices.spacing_mm)))
    for k in counts:
        systems = {CHOSEN: best_slices(table, k, apart) if len(table) else [], **_baselines(slices, k)}
        for one in case.present:
            crossed = crossed_slices(slices, one)
            if one.is_box and crossed.any():
                rows += _rows(case.person, k, crossed, systems)
    return rows


def crossed_slices(slices: AxialSlices, structure: Structure) -> np.ndarray:
    """Which slices (n,) cross a structure's box."""
    heights = np.array([slices.middle_ras(index)[2] for index in range(slices.count)])
    return (heights >= structure.low[2]) & (heights <= structure.high[2])


def table(rows: list[SliceHits]) -> str:
    """Markdown: share of the slices that cross the structure, how often one does, and 95 % intervals over people."""
    lines = ["| slices | system | share that show it | at least one does | structures |", "|---|---|---|---|---|"]
    for k in sorted({row.k for row in rows}):
        for system in SYSTEMS:
            chosen = [row for row in rows if (row.k, row.system) == (k, system)]
            cells = [_mean([(row.person, getattr(row, name)) for row in chosen]) for name in ("share", "any")]
            lines.append(f"| {k} | {system} | {cells[0]} | {cells[1]} | {len(chosen)} |")
    return "\n".join(lines) + "\n"


def _rows(person: str, k: int, crossed: np.ndarray, systems: dict[str, list[int]]) -> list[SliceHits]:
    rows = [
        SliceHits(person, system, k, float(crossed[found].mean()) if found else 0.0, float(crossed[found].any()))
        for system, found in systems.items()
    ]
    total, inside = len(crossed), int(crossed.sum())
    drawn = min(k, total)
    missed = comb(total - inside, drawn) / comb(total, drawn)
    return [*rows, SliceHits(person, RANDOM, k, inside / total, 1 - missed)]


def _baselines(slices: AxialSlices, k: int) -> dict[str, list[int]]:
    k, middle = min(k, slices.count), (slices.count - 1) / 2
    apart = APART_MM / slices.spacing_mm
    even = [int((number + 0.5) * slices.count / k) for number in range(k)]
    around = [int(np.clip(round(middle + (number - (k - 1) / 2) * apart), 0, slices.count - 1)) for number in range(k)]
    return {EVEN: even, MIDDLE: around}


def _mean(values: list[tuple[str, float]]) -> str:
    people: dict[str, list[float]] = {}
    for person, value in values:
        people.setdefault(person, []).append(value)
    low, high = bootstrap_interval(people, np.mean)
    return f"{np.mean([value for _, value in values]):.2f} ({low:.2f} to {high:.2f})"
