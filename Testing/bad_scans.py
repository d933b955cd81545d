"""Files that are not a CT that can be embedded: a maker for each, folder -> path."""

import gzip

import nibabel
import numpy as np
from anatembed.scan.files import write_volume
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
