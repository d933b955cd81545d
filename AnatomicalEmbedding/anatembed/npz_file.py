"""Arrays in one .npz: written whole or not at all, mapped into memory instead of read, and told apart by a hash."""

import hashlib
import io
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from anatembed.output_file import written_whole

UNREADABLE = (
    OSError, EOFError, LookupError, TypeError, ValueError, AttributeError, RuntimeError, SyntaxError,
    zipfile.BadZipFile, zlib.error, tokenize.TokenError,
)  # fmt: skip
"""What NumPy and zipfile raise for a damaged archive; a changed bit can even ask for a password (RuntimeError)."""

_ZIP_SIGNS = (b"PK\x03\x04", b"PK\x05\x06")
"""The second one is that of an archive without files."""
_LOCAL_HEADER_BYTES = 30
_HEADER_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def save_arrays(path: Path | str, /, *, compressed: bool = False, **arrays: np.ndarray) -> None:
    """Write whole or not at all; OSError leaves an existing file as it was."""
    save: Callable[..., None] = np.savez_compressed if compressed else np.savez
    with written_whole(path) as temporary, open(temporary, "wb") as file:
        save(file, **arrays)


def begins_as_zip(path: Path | str) -> bool:
    """Whether there is a file that begins as ZIP archives do, an .npz among them."""
    path = Path(path)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_ZIP_SIGNS[0])) in _ZIP_SIGNS


def array_names(path: Path | str) -> frozenset[str]:
    """Names of the arrays in a file; none in what is no whole archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            return frozenset(name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy"))
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return frozenset()


def content_sha256(arrays: dict[str, np.ndarray], meta: str) -> str:
    """SHA-256 (hexadecimal) over all arrays in the order of their names, and the meta data."""
    digest = hashlib.sha256(meta.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
        digest.update(array.data)
    return digest.hexdigest()


def map_array(file: io.BufferedReader, name: str) -> np.ndarray:
    """The array `name` of an open .npz as a read-only view of the file; it outlives `file` and copies nothing.

    All of its bytes are compared with their check sum once. Raises one of UNREADABLE for a damaged file; a compressed
    array is refused with ValueError.
    """
    with zipfile.ZipFile(file) as archive:
        member = archive.getinfo(f"{name}.npy")
    if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
        raise ValueError(f"expected {name} without compression")
    file.seek(member.header_offset + _LOCAL_HEADER_BYTES - 4)
    lengths = [int.from_bytes(file.read(2), "little") for _ in ("file name", "extra field")]
    start = member.header_offset + _LOCAL_HEADER_BYTES + sum(lengths)
    content = np.memmap(file, np.uint8, "r", start, (member.file_size,)).view(np.ndarray)
    if zlib.crc32(content.data) != member.CRC:
        raise zipfile.BadZipFile(f"Bad CRC-32 for file {member.filename!r}")
    return _array_in(content, name)


def _array_in(content: np.ndarray, name: str) -> np.ndarray:
    """The array in the bytes (N,) of an .npy file, as a view."""
    beginning = io.BytesIO(content[:65536].tobytes())
    version = np.lib.format.read_magic(beginning)
    if version not in _HEADER_READERS:
        raise ValueError(f"expected {name} in the .npy format 1.0 or 2.0, got {version}")
    shape, fortran_order, dtype = _HEADER_READERS[version](beginning)
    data = content[beginning.tell() :]
    if dtype.hasobject or data.nbytes != int(np.prod(shape, dtype=np.int64)) * dtype.itemsize:
        raise ValueError(f"expected {name} to be an array of shape {shape} and type {dtype}")
    return data.view(dtype).reshape(shape, order="F" if fortran_order else "C")
