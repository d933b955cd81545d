"""Puts the Logic together as Slicer needs it: where files are kept, what runs in the background."""

from pathlib import Path

import qt
import slicer

from .Logic import Logic
from .Worker import Worker


def makeLogic(scene) -> Logic:
    """A Logic whose maps and models lie beside Slicer's own cache, which the user may empty at any time."""
    from anatembed.maps.cache import MapCache
    from anatembed.model.store import ModelStore

    folder = keptFolder()

    def makeWorker(onProgress, onEnded) -> Worker:
        # On the disk of the cache, a finished map only has to be renamed into it.
        folder.mkdir(parents=True, exist_ok=True)
        return Worker(onProgress, onEnded, folder=folder)

    return Logic(scene, makeWorker, ModelStore(folder / "models"), MapCache(folder / "maps"), schedule=whenIdle)


def keptFolder() -> Path:
    """Where maps, an imported model and the files of a running embedding are kept."""
    return Path(slicer.app.cachePath).parent / "AnatomicalEmbedding"


def whenIdle(function) -> None:
    """Run a function once Slicer has nothing else to do."""
    qt.QTimer.singleShot(0, function)
