"""From a file to a scan that can be asked: read, check, embed or take the map that was kept, with progress."""

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

from anatembed.ask.explorer import Explorer
from anatembed.language.vocabulary import Vocabulary
from anatembed.maps.cache import MapCache
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.model.checkpoint import Checkpoint
from anatembed.progress import part_of
from anatembed.scan.files import read_volume
from anatembed.scan.modality import check_is_ct
from anatembed.scan.volume import Volume
from anatembed.serve.commands.opening import is_map
from anatembed.serve.open_scans import OpenScan, state_of

Progress = Callable[[str, float], None]
Cancelled = Callable[[], bool]


class ScanOpener:
    """Opens scans with one model on one device.

    cache: where maps are kept between starts, if anywhere. embed: as `inference.embed`, which is the default.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        device: str = "auto",
        cache: MapCache | None = None,
        embed: Callable[..., EmbeddingMap] | None = None,
    ):
        self.checkpoint, self.device, self.cache, self._embed = checkpoint, device, cache, embed
        self.vocabulary = Vocabulary.load()

    def open(self, path: Path, progress: Progress, cancelled: Cancelled) -> OpenScan:
        """The scan of an image file, DICOM folder or saved map; ValueError for what is none, or is not a CT in HU.

        `cancelled` is asked between steps, and may raise what ends them.
        """
        progress("Reading the scan", 0.0)
        state = state_of(path)
        if is_map(path):
            return OpenScan(path, state, self._explorer(EmbeddingMap.load(path)), None)
        volume = read_volume(path)
        try:
            check_is_ct(volume)
        except ValueError as reason:
            raise ValueError(f"{volume.name}: {reason}") from reason
        embedding_map = self._kept(volume)
        if embedding_map is None:
            embedding_map = self._embedded(volume, progress, cancelled)
            self._keep(embedding_map)
        return OpenScan(path, state, self._explorer(embedding_map), volume)

    def _explorer(self, embedding_map: EmbeddingMap) -> Explorer:
        return Explorer(embedding_map, self.checkpoint, self.vocabulary)

    def _embedded(self, volume: Volume, progress: Progress, cancelled: Cancelled) -> EmbeddingMap:
        progress("Starting PyTorch", 0.05)
        embed = self._embed
        if embed is None:
            from anatembed.maps.inference import embed  # here, because importing torch takes seconds

        inner = part_of(progress, 0.1, 0.95)
        return embed(volume, self.checkpoint, device=self.device, progress=inner, cancelled=cancelled)

    def _kept(self, volume: Volume) -> EmbeddingMap | None:
        if self.cache is None:
            return None
        return self.cache.find(volume.content_hash, self.checkpoint.encoder_id)

    def _keep(self, embedding_map: EmbeddingMap) -> None:
        if self.cache is None:
            return
        try:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "map.npz"
                embedding_map.save(path)
                self.cache.adopt(path)
        except (OSError, ValueError) as error:  # the scan is open all the same, only next time it takes longer
            logging.getLogger(__name__).warning("the map was not kept: %s", error)
