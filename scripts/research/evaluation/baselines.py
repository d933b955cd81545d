"""What can be had without any training: where a structure lies in one reference label map.

`BoxLookup` uses the position within the bounding box of the body; `AffineLookup` the reference after an affine
registration of its CT-like image to the scan (SimpleITK, Mattes mutual information).
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from anatembed.geometry import transform_points
from anatembed.language.vocabulary import Vocabulary
from anatembed.model.preprocessing import PreparedVolume
from scipy import ndimage

from research.evaluation.registration import affine
from research.training.subject import UNNAMED, Subject
from research.training.targets import Taxonomy
from research.training.tissues import TISSUES, tissue_of


@dataclass
class Reference:
    """A labelled person as reference: centroid (RAS) and label indices of each concept, nearest label of any voxel."""

    subject: Subject
    centroids: dict[str, np.ndarray]
    table: np.ndarray
    concepts: tuple[str, ...]
    nearest_label: np.ndarray
    image: np.ndarray

    @classmethod
    def of(cls, subject: Subject, vocabulary: Vocabulary) -> Reference:
        taxonomy = Taxonomy({c for o in subject.label_concepts for c in o}, vocabulary)
        table = taxonomy.target_table(subject)
        counts = np.bincount(subject.labels_kji.ravel(), minlength=len(table))
        present, centres = np.flatnonzero(counts), np.zeros((len(table), 3))
        centres[present] = ndimage.center_of_mass(np.ones_like(subject.labels_kji), subject.labels_kji, present)
        centroids = {}
        for column, concept in enumerate(taxonomy.ids):
            own = np.flatnonzero((table[:, column] == 1) & (counts > 0))
            if len(own):
                kji = (centres[own] * counts[own, None]).sum(axis=0) / counts[own].sum()
                centroids[concept] = transform_points(subject.ijk_to_ras, kji[::-1])
        where = ndimage.distance_transform_edt(
            subject.labels_kji <= UNNAMED, return_distances=False, return_indices=True
        )
        nearest = subject.labels_kji[tuple(where)]
        tissues = ["air", "fat"] + [tissue_of(c[0], vocabulary) if c else "soft" for c in subject.label_concepts[2:]]
        image = np.array([TISSUES[name].canonical for name in tissues], np.float32)[subject.labels_kji]
        return cls(subject, centroids, table, taxonomy.ids, nearest, image)

    def name(self, reference_ras: np.ndarray) -> str | None:
        """The most specific concept at (or nearest to) a RAS position of the reference."""
        ijk = transform_points(np.linalg.inv(self.subject.ijk_to_ras), reference_ras)
        kji = np.clip(np.rint(ijk[::-1]).astype(int), 0, np.array(self.nearest_label.shape) - 1)
        concepts = self.subject.label_concepts[int(self.nearest_label[tuple(kji)])]
        return concepts[0] if concepts else None


class Lookup:
    """A 4x4 from the scan's RAS to the reference's RAS, used both ways."""

    def __init__(self, reference: Reference, scan_to_reference: np.ndarray):
        self.reference, self.matrix = reference, scan_to_reference

    def locate(self, concept: str) -> np.ndarray | None:
        """RAS position (3,) of a concept in the scan, None if the reference lacks it."""
        centre = self.reference.centroids.get(concept)
        return None if centre is None else transform_points(np.linalg.inv(self.matrix), centre)

    def name(self, position_ras: np.ndarray) -> str | None:
        return self.reference.name(transform_points(self.matrix, position_ras))


def body_box(body_kji: np.ndarray, ijk_to_ras: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest RAS of the body on an axis-aligned grid."""
    kji = np.argwhere(body_kji)
    ends = transform_points(ijk_to_ras, np.array([kji.min(axis=0), kji.max(axis=0)])[:, ::-1])
    return ends.min(axis=0), ends.max(axis=0)


def box_lookup(prepared: PreparedVolume, reference: Reference) -> Lookup:
    """Relates the bounding boxes of the two bodies, axis by axis."""
    low, high = body_box(prepared.body_kji, prepared.ijk_to_ras)
    their_low, their_high = body_box(reference.subject.labels_kji > 0, reference.subject.ijk_to_ras)
    matrix = np.diag([*((their_high - their_low) / (high - low)), 1.0])
    matrix[:3, 3] = their_low - matrix[:3, :3] @ low
    return Lookup(reference, matrix)


def affine_lookup(prepared: PreparedVolume, reference: Reference) -> Lookup:
    """Registers the scan to the CT-like image of the reference."""
    return Lookup(reference, affine(prepared, reference.image, reference.subject.ijk_to_ras))
