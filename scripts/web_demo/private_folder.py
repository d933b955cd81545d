"""The launcher's folder: private, gone at its end, and removed by the next launcher when it could not be."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

_PREFIX, _LOCK = "anatembed-web-", "launcher.lock"


class PrivateFolder:
    """`with PrivateFolder() as path`: a new folder of this user alone; what dead launchers left is removed."""

    def __enter__(self) -> Path:
        remove_left_behind(Path(tempfile.gettempdir()))
        self._path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = (self._path / _LOCK).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return self._path

    def __exit__(self, *_error) -> None:
        shutil.rmtree(self._path, ignore_errors=True)
        self._lock.close()


def remove_left_behind(folder: Path) -> list[Path]:
    """Delete this user's folders of launchers that live no more, and say which; links are left alone."""
    removed = []
    for path in folder.glob(f"{_PREFIX}*"):
        if path.is_symlink() or not path.is_dir() or path.stat().st_uid != os.getuid():
            continue
        try:
            # Without the lock file it is a folder that is just being made, or none of ours.
            with (path / _LOCK).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
                removed.append(path)
        except OSError:
            continue
    return removed
