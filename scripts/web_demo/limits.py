"""What one visitor may take, so that others are served too."""

from dataclasses import dataclass

EMBEDDING_SLOT, READING_SLOT = "embedding.lock", "reading{number}.lock"
"""Files in the launcher's folder that are locked while a scan is embedded (one at a time on this computer) or read."""


@dataclass(frozen=True)
class Limits:
    """Bytes of one uploaded file and of what an archive may unpack to, voxels of a scan, scans, seconds to open one.

    memory_bytes bounds the address space of the process that reads an uploaded file, visitor_bytes the data of a
    visitor's process and of what it starts; readers: how many files are read at a time on this computer.
    """

    upload_bytes: int = 1_000_000_000
    unpacked_bytes: int = 2_000_000_000
    archive_files: int = 5000
    voxels: int = 400_000_000
    scans: int = 4
    opening_seconds: float = 180.0
    memory_bytes: int = 6_000_000_000
    visitor_bytes: int = 8_000_000_000
    readers: int = 2
