"""What is known about an evaluation scan: boxes, points, sphere chains and voxels of structures, and what is absent."""
from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from anatembed.geometry import spacing_mm, transform_points
from anatembed.language.vocabulary import Vocabulary
from anatembed.scan.files import read_volume
from anatembed.scan.volume import Volume

TOLERANCE_MM = 10.0
"""So far from a structure a first hit still counts."""
MIN_VOXELS = 8
DENSE = "_dense_labels"
"""Ends the name of a label map that was drawn on an annotated scan, and of its table."""


@dataclass(frozen=True)
class Structure:
    """A structure of a scan: `low` and `high` RAS mm of its box (for a point, the point give or take its uncertainty),
    `centre` of box or organ, `inside` a point that surely belongs to it; all (3,).

    spheres: centres RAS mm and radii mm (n,4) that together fill a long structure or the voxels of a label; None for
    what is compact: then the box is all that is known of its extent.
    """

    concept: str
    low: np.ndarray
    high: np.ndarray
    centre: np.ndarray
    inside: np.ndarray
    is_box: bool
    spheres: np.ndarray | None = None


@dataclass(frozen=True)
class Case:
    """One evaluation scan; `person` groups scans for intervals over subjects, `unknown` lists names that the
    vocabulary lacks (devices, lesions).

    doubtful: structures whose drawing is not trusted, which are counted apart. level_doubt: by how many levels the
    numbering of the vertebrae and ribs may be off as a whole.
    """

    person: str
    group: str
    volume: Volume
    present: list[Structure]
    absent: list[str]
    unknown: list[str]
    doubtful: list[Structure] = field(default_factory=list)
    level_doubt: int = 0


def annotated_case(scan: Path, table: Path, vocabulary: Vocabulary, level_doubt: int = 0) -> Case:
    """A scan with a table of boxes, points, sphere chains and absent structures (tab-separated, RAS mm).

    Where a label map was drawn on the scan too, what it shows surely replaces the table's rows, and what it shows with
    a caution is doubtful.
    """
    present, absent, unknown = {}, [], []
    for row in _rows(table):
        concept = _concept(row["name"], vocabulary)
        if concept is None:
            unknown.append(row["name"])
        elif row["kind"] == "absent":
            absent.append(concept)
        else:
            present[concept] = _structure(concept, row)
    doubtful = []
    if dense := _dense_table(table):
        for trust, structure in _drawn(dense, vocabulary):
            if trust == "use":
                present[structure.concept] = structure
            else:
                doubtful.append(structure)
    person = scan.name.split(".")[0]
    return Case(person, "annotated", read_volume(scan), [*present.values()], absent, unknown, doubtful, level_doubt)


def _rows(table: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(table.read_text().splitlines(), delimiter="\t"))


def _concept(name: str, vocabulary: Vocabulary) -> str | None:
    try:
        return vocabulary.canonical_id(name)
    except ValueError:
        return None


def _structure(concept: str, row: dict[str, str]) -> Structure:
    inside = np.array([float(row[axis]) for axis in "ras"])
    spheres = _spheres(row)
    if row["kind"] == "box":
        low, high = (np.array([float(row[f"{axis}_{end}"]) for axis in "ras"]) for end in ("min", "max"))
        return Structure(concept, low, high, (low + high) / 2, inside, True, spheres)
    spread = float(row["uncertainty_mm"] or 0)
    low, high = inside - spread, inside + spread
    if spheres is not None:
        low, high = ((spheres[:, :3] + sign * spheres[:, 3:]).T for sign in (-1, 1))
        low, high = low.min(axis=1), high.max(axis=1)
    return Structure(concept, low, high, inside, inside, False, spheres)


def _spheres(row: dict[str, str]) -> np.ndarray | None:
    """The column `spheres`: "r,a,s,radius;r,a,s,radius;..."; None where it is empty or missing."""
    if not row.get("spheres"):
        return None
    spheres = np.array([[float(number) for number in one.split(",")] for one in row["spheres"].split(";")])
    if spheres.shape[1:] != (4,) or (spheres[:, 3] < 0).any():
        raise ValueError(f"expected spheres r,a,s,radius;... of {row['name']}, got {row['spheres'][:60]!r}")
    return spheres


def _dense_table(table: Path) -> Path | None:
    """The table of the label map that was drawn on the scan of `table`, if there is one."""
    found = [one for one in table.parent.glob(f"*{DENSE}.tsv") if table.stem.startswith(one.stem.removesuffix(DENSE))]
    return found[0] if found else None


def _drawn(table: Path, vocabulary: Vocabulary) -> Iterator[tuple[str, Structure]]:
    """The structures of a label map that are not to be skipped, each with "use" or "caution" from the table."""
    label_map = read_volume(table.with_suffix(".nii.gz"))
    for row in _rows(table):
        concept, trust = _concept(row["name"], vocabulary), row["eval"]
        if trust not in ("use", "caution", "skip"):
            raise ValueError(f"expected use, caution or skip for {row['name']} in {table.name}, got {trust!r}")
        structure = None if concept is None or trust == "skip" else _labelled(label_map, int(row["value"]), concept)
        if structure is not None:
            yield trust, structure


def _labelled(label_map: Volume, value: int, concept: str) -> Structure | None:
    """The structure that one value of a label map shows; None if it has hardly any voxels."""
    kji = np.argwhere(label_map.array_kji == value)
    if len(kji) < MIN_VOXELS:
        return None
    points = transform_points(label_map.ijk_to_ras, kji[:, ::-1])
    centre = points.mean(axis=0)
    nearest = points[np.argmin(np.linalg.norm(points - centre, axis=1))]
    radius = np.linalg.norm(spacing_mm(label_map.ijk_to_ras)) / 2  # a ball around each voxel: no gap between them
    spheres = np.column_stack([points, np.full(len(points), radius)])
    return Structure(concept, points.min(axis=0), points.max(axis=0), centre, nearest, True, spheres)


def labelled_case(
    scan: Path, labels: Path, names: dict[int, str | None], group: str, vocabulary: Vocabulary
) -> Case:
    """A scan with a label map; every structure's box and centroid come from its voxels."""
    label_map = read_volume(labels)
    named = {value: concept for value, concept in names.items() if concept and concept in vocabulary}
    found = (_labelled(label_map, value, concept) for value, concept in named.items())
    present = [replace(structure, spheres=None) for structure in found if structure is not None]
    person = scan.name.split("_ct")[0]
    return Case(person, group, read_volume(scan), present, [], [])


def distance_mm(point: np.ndarray, structure: Structure) -> float:
    """Distance in mm of a RAS point (3,) to the nearest sphere of the structure, or to its box; 0 inside."""
    if structure.spheres is None:
        return distance_to_box(point, structure)
    away = np.linalg.norm(structure.spheres[:, :3] - point, axis=1) - structure.spheres[:, 3]
    return max(0.0, float(away.min()))


def distance_to_box(point: np.ndarray, structure: Structure) -> float:
    """Distance in mm of a RAS point to the structure's box, 0 inside."""
    return float(np.linalg.norm(_beyond(point, structure)))


def depth_error_mm(point: np.ndarray, structure: Structure) -> float:
    """How far above or below the structure's highest and lowest point a RAS point lies, in mm along S; 0 between."""
    return float(_beyond(point, structure)[2])


def _beyond(point: np.ndarray, structure: Structure) -> np.ndarray:
    return np.maximum(np.maximum(structure.low - point, point - structure.high), 0)
