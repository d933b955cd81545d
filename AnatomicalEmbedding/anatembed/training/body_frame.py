"""The common body frame: where a point lies in a reference person, in units of 100 mm (RAS axes).

The first person with many landmarks is the reference; everyone else is fitted to the landmarks known so far by an
affine map that is drawn towards plain translation (ridge), so that few or collinear landmarks cannot shear a body.
"""
from __future__ import annotations

import numpy as np
from scipy import ndimage

from anatembed.geometry import transform_points
from anatembed.training.subject import Subject

UNIT_MM = 100.0
RIDGE = 0.05
MIN_VOXELS = 30


def landmarks(subject: Subject) -> dict[str, np.ndarray]:
    """Centroids (RAS mm) of the certain concepts that lie whole in the field of view."""
    counts = np.bincount(subject.labels_kji.ravel(), minlength=len(subject.label_concepts))
    boxes = ndimage.find_objects(subject.labels_kji.astype(np.int32), max_label=len(counts) - 1)
    found = {}
    for index, concepts in enumerate(subject.label_concepts):
        if len(concepts) != 1 or index == 0 or counts[index] < MIN_VOXELS or boxes[index - 1] is None:
            continue
        box = boxes[index - 1]
        ends = zip(box, subject.labels_kji.shape, strict=True)
        if any(part.start == 0 or part.stop == size for part, size in ends):
            continue
        kji = np.array(ndimage.center_of_mass(subject.labels_kji[box] == index)) + [part.start for part in box]
        found[concepts[0]] = transform_points(subject.ijk_to_ras, kji[::-1])
    return found


def fit_affine(source: np.ndarray, target: np.ndarray, ridge: float = RIDGE) -> np.ndarray:
    """4x4 that maps `source` (N,3) to `target` (N,3), the linear part drawn towards the identity by `ridge`.

    Minimises the mean of |A x + t - y|^2 plus `ridge` |A - I|^2, all in the same unit.
    """
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    x, y = source - source_mean, target - target_mean
    linear = np.linalg.solve(x.T @ x / len(x) + ridge * np.eye(3), x.T @ y / len(x) + ridge * np.eye(3)).T
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    matrix[:3, 3] = target_mean - linear @ source_mean
    return matrix


class BodyFrame:
    """Landmarks of the reference person in the body frame, growing with every person that is fitted."""

    def __init__(self) -> None:
        self.known: dict[str, list[np.ndarray]] = {}

    def fit(self, subject: Subject, min_shared: int = 3) -> float | None:
        """Set `subject.ras_to_body`; returns the median landmark error in mm, or None if too few are shared."""
        own = landmarks(subject)
        shared = [name for name in own if name in self.known]
        to_units = np.diag([1 / UNIT_MM] * 3 + [1.0])
        if not self.known:
            matrix = np.eye(4)
            matrix[:3, 3] = -own["vertebrae_T12"] / UNIT_MM
            error = 0.0
        elif len(shared) < min_shared:
            return None
        else:
            source = np.array([own[name] for name in shared]) / UNIT_MM
            target = np.array([np.mean(self.known[name], axis=0) for name in shared])
            matrix = fit_affine(source, target)
            error = float(np.median(np.linalg.norm(transform_points(matrix, source) - target, axis=1))) * UNIT_MM
        subject.ras_to_body = matrix @ to_units
        for name, position in own.items():
            self.known.setdefault(name, []).append(transform_points(subject.ras_to_body, position))
        return error
