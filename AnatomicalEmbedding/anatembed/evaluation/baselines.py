"""What can be had without any training: where a structure lies in one reference label map.

`BoxLookup` uses the position within the bounding box of the body; `AffineLookup` the reference after an affine
registration of its CT-like image to the scan (SimpleITK, Mattes mutual information).
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from anatembed.geometry import transform_points
from anatembed.preprocessing import PreparedVolume
from anatembed.training.subject import UNNAMED, Subject
from anatembed.training.targets import Taxonomy
from anatembed.training.tissues import TISSUES, tissue_of
from anatembed.vocabulary import Vocabulary

HEIGHTS_MM = range(-300, 301, 50)


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
        centres = ndimage.center_of_mass(np.ones_like(subject.labels_kji), subject.labels_kji, np.arange(len(table)))
        centres = np.nan_to_num(np.array(centres))
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
    """Registers the scan to the reference: the moments of the bodies and the best of several heights to begin with
    (a scan shows a part of the reference), then affine by mutual information."""
    fixed = _image(prepared.array_kji, prepared.ijk_to_ras)
    moving = _image(reference.image, reference.subject.ijk_to_ras)
    start = sitk.CenteredTransformInitializer(
        fixed > -500, moving > -500, sitk.AffineTransform(3), sitk.CenteredTransformInitializerFilter.MOMENTS
    )
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(0.1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-3, 120)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2])
    method.SetSmoothingSigmasPerLevel([2, 1])
    method.SetInitialTransform(_best_height(method, start, fixed, moving), inPlace=False)
    try:
        transform = method.Execute(fixed, moving)
    except RuntimeError:  # it ran away: where it began is all that is known
        transform = method.GetInitialTransform()
    # Both images carry RAS coordinates as if they were ITK's world: the affine then maps RAS to RAS.
    origin = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    matrix = np.eye(4)
    for axis in range(3):
        unit = np.zeros(3)
        unit[axis] = 1.0
        matrix[:3, axis] = np.array(transform.TransformPoint(unit.tolist())) - origin
    matrix[:3, 3] = origin
    return Lookup(reference, matrix)


def _best_height(method, start: sitk.Transform, fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
    """`start` moved along S to where the metric is best."""
    best, best_value = start, np.inf
    for shift in HEIGHTS_MM:
        moved = sitk.AffineTransform(start)
        moved.SetTranslation([*moved.GetTranslation()[:2], moved.GetTranslation()[2] + shift])
        method.SetInitialTransform(moved, inPlace=False)
        try:
            value = method.MetricEvaluate(fixed, moving)
        except RuntimeError:  # too little overlap to measure
            continue
        if value < best_value:
            best, best_value = moved, value
    return best


def _image(array_kji: np.ndarray, ijk_to_ras: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(np.clip(array_kji, -1000, 1000).astype(np.float32))
    image.SetSpacing([float(s) for s in np.diag(ijk_to_ras)[:3]])
    image.SetOrigin([float(s) for s in ijk_to_ras[:3, 3]])
    return image
