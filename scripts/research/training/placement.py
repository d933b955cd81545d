"""Where a scan with a few named organs lies in the body frame: its organs are laid into those of a reference person.

The outline of the lungs must fall on the reference's outline, the other organs inside theirs. An affine map that is
drawn towards the identity is found by robust least squares on distance fields, which needs no pairs of points
(Fitzgibbon 2003, Image and Vision Computing 21).
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from anatembed.geometry import transform_points
from anatembed.language.vocabulary import Vocabulary
from scipy import ndimage
from scipy.optimize import least_squares

from research.training.body_frame import UNIT_MM
from research.training.subject import Subject

OUTLINED = ("lung_left", "lung_right")
INSIDE = ("heart", "liver", "spleen", "spine")
STEP = 2
"""Voxels of the person per voxel of a distance field: half of 6 mm is precise enough."""
MARGIN_VOXELS = 20
RIM_VOXELS = 3
POINTS = 500
"""Points taken of each organ."""
ROBUST_MM = 8.0
SHAPE_SD = 0.1
SHAPE_WEIGHT = 0.1
"""How far people's proportions may differ from the reference's, and what that costs beside one organ."""
STARTS_MM = (-70.0, 0.0, 70.0)
MAX_STEPS = 50


@dataclass(frozen=True)
class Placement:
    """ras_to_reference: 4x4, RAS mm of the person to those of the reference; ras_to_body: 4x4, RAS mm to units of
    100 mm; error_mm: median distance of the lungs' outline from the reference's."""

    ras_to_reference: np.ndarray
    ras_to_body: np.ndarray
    error_mm: float

    @property
    def stretch(self) -> float:
        """Largest ratio of a length in the person to that in the reference or the other way round."""
        ratios = np.linalg.svd(self.ras_to_reference[:3, :3], compute_uv=False)
        return float(max(ratios.max(), 1 / ratios.min()))


class Reference:
    """A labelled person as distance fields; ValueError unless placed in the body frame with two labelled lungs."""

    def __init__(self, subject: Subject, vocabulary: Vocabulary):
        if subject.ras_to_body is None:
            raise ValueError(f"expected a person with a place in the body frame as reference, {subject.name} has none")
        self.subject, self.vocabulary = subject, vocabulary
        self.voxel_mm = float(np.abs(subject.ijk_to_ras[0, 0]))
        pad = np.diag([1 / STEP] * 3 + [1.0])
        pad[:3, 3] = MARGIN_VOXELS
        self.ras_to_field = pad @ np.linalg.inv(subject.ijk_to_ras)
        self._fields: dict[str, np.ndarray | None] = {}
        for lung in OUTLINED:
            if self._field(lung) is None:
                raise ValueError(f"expected a person with two labelled lungs as reference, {subject.name} lacks {lung}")
        self._lungs_middle = lungs_middle({lung: organ_points(subject, lung, vocabulary) for lung in OUTLINED})

    def _field(self, organ: str) -> np.ndarray | None:
        """Distance (K,J,I) in mm from the outline of an organ or of its parts, negative inside; None without them."""
        if organ not in self._fields:
            mask = organ_mask(self.subject, organ, self.vocabulary)
            coarse = np.pad(mask[::STEP, ::STEP, ::STEP], MARGIN_VOXELS)
            self._fields[organ] = None
            if coarse.any():
                inside, outside = (ndimage.distance_transform_edt(m) for m in (coarse, ~coarse))
                self._fields[organ] = ((outside - inside) * STEP * self.voxel_mm).astype(np.float32)
        return self._fields[organ]

    def distances(self, organ: str, positions_ras: np.ndarray) -> np.ndarray | None:
        """Distance (N,) in mm of positions (N,3) in the reference's RAS from an organ's outline, negative inside;
        None if the reference has no such organ."""
        field = self._field(organ)
        if field is None:
            return None
        kji = transform_points(self.ras_to_field, positions_ras)[:, ::-1].T
        return ndimage.map_coordinates(field, kji, order=1, mode="nearest")

    def place(self, subject: Subject) -> Placement | None:
        """The best place of a person of whom both lungs are named at least in part; None without them."""
        points = {organ: organ_points(subject, organ, self.vocabulary) for organ in (*OUTLINED, *INSIDE)}
        points = {o: found for o, found in points.items() if len(found) and self._field(o) is not None}
        if not set(OUTLINED) <= set(points):
            return None
        middle = lungs_middle(points)
        fits = [
            least_squares(self._residuals, _start(up_mm), args=(points, middle), max_nfev=MAX_STEPS)
            for up_mm in STARTS_MM
        ]
        linear, shift = _parts(min(fits, key=lambda fit: fit.cost).x)
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = linear, self._lungs_middle + shift - linear @ middle
        apart = [np.abs(self.distances(lung, transform_points(matrix, points[lung]))) for lung in OUTLINED]
        return Placement(matrix, self.subject.ras_to_body @ matrix, float(np.median(np.concatenate(apart))))

    def _residuals(self, parameters: np.ndarray, points: dict[str, np.ndarray], middle: np.ndarray) -> np.ndarray:
        linear, shift = _parts(parameters)
        terms = [(linear - np.eye(3)).ravel() * np.sqrt(SHAPE_WEIGHT) / SHAPE_SD]
        for organ, where in points.items():
            distance = self.distances(organ, (where - middle) @ linear.T + self._lungs_middle + shift)
            distance = distance if organ in OUTLINED else np.maximum(distance, 0)
            terms.append(robust(distance / ROBUST_MM) / np.sqrt(len(where)))
        return np.concatenate(terms)


def _start(up_mm: float) -> np.ndarray:
    return np.concatenate([np.eye(3).ravel(), [0, 0, up_mm / UNIT_MM]])


def _parts(parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return parameters[:9].reshape(3, 3), parameters[9:] * UNIT_MM


def robust(errors: np.ndarray) -> np.ndarray:
    """Errors whose squares are those of the pseudo-Huber loss: small ones as they are, large ones held back."""
    return errors * np.sqrt(2 / (np.sqrt(1 + np.square(errors)) + 1))


def lungs_middle(points: dict[str, np.ndarray]) -> np.ndarray:
    """RAS position (3,) between the lungs."""
    return np.mean([points[lung].mean(axis=0) for lung in OUTLINED], axis=0)


def organ_mask(subject: Subject, organ: str, vocabulary: Vocabulary) -> np.ndarray:
    """Voxels (K,J,I) that are surely of an organ or of one of its parts."""
    own = [
        index
        for index, concepts in enumerate(subject.label_concepts)
        if len(concepts) == 1 and organ in (concepts[0], *vocabulary.ancestors(concepts[0]))
    ]
    return np.isin(subject.labels_kji, own)


def organ_points(subject: Subject, organ: str, vocabulary: Vocabulary) -> np.ndarray:
    """RAS positions (N,3) of some voxels of an organ; of a lung only its outline, away from the rim of the scan."""
    mask = organ_mask(subject, organ, vocabulary)
    if organ in OUTLINED:
        mask = ndimage.binary_closing(mask, iterations=2)
        mask &= ~ndimage.binary_erosion(mask, border_value=1)
        inner = np.zeros_like(mask)
        inner[(slice(RIM_VOXELS, -RIM_VOXELS),) * 3] = True
        mask &= inner
    kji = np.argwhere(mask)
    if len(kji) > POINTS:
        kji = kji[np.random.default_rng(0).choice(len(kji), POINTS, replace=False)]
    return transform_points(subject.ijk_to_ras, kji[:, ::-1])
