"""Labels of one labelled person carried over to another one by the nearest codes, beside affine registration."""
from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
from anatembed.geometry import transform_points
from anatembed.language.vocabulary import Vocabulary
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.scan.volume import Volume
from scipy import ndimage

from research.evaluation.baselines import Lookup, affine_lookup
from research.evaluation.bench import AFFINE, Bench, Scan
from research.evaluation.codes import unit_rows
from research.evaluation.label_maps import HEAD_NECK, LabelMap
from research.evaluation.section import Figure, Section, Tally
from research.training.subject import Subject

HEAD_NECK_TEMPLATE = "pt_013"

CHUNK = 256

TEXT = (
    "One labelled training person is the template, held-out people the targets: the first training person of "
    "OpenKBP with all seven organs for head and neck, the CT-like image of the reference label map for the labelled "
    "chest. Each 6 mm voxel of the target takes the labels of the template's voxel with the nearest code; their shares "
    "are interpolated to 3 mm and the largest wins. Dice over organs that both people have. Baseline: the template's "
    "labels after affine registration of its image to the target."
)


class Template:
    """A labelled person, embedded: codes of its body voxels and the share of each label in them."""

    def __init__(self, subject: Subject, image_kji: np.ndarray, bench: Bench):
        self.subject, self.image = subject, np.asarray(image_kji, np.float32)
        self.map = bench.embed(Volume(image_kji, subject.ijk_to_ras, "CT", subject.name))
        self.codes = unit_rows(self.map.latents(self.map.body_kji))

    @cached_property
    def shares(self) -> np.ndarray:
        """Share (V,L) of every label in each body voxel of the map."""
        fine = np.array(np.meshgrid(*[[-0.25, 0.25]] * 3)).reshape(3, -1).T
        centres = np.argwhere(self.map.body_kji)[:, ::-1]
        total = np.zeros((len(centres), len(self.subject.label_concepts)), np.float32)
        for offset in fine:
            positions = transform_points(self.map.ijk_to_ras, centres + offset)
            labels = labels_at(self.subject.labels_kji, self.subject.ijk_to_ras, positions)
            total[np.arange(len(labels)), labels] += 1 / len(fine)
        return total

    def carried_over(self, target: EmbeddingMap, positions_ras: np.ndarray) -> np.ndarray:
        """Label index (N,) at RAS positions (N,3) on the target's grid."""
        shares = self.shares[self._nearest(unit_rows(target.latents(target.body_kji)))]
        kji = transform_points(np.linalg.inv(target.ijk_to_ras), positions_ras)[:, ::-1].T
        best, label = np.zeros(len(positions_ras), np.float32), np.zeros(len(positions_ras), int)
        for index in np.flatnonzero(shares.any(axis=0)):
            field = np.zeros(target.shape_kji, np.float32)
            field[target.body_kji] = shares[:, index]
            share = ndimage.map_coordinates(field, kji, order=1, mode="nearest")
            label[share > best] = index
            best = np.maximum(best, share)
        return label

    def _nearest(self, codes: np.ndarray) -> np.ndarray:
        """Index (M,) of the template voxel with the nearest code to each of (M,C)."""
        parts = range(0, len(codes), CHUNK)
        return np.concatenate([(codes[n : n + CHUNK] @ self.codes.T).argmax(axis=1) for n in parts])

    def registered(self, scan: Scan, bench: Bench) -> Lookup:
        """The affine map from a scan to the template, by its image."""
        if self.subject is bench.reference.subject:
            return scan.lookups[AFFINE]
        return affine_lookup(scan.prepared, replace(bench.reference, subject=self.subject, image=self.image))


def transfer(bench: Bench) -> Section:
    """Dice of every organ in every labelled held-out scan."""
    head = bench.person(HEAD_NECK_TEMPLATE)
    templates = {
        True: Template(head, head.ct_kji, bench),
        False: Template(bench.reference.subject, bench.reference.image, bench),
    }
    tally, by_organ = Tally(), {}
    for scan in bench.scans:
        truth = bench.labels.get(scan.person)
        if truth is None:
            continue
        template = templates[scan.case.group == HEAD_NECK]
        for system, organs in _dice_of(template, scan, truth, bench).items():
            tally.add(system, f"mean Dice, {scan.case.group}", scan.person, list(organs.values()))
            for organ, value in organs.items():
                by_organ.setdefault(organ, {}).setdefault(system, []).append(value)
    rows = [_row(organ, found) for organ, found in sorted(by_organ.items())]
    names = list(tally.systems())
    series = {n: [float(np.mean(found.get(n, [np.nan]))) for _, found in sorted(by_organ.items())] for n in names}
    figure = Figure("label_transfer", "Labels carried over from one template", "", "Dice", "bar",
                    sorted(by_organ), series)
    return Section("transfer", "Labels carried over from one person", TEXT, tally.systems(), tally.intervals(), rows,
                   [figure])


def _row(organ: str, found: dict[str, list[float]]) -> dict:
    scans = max(map(len, found.values()))
    return {"organ": organ, "scans": scans} | {f"Dice, {name}": float(np.mean(v)) for name, v in found.items()}


def _dice_of(template: Template, scan: Scan, truth: LabelMap, bench: Bench) -> dict[str, dict[str, float]]:
    """Dice by system and organ, on the voxels of the patient in the prepared scan."""
    kji = np.argwhere(scan.prepared.body_kji)
    positions = transform_points(scan.prepared.ijk_to_ras, kji[:, ::-1])
    answers = {bench.name: template.carried_over(bench.map(scan), positions)}
    if bench.with_baselines:
        matrix = template.registered(scan, bench).matrix
        subject = template.subject
        answers[AFFINE] = labels_at(subject.labels_kji, subject.ijk_to_ras, transform_points(matrix, positions))
    labels = labels_at(truth.volume.array_kji, truth.volume.ijk_to_ras, positions)
    found: dict[str, dict[str, float]] = {system: {} for system in answers}
    for organ, value in truth.values.items():
        own = organ_labels(template.subject, organ, bench.vocabulary)
        expected = labels == value
        if own and expected.any():
            for system, answer in answers.items():
                found[system][organ] = dice(np.isin(answer, own), expected)
    return found


def organ_labels(subject: Subject, organ: str, vocabulary: Vocabulary) -> list[int]:
    """Label indices of a person that are an organ or a part of it."""
    single = {i: c[0] for i, c in enumerate(subject.label_concepts) if len(c) == 1}
    return [i for i, concept in single.items() if concept == organ or organ in vocabulary.ancestors(concept)]


def labels_at(labels_kji: np.ndarray, ijk_to_ras: np.ndarray, positions_ras: np.ndarray) -> np.ndarray:
    """Label (N,) of the nearest voxel at RAS positions (N,3), 0 outside the map."""
    kji = np.rint(transform_points(np.linalg.inv(ijk_to_ras), positions_ras)[:, ::-1]).astype(int)
    inside = ((kji >= 0) & (kji < labels_kji.shape)).all(axis=1)
    found = np.zeros(len(kji), int)
    found[inside] = labels_kji[tuple(kji[inside].T)]
    return found


def dice(one: np.ndarray, other: np.ndarray) -> float:
    """2 |A and B| / (|A| + |B|) of two masks, NaN if both are empty."""
    total = int(one.sum()) + int(other.sum())
    return 2 * int((one & other).sum()) / total if total else float("nan")
