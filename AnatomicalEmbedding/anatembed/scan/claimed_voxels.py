"""Voxels as a header claims them: the claim is checked against the file before any memory is taken for it."""

import gzip
import os
import zlib
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

MOST_VOXEL_BYTES = 4_000_000_000
"""Most bytes of voxels in one scan, as many as an archive may unpack to."""
_MOST_PER_PACKED_BYTE = 1040
"""DEFLATE never makes more than 1032 bytes of one."""
_SURPLUS_BYTES = 65_536
"""What may follow the voxels: some writers fill up their last block."""
_BLOCK_BYTES = 1 << 20
_ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS
UNPACKING_ERRORS = (EOFError, OSError, OverflowError, zlib.error)
"""What a cut or damaged file raises while it is unpacked."""


@dataclass(frozen=True)
class VoxelClaim:
    """What a header says of the voxels that follow it: `shape_ijk`, i fastest, of `dtype`, byte order included."""

    shape_ijk: tuple[int, ...]
    dtype: np.dtype

    @property
    def bytes(self) -> int:
        """As a Python number, so that no claim overflows."""
        total = self.dtype.itemsize
        for length in self.shape_ijk:
            total *= int(length)
        return total

    def check(self, available: int, packed: bool, name: str) -> None:
        """ValueError in a sentence if it is more than a scan has, or more than `available` bytes can hold."""
        if self.bytes > MOST_VOXEL_BYTES:
            raise ValueError(
                f"expected at most {MOST_VOXEL_BYTES:,} bytes of voxels, but {name} claims {_counted(self.bytes)}"
            )
        if self.bytes > available * (_MOST_PER_PACKED_BYTE if packed else 1):
            raise ValueError(
                f"expected {self.bytes:,} bytes of voxels, as its header says, but {name} has only "
                f"{max(0, available):,}: it is cut off or damaged"
            )

    def read(self, stream, name: str) -> np.ndarray:
        """The voxels (K,J,I) from `stream`, which has been checked and stands at the first one.

        A packed stream is read on to its end, where its check sum is; ValueError if it goes on for long.
        """
        content = np.empty(self.bytes, np.uint8)
        view, done = content.data, 0
        while done < self.bytes:
            block = stream.read(min(_BLOCK_BYTES, self.bytes - done))
            if not block:
                raise EOFError("fewer voxels than the header says")
            view[done : done + len(block)] = block
            done += len(block)
        if len(stream.read(_SURPLUS_BYTES + 1)) > _SURPLUS_BYTES:
            raise ValueError(f"expected {self.bytes:,} bytes of voxels, as its header says, but {name} has many more")
        voxels = content.view(self.dtype).reshape(self.shape_ijk[::-1])
        return voxels if self.dtype.isnative else voxels.byteswap(inplace=True).view(self.dtype.newbyteorder("="))


class ZlibStream:
    """What a zlib or gzip stream unpacks to, never more at a time than is asked for."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._unpacking = zlib.decompressobj(_ZLIB_OR_GZIP)

    def read(self, count: int) -> bytes:
        """At most `count` bytes, none at the end; EOFError if the stream is cut off."""
        while count and not self._unpacking.eof:
            packed = self._unpacking.unconsumed_tail or self._file.read(_BLOCK_BYTES)
            block = self._unpacking.decompress(packed, count)
            if block:
                return block
            if not packed:
                raise EOFError("cut off")
        return b""


def gzip_stream(file: BinaryIO) -> gzip.GzipFile:
    """What a gzip file of one or several members unpacks to."""
    return gzip.GzipFile(fileobj=file, mode="rb")


def bytes_left(file: BinaryIO) -> int:
    """Bytes from where a file stands to its end."""
    return os.fstat(file.fileno()).st_size - file.tell()


def _counted(number: int) -> str:
    return f"{number:,}" if number < 10**15 else "far more"
