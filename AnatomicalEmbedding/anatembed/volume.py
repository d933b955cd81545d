"""A scan with its place in the world, and reading and writing one."""

import hashlib
from dataclasses import dataclass

import numpy as np

from .geometry import check_affine


@dataclass(frozen=True)
class Volume:
    """A 3D scan: `array_kji` (K,J,I) numbers (HU for CT), `ijk_to_ras` (4,4) mm, `modality` "CT", "MR", "PT" or
    "unknown"; ValueError when it is not a finite, non-empty 3D array in a proper geometry."""

    array_kji: np.ndarray
    ijk_to_ras: np.ndarray
    modality: str = "unknown"
    name: str = ""

    def __post_init__(self):
        object.__setattr__(self, "array_kji", _check_array(self.array_kji))
        object.__setattr__(self, "ijk_to_ras", check_affine(self.ijk_to_ras))

    @property
    def content_hash(self) -> str:
        """sha256 of voxels and geometry in hexadecimal; the name does not count."""
        digest = hashlib.sha256(f"{self.array_kji.dtype.str}{self.array_kji.shape}".encode())
        digest.update(np.ascontiguousarray(self.array_kji))
        digest.update(np.ascontiguousarray(self.ijk_to_ras))
        return digest.hexdigest()


def _check_array(array_kji) -> np.ndarray:
    array = np.asarray(array_kji)
    if array.ndim != 3:
        raise ValueError(f"expected a 3D volume, got an array with {array.ndim} dimensions, shape {array.shape}")
    if array.size == 0:
        raise ValueError(f"expected a volume with voxels, got an empty array of shape {array.shape}")
    if array.dtype.kind not in "iufb":
        raise ValueError(f"expected one real number per voxel, got the type {array.dtype}")
    if array.dtype.kind == "f":
        bad = sum(int(np.count_nonzero(~np.isfinite(plane))) for plane in array)
        if bad:
            raise ValueError(f"expected finite voxel values, got NaN or infinity in {bad} of {array.size} voxels")
    return array


def read_volume(path) -> Volume:
    """The `Volume` in a NIfTI, NRRD or MetaImage file or a DICOM folder; FileNotFoundError or ValueError if none."""
    from .volume_files import read_volume_file

    return read_volume_file(path)
