"""Completing label maps: bones and muscles lent to a body that lacks them, and the parts of the aorta."""
from __future__ import annotations

import numpy as np
from anatembed.geometry import transform_points
from anatembed.language.vocabulary import Vocabulary
from scipy import ndimage
from scipy.interpolate import RBFInterpolator

from research.training.body_frame import landmarks
from research.training.subject import UNNAMED, Subject
from research.training.targets import LIES_IN

LENT = {"bone", "spine", "muscle"}
SKULL_GAP = 4
"""Voxels of a gap in the skull that does not let its inside out."""


def parts_in(concept: str) -> set[str]:
    """Concepts whose every voxel is also of this one, although the vocabulary calls them no part of it."""
    return {inner for inner, outer in LIES_IN.items() if outer == concept}


def lend_skeleton(lender: Subject, borrower: Subject, vocabulary: Vocabulary) -> int:
    """Copy bones, spine and muscles of `lender` into the unnamed tissue of `borrower`; returns the voxels filled.

    The two bodies are related by thin-plate splines through the organs that both have.
    """
    theirs, ours = landmarks(lender), landmarks(borrower)
    shared = sorted(set(theirs) & set(ours))
    ours_mm, theirs_mm = (np.array([marks[name] for name in shared]) for marks in (ours, theirs))
    warp = RBFInterpolator(ours_mm, theirs_mm, kernel="thin_plate_spline", smoothing=300.0)
    low = ours_mm.min(axis=0) - 150
    high = ours_mm.max(axis=0) + 150
    labels = borrower.labels_kji
    unnamed = np.argwhere(labels == UNNAMED)[:, ::-1]
    positions = transform_points(borrower.ijk_to_ras, unnamed)
    near = ((positions > low) & (positions < high)).all(axis=1)
    unnamed, positions = unnamed[near], positions[near]
    there = _warp_smoothly(warp, positions)
    voxels = np.rint(transform_points(np.linalg.inv(lender.ijk_to_ras), there)).astype(int)[:, ::-1]
    inside = ((voxels >= 0) & (voxels < lender.labels_kji.shape)).all(axis=1)
    values = np.zeros(len(voxels), np.int64)
    values[inside] = lender.labels_kji[tuple(voxels[inside].T)]
    owned = {concept for options in borrower.label_concepts for concept in options}
    filled = 0
    for index, concepts in enumerate(lender.label_concepts):
        if len(concepts) != 1 or vocabulary[concepts[0]].category not in LENT:
            continue
        # Also no part of a bone of the borrower's own, and no whole of which it has the parts.
        near = {*vocabulary.ancestors(concepts[0]), *vocabulary.descendants(concepts[0]), *parts_in(concepts[0])}
        if owned & {concepts[0], *near}:
            continue
        here = unnamed[values == index]
        if len(here):
            borrower.label_concepts.append(concepts)
            borrower.label_names.append(f"lent {lender.label_names[index]}")
            labels[here[:, 2], here[:, 1], here[:, 0]] = len(borrower.label_names) - 1
            filled += len(here)
    return filled


def _warp_smoothly(warp: RBFInterpolator, positions: np.ndarray) -> np.ndarray:
    """The spline on a 24 mm lattice, linear in between: it is smooth, and exact evaluation is slow."""
    low = positions.min(axis=0)
    counts = np.ceil((positions.max(axis=0) - low) / 24).astype(int) + 2
    lattice = np.stack(np.meshgrid(*(np.arange(n) for n in counts), indexing="ij"), axis=-1)
    moved = warp(lattice.reshape(-1, 3) * 24 + low).reshape(*counts, 3)
    at = (positions - low).T / 24
    return np.stack([ndimage.map_coordinates(moved[..., axis], at, order=1) for axis in range(3)], axis=1)


def fill_skull(subject: Subject) -> int:
    """Name the unnamed inside of a skull brain where a label map draws the bone alone, in place; returns the voxels.

    It becomes not annotated: where the skull is cut its inside is not found.
    """
    known = {concept for options in subject.label_concepts for concept in options}
    if "skull" not in known or "brain" in known:
        return 0
    bone = subject.labels_kji == subject.label_concepts.index(("skull",))
    closed = ndimage.binary_closing(np.pad(bone, SKULL_GAP), iterations=SKULL_GAP)
    closed = closed[(slice(SKULL_GAP, -SKULL_GAP),) * 3]
    inside = np.stack([ndimage.binary_fill_holes(plane) for plane in closed]) & (subject.labels_kji == UNNAMED)
    # The nose and the orbits are thin: what is left of them after erosion is no large piece.
    pieces, count = ndimage.label(ndimage.binary_erosion(inside, iterations=2))
    if not count:
        return 0
    largest = pieces == np.argmax(np.bincount(pieces.ravel())[1:]) + 1
    brain = ndimage.binary_dilation(largest, iterations=3, mask=inside)
    subject.label_concepts.append(("brain",))
    subject.label_names.append("brain")
    subject.labels_kji[brain] = len(subject.label_names) - 1
    return int(brain.sum())


def split_aorta(subject: Subject, vocabulary_ids: frozenset[str]) -> None:
    """Name the parts of an unparted aorta by the body frame: the arch is its top, above T12 it is thoracic.

    In the frame the origin is the twelfth thoracic vertebra of the reference person; one unit is 100 mm.
    """
    whole = next((i for i, c in enumerate(subject.label_concepts) if c == ("aorta",)), None)
    if whole is None or subject.ras_to_body is None:
        return
    kji = np.argwhere(subject.labels_kji == whole)
    if not len(kji):
        return
    ras = transform_points(subject.ijk_to_ras, kji[:, ::-1])
    height = transform_points(subject.ras_to_body, ras)[:, 2]
    part = np.where(height < 0.0, "abdominal_aorta", "thoracic_aorta").astype(object)
    if height.max() > 1.3 and "ascending_aorta" not in {c for o in subject.label_concepts for c in o}:
        top = ras[:, 2].max()
        chest = height > 0.3
        # The two limbs of the arch: below its top the ascending aorta lies in front of the descending one.
        column = np.median(ras[chest & (ras[:, 2] < top - 60), 1])
        front = chest & (ras[:, 1] > column + 22)
        part[front] = "ascending_aorta"
        part[ras[:, 2] > top - 28] = "aortic_arch"
    for name in np.unique(part.astype(str)):
        if name in vocabulary_ids:
            subject.label_concepts.append((name,))
            subject.label_names.append(name)
            subject.labels_kji[tuple(kji[part == name].T)] = len(subject.label_names) - 1


def compact(subject: Subject) -> None:
    """Drop labels without voxels and renumber, cropping to the body with a margin of two voxels."""
    used = np.unique(np.concatenate([[0, 1], np.unique(subject.labels_kji)]))
    lookup = np.zeros(len(subject.label_names), np.uint8 if len(used) < 256 else np.uint16)
    lookup[used] = np.arange(len(used))
    subject.labels_kji = lookup[subject.labels_kji]
    subject.label_concepts = [subject.label_concepts[i] for i in used]
    subject.label_names = [subject.label_names[i] for i in used]
    box = ndimage.find_objects((subject.labels_kji > 0).astype(np.uint8))[0]
    box = tuple(slice(max(0, part.start - 2), part.stop + 2) for part in box)
    start_ijk = [part.start for part in box][::-1]
    subject.labels_kji = np.ascontiguousarray(subject.labels_kji[box])
    if subject.ct_kji is not None:
        subject.ct_kji = np.ascontiguousarray(subject.ct_kji[box])
    moved = subject.ijk_to_ras.copy()
    moved[:3, 3] = transform_points(subject.ijk_to_ras, start_ijk)
    subject.ijk_to_ras = moved
