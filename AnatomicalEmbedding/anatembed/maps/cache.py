"""Embedding maps kept in a folder, so that a scan that was embedded once is not embedded again."""

import errno
import hashlib
import os
import re
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from anatembed.maps.embedding_map import EmbeddingMap

LIMIT_BYTES = 4_000_000_000
_NAME = re.compile(r"[0-9a-f]{32}\.npz")
_UNFINISHED = ".adopting-"
_ABANDONED_SECONDS = 24 * 3600


class MapCache:
    """Maps by the content of their scan and their model; the least recently used go when it is more than the limit.

    The folder is made when it is needed, and may be used by several programs at once. Other files in it are left alone.
    """

    def __init__(self, folder: Path | str, limit_bytes: int = LIMIT_BYTES) -> None:
        self.folder, self.limit_bytes = Path(folder), limit_bytes

    def path_for(self, content_hash: str, encoder_id: str) -> Path:
        """Where the map of a scan and a model is, or would be: a short name that every file system takes."""
        key = hashlib.sha256(f"{content_hash}\n{encoder_id}".encode()).hexdigest()
        return self.folder / f"{key[:32]}.npz"

    def find(self, content_hash: str, encoder_id: str) -> EmbeddingMap | None:
        """The memory-mapped map, which then counts as just used; None if there is none, or it was damaged."""
        path = self.path_for(content_hash, encoder_id)
        found = _map_in(path)
        if found is None or found.encoder_id != encoder_id:
            found = None  # before the file goes, because Windows does not remove what is mapped
            _removed(path)
            return None
        with suppress(OSError):  # a folder that may only be read still gives its maps
            os.utime(path)
        return found

    def adopt(self, path: Path | str, content_hash: str | None = None) -> Path:
        """Move a finished map file into the cache, whole or not at all; its new path.

        content_hash: by which it will be asked for; default: what the map says of its scan. ValueError or
        FileNotFoundError if it is no map; OSError in a sentence if the cache cannot keep it: then it stays where it is.
        """
        path = Path(path)
        own_hash, encoder_id = _key_in(path)
        kept = self.path_for(own_hash if content_hash is None else content_hash, encoder_id)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _move(path, kept)
        except OSError as cause:
            raise OSError(f"the map cannot be kept in {self.folder}: {cause.strerror or cause}") from cause
        with suppress(OSError):
            os.utime(kept)
        self._clean_up(kept)
        return kept

    def contents(self) -> tuple[int, int]:
        """Number of maps and their bytes."""
        sizes = [size for _, size, _ in self._entries()]
        return len(sizes), sum(sizes)

    def clear(self) -> int:
        """Remove all maps; the number of those that could not be, because they are in use or protected."""
        for path in self._unfinished():
            _removed(path)
        return sum(not _removed(path) for _, _, path in self._entries())

    def _clean_up(self, just_added: Path) -> None:
        for path in self._unfinished():
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                    path.unlink()
        entries = self._entries()
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries):
            if total <= self.limit_bytes:
                return
            if path != just_added and _removed(path):
                total -= size

    def _entries(self) -> list[tuple[int, int, Path]]:
        """(time of last use in ns, bytes, path) of each map."""
        found = []
        for path in self._files():
            if _NAME.fullmatch(path.name):
                with suppress(OSError):  # it has just been removed by another program
                    status = path.stat()
                    found.append((status.st_mtime_ns, status.st_size, path))
        return found

    def _unfinished(self) -> list[Path]:
        return [path for path in self._files() if path.name.startswith(_UNFINISHED)]

    def _files(self) -> list[Path]:
        try:
            return list(self.folder.iterdir())
        except OSError:  # not made yet, or not to be read: nothing is kept
            return []


def _key_in(path: Path) -> tuple[str, str]:
    """content_hash and encoder_id in a map file, all of which is checked."""
    embedding_map = EmbeddingMap.load(path, mapped=True)
    return str(embedding_map.source.get("content_hash", "")), embedding_map.encoder_id


def _move(path: Path, target: Path) -> None:
    """Rename; from another disk copy beside the target first, so that a half-written map is never seen."""
    try:
        os.replace(path, target)
        return
    except OSError as cause:
        if cause.errno != errno.EXDEV:
            if isinstance(cause, PermissionError) and _map_in(target) is not None and _removed(path):
                return  # Windows does not replace what someone has mapped, and a map of the same key is as good
            raise
    handle, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=target.parent)
    temporary = Path(name)
    try:
        os.close(handle)
        shutil.copyfile(path, temporary)
        _move(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    _removed(path)


def _map_in(path: Path) -> EmbeddingMap | None:
    try:
        return EmbeddingMap.load(path, mapped=True)
    except (ValueError, FileNotFoundError):
        return None


def _removed(path: Path) -> bool:
    """Whether a file is gone now; one that is in use (Windows) or protected stays."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True
