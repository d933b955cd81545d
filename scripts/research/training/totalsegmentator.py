"""Reader of the public TotalSegmentator data set (Wasserthal et al. 2023) as it is published, versions 1 and 2.

FOLDER/meta.csv names the people and their split, FOLDER/<person>/ct.nii.gz is a CT, and every file
FOLDER/<person>/segmentations/<class>.nii.gz the mask of one class. A class with a file is annotated, also if its mask
is empty; a class without a file is unknown. Only people of the split "train" are ever read.
"""
from __future__ import annotations

import csv
import functools
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
from anatembed.geometry import transform_points
from anatembed.scan.files import read_volume
from anatembed.scan.volume import Volume

from research.training import label_names
from research.training.sources import assemble
from research.training.subject import Subject

SOURCE = "totalsegmentator data set"
ONLY_IN_V1 = frozenset({
    "face", "heart_atrium_left", "heart_atrium_right", "heart_myocardium", "heart_ventricle_left",
    "heart_ventricle_right", "pulmonary_artery",
})
ONLY_IN_V2 = frozenset({
    "atrial_appendage_left", "brachiocephalic_trunk", "costal_cartilages", "heart", "prostate", "pulmonary_vein",
    "skull", "spinal_cord", "sternum", "superior_vena_cava", "thyroid_gland", "vertebrae_S1",
})
MASK_SHIFT_MM = 1.0
"""How far the corners of a mask may lie from those of its CT: headers are rounded."""
LOG = logging.getLogger(__name__)


class UnreadableSubject(ValueError):
    """A person whose files are missing, damaged or do not belong together; the text names the person."""


def totalsegmentator_people(root: Path, vocabulary_ids: frozenset[str]) -> list[Callable[[], Subject]]:
    """One reader for each person of the training split; each raises UnreadableSubject if the files are broken.

    FileNotFoundError without meta.csv, ValueError if that names nobody to train on who is in the folder.
    """
    rows = _read_meta(root / "meta.csv")
    people = [row["image_id"].strip() for row in rows if "split" not in row or (row["split"] or "").strip() == "train"]
    there = [person for person in people if (root / person).is_dir()]
    LOG.info(
        "%s: %d people, %d of another split than train are left out, %d are not in the folder",
        root.name, len(there), len(rows) - len(people), len(people) - len(there),
    )
    if not there:
        raise ValueError(
            f"expected folders such as s0011 with ct.nii.gz and segmentations/ in {root}, "
            f"got none of the {len(people)} people that its meta.csv gives for training"
        )
    return [functools.partial(read_person, root / person, vocabulary_ids) for person in there]


def read_person(folder: Path, vocabulary_ids: frozenset[str]) -> Subject:
    """The CT and all masks of one person; UnreadableSubject if they are not one person's."""
    try:
        return _read_person(folder, vocabulary_ids)
    except (OSError, ValueError) as error:
        raise UnreadableSubject(f"{folder.name}: {error}") from error


def version_of(classes: list[str]) -> str:
    """"v1" or "v2" by the classes that only one of them has; v2 if they have both, as v2 with subtasks does."""
    return "v1" if ONLY_IN_V1.intersection(classes) and not ONLY_IN_V2.intersection(classes) else "v2"


def merge_masks(paths: list[Path], scan: Volume) -> Volume:
    """uint16 label map on the grid of `scan`: n where the n-th mask is, counted from 1, and 0 elsewhere.

    Where masks overlap the smaller structure counts, for it lies in the larger one. ValueError for a mask on another
    grid, or if all are empty.
    """
    merged = np.zeros(scan.array_kji.shape, np.uint16)
    flat = merged.reshape(-1)
    sizes = np.full(len(paths) + 1, merged.size + 1)
    for value, path in enumerate(paths, start=1):
        mask = read_volume(path)
        _check_same_grid(mask, scan)
        here = np.flatnonzero(mask.array_kji)
        sizes[value] = len(here)
        flat[here[sizes[flat[here]] > len(here)]] = value
    if not merged.any():
        raise ValueError(f"expected at least one structure, but all {len(paths)} masks are empty")
    return Volume(merged, scan.ijk_to_ras, name="segmentations")


def _read_person(folder: Path, vocabulary_ids: frozenset[str]) -> Subject:
    scan = read_volume(folder / "ct.nii.gz")
    if not np.ptp(scan.array_kji):
        raise ValueError(f"expected a CT of a person, but every voxel of ct.nii.gz is {scan.array_kji.flat[0]}")
    paths = sorted((folder / "segmentations").glob("*.nii.gz"))
    if not paths:
        raise ValueError("expected masks named segmentations/<class>.nii.gz, got none")
    classes = [path.name.removesuffix(".nii.gz") for path in paths]
    concepts = [label_names.totalsegmentator(name) for name in classes]
    for name, concept in zip(classes, concepts, strict=True):
        if concept not in vocabulary_ids:
            _say_unknown(name)
    mapping = dict(enumerate(zip(classes, concepts, strict=True), start=1))
    name = f"totalseg_{folder.name}_{version_of(classes)}"
    return assemble(name, SOURCE, merge_masks(paths, scan), mapping, vocabulary_ids, scan)


def _read_meta(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise FileNotFoundError(f"expected {path}, which tells who is in the test set, but there is no such file")
    rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines(), delimiter=";"))
    if not rows or "image_id" not in rows[0]:
        got = ", ".join(rows[0]) if rows else "no line"
        raise ValueError(f"expected people below a header with image_id, split by semicolons, in {path}, got {got}")
    return rows


def _check_same_grid(mask: Volume, scan: Volume) -> None:
    if mask.array_kji.shape != scan.array_kji.shape:
        raise ValueError(f"{mask.name}: expected the CT's shape {scan.array_kji.shape}, got {mask.array_kji.shape}")
    last = np.array(mask.array_kji.shape[::-1]) - 1
    corners = np.array([(i, j, k) for i in (0, last[0]) for j in (0, last[1]) for k in (0, last[2])])
    apart = transform_points(mask.ijk_to_ras, corners) - transform_points(scan.ijk_to_ras, corners)
    shift = float(np.linalg.norm(apart, axis=1).max())
    if shift > MASK_SHIFT_MM:
        raise ValueError(f"{mask.name}: expected a mask in the place of the CT, got one {shift:.1f} mm away")


@functools.cache
def _say_unknown(name: str) -> None:
    """Once per class and run."""
    LOG.info("  the class %s is no term of the vocabulary: what it marks counts as body of unknown name", name)
