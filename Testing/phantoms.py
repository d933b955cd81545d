"""Synthetic scans with known structures at known RAS positions, in every kind of geometry.

The body is defined in the world (RAS mm) and then sampled, so a phantom's truth does not depend on its voxel grid.
"""

from dataclasses import dataclass

import numpy as np
from anatembed.geometry import transform_points
from anatembed.scan.volume import Volume
from anatembed.shipped_file import shipped_file
from hypothesis import strategies as st

SAMPLE_SCAN = shipped_file("cort_trunk_ct.nii.gz")
"""The one real scan of the tests: a trunk."""

AIR_HU, BODY_HU, RIGHT_HU, LEFT_HU, SPINE_HU, LUNG_HU, COUCH_HU = -1000, 0, 150, 400, 800, -800, 100
BODY, RIGHT, LEFT, SPINE, LUNG = 1, 2, 3, 4, 5
CENTRES_RAS = {
    RIGHT: (70.0, 10.0, -10.0),
    LEFT: (-70.0, 10.0, -10.0),
    SPINE: (0.0, -60.0, 0.0),
    LUNG: (0.0, 30.0, 45.0),
}
RADIUS_MM = 24.0
BODY_HALF_WIDTH_MM, BODY_HALF_DEPTH_MM = 140.0, 100.0
COUCH_RAS_A = (-118.0, -112.0)


def rotation(axis, degrees: float) -> np.ndarray:
    """Rotation matrix (3,3) about `axis` (Rodrigues' formula)."""
    x, y, z = np.asarray(axis, dtype=float) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def centred_affine(shape_kji, linear, centre_ras=(0.0, 0.0, 0.0)) -> np.ndarray:
    """`ijk_to_ras` (4,4) with the given 3x3 part that puts the middle of the volume at `centre_ras`."""
    ijk_to_ras = np.eye(4)
    ijk_to_ras[:3, :3] = linear
    middle_ijk = (np.asarray(shape_kji)[::-1] - 1) / 2
    ijk_to_ras[:3, 3] = np.asarray(centre_ras) - ijk_to_ras[:3, :3] @ middle_ijk
    return ijk_to_ras


@dataclass(frozen=True)
class Geometry:
    """A voxel grid (K,J,I) whose middle lies at `centre_ras`; `linear` has a column per voxel axis, mm."""

    shape_kji: tuple[int, int, int]
    linear: np.ndarray
    centre_ras: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def ijk_to_ras(self) -> np.ndarray:
        return centred_affine(self.shape_kji, self.linear, self.centre_ras)


_TILT = np.array([[1, 0, 0], [0, 1, np.tan(np.radians(20))], [0, 0, 1.0]])
GEOMETRIES = {
    "canonical": Geometry((30, 50, 70), np.diag([5.0, 5.0, 5.0])),
    "flipped left-right": Geometry((30, 50, 70), np.diag([-5.0, 5.0, 5.0])),
    "as DICOM stores it": Geometry((30, 50, 70), np.diag([-5.0, -5.0, 5.0])),
    "upside down": Geometry((30, 50, 70), np.diag([-5.0, -5.0, -5.0])),
    "anisotropic": Geometry((22, 100, 110), np.diag([3.0, -2.5, 7.0])),
    "thin slices": Geometry((150, 60, 80), np.diag([-4.0, 4.0, 1.0])),
    "off origin": Geometry((30, 50, 70), np.diag([-5.0, -5.0, 5.0]), (310.0, -220.0, -1400.0)),
    "oblique": Geometry((34, 56, 74), rotation((1, 2, 3), 17) @ np.diag([-5.0, 5.0, 5.0]), (20.0, 30.0, 40.0)),
    "sagittal": Geometry((70, 30, 50), np.array([[0, 0, -5.0], [5.0, 0, 0], [0, -5.0, 0]])),
    "coronal": Geometry((50, 30, 70), np.array([[-5.0, 0, 0], [0, 0, 5.0], [0, -5.0, 0]])),
    "gantry tilt": Geometry((30, 60, 70), _TILT @ np.diag([-5.0, -5.0, 5.0])),
}


@dataclass(frozen=True)
class Phantom:
    """A volume, its labels on the same grid (K,J,I) uint8, and where the middle of the body lies in RAS mm."""

    volume: Volume
    labels_kji: np.ndarray
    centre_ras: np.ndarray

    def centre_of(self, label: int) -> np.ndarray:
        """True RAS position (3,) of the middle of a structure."""
        return self.centre_ras + CENTRES_RAS[label]


def torso(
    geometry: str | Geometry = "canonical", *, couch: bool = False, modality: str = "CT", dtype=np.int16
) -> Phantom:
    """A trunk with a dense ball on the right, a denser one on the left, a spine behind and an air-filled lung."""
    if isinstance(geometry, str):
        geometry = GEOMETRIES[geometry]
    centre_ras = np.asarray(geometry.centre_ras, dtype=float)
    points = voxel_positions(geometry.shape_kji, geometry.ijk_to_ras) - centre_ras
    labels = torso_labels(points)
    values = np.array([AIR_HU, BODY_HU, RIGHT_HU, LEFT_HU, SPINE_HU, LUNG_HU])[labels]
    if couch:
        values[(labels == 0) & (points[..., 1] > COUCH_RAS_A[0]) & (points[..., 1] < COUCH_RAS_A[1])] = COUCH_HU
    volume = Volume(values.astype(dtype), geometry.ijk_to_ras, modality, name="torso phantom")
    return Phantom(volume, labels, centre_ras)


def torso_labels(points_ras) -> np.ndarray:
    """Label (...) uint8 at `points_ras` (..., 3) relative to the middle of the body; 0 is air."""
    r, a = points_ras[..., 0], points_ras[..., 1]
    labels = ((r / BODY_HALF_WIDTH_MM) ** 2 + (a / BODY_HALF_DEPTH_MM) ** 2 < 1).astype(np.uint8) * BODY
    for label, centre in CENTRES_RAS.items():
        offset = points_ras - np.asarray(centre)
        if label == SPINE:
            offset = offset * (1, 1, 0)  # a column, not a ball
        labels[np.linalg.norm(offset, axis=-1) < RADIUS_MM] = label
    return labels


def voxel_positions(shape_kji, ijk_to_ras: np.ndarray) -> np.ndarray:
    """RAS position of every voxel centre: (K,J,I,3)."""
    k, j, i = np.indices(shape_kji)
    return transform_points(ijk_to_ras, np.stack([i, j, k], axis=-1))


def centre_of_values(array_kji: np.ndarray, ijk_to_ras: np.ndarray, low: float, high: float) -> np.ndarray:
    """Mean RAS position (3,) of the voxels between `low` and `high`."""
    chosen = np.argwhere((array_kji > low) & (array_kji < high))
    return transform_points(ijk_to_ras, chosen[:, ::-1]).mean(axis=0)


@st.composite
def proper_affines(draw, min_spacing: float = 0.5, max_spacing: float = 6.0, max_shear: float = 0.4) -> np.ndarray:
    """Any geometry that a scan can have: rotated, flipped, permuted, anisotropic, sheared, far from the origin."""
    number = st.floats(-1, 1, allow_nan=False)
    axis = draw(st.tuples(number, number, number).filter(lambda v: np.linalg.norm(v) > 0.1))
    turned = rotation(axis, draw(st.floats(-180, 180)))
    flips = np.diag(draw(st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3)))
    order = np.eye(3)[list(draw(st.permutations(range(3))))]
    spacing = np.diag(draw(st.tuples(*[st.floats(min_spacing, max_spacing)] * 3)))
    shear = np.eye(3)
    shear[1, 2] = draw(st.floats(-max_shear, max_shear))
    ijk_to_ras = np.eye(4)
    ijk_to_ras[:3, :3] = turned @ shear @ order @ flips @ spacing
    ijk_to_ras[:3, 3] = draw(st.tuples(*[st.floats(-2000, 2000)] * 3))
    return ijk_to_ras
