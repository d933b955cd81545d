"""A scan with its place in the world."""

import hashlib
from dataclasses import dataclass

import numpy as np

from anatembed.geometry import check_affine


@dataclass(frozen=True)
class Volume:
    """A 3D scan: `array_kji` (K,J,I) real numbers (HU for CT), `ijk_to_ras` (4,4) mm, `modality` as in DICOM ("CT",
    "MR", "PT", ...) or "unknown"; ValueError unless it is finite, not empty and in a proper geometry.

    notes: sentences on what was left out when it was read, for who asked.
    """

    array_kji: np.ndarray
    ijk_to_ras: np.ndarray
    modality: str = "unknown"
    name: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "array_kji", _check_array(self.array_kji))
        object.__setattr__(self, "ijk_to_ras", check_affine(self.ijk_to_ras))

    @property
    def content_hash(self) -> str:
        """sha256 in hexadecimal of voxels and geometry; name and modality do not count."""
        return content_hash(voxel_hash(self.array_kji), self.ijk_to_ras)


def voxel_hash(array_kji: np.ndarray) -> str:
    """sha256 in hexadecimal of voxels, their type and shape, without geometry: a scan may be moved."""
    digest = hashlib.sha256(f"{array_kji.dtype.str} {array_kji.shape}".encode())
    digest.update(np.ascontiguousarray(array_kji).data)
    return digest.hexdigest()


def content_hash(voxels: str, ijk_to_ras: np.ndarray) -> str:
    """sha256 in hexadecimal of a `voxel_hash` and a geometry."""
    # Adding zero turns -0.0 into 0.0: equal geometries must have equal hashes.
    return hashlib.sha256(voxels.encode() + (np.asarray(ijk_to_ras, np.float64) + 0.0).tobytes()).hexdigest()


def _check_array(array_kji) -> np.ndarray:
    array = np.asarray(array_kji)
    if array.ndim != 3:
        raise ValueError(f"expected a 3D volume, got {array.ndim}D with shape {array.shape}")
    if array.size == 0:
        raise ValueError(f"expected a volume with voxels, got an empty array of shape {array.shape}")
    if array.dtype.kind not in "iufb":
        raise ValueError(f"expected one real number per voxel, got {array.dtype}")
    if array.dtype.kind == "f":
        bad = sum(int(np.count_nonzero(~np.isfinite(plane))) for plane in array)
        if bad:
            raise ValueError(f"expected finite voxel values, got NaN or infinity in {bad} of {array.size} voxels")
    return array
