"""A NRRD file to voxels and geometry, read in Python, so that no header reaches a native reader.

Format: teem.sourceforge.net/nrrd/format.html.
"""

import re
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from anatembed.geometry import LPS_TO_RAS
from anatembed.scan.claimed_voxels import UNPACKING_ERRORS, VoxelClaim, bytes_left, gzip_stream
from anatembed.scan.detached_data import open_detached
from anatembed.scan.shape import check_shape
from anatembed.scan.text_header import Fields, finite, header_lines

_MAGIC = re.compile(r"NRRD000[1-5]")
_SPACES = {
    **dict.fromkeys(("right-anterior-superior", "ras"), np.eye(4)),
    **dict.fromkeys(("left-anterior-superior", "las"), np.diag([-1.0, 1.0, 1.0, 1.0])),
    **dict.fromkeys(("left-posterior-superior", "lps"), LPS_TO_RAS),
}
"""Anatomical spaces, as matrices to RAS; scanner coordinates and bare handedness say nothing about sides."""
_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_DTYPES = {word: np.dtype(code) for code, words in _TYPES.items() for word in words}
_ORDERS: dict[str, Literal["<", ">"]] = {"little": "<", "big": ">"}
_PACKED = {"raw": False, "gzip": True, "gz": True}
_PLACES = {"domain", "space", "???", "none"}
"""Kinds of an axis along which there are voxels; along the others there are numbers of one voxel."""
_VECTOR = re.compile(r"\(([^()]*)\)|(none)")


def read_nrrd(path: Path, beside: bool) -> tuple[np.ndarray, np.ndarray]:
    """`array_kji` (K,J,I) and `ijk_to_ras` (4,4) mm of one file; ValueError in one sentence if it fails.

    beside: whether voxels may be in another file in the same folder.
    """
    with path.open("rb") as file:
        fields = _fields(file, path.name)
        claim = VoxelClaim(_shape_ijk(fields, path.name), _dtype(fields, path.name))
        ijk_to_ras = _geometry(fields, path.name)
        detached = fields.get("datafile")
        if detached is None:
            return _voxels(file, fields, claim, path.name), ijk_to_ras
        with open_detached(path, detached, beside) as voxels:
            return _voxels(voxels, fields, claim, path.name), ijk_to_ras


def _fields(file: BinaryIO, name: str) -> Fields:
    lines = header_lines(file, name)
    if not _MAGIC.fullmatch(next(lines, "")):
        raise ValueError(f"expected a NRRD file, but {name} does not begin as one: it is not an image of the type")
    fields = Fields(name)
    for line in lines:
        if not line:
            return fields
        field, colon, text = line.partition(":")
        if line.startswith("#") or text.startswith("="):  # a remark, or a key that is no field
            continue
        if not colon:
            raise ValueError(f"expected 'field: value' in the header, but {name} has {line[:60]!r}")
        fields.add("".join(field.lower().split()), text)
        if "datafile" in field.lower().replace(" ", "") and text.strip().upper().startswith("LIST"):
            raise ValueError(f"expected the voxels in one file, but {name} names a list of files")
    if fields.get("datafile") is None:
        raise ValueError(f"expected voxels after the header, but {name} is cut off or damaged")
    return fields  # a header without an empty line at its end may name the file of its voxels


def _shape_ijk(fields: Fields, name: str) -> tuple[int, int, int]:
    sizes = fields.whole("sizes", fields.axes("dimension"))
    kinds = (fields.get("kinds") or "").lower().split()
    for size, kind in zip(sizes, kinds, strict=False):
        if kind not in _PLACES and size > 1:
            raise ValueError(f"expected one number per voxel, but {name} has {size} (colours or vectors)")
    return check_shape(sizes, name)


def _dtype(fields: Fields, name: str) -> np.dtype:
    word = " ".join(fields.text("type").lower().split())
    if word not in _DTYPES:
        raise ValueError(f"expected one real number per voxel, but {name} has the type {word[:40]!r}")
    dtype, order = _DTYPES[word], fields.get("endian", "").lower()
    if dtype.itemsize > 1 and order not in _ORDERS:
        raise ValueError(f"expected 'endian: little' or 'big' in the header, but {name} has {order[:40]!r}")
    return dtype.newbyteorder(_ORDERS.get(order, "="))


def _geometry(fields: Fields, name: str) -> np.ndarray:
    space = " ".join((fields.get("space") or "").lower().split())
    if space not in _SPACES:
        has = f"has {space[:40]!r}" if space else "has none"
        raise ValueError(
            f"expected an anatomical space in the header (left-posterior-superior, right-anterior-superior, "
            f"left-anterior-superior), but {name} {has}: left and right cannot be told apart"
        )
    units = re.findall(r'"([^"]*)"', fields.get("spaceunits") or "")
    if any(one.strip().lower() not in ("mm", "millimeter", "millimetre", "") for one in units):
        raise ValueError(f"expected millimetres, but {name} has the units {', '.join(units)[:60]}")
    matrix = np.eye(4)
    vectors = _VECTOR.findall(fields.text("spacedirections"))
    if len(vectors) != fields.axes("dimension"):
        raise ValueError(f"expected a direction for every axis, but {name} has {len(vectors)}")
    for axis, (vector, _none) in enumerate(vectors[:3]):
        matrix[:3, axis] = finite(vector.replace(",", " "), "space directions", 3, name)
    matrix[:3, 3] = finite(fields.text("spaceorigin").strip("()").replace(",", " "), "space origin", 3, name)
    return _SPACES[space] @ matrix


def _voxels(file: BinaryIO, fields: Fields, claim: VoxelClaim, name: str) -> np.ndarray:
    encoding = fields.text("encoding").lower()
    if encoding not in _PACKED:
        raise ValueError(f"expected the encoding raw or gzip, but {name} has {encoding[:40]!r}")
    packed = _PACKED[encoding]
    skip = int((fields.whole("byteskip", 1) if fields.get("byteskip") else [0])[0])
    if fields.get("lineskip", "0") != "0" or skip < -1 or (packed and skip):
        raise ValueError(f"expected voxels that begin at once, but the header of {name} skips lines or bytes")
    if skip == -1:  # the voxels are the last bytes of the file
        skip = max(0, bytes_left(file) - claim.bytes)
    claim.check(bytes_left(file) - skip, packed, name)
    file.seek(skip, 1)
    try:
        return claim.read(gzip_stream(file) if packed else file, name)
    except UNPACKING_ERRORS as error:
        raise ValueError(f"expected a whole NRRD file, but {name} is cut off or damaged") from error
