"""A real Logic on a scene, whose embeddings are made by hand instead of a child process."""

from types import SimpleNamespace

from anatembed.maps.cache import MapCache
from AnatomicalEmbeddingLib.Failure import Failure
from AnatomicalEmbeddingLib.Logic import Logic
from explorer_double import ENCODER, ExplorerDouble, mapOf


class WorkerDouble:
    """In the place of a Worker: what was asked waits until `finish`, `fail` or `cancel`; a device answers at once."""

    def __init__(self, folder, onProgress, onEnded) -> None:
        self.folder, self.onProgress, self.onEnded = folder, onProgress, onEnded
        self.volume, self.asked, self.unable = None, [], None

    def embed(self, volume, **options) -> None:
        self.asked.append(options)
        if self.unable is not None:
            raise self.unable
        self.volume = volume

    def askDevice(self, shape_kji, spacing_mm, model) -> None:
        self.asked.append((shape_kji, spacing_mm))
        document = {"name": "CPU", "kind": "cpu", "seconds": 5.6, "free_bytes": 8e9, "works": True, "problem": ""}
        self.onEnded(None, document)

    def finish(self) -> None:
        volume, self.volume = self.volume, None
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "finished.npz"
        mapOf(volume).save(path)
        self.onEnded(None, path)
        path.unlink(missing_ok=True)

    def fail(self, **facts) -> None:
        self.volume = None
        self.onEnded(Failure(**{"message": "It crashed.", "details": "exit code 139", **facts}), None)

    def cancel(self) -> None:
        if self.volume is not None:
            self.fail(message="Stopped.", cancelled=True)


def logicOn(scene, folder, explore=ExplorerDouble, **options) -> Logic:
    """A Logic with its cache and files below `folder`; `logic.worker` is the WorkerDouble that embeds."""
    workers = []

    def makeWorker(onProgress, onEnded):
        workers.append(WorkerDouble(folder / "work", onProgress, onEnded))
        return workers[-1]

    model = SimpleNamespace(encoder_id=ENCODER, readout=None)
    models = SimpleNamespace(path=lambda: folder / "model.npz", load=lambda: model)
    logic = Logic(scene, makeWorker, models, MapCache(folder / "cache"), explore, **options)
    logic.worker = workers[0]
    return logic


def embed(logic: Logic, scan) -> None:
    """Embed a scan from beginning to end; what is in the cache is not embedded again."""
    logic.startEmbedding(scan)
    if logic.isEmbedding():
        logic.worker.finish()
