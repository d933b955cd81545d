"""Embedding maps kept in a folder, so that a scan that was embedded once is not embedded again."""

import errno
import hashlib
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.output_file import UNFINISHED, written_whole

LIMIT_BYTES = 4_000_000_000
_NAME = re.compile(r"[0-9a-f]{32}\.npz")
_ABANDONED_SECONDS = 24 * 3600


def usual_folder(
    environment: Mapping[str, str] = os.environ, platform: str = sys.platform, home: Path | None = None
) -> Path:
    """Where maps are kept: $ANATEMBED_CACHE, else a folder of our own where programs keep what they can make again.

    That is $XDG_CACHE_HOME (~/.cache) on Linux, ~/Library/Caches on macOS and %LOCALAPPDATA% on Windows. RuntimeError
    for a user without a home.

    Relative paths in the environment are ignored, as the XDG Base Directory Specification asks for.
    """
    own = environment.get("ANATEMBED_CACHE", "")
    if own and Path(own).is_absolute():
        return Path(own)
    given = environment.get("LOCALAPPDATA" if platform == "win32" else "XDG_CACHE_HOME", "")
    if platform != "darwin" and given and Path(given).is_absolute():
        return Path(given) / "anatembed"
    below = {"win32": ("AppData", "Local"), "darwin": ("Library", "Caches")}.get(platform, (".cache",))
    return Path(home or Path.home(), *below, "anatembed")


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
        """The map, which then counts as just used; None if there is none, or it was damaged."""
        path = self.path_for(content_hash, encoder_id)
        found = _map_in(path)
        if found is None or found.encoder_id != encoder_id:
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
        with self._keeping(kept):
            _move(path, kept)
        if path.exists() and not path.samefile(kept):
            _removed(path)
        self._clean_up(kept)
        return kept

    def keep(self, embedding_map: EmbeddingMap, content_hash: str) -> Path:
        """Write a map into the cache, whole or not at all; its path. OSError in a sentence if it cannot be kept."""
        kept = self.path_for(content_hash, embedding_map.encoder_id)
        with self._keeping(kept):
            embedding_map.save(kept)
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

    @contextmanager
    def _keeping(self, kept: Path) -> Iterator[None]:
        """The folder is there, `kept` counts as just used, and what goes wrong is an OSError in a sentence."""
        try:
            # Maps are made of patients' scans: a new folder is its owner's only.
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            yield
        except OSError as cause:
            # Windows does not replace what someone is reading, and a map of the same key is as good.
            if not (isinstance(cause, PermissionError) and _map_in(kept) is not None):
                raise OSError(f"the map cannot be kept in {self.folder}: {cause.strerror or cause}") from cause
        with suppress(OSError):
            os.utime(kept)

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
        return [path for path in self._files() if path.name.startswith(UNFINISHED)]

    def _files(self) -> list[Path]:
        try:
            return list(self.folder.iterdir())
        except OSError:  # not made yet, or not to be read: nothing is kept
            return []


def _key_in(path: Path) -> tuple[str, str]:
    """content_hash and encoder_id in a map file, all of which is checked."""
    embedding_map = EmbeddingMap.load(path)
    return str(embedding_map.source.get("content_hash", "")), embedding_map.encoder_id


def _move(path: Path, target: Path) -> None:
    """Rename; from another disk copy beside the target first, so that a half-written map is never seen."""
    try:
        os.replace(path, target)
    except OSError as cause:
        if cause.errno != errno.EXDEV:
            raise
        with written_whole(target) as temporary:
            shutil.copyfile(path, temporary)


def _map_in(path: Path) -> EmbeddingMap | None:
    try:
        return EmbeddingMap.load(path)
    except (ValueError, FileNotFoundError):
        return None


def _removed(path: Path) -> bool:
    """Whether a file is gone now; one that is in use (Windows) or protected stays."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True
