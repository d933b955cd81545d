"""The module's Logic on a scene without Slicer's windows: what runs in the background is waited for."""

from pathlib import Path

from anatembed.maps.cache import MapCache
from anatembed.model.store import ModelStore
from AnatomicalEmbeddingLib.Logic import Logic
from AnatomicalEmbeddingLib.Worker import Worker


class HeadlessLogic:
    """`logic`, with maps and models below `folder`; `embed` waits for the child process."""

    def __init__(self, scene, folder: Path | str) -> None:
        self._workers, self._ends = [], []
        models, cache = ModelStore(Path(folder) / "models"), MapCache(Path(folder) / "maps")
        self.logic = Logic(scene, self._makeWorker, models, cache)
        self.logic.embeddingEnded.connect(self._ends.append)

    def begin(self, scan, **options) -> None:
        """As `Logic.startEmbedding`."""
        self.logic.startEmbedding(scan, **options)

    def wait(self) -> None:
        """Until the embedding has ended; RuntimeError with its report if it failed."""
        while self.logic.isEmbedding():
            self._workers[0].wait(60)  # the first worker embeds, the second one looks at devices
        if self._ends[-1] is not None:
            raise RuntimeError(f"{self._ends[-1].message}\n{self._ends[-1].details}")

    def embed(self, scan, **options) -> None:
        self.begin(scan, **options)
        self.wait()

    def wait_for_device(self) -> None:
        """Until the line about the device is known, if it was asked for."""
        while self._workers[1].wait(60):
            pass

    def _makeWorker(self, onProgress, onEnded) -> Worker:
        self._workers.append(Worker(onProgress, onEnded, every=lambda _poll: lambda: None))
        return self._workers[-1]
