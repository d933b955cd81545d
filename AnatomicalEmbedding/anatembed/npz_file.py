"""Arrays in one .npz: written whole or not at all, and told apart by a hash."""

import hashlib
import tokenize
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path

import numpy as np

from anatembed.output_file import written_whole

UNREADABLE = (
    OSError, EOFError, LookupError, TypeError, ValueError, AttributeError, RuntimeError, SyntaxError,
    zipfile.BadZipFile, zlib.error, tokenize.TokenError,
)  # fmt: skip
"""What NumPy and zipfile raise for a damaged archive; a changed bit can even ask for a password (RuntimeError)."""

_COMPRESSION_LEVEL = 4
"""Of zlib: the highest one takes four times as long and saves a tenth (scripts/benchmarks/map_storage.py)."""
_ZIP_SIGNS = (b"PK\x03\x04", b"PK\x05\x06")
"""The second one is that of an archive without files."""


def save_arrays(
    path: Path | str, /, *, compressed: bool | Collection[str] = False, **arrays: np.ndarray
) -> None:
    """Write as NumPy does, whole or not at all; OSError leaves an existing file as it was.

    compressed: all arrays, none, or those of these names.
    """
    names = (arrays if compressed else ()) if isinstance(compressed, bool) else compressed
    with (
        written_whole(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION_LEVEL) as archive,
    ):
        for name, array in arrays.items():
            file_name = f"{name}.npy"
            # A ZipInfo of its own is not compressed.
            member = file_name if name in names else zipfile.ZipInfo(file_name)
            with archive.open(member, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)


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
