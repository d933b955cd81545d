"""Scans in which something is missing: as they are, and made from the held-out ones.

Made ones come from cutting (a scan that ends before an organ, a slab, one side only), from replacing an organ by fat,
from phantoms, and from pictures that are mirrored or turned, in which a place is right only where the organ went.
"""
from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from anatembed.geometry import bounds_ras, spacing_mm, transform_points
from anatembed.language.vocabulary import Vocabulary
from anatembed.scan.volume import Volume
from scipy import ndimage
from scipy.spatial import KDTree

from research.evaluation import views
from research.evaluation.label_maps import HEAD_NECK
from research.evaluation.levels import group_of, level_of
from research.evaluation.truth import Case, Structure

LISTED, FAR, ENDS, SLAB, SIDE = "listed", "far below the scan", "ends before it", "slab beside it", "other side only"
REPLACED, PHANTOM, MIRRORED, TURNED = "replaced by fat", "phantom", "mirrored", "turned"
KINDS = (LISTED, FAR, ENDS, SLAB, SIDE, REPLACED, PHANTOM, MIRRORED, TURNED)
ENDS_MM = (30.0, 50.0, 100.0)
"""How far before an organ a scan ends."""
GAP_MM = 30.0
"""What lies outside of a cut scan, but nearer than this, is not asked."""
SHORTEST_MM = 100.0
"""What a scan that ends before an organ has left at least."""
SLAB_MM = 80.0
TELLING_MM = 40.0
"""So far a structure must move for its place in a reversed picture to tell anything."""
MARGINS_MM = {"vessels": 10.0, "vertebrae": 40.0, "ribs": 40.0}
"""How far beyond its marks a structure without a box may reach: a vessel whose chain of spheres ends early, a vertebra
that is marked in the middle of its body, a rib without its end at the spine and its cartilage. Others are not known."""
PER_SCAN = 12
"""Questions from one cut scan at most, of as many groups of structures as possible."""
ENDED_BY = ("heart", "liver", "kidney_left", "stomach")
PAINTED = (("liver", "kidney_left"), ("spleen", "kidney_right"), ("heart", "pancreas"), ("stomach",))
"""Organs that are replaced by fat together."""
FAT_HU, FAT_NOISE_HU = -100.0, 15.0
ALIKE_HU = 40.0
"""So far beyond the usual HU of its marks a voxel in the box of an organ still counts as the organ."""
RIM_MM = 4.0
TURNS = {"head down": (0, 2), "on the face": (0, 1)}
"""Pairs of R, A, S that are reversed: a turn by 180 degrees that the header does not tell."""
FAR_CONCEPTS = ("kidney_left", "kidney_right", "urinary_bladder", "sacrum", "vertebrae_L3", "hip_left",
                "psoas_major_left", "gallbladder")
EVERY_HEAD_NECK = 4
PHANTOM_CONCEPTS = (
    "brain", "heart", "liver", "spleen", "kidney_left", "kidney_right", "lung_left", "lung_right", "aorta", "stomach",
    "urinary_bladder", "vertebrae_L3", "vertebrae_T8", "sacrum", "rib_left_6", "trachea",
)


@dataclass(frozen=True)
class Made:
    """A scan with what is asked of it: concepts that are `absent`, structures that are `present`, and the world axes
    (R, A, S are 0, 1, 2) along which the picture was `reversed`: the structures are where they truly are."""

    person: str
    kind: str
    detail: str
    volume: Volume
    absent: list[str] = field(default_factory=list)
    present: list[Structure] = field(default_factory=list)
    reversed: tuple[int, ...] = ()


def listed(case: Case) -> Iterator[Made]:
    """The scan as it is: what its table says is absent; of a head and neck what lies far below."""
    if case.absent:
        yield Made(case.person, LISTED, "", case.volume, case.absent)
    if case.group == HEAD_NECK:
        yield Made(case.person, FAR, "", case.volume, list(FAR_CONCEPTS))


def cut_scans(case: Case, vocabulary: Vocabulary) -> Iterator[Made]:
    """Parts of a scan: what lies wholly outside is absent, what lies wholly inside is present."""
    low, high = bounds_ras(case.volume.array_kji.shape, case.volume.ijk_to_ras)
    for kind, detail, axis, start, stop in (*_ends(case, low, high), *_slabs(low, high), *_sides(case, low, high)):
        part = cut(case.volume, axis, start, stop)
        extents = list(_extents(case, vocabulary))
        absent = [one.concept for one, extent in extents if _gap(extent, axis, start, stop) >= GAP_MM]
        present = [one for one, extent in extents
                   if extent[0][axis] >= start and extent[1][axis] <= stop]
        asked = _spread(absent, vocabulary, f"{case.person} {detail}")
        kept = set(_spread([one.concept for one in present], vocabulary, f"{case.person} {detail}"))
        yield Made(case.person, kind, detail, part, asked, [one for one in present if one.concept in kept])


def _ends(case: Case, low: np.ndarray, high: np.ndarray) -> Iterator[tuple]:
    """Above the first organ that leaves enough of the scan, and below the first one that does, at each distance."""
    organs = {one.concept: one for one in case.present if one.is_box and one.concept in ENDED_BY}
    for gap in ENDS_MM:
        above = [organ for organ in organs.values() if high[2] - organ.high[2] - gap >= SHORTEST_MM]
        below = [organ for organ in organs.values() if organ.low[2] - gap - low[2] >= SHORTEST_MM]
        for organ in above[:1]:
            yield ENDS, f"{gap:g} mm above {organ.concept}", 2, organ.high[2] + gap, high[2]
        for organ in below[:1]:
            yield ENDS, f"{gap:g} mm below {organ.concept}", 2, low[2], organ.low[2] - gap


def _slabs(low: np.ndarray, high: np.ndarray) -> Iterator[tuple]:
    """Slabs of SLAB_MM across each axis, in the middle of the scan and near its beginning."""
    for axis, name in enumerate(("sagittal", "coronal", "axial")):
        for share in (0.25, 0.5):
            start = low[axis] + share * (high[axis] - low[axis] - SLAB_MM)
            if high[axis] - low[axis] > SLAB_MM + 2 * GAP_MM:
                yield SLAB, f"{name} slab at {share:g}", axis, start, start + SLAB_MM


def _sides(case: Case, low: np.ndarray, high: np.ndarray) -> Iterator[tuple]:
    """One half of the patient; the middle is that of the paired structures that are marked."""
    by_concept = {one.concept: one for one in case.present}
    pairs = [(one, by_concept[other]) for name, one in by_concept.items()
             if (other := name.replace("_left", "_right")) != name and other in by_concept]
    if pairs:
        middle = float(np.median([(one.centre[0] + other.centre[0]) / 2 for one, other in pairs]))
        yield SIDE, "right side only", 0, middle, high[0]
        yield SIDE, "left side only", 0, low[0], middle


def cut(volume: Volume, world_axis: int, start: float, stop: float) -> Volume:
    """The planes of a scan with centres from `start` to `stop` mm along R, A or S (0, 1, 2); ValueError for none."""
    axis = views.axis_along(volume, world_axis)
    size = np.array(volume.array_kji.shape)
    middles = np.tile((size[::-1] - 1) / 2, (size[axis], 1))
    middles[:, 2 - axis] = np.arange(size[axis])
    inside = np.flatnonzero(np.abs(transform_points(volume.ijk_to_ras, middles)[:, world_axis] - (start + stop) / 2)
                            <= (stop - start) / 2)
    if not len(inside):
        raise ValueError(f"expected planes from {start:g} to {stop:g} mm, the scan has none there")
    first, last = np.zeros(3, int), size.copy()
    first[axis], last[axis] = inside[0], inside[-1] + 1
    return views.cropped(volume, first, last)


def _extents(case: Case, vocabulary: Vocabulary) -> Iterator[tuple[Structure, tuple[np.ndarray, np.ndarray]]]:
    """Structures whose lowest and highest corner (3,) are known, with these; levels only where their number is."""
    for one in case.present:
        group = group_of(one.concept, vocabulary)
        margin = 0.0 if one.is_box else MARGINS_MM.get(group)
        if margin is not None and not (level_of(one.concept) and case.level_doubt):
            yield one, (one.low - margin, one.high + margin)


def _gap(extent: tuple[np.ndarray, np.ndarray], axis: int, start: float, stop: float) -> float:
    return max(extent[0][axis] - stop, start - extent[1][axis])


def _spread(concepts: list[str], vocabulary: Vocabulary, seed: str) -> list[str]:
    """At most PER_SCAN of the concepts, drawn in turn from their groups."""
    shuffled = random.Random(seed).sample(concepts, len(concepts))
    groups: dict[str, list[str]] = {}
    for concept in shuffled:
        groups.setdefault(group_of(concept, vocabulary), []).append(concept)
    turns = [concept for n in range(len(shuffled)) for own in groups.values() for concept in own[n : n + 1]]
    return turns[:PER_SCAN]


def replaced_scans(case: Case) -> Iterator[Made]:
    """The scan with organs replaced by fat."""
    by_concept = {one.concept: one for one in case.present if one.is_box and one.spheres is not None}
    for together in PAINTED:
        organs = [by_concept[concept] for concept in together if concept in by_concept]
        if organs:
            mask = np.any([organ_mask(organ, case.volume) for organ in organs], axis=0)
            yield Made(case.person, REPLACED, " and ".join(organ.concept for organ in organs),
                       filled_with_fat(case.volume, mask), [organ.concept for organ in organs])


def organ_mask(organ: Structure, volume: Volume) -> np.ndarray:
    """All of an organ and a rim around it: bool (K,J,I). Its marks do not reach its border, so what has their HU and
    hangs together with them in its box belongs to it."""
    marked = marked_mask(organ, volume)
    if not marked.any():
        return marked
    step_kji = spacing_mm(volume.ijk_to_ras)[::-1]
    smooth = ndimage.gaussian_filter(volume.array_kji.astype(np.float32), 1.5 / step_kji)
    low, high = np.percentile(smooth[marked], [5, 95]) + (-ALIKE_HU, ALIKE_HU)
    box = np.zeros_like(marked)
    box[_block(organ.low - RIM_MM, organ.high + RIM_MM, volume)] = True
    alike = ndimage.binary_opening(box & (smooth >= low) & (smooth <= high)) | marked
    whole = ndimage.binary_propagation(marked, mask=alike)
    return ndimage.distance_transform_edt(~whole, sampling=step_kji) <= RIM_MM


def marked_mask(structure: Structure, volume: Volume) -> np.ndarray:
    """Which voxels lie in the spheres of a structure: bool (K,J,I)."""
    centres, radii = structure.spheres[:, :3], structure.spheres[:, 3:]
    part = _block((centres - radii).min(axis=0), (centres + radii).max(axis=0), volume)
    kji = np.stack(np.meshgrid(*(np.arange(one.start, one.stop) for one in part), indexing="ij"), axis=-1)
    positions = transform_points(volume.ijk_to_ras, kji.reshape(-1, 3)[:, ::-1])
    inside = np.zeros(len(positions), bool)
    for radius in np.unique(radii):
        tree = KDTree(centres[radii[:, 0] == radius])
        inside |= tree.query(positions, distance_upper_bound=radius + 1e-6)[0] <= radius
    mask = np.zeros(volume.array_kji.shape, bool)
    mask[part] = inside.reshape(kji.shape[:3])
    return mask


def _block(low: np.ndarray, high: np.ndarray, volume: Volume) -> tuple[slice, ...]:
    """Array slices that hold a box of the world, as far as it is in the scan."""
    corners = np.array([np.where(choice, high, low) for choice in np.ndindex(2, 2, 2)])
    kji = transform_points(np.linalg.inv(volume.ijk_to_ras), corners)[:, ::-1]
    start = np.maximum(np.floor(kji.min(axis=0)).astype(int), 0)
    stop = np.minimum(np.ceil(kji.max(axis=0)).astype(int) + 1, volume.array_kji.shape)
    return tuple(slice(a, max(a, b)) for a, b in zip(start, stop, strict=True))


def filled_with_fat(volume: Volume, mask_kji: np.ndarray) -> Volume:
    """The voxels of a mask become fat with a little noise; the others stay."""
    array = volume.array_kji.copy()
    noise = np.random.default_rng(0).normal(0, FAT_NOISE_HU, int(mask_kji.sum()))
    array[mask_kji] = np.rint(FAT_HU + noise).astype(array.dtype)
    return replace(volume, array_kji=array)


def reversed_scans(case: Case, vocabulary: Vocabulary) -> Iterator[Made]:
    """The picture mirrored or turned under the same geometry; asked for what has a known extent and lies elsewhere now.

    Of a mirrored picture nobody can tell which of two alike is meant: what has two sides is not asked there.
    """
    pictures = [(MIRRORED, "left and right", (0,)), *((TURNED, how, axes) for how, axes in TURNS.items())]
    for kind, how, axes in pictures:
        asked = [one for one, _ in _extents(case, vocabulary)
                 if np.linalg.norm(views.mirrored_position(case.volume, one.centre, axes) - one.centre) >= TELLING_MM
                 and not (kind == MIRRORED and vocabulary[one.concept].pair)]
        kept = set(_spread([one.concept for one in asked], vocabulary, f"{case.person} {how}"))
        yield Made(case.person, kind, how, views.mirrored(case.volume, axes),
                   present=[one for one in asked if one.concept in kept], reversed=axes)


def phantoms() -> Iterator[Made]:
    """Bodies of one tissue or two in air: oval cylinders of water, of fat, of water with a rod of bone."""
    shape_kji, spacing = (90, 70, 90), 4.0
    k, j, i = (np.arange(n) - (n - 1) / 2 for n in shape_kji)
    oval = ((i[None, None] * spacing / 160) ** 2 + (j[None, :, None] * spacing / 110) ** 2 < 1) & (
        np.abs(k[:, None, None]) * spacing < 160)
    rod = oval & ((i[None, None] * spacing) ** 2 + (j[None, :, None] * spacing + 70) ** 2 < 20**2)
    noise = np.random.default_rng(0).normal(0, 12, shape_kji)
    affine = np.diag([spacing, spacing, spacing, 1.0])
    for name, body, inner in (("water", 0, 0), ("fat", -100, -100), ("water with a rod of bone", 0, 400)):
        hu = np.where(rod, inner, np.where(oval, body, -1000)) + noise
        volume = Volume(np.rint(hu).astype(np.int16), affine, "CT", f"phantom of {name}")
        yield Made("phantom", PHANTOM, name, volume, list(PHANTOM_CONCEPTS))


def few_alike(cases: Iterable[Case]) -> Iterator[Case]:
    """The cases, of those of head and neck only every fourth: they are many, alike, and easy to refuse in."""
    head_necks = 0
    for case in cases:
        head_necks += case.group == HEAD_NECK
        if case.group != HEAD_NECK or head_necks % EVERY_HEAD_NECK == 1:
            yield case


def made_scans(case: Case, vocabulary: Vocabulary) -> Iterator[Made]:
    """Everything that is made of one held-out scan; of the labelled ones only what lies far below."""
    yield from listed(case)
    if case.group == "annotated":
        yield from replaced_scans(case)
        yield from cut_scans(case, vocabulary)
        yield from reversed_scans(case, vocabulary)
