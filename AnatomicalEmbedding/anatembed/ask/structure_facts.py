"""What a scan shows of each structure, as the row of a table: where it is, how large, how dense, how sure."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from anatembed.ask.index import Hit
from anatembed.ask.structure_colours import StructureColours
from anatembed.geometry import transform_points

LEAST_SHARE = 0.1
"""A separate part counts when it is at least this share of the largest: a stray voxel far away does not."""
MM3_IN_ML = 1000.0


@dataclass(frozen=True)
class StructureFacts:
    """A structure of a scan: the place where Find goes and its confidence, the box low..high around what is painted of
    it, all in RAS mm; `cut_off`: the box ends with the scan. HU: mean, standard deviation and median of the scan at the
    middles of the painted voxels, NaN where none of these lies in the scan."""

    concept_id: str
    position_ras: np.ndarray
    confidence: float
    low_ras: np.ndarray
    high_ras: np.ndarray
    cut_off: bool
    volume_ml: float
    hu: tuple[float, float, float]


def structure_facts(
    structures: StructureColours,
    parts_of: Callable[[str], Iterable[str]],
    place_of: Callable[[str], Hit | None],
    hu_kji: np.ndarray,
    ijk_to_ras: np.ndarray,
) -> list[StructureFacts]:
    """A row for every structure that is painted and has a place, wholes with all their parts, the largest first.

    `parts_of(concept_id)` are the ids of all parts and their parts; `place_of(concept_id)` is the best hit in the frame
    of `structures`, None where Find refuses; hu_kji (K,J,I) is the scan itself, with its affine in the same frame.
    """
    rows = []
    for concept_id, kji in _painted(structures, parts_of):
        hit = place_of(concept_id)
        if hit is None:
            continue
        centres = transform_points(structures.ijk_to_ras, kji[:, ::-1])
        rim = 0.5 * np.abs(structures.ijk_to_ras[:3, :3]).sum(axis=1)
        last = np.array(structures.labels_kji.shape) - 1
        volume = len(kji) * abs(np.linalg.det(structures.ijk_to_ras[:3, :3])) / MM3_IN_ML
        rows.append(StructureFacts(
            concept_id, hit.position_ras, hit.confidence, centres.min(axis=0) - rim, centres.max(axis=0) + rim,
            bool((kji.min(axis=0) <= 1).any() or (kji.max(axis=0) >= last - 1).any()), float(volume),
            _hu_at(centres, hu_kji, ijk_to_ras),
        ))  # fmt: skip
    return sorted(rows, key=lambda row: -row.volume_ml)


def _painted(
    structures: StructureColours, parts_of: Callable[[str], Iterable[str]]
) -> Iterator[tuple[str, np.ndarray]]:
    """Id and voxels (n,3) in K, J, I of every structure with its parts, without stray ones."""
    numbers = {one: number for number, one in enumerate(structures.concept_ids, 1)}
    boxes = dict(enumerate(ndimage.find_objects(structures.labels_kji), 1))
    for concept_id in structures.concept_ids:
        own = [numbers[one] for one in (concept_id, *parts_of(concept_id)) if one in numbers]
        own = [number for number in own if boxes.get(number) is not None]
        if not own:
            continue
        box = tuple(
            slice(min(boxes[n][axis].start for n in own), max(boxes[n][axis].stop for n in own)) for axis in range(3)
        )
        parts, _ = ndimage.label(np.isin(structures.labels_kji[box], own), structure=np.ones((3, 3, 3)))
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        yield concept_id, np.argwhere((sizes >= LEAST_SHARE * sizes.max())[parts]) + [one.start for one in box]


def _hu_at(positions_ras: np.ndarray, hu_kji: np.ndarray, ijk_to_ras: np.ndarray) -> tuple[float, float, float]:
    kji = np.rint(transform_points(np.linalg.inv(ijk_to_ras), positions_ras)).astype(int)[:, ::-1]
    inside = ((kji >= 0) & (kji < hu_kji.shape)).all(axis=1)
    if not inside.any():
        return float("nan"), float("nan"), float("nan")
    values = hu_kji[tuple(kji[inside].T)].astype(np.float64)
    return float(values.mean()), float(values.std()), float(np.median(values))
