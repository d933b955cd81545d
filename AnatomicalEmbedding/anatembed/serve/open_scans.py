"""The scans that are open at one time: few, because each fills memory."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from anatembed.ask.explorer import Explorer
from anatembed.ask.index import STRONGEST
from anatembed.ask.matching import Matcher
from anatembed.language.vocabulary import Vocabulary
from anatembed.maps.opening import Cancelled, Progress, ScanOpener
from anatembed.scan.volume import Volume

MOST_SCANS, MOST_BYTES = 4, 6_000_000_000


@dataclass
class OpenScan:
    """An embedded scan, with its voxels unless it is a saved map.

    state: what its file was like when it was read. warnings: of `EmbeddedScan`. lock: one question at a time, because
    what is computed is kept. structures: what is in it, once it has been listed.
    """

    path: Path
    state: tuple[int, int]
    explorer: Explorer
    volume: Volume | None
    warnings: tuple[str, ...] = ()
    id: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)
    structures: list | None = None
    _matcher: tuple[str, Matcher] | None = None

    @property
    def modality(self) -> str:
        return self.volume.modality if self.volume else str(self.explorer.map.source.get("modality", "unknown"))

    @property
    def grid(self) -> tuple[tuple[int, int, int], np.ndarray]:
        """shape_kji and ijk_to_ras of the scan, or of the map without one."""
        if self.volume is not None:
            k, j, i = self.volume.array_kji.shape
            return (k, j, i), self.volume.ijk_to_ras
        return self.explorer.map.shape_kji, self.explorer.map.ijk_to_ras

    @property
    def bytes(self) -> int:
        """What it fills once it has been asked, about."""
        embedding_map, readout = self.explorer.map, self.explorer.index.readout
        channels, width = embedding_map.features_ckji.shape[0], readout.language.shape[0]
        per_voxel = 4 * (channels + width + 3) + STRONGEST * 6
        own = embedding_map.features_ckji.nbytes + int(embedding_map.body_kji.sum()) * per_voxel
        return own + (self.volume.array_kji.nbytes if self.volume is not None else 0)

    def matcher_to(self, other: "OpenScan") -> Matcher:
        """From points of this scan to another; the last one is kept."""
        if self._matcher is None or self._matcher[0] != other.id:
            matcher = Matcher(self.explorer.map, other.explorer.map, self.explorer.checkpoint.readout)
            self._matcher = (other.id, matcher)
        return self._matcher[1]

    def forget_matches_with(self, scan_id: str) -> None:
        """Let go of a scan that is no longer open."""
        if self._matcher is not None and self._matcher[0] == scan_id:
            self._matcher = None


def open_scan(
    path: Path, opener: ScanOpener, vocabulary: Vocabulary, progress: Progress, cancelled: Cancelled
) -> OpenScan:
    """What answers questions about a scan or a saved map; errors as `ScanOpener.open`, ValueError for another model's
    map."""
    state = state_of(path)  # before it is read: a change meanwhile then counts as one
    scan = opener.open(path, progress, cancelled)
    explorer = Explorer(scan.embedding_map, opener.checkpoint, vocabulary)
    return OpenScan(path, state, explorer, scan.volume, scan.warnings)


class OpenScans:
    """At most `most` scans of `most_bytes` together, and always the last one; the least recently used goes first."""

    def __init__(self, most: int = MOST_SCANS, most_bytes: int = MOST_BYTES):
        self.most, self.most_bytes = most, most_bytes
        self._scans: OrderedDict[str, OpenScan] = OrderedDict()
        self._number = 0
        self._lock = threading.RLock()

    def add(self, scan: OpenScan) -> OpenScan:
        """Keep a scan under an id of its own, which is never used again."""
        with self._lock:
            self._number += 1
            scan.id = f"scan{self._number}"
            self._scans[scan.id] = scan
            while len(self._scans) > 1 and not self._fit():
                self.close(next(iter(self._scans)))
            return scan

    def get(self, scan_id: str) -> OpenScan:
        """The scan, which then counts as just used; ValueError if it is not open (any more)."""
        with self._lock:
            if scan_id not in self._scans:
                is_open = ", ".join(self._scans) or "none"
                raise ValueError(f"there is no open scan {scan_id[:40]!r} (open: {is_open}): open it, or open it again")
            self._scans.move_to_end(scan_id)
            return self._scans[scan_id]

    def find(self, path: Path, state: tuple[int, int]) -> OpenScan | None:
        """The open scan of a file that has not changed since."""
        with self._lock:
            ids = [one.id for one in self._scans.values() if (one.path, one.state) == (path, state)]
            return self.get(ids[0]) if ids else None

    def close(self, scan_id: str) -> None:
        """Forget a scan; ValueError if it is not open."""
        with self._lock:
            self.get(scan_id)
            del self._scans[scan_id]
            for one in self._scans.values():
                one.forget_matches_with(scan_id)

    def all(self) -> list[OpenScan]:
        """From the one that will be closed first on."""
        with self._lock:
            return list(self._scans.values())

    def _fit(self) -> bool:
        return len(self._scans) <= self.most and sum(one.bytes for one in self._scans.values()) <= self.most_bytes


def state_of(path: Path) -> tuple[int, int]:
    """By what a changed file is noticed: time of change in ns, and bytes."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size
