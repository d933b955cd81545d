"""The folders that a program may read from and write to for someone who must not see the rest of the disk."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from anatembed.output_file import check_output, explained

MOST_CHARACTERS = 2000
MOST_ENTRIES = 100_000
"""Files and folders of a DICOM folder that are looked at before it is refused."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""What no name may hold: control characters, and bytes that are no UTF-8 (Python reads them as lone surrogates)."""


class AllowedFolders:
    """Confines paths to `folders`, and what is written to `output` (default: to any of them).

    A path may be absolute, or relative to one of the folders. Links and ".." are followed before it is judged, so that
    nothing outside is ever reached. ValueError for anything outside, in a sentence that does not say whether it exists.
    """

    def __init__(self, folders: Iterable[Path | str], output: Path | str | None = None):
        self.writable = tuple(_folder(one) for one in ([] if output is None else [output]))
        self.readable = tuple(dict.fromkeys([*(_folder(one) for one in folders), *self.writable]))
        if not self.readable:
            raise ValueError("expected at least one folder")
        self.writable = self.writable or self.readable
        self._written: dict[Path, tuple[int, int, int]] = {}

    def existing(self, text: str) -> Path:
        """The real path of a file or folder; FileNotFoundError if it is allowed, but not there."""
        found = self._candidates(text, self.readable)
        for path in found:
            if path.is_file() or path.is_dir():
                return path
        if any(path.exists() for path in found):
            raise ValueError(f"expected a file or a folder, but {_shown(text)} is something else, such as a device")
        raise FileNotFoundError(f"expected a file or a folder, but there is nothing at {_shown(text)}")

    def scan(self, text: str) -> Path:
        """Like `existing`, and no link in a DICOM folder leads outside.

        Voxels that a header names are looked for in its own folder only, and never behind a link: the reader sees
        to that.
        """
        path = self.existing(text)
        if path.is_dir():
            self._check_tree(path)
        return path

    def entries(self, text: str = "") -> list[Path]:
        """What lies in a folder and may be read, sorted by name; the allowed folders themselves for an empty text."""
        if not text:
            return list(self.readable)
        folder = self.existing(text)
        if not folder.is_dir():
            raise ValueError(f"expected a folder, but {_shown(text)} is a file")
        paths = [path for path in folder.iterdir() if path.is_file() or path.is_dir()]
        return sorted(path for path in paths if self._is_inside(Path(os.path.realpath(path)), self.readable))

    @staticmethod
    def is_nameable(path: Path) -> bool:
        """Whether a path can be said in an answer and in a question; what cannot has to be renamed to be opened."""
        return not _CONTROL.search(str(path))

    @contextmanager
    def writing(self, text: str, suffixes: tuple[str, ...]) -> Iterator[Path]:
        """The real path to write a new file to, by a rename onto it; if the block fails, nothing is left there.

        ValueError if there is a file already, unless this object wrote it and nobody has changed it since.
        """
        path = self._candidates(text, self.writable)[0]
        if not self._is_inside(path.parent, self.writable):
            raise ValueError(f"expected the name of a file, got {_shown(text)}")
        check_output(path, suffixes)
        own = path in self._written and path.exists() and _state(path) == self._written[path]
        if not own:
            with explained(path):
                _claim(path)
        try:
            yield path
        except BaseException:
            if not own:
                path.unlink(missing_ok=True)
            raise
        self._written[path] = _state(path)

    def _candidates(self, text: str, folders: tuple[Path, ...]) -> list[Path]:
        """Real paths that a text may mean, all of them inside; never empty."""
        if not text or len(text) > MOST_CHARACTERS or _CONTROL.search(text):
            raise ValueError(f"expected a path of 1 to {MOST_CHARACTERS} printable characters, got {_shown(text)}")
        # An absolute path replaces the folder that it is joined to.
        real = dict.fromkeys(Path(os.path.realpath(folder / text)) for folder in folders)
        inside = [path for path in real if self._is_inside(path, folders)]
        if not inside:
            allowed = ", ".join(map(str, folders))
            raise ValueError(f"{_shown(text)} is outside of what this program may use: {allowed}")
        return inside

    def _check_tree(self, folder: Path) -> None:
        for number, path in enumerate(folder.rglob("*")):
            if number == MOST_ENTRIES:
                raise ValueError(f"expected a DICOM folder, but {folder.name} holds more than {MOST_ENTRIES} files")
            if path.is_symlink():
                self._check(path, f"a link in {folder.name}")
            if path.exists() and not (path.is_file() or path.is_dir()):
                raise ValueError(f"expected only files and folders in {folder.name}, but it holds a device or pipe")

    def _check(self, path: Path, what: str) -> None:
        if not self._is_inside(Path(os.path.realpath(path)), self.readable):
            raise ValueError(f"{what} leads outside of the allowed folders")

    @staticmethod
    def _is_inside(real: Path, folders: tuple[Path, ...]) -> bool:
        return any(real.is_relative_to(folder) for folder in folders)


def _folder(path: Path | str) -> Path:
    real = Path(os.path.realpath(Path(path).expanduser()))
    if not real.is_dir():
        raise FileNotFoundError(f"expected an existing folder, but there is none at {path}")
    return real


def _claim(path: Path) -> None:
    """Make an empty file, which no other program can have made meanwhile."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except FileExistsError:
        raise ValueError(f"there is a file {path.name} already: choose another name") from None


def _state(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _shown(text: str) -> str:
    return repr(text if len(text) <= 100 else text[:100] + "...")
