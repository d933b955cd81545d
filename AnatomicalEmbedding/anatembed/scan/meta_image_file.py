"""A MetaImage file to voxels and geometry, read in Python, so that no header reaches a native reader.

Format: itk.org/Wiki/ITK/MetaIO/Documentation.
"""

import re
from pathlib import Path
from typing import BinaryIO

import numpy as np

from anatembed.geometry import ras_from_lps
from anatembed.scan.claimed_voxels import UNPACKING_ERRORS, VoxelClaim, ZlibStream, bytes_left
from anatembed.scan.detached_data import open_detached
from anatembed.scan.shape import check_shape
from anatembed.scan.text_header import Fields, header_lines

_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}  # fmt: skip
_TRUTH = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
_FIELD = re.compile(r"\s*(\w+)\s*[=:](.*)")
_LAST = "ElementDataFile"
_LOCAL = "LOCAL"
_MATRIX = ("TransformMatrix", "Orientation", "Rotation")
_ORIGIN = ("Offset", "Position", "Origin")
_ORDER = ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
_OF_UNIT_LENGTH = 0.02


def read_meta_image(path: Path, beside: bool) -> tuple[np.ndarray, np.ndarray]:
    """`array_kji` (K,J,I) and `ijk_to_ras` (4,4) mm of one file; ValueError in one sentence if it fails.

    beside: whether voxels may be in another file in the same folder.
    """
    with path.open("rb") as file:
        fields = _fields(file, path.name)
        claim = VoxelClaim(_shape_ijk(fields, path.name), _dtype(fields, path.name))
        ijk_to_ras = _geometry(fields, path.name)
        where = fields.text(_LAST)
        if where.upper() == _LOCAL:
            return _voxels(file, fields, claim, path.name), ijk_to_ras
        if where.split()[0].upper() == "LIST":
            raise ValueError(f"expected the voxels in one file, but {path.name} names a list of files")
        with open_detached(path, where, beside) as voxels:
            return _voxels(voxels, fields, claim, path.name), ijk_to_ras


def _fields(file: BinaryIO, name: str) -> Fields:
    fields = Fields(name)
    for line in header_lines(file, name):
        match = _FIELD.fullmatch(line)
        if match is None:
            if not line.strip():
                continue
            raise ValueError(
                f"expected a MetaImage file of lines 'field = value', but {name} is not an image of the type "
                f"that its name says: it has {line[:40]!r}"
            )
        fields.add(*match.groups())
        if match[1] == _LAST:
            return fields
    raise ValueError(f"expected a MetaImage file, but {name} does not say where its voxels are")


def _shape_ijk(fields: Fields, name: str) -> tuple[int, int, int]:
    sizes = fields.whole("DimSize", fields.axes("NDims"))
    channels = fields.get("ElementNumberOfChannels", "1")
    if channels != "1":
        raise ValueError(f"expected one number per voxel, but {name} has {channels[:10]} (colours or vectors)")
    return check_shape(sizes, name)


def _dtype(fields: Fields, name: str) -> np.dtype:
    word = fields.text("ElementType").upper()
    if word not in _TYPES:
        raise ValueError(f"expected one real number per voxel, but {name} has the type {word[:40]!r}")
    dtype, order = np.dtype(_TYPES[word]), fields.either(*_ORDER)
    return dtype.newbyteorder(">" if _truth(fields, order, "false") else "<")


def _truth(fields: Fields, field: str, default: str) -> bool:
    text = fields.get(field, default).lower()
    if text not in _TRUTH:
        raise ValueError(f"expected True or False as {field!r}, but {fields.name} has {text[:40]!r}")
    return _TRUTH[text]


def _geometry(fields: Fields, name: str) -> np.ndarray:
    axes, matrix, origin = fields.axes("NDims"), fields.either(*_MATRIX), fields.either(*_ORIGIN)
    missing = [field for field in (matrix, origin, "ElementSpacing") if fields.get(field) is None]
    if missing:
        raise ValueError(
            f"expected {', '.join(missing)} in the header, but {name} does not say it: "
            "left and right cannot be told apart"
        )
    units = fields.get("DistanceUnits", "mm")
    if units.lower() not in ("mm", "millimeter", "?", ""):
        raise ValueError(f"expected millimetres, but {name} has the units {units[:40]!r}")
    spacing = np.array(fields.numbers("ElementSpacing", axes)[:3])
    if not (spacing > 0).all():
        raise ValueError(f"expected a positive voxel spacing, but {name} has {spacing.tolist()} mm")
    # The file has a row for every axis of the image.
    directions = np.reshape(fields.numbers(matrix, axes * axes), (axes, axes))[:3, :3].T
    if np.abs(np.linalg.norm(directions, axis=0) - 1).max() > _OF_UNIT_LENGTH:
        raise ValueError(f"expected directions of length 1 as {matrix!r}, but {name} has others")
    ijk_to_lps = np.eye(4)
    ijk_to_lps[:3, :3] = directions * spacing
    ijk_to_lps[:3, 3] = fields.numbers(origin, axes)[:3]
    return ras_from_lps(ijk_to_lps)


def _voxels(file: BinaryIO, fields: Fields, claim: VoxelClaim, name: str) -> np.ndarray:
    if not _truth(fields, "BinaryData", "true"):
        raise ValueError(f"expected binary voxels, but {name} has them as text")
    packed = _truth(fields, "CompressedData", "false")
    (skip,) = fields.whole("HeaderSize", 1) if fields.get("HeaderSize") else (0,)
    if skip < -1 or (skip and (packed or fields.text(_LAST).upper() == _LOCAL)):
        raise ValueError(f"expected voxels that begin at once, but {name} has HeaderSize = {skip}")
    if skip == -1:  # the voxels are the last bytes of the file
        skip = max(0, bytes_left(file) - claim.bytes)
    claim.check(bytes_left(file) - skip, packed, name)
    file.seek(skip, 1)
    try:
        return claim.read(ZlibStream(file) if packed else file, name)
    except UNPACKING_ERRORS as error:
        raise ValueError(f"expected a whole MetaImage file, but {name} is cut off or damaged") from error
