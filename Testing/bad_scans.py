"""Files that are not a CT that can be embedded: a maker for each, folder -> path; and how reading must end."""

import gzip

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from anatembed.geometry import ras_from_lps
from anatembed.scan.files import read_volume, write_volume
from anatembed.scan.volume import Volume

AFFINE = np.diag([4.0, 4.0, 4.0, 1.0])


def _body(shape_ijk=(24, 24, 24), dtype=np.int16) -> np.ndarray:
    values = np.full(shape_ijk, -1000, dtype)
    values[6:-6, 6:-6, 6:-6] = 40
    return values


def _nifti(folder, array_ijk, affine=AFFINE):
    path = folder / "bad.nii.gz"
    nibabel.save(nibabel.Nifti1Image(array_ijk, affine), path)
    return path


def _text(folder):
    path = folder / "bad.nii.gz"
    path.write_text("this is not an image")
    return path


def _truncated(folder):
    path = _nifti(folder, _body(dtype=np.float32) + np.random.default_rng(0).normal(size=(24, 24, 24)))
    path.write_bytes(path.read_bytes()[:-2000])
    return path


def _empty(folder):
    path = folder / "bad.nii.gz"
    path.write_bytes(b"")
    return path


def _with(value):
    def make(folder):
        values = _body(dtype=np.float32)
        values[12, 12, 12] = value
        return _nifti(folder, values)

    return make


def _header(offset: int, numbers):
    """A good file whose header is overwritten with float32 `numbers` from byte `offset` on."""

    def make(folder):
        path = _nifti(folder, _body())
        content = bytearray(gzip.decompress(path.read_bytes()))
        data = np.array(numbers, np.float32).tobytes()
        content[offset : offset + len(data)] = data
        path.write_bytes(gzip.compress(bytes(content)))
        return path

    return make


def _pet(folder):
    path = folder / "bad.nii.gz"
    values = np.random.default_rng(0).gamma(0.5, 3000, (24, 24, 24)).astype(np.float32)
    write_volume(Volume(values, AFFINE), path)
    return path


SROW = 280
"""Byte of the first row of a NIfTI header's sform."""

BAD_SCANS = {
    "missing file": lambda folder: folder / "nothing.nii.gz",
    "not an image": _text,
    "unknown type": lambda folder: _text(folder).rename(folder / "bad.docx"),
    "folder without DICOM": lambda folder: (folder / "series").mkdir() or folder / "series",
    "truncated gz": _truncated,
    "empty file": _empty,
    "2D": lambda folder: _nifti(folder, _body((24, 24, 24))[:, :, 12]),
    "4D": lambda folder: _nifti(folder, np.stack([_body()] * 2, axis=-1)),
    "NaN": _with(np.nan),
    "infinity": _with(np.inf),
    "singular geometry": _header(SROW, [4, 0, 0, 0, 4, 0, 0, 0, 0, 0, 4, 0]),
    "zero spacing": _header(SROW, [0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 4, 0]),
    "PET": _pet,
    "normalised to 0..1": lambda folder: _nifti(folder, (_body(dtype=np.float32) + 1000) / 1040),
    "under 32 mm": lambda folder: _nifti(folder, _body(), np.diag([1.0, 1.0, 1.0, 1.0])),
}


def is_read_or_refused(path) -> None:
    """A damaged scan is read, or refused in one sentence that says what was expected."""
    try:
        assert read_volume(path).array_kji.ndim == 3
    except ValueError as refusal:
        assert str(refusal).count("expected") == 1
        assert "\n" not in str(refusal)


def is_refused(path, reason: str) -> None:
    """Refused in one short sentence in which `reason`, a regular expression, is found."""
    with pytest.raises(ValueError, match=reason) as caught:
        read_volume(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def is_read_as_by_itk(path, voxels_kji: np.ndarray) -> None:
    """These voxels, at the places where ITK has them."""
    volume, image = read_volume(path), sitk.ReadImage(str(path))
    np.testing.assert_array_equal(volume.array_kji, voxels_kji)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), voxels_kji)
    for index in ((0, 0, 0), (1, 2, 3)):
        expected = ras_from_lps(np.diag([*image.TransformContinuousIndexToPhysicalPoint(index), 1.0])).diagonal()
        np.testing.assert_allclose(volume.ijk_to_ras @ [*index, 1], expected, atol=1e-4)
