"""What is known about an evaluation scan: boxes and points of structures, and structures that are not in it."""
from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from anatembed.geometry import transform_points
from anatembed.language.vocabulary import Vocabulary
from anatembed.scan.files import read_volume
from anatembed.scan.volume import Volume

MIN_VOXELS = 8


@dataclass(frozen=True)
class Structure:
    """A structure of a scan: `low` and `high` RAS mm of its box (for a point, the point give or take its uncertainty),
    `centre` of box or organ, `inside` a point that surely belongs to it; all (3,)."""

    concept: str
    low: np.ndarray
    high: np.ndarray
    centre: np.ndarray
    inside: np.ndarray
    is_box: bool


@dataclass(frozen=True)
class Case:
    """One evaluation scan; `person` groups scans for intervals over subjects, `unknown` lists names that the
    vocabulary lacks (devices, lesions)."""

    person: str
    group: str
    volume: Volume
    present: list[Structure]
    absent: list[str]
    unknown: list[str]


def annotated_case(scan: Path, table: Path, vocabulary: Vocabulary) -> Case:
    """A scan with a table of boxes, points and absent structures (tab-separated, RAS mm)."""
    present, absent, unknown = [], [], []
    for row in csv.DictReader(table.read_text().splitlines(), delimiter="\t"):
        try:
            concept = vocabulary.canonical_id(row["name"])
        except ValueError:
            unknown.append(row["name"])
            continue
        if row["kind"] == "absent":
            absent.append(concept)
        else:
            present.append(_structure(concept, row))
    return Case(scan.name.split(".")[0], "annotated", read_volume(scan), present, absent, unknown)


def _structure(concept: str, row: dict[str, str]) -> Structure:
    inside = np.array([float(row[axis]) for axis in "ras"])
    if row["kind"] == "box":
        low, high = (np.array([float(row[f"{axis}_{end}"]) for axis in "ras"]) for end in ("min", "max"))
        return Structure(concept, low, high, (low + high) / 2, inside, True)
    spread = float(row["uncertainty_mm"] or 0)
    return Structure(concept, inside - spread, inside + spread, inside, inside, False)


def labelled_case(
    scan: Path, labels: Path, names: dict[int, str | None], group: str, vocabulary: Vocabulary
) -> Case:
    """A scan with a label map; every structure's box and centroid come from its voxels."""
    label_map = read_volume(labels)
    present = []
    for value, concept in names.items():
        kji = np.argwhere(label_map.array_kji == value)
        if concept is None or concept not in vocabulary or len(kji) < MIN_VOXELS:
            continue
        points = transform_points(label_map.ijk_to_ras, kji[:, ::-1])
        centre = points.mean(axis=0)
        nearest = points[np.argmin(np.linalg.norm(points - centre, axis=1))]
        present.append(Structure(concept, points.min(axis=0), points.max(axis=0), centre, nearest, True))
    person = scan.name.split("_ct")[0]
    return Case(person, group, read_volume(scan), present, [], [])


def distance_to_box(point: np.ndarray, structure: Structure) -> float:
    """Distance in mm of a RAS point to the structure's box, 0 inside."""
    beyond = np.maximum(np.maximum(structure.low - point, point - structure.high), 0)
    return float(np.linalg.norm(beyond))
