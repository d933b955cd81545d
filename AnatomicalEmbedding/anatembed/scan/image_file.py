"""One image file to voxels, geometry and modality, and back."""

import gzip
import re
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from anatembed.geometry import ras_from_lps
from anatembed.output_file import replacing

_NIFTI = (".nii", ".nii.gz")
_ITK = (".nrrd", ".nhdr", ".mha", ".mhd")
IMAGE_SUFFIXES = (*_NIFTI, *_ITK)
"""Endings of the names of files that hold one image; a DICOM slice may have any name."""
_WRITABLE = (*_NIFTI, ".nrrd", ".mha")
_NIFTI2_SIGNS = (b"\x1c\x02\x00\x00", b"\x00\x00\x02\x1c")
_TO_MM = {1: 1000.0, 3: 0.001}  # the codes for metre and micrometre in xyzt_units
_ITK_REASONS = {
    "Zero-valued spacing": "a voxel spacing is zero",
    "determinant is 0": "its voxel axes coincide (singular geometry)",
    "Unable to determine ImageIO reader": "it is not an image of the type that its name says",
    "File cannot be read": "it is cut off or damaged",
    "Error reading": "it is cut off or damaged",
}
_WRITTEN_AS = {"bool": np.uint8, "int64": np.int32, "uint64": np.uint32, "float16": np.float32}


def read_image_file(path: Path) -> tuple[np.ndarray, np.ndarray, str]:
    """`array_kji` (K,J,I), `ijk_to_ras` (4,4) mm and the modality of one file; ValueError in one sentence if it fails.

    NIfTI goes through nibabel because ITK refuses a sheared sform, or takes an unsheared qform in its place
    without a word; NRRD and MetaImage keep their shear in ITK.
    """
    if path.stat().st_size == 0:
        raise ValueError(f"expected an image, got the empty file {path.name}")
    suffix = _suffix(path)
    if suffix in _NIFTI:
        return *_read_nifti(path), "unknown"
    if suffix in _ITK or _is_dicom(path):
        return _read_itk(path)
    raise ValueError(f"expected a NIfTI, NRRD, MetaImage or DICOM file, got {path.name}")


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


def itk_geometry(image: sitk.Image) -> np.ndarray:
    """`ijk_to_ras` (4,4) of a 3D SimpleITK image, shear included."""
    ijk_to_lps = np.eye(4)
    ijk_to_lps[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    ijk_to_lps[:3, 3] = image.GetOrigin()
    return ras_from_lps(ijk_to_lps)


def _suffix(path: Path) -> str:
    name = path.name.lower()
    return ".nii.gz" if name.endswith(".nii.gz") else Path(name).suffix


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _read_nifti(path: Path) -> tuple[np.ndarray, np.ndarray]:
    import nibabel  # here, because a Slicer without nibabel still runs on its own nodes

    try:
        content = _content(path)
        kind = nibabel.Nifti2Image if content[:4] in _NIFTI2_SIGNS else nibabel.Nifti1Image
        header = kind.header_class(content[: kind.header_class.template_dtype.itemsize], check=False)
        if not np.isfinite(header["vox_offset"]):
            raise OverflowError("the voxels begin nowhere")
        image = kind.from_bytes(content)
        _check_nifti_header(image, header, path)
        data: Any = image.dataobj  # an ArrayProxy, which nibabel's types do not say
        scaled = (data.slope, data.inter) != (1, 0)
        array_ijk = np.asarray(data, dtype=np.float32) if scaled else data.get_unscaled()
    except (nibabel.spatialimages.HeaderDataError, nibabel.wrapstruct.WrapStructError, LookupError) as error:
        raise ValueError(f"expected a NIfTI image, but the content of {path.name} is something else") from error
    except (EOFError, OSError, OverflowError, zlib.error) as error:
        raise ValueError(f"expected a whole NIfTI file, but {path.name} is cut off or damaged") from error
    array_ijk = array_ijk.reshape(array_ijk.shape[:3])
    to_mm = _TO_MM.get(int(image.header["xyzt_units"]) & 7, 1.0)
    return np.asarray(array_ijk).T, np.diag([to_mm, to_mm, to_mm, 1.0]) @ image.affine


def _content(path: Path) -> bytes:
    """The bytes of a NIfTI file; a gzip is unpacked to its very end, where its check sum is compared."""
    content = path.read_bytes()
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def _check_nifti_header(image, header, path: Path) -> None:
    """`header` is as the file has it; the one of `image` has been repaired by nibabel."""
    _check_shape(image.shape, path)
    if header["sform_code"] == 0 and header["qform_code"] == 0:
        raise ValueError(
            f"expected an orientation in the header, but {path.name} has none (sform and qform code 0): "
            "left and right cannot be told apart"
        )
    spacing = header["pixdim"][1:4]
    if header["sform_code"] == 0 and not (np.abs(spacing) > 0).all():
        raise ValueError(f"expected a positive voxel spacing, but {path.name} has {spacing.tolist()} mm")


def _check_shape(shape_ijk, path: Path) -> None:
    """Refuses what is not one 3D scan; trailing axes of length 1 are only a habit of some writers."""
    size = " x ".join(str(length) for length in shape_ijk)
    if min(shape_ijk, default=0) < 1:
        raise ValueError(f"expected a volume with voxels, but {path.name} is empty ({size})")
    if any(length != 1 for length in shape_ijk[3:]):
        raise ValueError(f"expected one 3D volume, but {path.name} is {len(shape_ijk)}D ({size})")
    if len(shape_ijk) < 3 or 1 in shape_ijk[:3]:
        raise ValueError(f"expected a 3D volume, but {path.name} is a single slice ({size})")


def _read_itk(path: Path) -> tuple[np.ndarray, np.ndarray, str]:
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        with quiet_itk():
            reader.ReadImageInformation()
            _check_shape(reader.GetSize(), path)
            if reader.GetNumberOfComponents() != 1:
                count = reader.GetNumberOfComponents()
                raise ValueError(f"expected one number per voxel, but {path.name} has {count} (colours or vectors)")
            _check_nrrd_space(reader, path)
            if reader.GetDimension() > 3:
                reader.SetExtractSize([*reader.GetSize()[:3], *[0] * (reader.GetDimension() - 3)])
            image = reader.Execute()
    except RuntimeError as error:
        raise ValueError(f"expected a readable image, but {path.name} fails: {one_sentence(error)}") from error
    modality = reader.GetMetaData("0008|0060").strip() if reader.HasMetaDataKey("0008|0060") else "unknown"
    return sitk.GetArrayFromImage(image), itk_geometry(image), modality or "unknown"


def _check_nrrd_space(reader: sitk.ImageFileReader, path: Path) -> None:
    if _suffix(path) in (".nrrd", ".nhdr") and not reader.HasMetaDataKey("NRRD_space"):
        raise ValueError(
            f"expected an anatomical space in the header, but {path.name} has none: left and right cannot be told apart"
        )


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
