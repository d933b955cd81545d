"""Puts the Logic together as Slicer needs it: where files are kept, what runs in the background."""

import os
from pathlib import Path

import qt
import slicer

from .Logic import Logic
from .Worker import Worker

FOLDER = "AnatomicalEmbedding"


def makeLogic(scene) -> Logic:
    """A Logic whose maps and models lie beside Slicer's own cache, which the user may empty at any time."""
    from anatembed.maps.cache import MapCache
    from anatembed.model.store import ModelStore

    folder = keptFolder()

    def makeWorker(onProgress, onEnded) -> Worker:
        return Worker(onProgress, onEnded, folder=lambda: made(folder))

    return Logic(scene, makeWorker, ModelStore(folder / "models"), MapCache(folder / "maps"), schedule=whenIdle)


def keptFolder() -> Path:
    """Where maps, an imported model and the files of a running embedding are kept; nothing is made yet.

    Slicer's temporary folder where there is no cache, where nothing may be written beside it, and where the place
    beside it would be the root of a disk.
    """
    cache = Path(slicer.app.cachePath)
    beside = cache.parent
    isPlace = cache.is_absolute() and beside != beside.parent
    return (beside if isPlace and _isWritable(beside / FOLDER) else Path(slicer.app.temporaryPath)) / FOLDER


def made(folder: Path) -> Path:
    """The folder, which is there now; Slicer's temporary one where it cannot be made. OSError where neither can."""
    try:
        # On the disk of the cache, a finished map only has to be renamed into it.
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(slicer.app.temporaryPath)
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def whenIdle(function) -> None:
    """Run a function once Slicer has nothing else to do."""
    qt.QTimer.singleShot(0, function)


def _isWritable(folder: Path) -> bool:
    """Whether a folder, or the first one above it that exists, may be written to."""
    existing = next(one for one in (folder, *folder.parents) if one.exists())
    return existing.is_dir() and os.access(existing, os.W_OK)
