"""From a typed part of a structure ("upper third of liver") to a place: does the first hit lie in that third?"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from anatembed.ask.explorer import Explorer
from anatembed.geometry import transform_points
from anatembed.language.vocabulary import Vocabulary

from research.evaluation.label_maps import LabelMap
from research.evaluation.section import Section, Tally
from research.evaluation.truth import MIN_VOXELS, Case

DIRECTIONS = {
    "superior": "upper", "inferior": "lower", "anterior": "anterior", "posterior": "posterior", "medial": "medial",
    "lateral": "lateral", "middle": "middle",
}
"""The directions that are asked for, and the words for them."""
SHORTEST_MM = 30.0
"""A third of what is shorter is less than two voxels of the map."""
BEYOND_MM = 10.0
"""How far beyond the end of the structure a hit may lie and still count as the outer third."""
PARTS, WHOLE, CHANCE = "part", "whole structure", "random place in the structure"
_AXES = {"superior": (2, 1), "inferior": (2, -1), "anterior": (1, 1), "posterior": (1, -1)}


@dataclass(frozen=True)
class Outline:
    """The true extent of a structure: points RAS mm (n,3), the voxels of a mask or the corners of a box."""

    concept: str
    side: str
    points_ras: np.ndarray


def part_is_right(point_ras: np.ndarray, outline: Outline, direction: str) -> bool | None:
    """Whether a RAS point lies in the third of a structure in a direction; None where that says nothing: the structure
    is too short along it, or has no side that could tell medial from lateral.

    Patients lie straight in the scans that this is for: RAS is their own right, anterior and superior.
    """
    low, high = outline.points_ras.min(axis=0), outline.points_ras.max(axis=0)
    if direction == "middle":
        axis = int(np.argmax(high - low))
        sign = 1
    elif direction in ("medial", "lateral"):
        axis, sign = 0, {"right": 1, "left": -1}.get(outline.side, 0) * (1 if direction == "lateral" else -1)
    else:
        axis, sign = _AXES[direction]
    length = high[axis] - low[axis]
    if length < SHORTEST_MM or not sign:
        return None
    along = (point_ras[axis] - low[axis]) / length
    along = along if sign > 0 else 1 - along
    if direction == "middle":
        return bool(1 / 3 <= along <= 2 / 3)
    return bool(2 / 3 <= along <= 1 + BEYOND_MM / length)


def outlines_of(case: Case, labels: LabelMap | None, vocabulary: Vocabulary) -> Iterator[Outline]:
    """Every structure of a scan whose extent is known: its mask, or else its box."""
    if labels is None:
        for one in case.present:
            if one.is_box:
                yield Outline(one.concept, vocabulary[one.concept].laterality, np.stack([one.low, one.high]))
        return
    for concept, value in labels.values.items():
        kji = np.argwhere(labels.volume.array_kji == value)
        if len(kji) >= MIN_VOXELS:
            points = transform_points(labels.volume.ijk_to_ras, kji[:, ::-1])
            yield Outline(concept, vocabulary[concept].laterality, points)


def ask_parts(person: str, explorer: Explorer, outlines: Iterator[Outline], tally: Tally, rows: list[dict]) -> None:
    """Ask for every third of the structures that are found, in words, and add what came to the tally and the rows.

    The baseline is the first hit of the whole structure: what one gets by leaving the part out.
    """
    name: Callable[[str], str] = explorer.vocabulary.name
    for outline in outlines:
        whole = explorer.locate(name(outline.concept), 1)
        if not whole.marked or whole.marked[0].concept_id != outline.concept:
            continue
        for direction, word in DIRECTIONS.items():
            baseline = part_is_right(whole.marked[0].position_ras, outline, direction)
            if baseline is None:
                continue
            answer = explorer.locate(f"{word} third of {name(outline.concept)}", 1)
            right = bool(answer.marked) and part_is_right(answer.marked[0].position_ras, outline, direction)
            for system, value in ((PARTS, right), (WHOLE, baseline), (CHANCE, 1 / 3)):
                tally.add(system, direction, person, float(value))
                tally.add(system, "all", person, float(value))
            rows.append({"person": person, "structure": outline.concept, "third": direction, "right": bool(right),
                         "of the whole": bool(baseline)})


def section(tally: Tally, rows: list[dict]) -> Section:
    """The table of all scans."""
    text = (
        f"Share of questions such as “upper third of liver” whose first hit lies in that third of the true structure, "
        f"over {len(rows)} questions on {len({row['person'] for row in rows})} people. Structures shorter than "
        f"{SHORTEST_MM:g} mm along the direction are left out."
    )
    return Section("parts", "Parts of structures", text, tally.systems(), tally.intervals(), _by_structure(rows))


def _by_structure(rows: list[dict]) -> list[dict]:
    """One row a structure, from the most asked on."""
    found: dict[str, list[dict]] = {}
    for row in rows:
        found.setdefault(row["structure"], []).append(row)
    return [
        {"structure": name, "questions": len(own), "right": sum(row["right"] for row in own) / len(own),
         "of the whole": sum(row["of the whole"] for row in own) / len(own)}
        for name, own in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
