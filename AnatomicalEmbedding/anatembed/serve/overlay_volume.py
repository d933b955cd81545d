"""The overlay as a NIfTI volume on the map's own grid, for any viewer."""

from pathlib import Path

import numpy as np

from anatembed.output_file import replacing

RGBA = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1"), ("A", "u1")])


def write_colours(rgba_kji: np.ndarray, ijk_to_ras: np.ndarray, path: Path | str) -> None:
    """Writes uint8 (K,J,I,4) as NIfTI of the type RGBA32; ValueError if it cannot be written."""
    if rgba_kji.dtype != np.uint8 or rgba_kji.ndim != 4 or rgba_kji.shape[3] != 4:
        raise ValueError(f"expected uint8 colours (K,J,I,4), got {rgba_kji.dtype} {rgba_kji.shape}")
    _write(np.ascontiguousarray(rgba_kji).view(RGBA)[..., 0], ijk_to_ras, path)


def write_probability(probability_kji: np.ndarray, ijk_to_ras: np.ndarray, path: Path | str) -> None:
    """Writes (K,J,I) as float32 NIfTI; ValueError if it cannot be written."""
    _write(np.asarray(probability_kji, np.float32), ijk_to_ras, path)


def _write(array_kji: np.ndarray, ijk_to_ras: np.ndarray, path: Path | str) -> None:
    import nibabel

    image = nibabel.Nifti1Image(array_kji.T, ijk_to_ras)
    image.header.set_xyzt_units("mm")
    image.set_sform(ijk_to_ras, code=1)
    image.set_qform(ijk_to_ras, code=1)
    with replacing(path) as temporary:
        nibabel.save(image, temporary)
