"""The one embedding that is being made: begun, followed, stopped; its map goes to the scan that it was made of."""

from collections.abc import Callable
from pathlib import Path

from .Embeddings import Embeddings, Snapshot
from .Failure import Failure, inWords
from .Observing import weak
from .Signal import Signal


class EmbeddingRun:
    """Runs one embedding at a time and puts the map into `cache` and `embeddings`.

    `makeWorker(onProgress, onEnded)` returns a Worker: its `embed(volume, device=, model=)` returns at once and leads
    to onProgress(stage, fraction, secondsLeft) and onEnded(failure or None, path of the map). `findMap(key)`
    returns a map of the model in use that was kept, or None.
    """

    def __init__(self, embeddings: Embeddings, makeWorker: Callable, cache, findMap: Callable) -> None:
        self._embeddings, self._cache, self._findMap = embeddings, cache, findMap
        self._snapshot: Snapshot | None = None
        self.progressChanged = Signal()
        self.ended = Signal()
        self._worker = makeWorker(self.progressChanged.emit, weak(self._onEnded))

    def isRunning(self) -> bool:
        return self._snapshot is not None

    def start(self, volumeNode, device: str, again: bool, model: Path) -> None:
        """Begin and return; `ended(failure)` tells how it ended, with None when all went well.

        A scan that was embedded before, in whatever scene, takes its map from the cache at once unless `again`.
        """
        self.refuseWhileRunning()
        snapshot = self._embeddings.snapshot(volumeNode)
        kept = None if again else self._findMap(snapshot.key)
        if kept is not None:
            self._embeddings.keep(snapshot, kept)
            self.ended.emit(None)
            return
        self._snapshot = snapshot
        try:
            self._worker.embed(snapshot.volume, device=device, model=model)
        except BaseException as error:  # an interruption too must not leave a run behind that is none
            self._snapshot = None
            if not isinstance(error, Exception):
                raise
            raise RuntimeError(f'"{snapshot.volume.name}" cannot be embedded: {inWords(error)}') from error

    def cancel(self) -> None:
        """Stop what runs; the scene and earlier embeddings stay as they are. Without a run nothing happens."""
        if self._snapshot is not None:
            self._worker.cancel()

    def refuseWhileRunning(self) -> None:
        """RuntimeError that names the scan, while there is a run."""
        if self._snapshot is not None:
            name = self._snapshot.volume.name
            raise RuntimeError(f'"{name}" is being embedded. Wait until it is done, or cancel it.')

    def _onEnded(self, failure, path) -> None:
        snapshot, self._snapshot = self._snapshot, None
        if failure is None:
            try:
                self._embeddings.keep(snapshot, self._kept(path))
            except Exception as error:  # whatever it is, whoever waits for the end has to hear of it
                failure = Failure(inWords(error), f"{error!r}\nMap: {path}")
        self.ended.emit(failure)

    def _kept(self, path):
        """The map in the cache; where the cache cannot keep it, in memory for as long as the scene is open."""
        from anatembed.maps.embedding_map import EmbeddingMap

        try:
            return EmbeddingMap.load(self._cache.adopt(path))
        except OSError:
            return EmbeddingMap.load(path)
