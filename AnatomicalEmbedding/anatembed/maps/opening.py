"""The one way from a path, or from a scan in memory, to an embedded scan: read, checked, embedded once.

It lies in `maps`, the lowest room that knows all it needs: files, models, the network and the kept maps, and nothing of
questions. So the command line, the demo, the tools for language models, the child process of Slicer and of the web
page, and whatever works on many scans open them alike.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from anatembed.maps.cache import MapCache
from anatembed.maps.embedding_map import MARKS, EmbeddingMap
from anatembed.model.checkpoint import Checkpoint
from anatembed.npz_file import array_names, begins_as_zip
from anatembed.progress import part_of
from anatembed.scan.modality import NotACT, check_is_ct
from anatembed.scan.volume import Volume
from anatembed.scan.volume_file import is_volume_file

Progress = Callable[[str, float], None]
Cancelled = Callable[[], bool]


@dataclass(frozen=True)
class EmbeddedScan:
    """A scan and its map; `volume` is None for a saved map.

    warnings: sentences for who asked, about what went wrong without stopping the work. was_kept: whether the map was
    there already, so that nothing was computed.
    """

    embedding_map: EmbeddingMap
    volume: Volume | None
    warnings: tuple[str, ...] = ()
    was_kept: bool = False

    @property
    def encoder_id(self) -> str:
        """The model that made the map."""
        return self.embedding_map.encoder_id


@dataclass(frozen=True)
class ScanOpener:
    """Opens scans with one model on one device ("auto", "cpu", "cuda" or "mps").

    cache: where maps are kept from one time to the next, if anywhere. force: go on with what does not look like a CT.
    embed: as `inference.embed`, which is the default. beside: as `read_volume`.
    """

    checkpoint: Checkpoint
    device: str = "auto"
    cache: MapCache | None = None
    force: bool = False
    embed: Callable[..., EmbeddingMap] | None = None
    beside: bool = False

    def open(self, path: Path | str, progress: Progress, cancelled: Cancelled | None = None) -> EmbeddedScan:
        """The scan of an image file, a DICOM folder, a ZIP archive of either, or a saved map (of whatever model).

        `cancelled` is asked between steps, and may raise what ends them. FileNotFoundError if there is nothing;
        ValueError for what is no scan or no map; NotACT; else as `embed`.
        """
        if is_map(path):
            progress("Reading the map", 0.0)
            return EmbeddedScan(EmbeddingMap.load(path), None)
        return self.of_scan(path, progress, cancelled)

    def of_scan(self, path: Path | str, progress: Progress, cancelled: Cancelled | None = None) -> EmbeddedScan:
        """As `open`, but a saved map is refused: its scan is wanted."""
        from anatembed.scan.files import read_volume  # here, because a saved map needs no SimpleITK

        progress("Reading the scan", 0.0)
        return self.of_volume(read_volume(path, beside=self.beside), progress, cancelled)

    def of_volume(self, volume: Volume, progress: Progress, cancelled: Cancelled | None = None) -> EmbeddedScan:
        """A scan in memory, checked and embedded, or with the map that was kept; NotACT, else as `embed`."""
        warnings = (*volume.notes, *self._check(volume))
        content_hash = volume.content_hash if self.cache is not None else ""
        kept = None if self.cache is None else self.cache.find(content_hash, self.checkpoint.encoder_id)
        if kept is not None:
            # The same voxels may have been embedded under another name.
            source = {**kept.source, "name": volume.name, "modality": volume.modality}
            return EmbeddedScan(replace(kept, source=source), volume, warnings, was_kept=True)
        embedding_map = self._embedded(volume, progress, cancelled)
        return EmbeddedScan(embedding_map, volume, (*warnings, *self._keep(embedding_map, content_hash)))

    def _check(self, volume: Volume) -> tuple[str, ...]:
        """The only look at whether it is a CT, before anything expensive."""
        try:
            check_is_ct(volume)
        except NotACT as reason:
            if not self.force:
                raise NotACT(f"{volume.name}: {reason}") from reason
            return (f"{volume.name} was embedded although it does not look like a CT: {reason}",)
        return ()

    def _embedded(self, volume: Volume, progress: Progress, cancelled: Cancelled | None) -> EmbeddingMap:
        progress("Starting PyTorch", 0.05)
        embed = self.embed or _network()
        inner = part_of(progress, 0.1, 0.95)
        # force: what it is was looked at above.
        return embed(volume, self.checkpoint, device=self.device, force=True, progress=inner, cancelled=cancelled)

    def _keep(self, embedding_map: EmbeddingMap, content_hash: str) -> tuple[str, ...]:
        """A sentence if the map cannot be kept: the scan is open all the same, only next time it takes as long."""
        if self.cache is None:
            return ()
        try:
            self.cache.keep(embedding_map, content_hash)
        except OSError as error:
            return (f"{error}; the scan will be embedded again next time",)
        return ()


def _network() -> Callable[..., EmbeddingMap]:
    from anatembed.maps.inference import embed  # here, because importing torch takes seconds

    return embed


def is_map(path: Path | str) -> bool:
    """Whether a file is a saved map, whatever its name; also a damaged one, if it is called .npz and is no scan."""
    path = Path(path)
    if not begins_as_zip(path):
        return False
    return not is_volume_file(path) if path.suffix.lower() == ".npz" else not MARKS.isdisjoint(array_names(path))
