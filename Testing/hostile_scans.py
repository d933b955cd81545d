"""Scans that would be shown wrongly, leak a file or take all memory: a maker for each, folder -> path, and a word that
the refusal has."""

import gzip
import struct

import nibabel
import numpy as np
from phantoms import torso
from zipped_scans import zipped

PIXDIM, VOX_OFFSET = 76, 108
META = """ObjectType = Image
NDims = {axes}
DimSize = 40 40 40
ElementType = MET_SHORT
{place}ElementSpacing = 5 5 5
ElementDataFile = {data}
"""
META_PLACE = "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 0 0 0\n"
NRRD = """NRRD0005
type: short
dimension: 3
space: {space}
sizes: 40 40 40
space directions: (5,0,0) (0,5,0) (0,0,5)
endian: little
encoding: raw
{more}space origin: (0,0,0)

"""
RAW = np.full(64_000, 40, "<i2").tobytes()


def _file(name: str, content):
    def make(folder):
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make


def _zip(files: dict):
    return lambda folder: zipped(folder / "scan.zip", files)


def _nifti(change):
    """A good phantom whose header, as bytes, is changed in place."""

    def make(folder):
        volume = torso("canonical").volume
        image = nibabel.Nifti1Image(volume.array_kji.T, volume.ijk_to_ras)
        image.set_sform(volume.ijk_to_ras, code=1)
        image.set_qform(volume.ijk_to_ras, code=1)
        content = bytearray(image.to_bytes())
        change(content)
        path = folder / "scan.nii.gz"
        path.write_bytes(gzip.compress(bytes(content)))
        return path

    return make


def _set(code: str, offset: int, *numbers):
    return lambda content: struct.pack_into(code, content, offset, *numbers)


def _mirror(content: bytearray) -> None:
    """The sform's first axis turned round; the qform stays."""
    (step,) = struct.unpack_from("<f", content, 280)
    struct.pack_into("<f", content, 280, -step)


HOSTILE_SCANS = {
    "NRRD that names a file of the system": (
        _file("scan.nrrd", NRRD.format(space="LPS", more="data file: /etc/passwd\n")), "in one file beside",
    ),
    "MetaImage that names a file of the system": (
        _file("scan.mhd", META.format(axes=3, place=META_PLACE, data="/etc/passwd")), "in one file beside",
    ),
    "zipped header that names a file": (
        _zip({"a.nhdr": NRRD.format(space="LPS", more="data file: b.raw\n"), "b.raw": RAW}), "names another file",
    ),
    "half of a pair": (_file("scan.hdr", RAW), "half of a pair"),
    "NRRD in scanner coordinates": (
        _file("scan.nrrd", NRRD.format(space="scanner-xyz", more="").encode() + RAW[2:] + b"00"), "left and right",
    ),
    "MetaImage without a matrix": (
        _file("scan.mha", META.format(axes=3, place="", data="LOCAL").encode() + RAW), "left and right",
    ),
    "MetaImage with very many axes": (
        _file("scan.mha", META.format(axes=99999, place=META_PLACE, data="LOCAL").encode() + RAW), "3 axes",
    ),
    "MetaImage with a very long number": (
        _file("scan.mha", META.format(axes="9" * 100_000, place=META_PLACE, data="LOCAL").encode() + RAW), "2000",
    ),
    "NIfTI whose header would be read as voxels": (_nifti(_set("<f", VOX_OFFSET, 0.0)), "from byte 352"),
    "NIfTI with mirrored forms": (_nifti(_mirror), "mirrored"),
    "NIfTI with a negative voxel": (_nifti(_set("<f", PIXDIM + 4, -5.0)), "positive voxel spacing"),
    "NIfTI that claims a terabyte": (_nifti(_set("<3h", 42, 9000, 9000, 9000)), "4,000,000,000 bytes"),
}  # fmt: skip
"""What it is -> (maker, words of the refusal)."""
