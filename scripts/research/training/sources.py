"""Readers of the public data sets that we train on: each yields people as `Subject` on one grid.

Every reader takes the folder of its data set; the mapping of its label names is in `label_names`.
"""
from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from anatembed.geometry import axis_aligned_grid, transform_points
from anatembed.model.body_mask import body_mask
from anatembed.model.config import PreprocessingConfig
from anatembed.model.preprocessing import resample_to_grid
from anatembed.scan.files import read_volume
from anatembed.scan.volume import Volume
from scipy import ndimage

from research.training import bodyparts3d, label_names
from research.training.head_air import name_head_air
from research.training.subject import OUTSIDE, UNNAMED, UNNAMED_AIR, UNNAMED_MUSCLE, Subject

GRID = PreprocessingConfig(spacing_mm=3.0, hu_min=-1024, hu_max=2000)
SKIN = 1
"""Value of the skin in the Human Reference Atlas's label maps; 0 is empty."""
MUSCLE_VOXEL_ML, WHOLE_MUSCLE = 0.008, 0.9
"""Volume of a voxel of 2 mm, and the share of its mesh from which on a muscle is whole: many are cut at the hip."""
QUARRELS = frozenset({"heart", "duodenum"})
"""Structures of the dense chest that it draws otherwise than the other sources."""
UNLABELLED = {
    "ACRIN-FLT-Breast_013_coronal_slab_skullbase-thigh": "slab CT",
    "ACRIN-FLT-Breast_013_sagittal_slab_skullbase-thigh": "slab CT",
    "RIDER-Pilot_0117_lower_chest_slab": "slab CT",
    "C4KC-KiTS_KiTS-00072_abdomen_slab": "slab CT",
    "TCGA-THCA_TCGA-E3-A3E5_neck": "neck CT",
}
"""Scans without labels, and the sources that they are counted among."""
Stretch = tuple[float, float, float]
AS_STORED: Stretch = (1.0, 1.0, 1.0)
SPL_ABDOMINAL_STRETCH = (1.5, 1.5, 2.0)
"""The file's spacing gives a liver of 240 ml and 70 mm from L1 to L5; stretched so, organs and spine are an adult's."""


class LabelTable:
    """Label indices of a source, renumbered without gaps, with the concepts that each may be."""

    def __init__(self, vocabulary_ids: frozenset[str]):
        self.vocabulary_ids = vocabulary_ids
        self.concepts: list[tuple[str, ...]] = [(), ()]
        self.names = ["outside", "unnamed"]

        self._added: dict[tuple[str, str | None], int] = {}

    def add(self, name: str, mapped: str | None) -> int:
        """Index of the label `name`; None or a concept that the vocabulary lacks becomes a label without concept.

        What is added again with the same name and meaning gets the index that it has.
        """
        if (name, mapped) not in self._added:
            self.concepts.append(tuple(c for c in (mapped or "").split("|") if c in self.vocabulary_ids))
            self.names.append(name)
            self._added[name, mapped] = len(self.names) - 1
        return self._added[name, mapped]


def read_tsv_labels(path: Path) -> dict[int, str]:
    """Label values and names of a table with or without a header line; value and name are the first two columns."""
    rows = csv.reader(path.read_text().splitlines(), delimiter="\t")
    return {int(row[0]): row[1].strip() for row in rows if row and row[0].isdigit()}


def labels_to_grid(array_kji: np.ndarray, ijk_to_ras: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels on the RAS-canonical training grid by nearest neighbour, and the grid's ijk_to_ras."""
    shape, grid_to_ras = axis_aligned_grid(array_kji.shape, ijk_to_ras, GRID.spacing_mm)
    grid_to_ijk = np.linalg.inv(ijk_to_ras) @ grid_to_ras
    flip = [2, 1, 0]
    matrix, offset = grid_to_ijk[:3, :3][np.ix_(flip, flip)], grid_to_ijk[:3, 3][flip]
    return ndimage.affine_transform(array_kji, matrix, offset, shape, order=0, cval=OUTSIDE), grid_to_ras


def read_stretched(path: Path, stretch: Stretch) -> Volume:
    """The volume with its spacing along i, j and k multiplied, for files whose spacing is known to be wrong."""
    volume = read_volume(path)
    return dataclasses.replace(volume, ijk_to_ras=volume.ijk_to_ras @ np.diag([*stretch, 1.0]))


def ct_to_grid(path: Path, stretch: Stretch = AS_STORED) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """int16 HU on the training grid, its ijk_to_ras, and the body as bool."""
    return scan_to_grid(read_stretched(path, stretch))


def scan_to_grid(volume: Volume) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`ct_to_grid` of a scan that is read already."""
    hu, grid_to_ras = resample_to_grid(volume, GRID)
    return np.round(hu).astype(np.int16), grid_to_ras, body_mask(hu, GRID.spacing_mm)


def fill_lookup(array: np.ndarray, mapping: dict[int, int]) -> np.ndarray:
    """Renumber label values; values without an entry become OUTSIDE."""
    lookup = np.zeros(int(array.max()) + 1, np.uint16)
    for value, index in mapping.items():
        if value < len(lookup):
            lookup[value] = index
    return lookup[array.astype(np.int64)]


def envelope(labels_kji: np.ndarray, margin_voxels: int = 4) -> np.ndarray:
    """A plausible body around labelled organs: closed, filled slice by slice, grown by a layer of fat and smoothed."""
    closed = ndimage.binary_closing(np.pad(labels_kji > 0, 12), iterations=10)[12:-12, 12:-12, 12:-12]
    filled = np.stack([ndimage.binary_fill_holes(plane) for plane in closed])
    in_plane = ndimage.generate_binary_structure(3, 1)
    in_plane[0] = in_plane[2] = False
    grown = ndimage.binary_dilation(filled, in_plane, iterations=margin_voxels)
    return (ndimage.gaussian_filter(grown.astype(np.float32), 2.0, mode="nearest") > 0.5) | (labels_kji > 0)


def mark_unnamed_air(labels: np.ndarray, ct: np.ndarray, body: np.ndarray, table: LabelTable) -> None:
    """Label lung and gas that the source does not name, so that an image painted from the labels has air there."""
    inner = ndimage.binary_erosion(body, iterations=2)
    air = ndimage.binary_opening((labels == UNNAMED) & (ct < -500) & inner)
    if air.any():
        labels[air] = table.add(UNNAMED_AIR, None)


def split_sides(subject: Subject) -> None:
    """Give the halves of labels such as 'rib_{side}_7' their side, by the midline of the spine (+R is right)."""
    columns = np.nonzero(np.isin(subject.labels_kji, spine_indices(subject)))[2]
    if not len(columns):
        return
    right = np.arange(subject.labels_kji.shape[2])[None, None] > np.median(columns)
    for index, name in enumerate(list(subject.label_names)):
        if "{side}" not in name:
            continue
        here = subject.labels_kji == index
        for side, half in (("right", here & right), ("left", here & ~right)):
            subject.label_names.append(name.format(side=side))
            subject.label_concepts.append((name.format(side=side),))
            subject.labels_kji[half] = len(subject.label_names) - 1


def spine_indices(subject: Subject) -> list[int]:
    return [i for i, c in enumerate(subject.label_concepts) if c and c[0].startswith("vertebrae_")]


def build(
    name: str,
    source: str,
    label_path: Path,
    mapping: dict[int, tuple[str, str | None]],
    vocabulary_ids: frozenset[str],
    ct_path: Path | None = None,
    body_values: tuple[int, ...] = (),
    stretch: Stretch = AS_STORED,
) -> Subject:
    """Read one label map (and its CT) into a Subject; `mapping` is value -> (label name, concept)."""
    scan = None if ct_path is None else read_stretched(ct_path, stretch)
    return assemble(name, source, read_stretched(label_path, stretch), mapping, vocabulary_ids, scan, body_values)


def assemble(
    name: str,
    source: str,
    label_volume: Volume,
    mapping: dict[int, tuple[str, str | None]],
    vocabulary_ids: frozenset[str],
    scan: Volume | None = None,
    body_values: tuple[int, ...] = (),
) -> Subject:
    """A Subject of a label map (and its CT) that are read already; the other arguments are those of `build`."""
    table = LabelTable(vocabulary_ids)
    lookup = dict.fromkeys(body_values, UNNAMED)
    for value, (label, mapped) in mapping.items():
        if value not in body_values:
            sided = mapped is not None and "{side}" in mapped
            lookup[value] = table.add(mapped if sided else label, None if sided else mapped)
    labels, affine = labels_to_grid(fill_lookup(label_volume.array_kji, lookup), label_volume.ijk_to_ras)
    ct = None
    if scan is not None:
        ct, ct_affine, body = scan_to_grid(scan)
        if ct.shape != labels.shape or not np.allclose(ct_affine, affine, atol=0.1):
            raise ValueError(f"{scan.name}: grid {ct.shape} of the scan differs from {labels.shape} of its labels")
    elif body_values:
        body = labels > 0
    else:
        body = envelope(labels)
    labels[(labels == OUTSIDE) & body] = UNNAMED
    if ct is not None:
        mark_unnamed_air(labels, ct, body, table)
    annotated = frozenset(c for concepts in table.concepts for c in concepts)
    subject = Subject(name, source, labels, table.concepts, annotated, affine, ct, label_names=table.names)
    split_sides(subject)
    return subject


def totalsegmentator_map(label_path: Path, table: Path, ids: frozenset[str], ct_path: Path | None = None) -> Subject:
    """A TotalSegmentator label map of one file with the names of `table`."""
    names = read_tsv_labels(table)
    mapping = {value: (name, label_names.totalsegmentator(name)) for value, name in names.items()}
    name = label_path.name.replace("_seg", "").split(".")[0]
    return build(name, "totalsegmentator", label_path, mapping, ids, ct_path)


def named_map(label_path: Path, table: Path, ids: frozenset[str], source: str) -> Subject:
    """A label map without CT whose labels have TotalSegmentator's names, or the names of `label_names.NAMED`."""
    mapping = {value: (name, label_names.named(name)) for value, name in read_tsv_labels(table).items()}
    return build(label_path.name.replace("_seg", "").split(".")[0], source, label_path, mapping, ids)


def dense_chest(root: Path, ids: frozenset[str]) -> Subject:
    """The chest CT LIDC-IDRI-0001 with its dense labels, an evaluation scan until the second phase of a training.

    Of the table's column `eval` only "use" makes a structure annotated; "skip" and QUARRELS leave it without a name.
    """
    label_path = root / "annotations" / "LIDC-IDRI-0001_dense_labels.nii.gz"
    table = label_path.with_name("LIDC-IDRI-0001_dense_labels.tsv").read_text()
    rows = list(csv.DictReader(table.splitlines(), delimiter="\t"))
    kept = [row for row in rows if row["eval"] != "skip" and row["name"] not in QUARRELS]
    mapping = {int(row["value"]): (row["name"], None) for row in rows}
    mapping |= {int(row["value"]): (row["name"], row["name"]) for row in kept}
    ct_path = root / "real_ct" / "LIDC-IDRI-0001_chest.nii.gz"
    subject = build("LIDC-IDRI-0001_chest", "dense chest", label_path, mapping, ids, ct_path)
    subject.annotated &= {row["name"] for row in kept if row["eval"] == "use"}
    return subject


def spl_map(label_path: Path, table: Path, ids: frozenset[str], ct_path: Path | None = None) -> Subject:
    """An atlas of the Surgical Planning Laboratory."""
    mapping = {value: (name, label_names.spl(name)) for value, name in read_tsv_labels(table).items()}
    name = label_path.name.replace("_seg", "").split(".")[0]
    stretch = SPL_ABDOMINAL_STRETCH if "abdominal" in name else AS_STORED
    return build(name, "spl", label_path, mapping, ids, ct_path, stretch=stretch)


def human_reference_atlas(
    label_path: Path, table: Path, ids: frozenset[str], muscles: tuple[Path, Path] | None = None
) -> Subject:
    """A whole body of the Human Reference Atlas, meshes merged to concepts; the skin's value is unnamed body.

    muscles: label map and table of the same person's hip muscles, painted where the atlas has no structure.
    """
    rows = csv.DictReader(table.read_text().splitlines(), delimiter="\t")
    concepts = {
        int(row["id"]): label_names.human_reference_atlas(row["name"], row["organ"], row["node"]) for row in rows
    }
    skin = tuple(value for value, concept in concepts.items() if concept is None)
    mapping = {value: (concept, concept) for value, concept in concepts.items() if concept}
    volume, cut = read_volume(label_path), frozenset()
    if muscles is not None:
        volume, named, cut = with_muscles(volume, *muscles)
        mapping |= named
    name = label_path.name.split("_labels")[0]
    subject = assemble(name, "human reference atlas", volume, mapping, ids, body_values=skin)
    subject.annotated -= cut
    return subject


def with_muscles(
    atlas: Volume, label_path: Path, table: Path
) -> tuple[Volume, dict[int, tuple[str, str | None]], frozenset[str]]:
    """The atlas with the muscles painted where it is empty or skin, what their values mean, and the concepts that are
    cut (their label is not all of them); ValueError if the grids differ."""
    own = read_volume(label_path)
    if own.array_kji.shape != atlas.array_kji.shape or not np.allclose(own.ijk_to_ras, atlas.ijk_to_ras, atol=0.1):
        raise ValueError(f"{label_path.name}: expected the grid of the atlas, {atlas.array_kji.shape}, got another one")
    first = int(atlas.array_kji.max()) + 1
    free = (atlas.array_kji <= SKIN) & (own.array_kji > 0)
    painted = np.where(free, own.array_kji.astype(np.int32) + first, atlas.array_kji)
    named, cut = {}, set()
    for row in csv.DictReader(table.read_text().splitlines(), delimiter="\t"):
        concept = label_names.muscle(row["name"], row["side"])
        named[first + int(row["value"])] = (concept or UNNAMED_MUSCLE, concept)
        if concept and int(row["voxels"]) * MUSCLE_VOXEL_ML < WHOLE_MUSCLE * float(row["mesh_ml"]):
            cut.add(concept)
    return dataclasses.replace(atlas, array_kji=painted), named, frozenset(cut)


def body_parts_3d(label_path: Path, table: Path, ids: frozenset[str]) -> Subject:
    """The man of BodyParts3D, structures merged to concepts; its `body` is an outline and tells of no tissue."""
    mapping, body_values = {}, []
    for row in csv.DictReader(table.read_text().splitlines(), delimiter="\t"):
        known = bodyparts3d.concept_of(row["name"], row["side"], row["totalsegmentator_class"], int(row["voxels"]), ids)
        if known is None:
            body_values.append(int(row["value"]))
        else:
            mapping[int(row["value"])] = known
    name = label_path.name.split(".")[0]
    subject = build(name, "bodyparts3d", label_path, mapping, ids, body_values=tuple(body_values))
    bodyparts3d.fill_gaps(subject)
    return subject


def contoured_scan(label_path: Path, table: Path, ids: frozenset[str], ct_path: Path | None, source: str) -> Subject:
    """A radiotherapy planning case; only the organs that were contoured in this case count as annotated."""
    names = read_tsv_labels(table)
    mapping = {value: (name, label_names.contoured(name)) for value, name in names.items()}
    body_values = tuple(value for value, name in names.items() if name == "BODY")
    subject = build(label_path.name.split("_seg")[0], source, label_path, mapping, ids, ct_path, body_values)
    present = {c for i in np.unique(subject.labels_kji) for c in subject.label_concepts[i]}
    subject.annotated = frozenset(present)
    name_head_air(subject)
    return subject


def unlabelled_chest(ct_path: Path, ids: frozenset[str]) -> Subject:
    """An unlabelled chest CT with the lungs found by threshold: air inside the body, the two largest parts by side."""
    ct, affine, body = ct_to_grid(ct_path)
    labels = body.astype(np.uint16) * UNNAMED
    table = LabelTable(ids)
    parts, _ = ndimage.label(ndimage.binary_erosion((ct < -600) & body, iterations=2))
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    air = ndimage.binary_dilation((sizes > 4000)[parts], iterations=2) & (ct < -500)
    # Trachea and the air between the lungs lie near the middle: they stay unnamed.
    columns = np.arange(ct.shape[2])[None, None] - np.nonzero(body)[2].mean()
    for side, there in (("right", columns > 6), ("left", columns < -6)):
        labels[air & there] = table.add(f"lung_{side}", f"lung_{side}")
    return Subject(ct_path.name.split(".")[0], "chest CT", labels, table.concepts, frozenset(), affine, ct,
                   label_names=table.names)


def unlabelled_slab(ct_path: Path, source: str = "slab CT") -> Subject:
    """A thick slice of an unlabelled body or a limb: nothing is named, for its middle need not be the body's."""
    ct, affine, body = scan_to_grid(without_filler(read_volume(ct_path)))
    return Subject(ct_path.name.split(".")[0], source, body.astype(np.uint16) * UNNAMED, [(), ()], frozenset(),
                   affine, ct, label_names=["outside", "unnamed"])


def without_filler(volume: Volume) -> Volume:
    """Without the slices at both ends along k that hold one value, and the next one, which a reformat blends in."""
    pictured = np.flatnonzero(np.ptp(volume.array_kji, axis=(1, 2)))
    size = len(volume.array_kji)
    first, last = (pictured[0], pictured[-1] + 1) if len(pictured) else (0, 0)
    first, last = first + (first > 0), last - (last < size)
    if last - first < 2:
        raise ValueError(f"expected slices with an image in them, got {len(pictured)} of {size}")
    moved = volume.ijk_to_ras.copy()
    moved[:3, 3] = transform_points(volume.ijk_to_ras, [0, 0, first])
    return dataclasses.replace(volume, array_kji=volume.array_kji[first:last], ijk_to_ras=moved)


def head_template(ct_path: Path, ids: frozenset[str]) -> Subject:
    """A head CT without labels: the brain is the soft tissue that the skull encloses."""
    ct, affine, body = ct_to_grid(ct_path)
    skull = ndimage.binary_closing(np.pad(ct > 250, 6), iterations=4)[6:-6, 6:-6, 6:-6]
    soft = ndimage.binary_erosion((ct > -10) & (ct < 90) & ~skull & body, iterations=2)
    parts, count = ndimage.label(soft)
    labels = body.astype(np.uint16) * UNNAMED
    table = LabelTable(ids)
    if count:
        largest = np.argmax(np.bincount(parts.ravel())[1:]) + 1
        brain = ndimage.binary_dilation(parts == largest, iterations=2) & (ct > -10) & (ct < 90)
        labels[brain] = table.add("brain", "brain")
    return Subject(ct_path.name.split(".")[0], "head CT", labels, table.concepts, frozenset({"brain"}), affine, ct,
                   label_names=table.names)


def public_sources(root: Path, ids: frozenset[str]) -> Iterator[Callable[[], Subject]]:
    """All training subjects in a folder with the layout label_maps/, real_ct/, real_ct_labelled/ and openkbp/."""
    maps, labelled, real, planning = (root / n for n in ("label_maps", "real_ct_labelled", "real_ct", "openkbp"))
    first, second = (maps / f"totalseg_{case}_seg_v2.nii.gz" for case in ("s0327", "s0328"))
    yield lambda: totalsegmentator_map(first, maps / "labels_total_v2.tsv", ids)
    # The second one, so that the head and the limbs of all others find their landmarks in the body frame.
    man = maps / "bodyparts3d_v4_man"
    yield lambda: body_parts_3d(man.with_suffix(".nii.gz"), man.with_suffix(".tsv"), ids)
    yield lambda: totalsegmentator_map(second, maps / "labels_total_v2.tsv", ids)
    ct = labelled / "example_ct.nii.gz"
    for version in ("v1", "v2fast"):
        path = labelled / f"example_ct_seg_{version}.nii.gz"
        table = labelled / f"labels_total_{version[:2]}.tsv"
        yield lambda path=path, table=table: totalsegmentator_map(path, table, ids, ct)
    for atlas in ("spl_abdominal", "spl_head_neck"):
        path, table = maps / f"{atlas}_seg.nii.gz", maps / f"{atlas}_labels.tsv"
        yield lambda path=path, table=table: spl_map(path, table, ids)
    top = labelled / "spl_abdominal_seg_top52slices.nii.gz"
    yield lambda: spl_map(
        top, labelled / "spl_abdominal_labels.tsv", ids, labelled / "spl_abdominal_ct_top52slices.nii.gz"
    )
    for body in ("hra_male", "hra_female"):
        path, table = maps / f"{body}_labels.nii.gz", maps / f"{body}_labels.tsv"
        muscles = maps / f"{body}_du_muscles.nii.gz", maps / f"{body}_du_muscles.tsv"
        yield lambda path=path, table=table, muscles=muscles: human_reference_atlas(path, table, ids, muscles)
    amos = maps / "amos_0013_seg.nii.gz"
    yield lambda: named_map(amos, maps / "amos_0013_labels.tsv", ids, "amos")
    yield lambda: contoured_scan(
        maps / "cort_prostate_seg.nii.gz", maps / "cort_prostate_labels.tsv", ids, None, "cort prostate"
    )
    for row in csv.DictReader((planning / "index.csv").read_text().splitlines()):
        if row["split"] == "train-pats":
            path = planning / f"{row['id']}_seg.nii.gz"
            ct_path = planning / f"{row['id']}_ct.nii.gz"
            yield lambda path=path, ct_path=ct_path: contoured_scan(
                path, planning / "labels.tsv", ids, ct_path, "openkbp"
            )
    for name in ("LIDC-IDRI-0002_chest", "LIDC-IDRI-0314_chest", "LungPETCTDx-A0002_chest",
                 "LungFCP-01-0001_chest_slab", "ACRIN-FLT-Breast_013_chest", "CPTAC-PDA_C3N-00249_chest"):
        path = real / f"{name}.nii.gz"
        yield lambda path=path: unlabelled_chest(path, ids)
    for name, source in UNLABELLED.items():
        path = real / f"{name}.nii.gz"
        yield lambda path=path, source=source: unlabelled_slab(path, source)
    for path in sorted((root / "real_ct_limbs").glob("*_crop.nii.gz")):
        yield lambda path=path: unlabelled_slab(path, "limb CT")
    yield lambda: head_template(real / "VisibleHuman_head.nii.gz", ids)
