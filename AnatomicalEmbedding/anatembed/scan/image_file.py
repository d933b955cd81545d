"""One image file to voxels, geometry and modality, and back."""

import re
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from anatembed.geometry import ras_from_lps
from anatembed.output_file import replacing
from anatembed.scan.meta_image_file import read_meta_image
from anatembed.scan.nifti_file import read_nifti
from anatembed.scan.nrrd_file import read_nrrd

_NIFTI, _NRRD, _META = (".nii", ".nii.gz"), (".nrrd", ".nhdr"), (".mha", ".mhd")
IMAGE_SUFFIXES = (*_NIFTI, *_NRRD, *_META)
"""Endings of the names of files that hold one image; a DICOM slice may have any name."""
UNKNOWN = "unknown"
_PAIR = (".hdr", ".img", ".hdr.gz", ".img.gz")
_WRITABLE = (*_NIFTI, ".nrrd", ".mha")
_ITK_REASONS = {
    "File cannot be read": "it is cut off or damaged",
    "Error reading": "it is cut off or damaged",
}
_WRITTEN_AS = {"bool": np.uint8, "int64": np.int32, "uint64": np.uint32, "float16": np.float32}


def read_image_file(path: Path, beside: bool = False) -> tuple[np.ndarray, np.ndarray, str]:
    """`array_kji` (K,J,I), `ijk_to_ras` (4,4) mm and the modality, which none of these files knows; ValueError in one
    sentence if it fails.

    beside: whether a header may name a file in the same folder that has its voxels. All are read in Python, their
    headers within limits: the native readers crash on some, guess what others do not say, and drop a shear.
    """
    if path.stat().st_size == 0:
        raise ValueError(f"expected an image, got the empty file {path.name}")
    suffix = _suffix(path)
    if suffix in _NIFTI:
        return *read_nifti(path), UNKNOWN
    if suffix in _NRRD:
        return *read_nrrd(path, beside), UNKNOWN
    if suffix in _META:
        return *read_meta_image(path, beside), UNKNOWN
    if suffix in _PAIR:
        raise ValueError(
            f"expected a scan in one file, but {path.name} is half of a pair of files (.hdr and .img): "
            "save it as .nii.gz"
        )
    raise ValueError(f"expected a NIfTI, NRRD, MetaImage or DICOM file, got {path.name}")


def is_image_file(path: Path) -> bool:
    """Whether a name is that of an image file, and not of a DICOM slice, which may have any."""
    return _suffix(path) in (*IMAGE_SUFFIXES, *_PAIR)


def write_image_file(array_kji: np.ndarray, ijk_to_ras: np.ndarray, path: Path) -> None:
    """Writes under a temporary name beside `path` and renames, so that a half-written file is never seen."""
    suffix = _suffix(path)
    if suffix not in _WRITABLE:
        raise ValueError(f"expected a file name that ends in {', '.join(_WRITABLE)}, got {path.name}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"expected an existing folder to write to, but there is no {path.parent}")
    array_kji = array_kji.astype(_WRITTEN_AS.get(array_kji.dtype.name, array_kji.dtype), copy=False)
    write = _write_nifti if suffix in _NIFTI else _write_itk
    with replacing(path) as temporary:
        write(array_kji, ijk_to_ras, str(temporary))


@contextmanager
def quiet_itk():
    """Turns ITK's console warnings off; the callers check what they warn about."""
    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(before)


def one_sentence(error: Exception) -> str:
    """The reason in a C++ error of ITK in plain words, without its source lines and addresses."""
    text = str(error)
    for sign, meaning in _ITK_REASONS.items():
        if sign in text:
            return meaning
    text = re.sub(r"\w+\s?\(0x[0-9a-f]+\):\s*", "", text.rsplit("ERROR:", 1)[-1])
    return " ".join(text.split()).split(". ")[0][:200].rstrip(".")


def _suffix(path: Path) -> str:
    name = path.name.lower()
    return Path(name[:-3]).suffix + ".gz" if name.endswith(".gz") else Path(name).suffix


def _write_nifti(array_kji: np.ndarray, ijk_to_ras: np.ndarray, path: str) -> None:
    import nibabel

    image = nibabel.Nifti1Image(array_kji.T, ijk_to_ras)
    image.header.set_xyzt_units("mm")
    image.set_sform(ijk_to_ras, code=1)
    axes = ijk_to_ras[:3, :3] / np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    if np.allclose(axes.T @ axes, np.eye(3), atol=1e-6):
        image.set_qform(ijk_to_ras, code=1)
    nibabel.save(image, path)


def _write_itk(array_kji: np.ndarray, ijk_to_ras: np.ndarray, path: str) -> None:
    image = sitk.GetImageFromArray(array_kji)
    ijk_to_lps = ras_from_lps(ijk_to_ras)
    spacing = np.linalg.norm(ijk_to_lps[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((ijk_to_lps[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(ijk_to_lps[:3, 3].tolist())
    sitk.WriteImage(image, path, useCompression=True)
