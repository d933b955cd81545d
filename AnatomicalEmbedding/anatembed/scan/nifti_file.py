"""A NIfTI file to voxels and geometry: its header is checked before memory is taken, its two forms with each other.

Format: nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h and nifti2.h.
"""

import itertools
from pathlib import Path
from typing import Any

import numpy as np

from anatembed.geometry import transform_points
from anatembed.scan.claimed_voxels import UNPACKING_ERRORS, VoxelClaim, bytes_left, gzip_stream
from anatembed.scan.shape import check_shape

_GZIP_SIGN = b"\x1f\x8b"
_TO_MM = {1: 1000.0, 3: 0.001}  # the codes for metre and micrometre in xyzt_units
_NUMBERS = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
}  # fmt: skip
"""Data types with one real number per voxel, by their code."""
_OTHER_NUMBERS = {1: "bits", 32: "complex", 128: "RGB", 1536: "float128", 1792: "complex", 2304: "RGBA"}
_MOST_APART_VOXELS = 1.0
_SPACING_RATIOS = (0.8, 1.25)
"""How far the length of the sform's axes may be from pixdim: a gantry tilted by 30 degrees makes it 1.15."""


def read_nifti(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """`array_kji` (K,J,I) and `ijk_to_ras` (4,4) mm of one file; ValueError in one sentence if it fails.

    The sform places the voxels, shear included; where there is a qform too, the two must agree, because other
    programs take that one.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP_SIGN
            file.seek(0)
            stream: Any = gzip_stream(file) if packed else file
            header = _header(stream, path.name)
            claim = VoxelClaim(_shape_ijk(header, path.name), _dtype(header, path.name))
            ijk_to_ras = _geometry(header, path.name)
            gap = _gap(header, path.name)
            # What the header took of a packed file is not worth counting.
            file_bytes = bytes_left(file) + (file.tell() if packed else -gap)
            claim.check(file_bytes, packed, path.name)
            _skip(stream, gap)
            array_kji = claim.read(stream, path.name)
    except UNPACKING_ERRORS as error:
        raise ValueError(f"expected a whole NIfTI file, but {path.name} is cut off or damaged") from error
    return _scaled(array_kji, header, path.name), ijk_to_ras


def _header(stream, name: str):
    """As the file has it, without the repairs of nibabel."""
    import nibabel  # here, because a Slicer without nibabel still runs on its own nodes

    begin = stream.read(4)
    for kind in (nibabel.Nifti1Header, nibabel.Nifti2Header):
        size = kind.template_dtype.itemsize
        for order in ("little", "big"):
            if begin == size.to_bytes(4, order):
                content = begin + stream.read(size - 4)
                if len(content) < size:
                    raise EOFError("the header is cut off")
                header = kind(content, endianness="<" if order == "little" else ">", check=False)
                _check_magic(header, name)
                return header
    raise ValueError(f"expected a NIfTI image, but the content of {name} is something else")


def _check_magic(header, name: str) -> None:
    magic = bytes(header["magic"].item())[:3]
    if magic in (b"ni1", b"ni2"):
        raise ValueError(f"expected the voxels in {name} itself, but it is a header whose voxels are in an .img file")
    if magic not in (b"n+1", b"n+2"):
        raise ValueError(f"expected a NIfTI image, but the content of {name} is something else")


def _shape_ijk(header, name: str) -> tuple[int, int, int]:
    axes = int(header["dim"][0])
    if not 1 <= axes <= 7:
        raise ValueError(f"expected 3 axes, but {name} says that it has {axes}")
    sizes = [int(size) for size in header["dim"][1 : axes + 1]]
    return check_shape(sizes, name)


def _dtype(header, name: str) -> np.dtype:
    code, bits = int(header["datatype"]), int(header["bitpix"])
    if code not in _NUMBERS:
        what = _OTHER_NUMBERS.get(code, f"the unknown type {code}")
        raise ValueError(f"expected one real number per voxel, but {name} has {what}")
    dtype = np.dtype(_NUMBERS[code]).newbyteorder(header.endianness)
    if bits != 8 * dtype.itemsize:
        raise ValueError(f"expected {8 * dtype.itemsize} bits per voxel for its type, but {name} says {bits}")
    return dtype


def _gap(header, name: str) -> int:
    """Bytes between the header and the voxels."""
    offset, least = float(header["vox_offset"]), int(header["sizeof_hdr"]) + 4
    if not np.isfinite(offset) or offset < least or offset != int(offset):
        raise ValueError(
            f"expected voxels from byte {least} on, but {name} says {offset:g}: its header would be read as voxels"
        )
    return int(offset) - int(header["sizeof_hdr"])


def _geometry(header, name: str) -> np.ndarray:
    forms = {form: int(header[f"{form}_code"]) for form in ("sform", "qform")}
    if not any(forms.values()):
        raise ValueError(
            f"expected an orientation in the header, but {name} has none (sform and qform code 0): "
            "left and right cannot be told apart"
        )
    pixdim = np.asarray(header["pixdim"][1:4], np.float64)
    bad = not np.isfinite(pixdim).all() or (pixdim < 0).any()
    if bad or (forms["qform"] and not (pixdim > 0).all()):
        raise ValueError(f"expected a positive voxel spacing, but {name} has {pixdim.tolist()} mm")
    sform = np.asarray(header.get_sform(), np.float64) if forms["sform"] else None
    qform = _qform(header, name) if forms["qform"] else None
    if sform is not None and np.isfinite(sform).all():
        _check_spacing(sform, pixdim, name)
        if qform is not None:
            _check_forms(sform, qform, _shape_ijk(header, name), name)
    to_mm = _TO_MM.get(int(header["xyzt_units"]) & 7, 1.0)
    return np.diag([to_mm, to_mm, to_mm, 1.0]) @ (qform if sform is None else sform)


def _qform(header, name: str) -> np.ndarray:
    quaternion = [float(header[f"quatern_{part}"]) for part in "bcd"]
    offset = [float(header[f"qoffset_{axis}"]) for axis in "xyz"]
    if not np.isfinite([*quaternion, *offset]).all() or np.linalg.norm(quaternion) > 1.001:
        raise ValueError(f"expected a rotation as qform, but {name} has {quaternion} at {offset}")
    side = float(header["pixdim"][0])
    if side not in (-1, 0, 1):
        raise ValueError(f"expected -1 or 1 as the side of the qform, but {name} has {side:g} in pixdim[0]")
    if side == 0:  # the standard takes it for 1
        header = header.copy()
        header["pixdim"][0] = 1
    with np.errstate(all="ignore"):
        return np.asarray(header.get_qform(), np.float64)


def _check_spacing(sform: np.ndarray, pixdim: np.ndarray, name: str) -> None:
    lengths = np.linalg.norm(sform[:3, :3], axis=0)
    known = (pixdim > 0) & (lengths > 0)
    ratios = lengths[known] / pixdim[known]
    if ((ratios < _SPACING_RATIOS[0]) | (ratios > _SPACING_RATIOS[1])).any():
        forms, fields = ([round(float(value), 4) for value in values] for values in (lengths, pixdim))
        raise ValueError(f"expected one voxel spacing, but {name} has {forms} mm in its sform and {fields} in pixdim")


def _check_forms(sform: np.ndarray, qform: np.ndarray, shape_ijk, name: str) -> None:
    """ValueError if the same voxel lies at two places: programs differ in which form they take."""
    # A singular one is refused with the volume.
    sides = [np.linalg.det(form[:3, :3]) for form in (sform, qform)]
    if sides[0] == 0 or sides[1] == 0:
        return
    if sides[0] * sides[1] < 0:
        raise ValueError(f"expected one orientation, but sform and qform of {name} are mirrored to each other")
    corners = np.array(list(itertools.product(*((0, size - 1) for size in shape_ijk))))
    try:
        apart = np.abs(transform_points(np.linalg.inv(sform) @ qform, corners) - corners).max()
    except np.linalg.LinAlgError:
        return
    if not apart <= _MOST_APART_VOXELS:
        raise ValueError(
            f"expected one place for every voxel, but sform and qform of {name} are up to {apart:.3g} voxels apart"
        )


def _skip(stream, count: int) -> None:
    while count > 0:
        block = stream.read(min(count, 1 << 20))
        if not block:
            raise EOFError("cut off before the voxels")
        count -= len(block)


def _scaled(array_kji: np.ndarray, header, name: str) -> np.ndarray:
    """scl_slope and scl_inter applied, as float32; a slope of 0 means none."""
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or np.isnan(slope):
        return array_kji
    if not np.isfinite([slope, inter]).all():
        raise ValueError(f"expected a finite scale of the values, but {name} has {slope:g} and {inter:g}")
    if (slope, inter) == (1, 0):
        return array_kji
    with np.errstate(over="ignore"):
        return array_kji.astype(np.float32) * np.float32(slope) + np.float32(inter)
