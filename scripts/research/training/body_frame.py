"""The common body frame: where a point lies in a reference person, in units of 100 mm (RAS axes).

The first person with many landmarks is the reference; everyone else is fitted to the landmarks known so far by an
affine map that is drawn towards plain translation (ridge), so that few or collinear landmarks cannot shear a body.
Where there are enough landmarks a smooth warp takes up the rest, so that an organ has the same coordinate in everyone:
a thin-plate spline with smoothing (Wahba 1990; scipy's RBFInterpolator), made stiffer until it folds almost nowhere.
"""
from __future__ import annotations

import numpy as np
from anatembed.geometry import transform_points
from scipy import ndimage
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from research.training.subject import Subject

UNIT_MM = 100.0
RIDGE = 0.05
MIN_VOXELS = 30
MIN_FOR_WARP = 8
LATTICE_MM = 24.0
SOFTEST, STIFFEST = 0.1, 100.0
"""Smoothing of the spline: residuals of a third of the affine ones, and none worth having."""
MIN_VOLUME_RATIO = 0.2
REACH = (0.5, 1.5)
"""Units from the nearest landmark up to which the warp counts in full, and over which it fades."""


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
        if len(shared) >= MIN_FOR_WARP:
            own_units = np.array([transform_points(subject.ras_to_body, own[name]) for name in shared])
            subject.body_warp, subject.warp_to_ras = warp_lattice(subject, own_units, target - own_units)
            positions = body_positions(subject, np.array([own[name] for name in shared]))
            error = float(np.median(np.linalg.norm(positions - target, axis=1))) * UNIT_MM
        for name, position in own.items():
            self.known.setdefault(name, []).append(body_positions(subject, position[None])[0])
        return error


def body_positions(subject: Subject, positions_ras: np.ndarray) -> np.ndarray:
    """Body coordinates (N,3) in units of 100 mm of RAS positions (N,3); the subject must be placed in the frame."""
    affine = transform_points(subject.ras_to_body, positions_ras)
    if subject.body_warp is None:
        return affine
    kji = transform_points(np.linalg.inv(subject.warp_to_ras), positions_ras)[:, ::-1].T
    moved = [ndimage.map_coordinates(part, kji, order=1, mode="nearest") for part in subject.body_warp]
    return affine + np.stack(moved, axis=1)


def warp_lattice(subject: Subject, source: np.ndarray, shift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The warp on a lattice over the subject: float32 (3,K,J,I) and the lattice's affine to RAS.

    source (N,3): affine body coordinates of landmarks; shift (N,3): where they should move, both in units of 100 mm.
    """
    voxel_mm = float(np.abs(subject.ijk_to_ras[0, 0]))
    counts_ijk = np.ceil(np.array(subject.labels_kji.shape[::-1]) * voxel_mm / LATTICE_MM).astype(int) + 1
    to_ras = subject.ijk_to_ras @ np.diag([LATTICE_MM / voxel_mm] * 3 + [1.0])
    kji = np.stack(np.meshgrid(*(np.arange(n) for n in counts_ijk[::-1]), indexing="ij"), axis=-1)
    points = transform_points(subject.ras_to_body @ to_ras, kji.reshape(-1, 3)[:, ::-1])
    full, fade = REACH
    beyond = np.maximum(cKDTree(source).query(points)[0] - full, 0) / fade
    smoothing = SOFTEST
    while True:
        spline = RBFInterpolator(source, shift, kernel="thin_plate_spline", smoothing=smoothing, degree=1)
        moved = spline(points) * np.exp(-np.square(beyond))[:, None]
        warp = np.moveaxis(moved.reshape(*kji.shape), -1, 0)
        if smoothing >= STIFFEST or low_volume_ratio(warp, subject.ras_to_body @ to_ras) >= MIN_VOLUME_RATIO:
            return warp.astype(np.float32), to_ras
        smoothing *= 2


def low_volume_ratio(warp: np.ndarray, lattice_to_body: np.ndarray) -> float:
    """Second percentile of the determinant of the warp's Jacobian over the lattice (3,K,J,I); below 0 it folds.

    Not the minimum: two small vessels that lie the other way round in a person must not stiffen the whole body.
    """
    if min(warp.shape[1:]) < 2:
        return 1.0
    along_kji = np.stack([np.stack(np.gradient(part), axis=-1) for part in warp], axis=-2)
    jacobian = along_kji[..., ::-1] @ np.linalg.inv(lattice_to_body[:3, :3]) + np.eye(3)
    return float(np.percentile(np.linalg.det(jacobian), 2))
