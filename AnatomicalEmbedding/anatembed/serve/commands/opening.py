"""From the options of a command to a scan that can be asked."""

from pathlib import Path

from anatembed.progress import NoProgress, part_of

ZIP_SIGN = b"PK\x03\x04"


def open_explorer(options, progress: NoProgress):
    """(Explorer, Volume or None) of a saved map, or of a scan that is embedded on the fly."""
    from anatembed.ask.explorer import Explorer
    from anatembed.maps.embedding_map import EmbeddingMap
    from anatembed.model.checkpoint import load_checkpoint

    if is_map(options.scan):
        return Explorer(EmbeddingMap.load(options.scan), load_checkpoint(options.model)), None
    checkpoint, embedding_map, volume = embedded(options, progress)
    return Explorer(embedding_map, checkpoint), volume


def is_map(path) -> bool:
    """Whether a file begins as an .npz does, whatever its name, and is not a scan."""
    from anatembed.scan.volume_file import is_volume_file

    path = Path(path)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(ZIP_SIGN)) == ZIP_SIGN and not is_volume_file(path)


def embedded(options, progress: NoProgress):
    from anatembed.model.checkpoint import load_checkpoint
    from anatembed.scan.files import read_volume
    from anatembed.scan.modality import check_is_ct

    progress("Reading the scan", 0.0)
    volume = read_volume(options.scan)
    if not options.force:
        try:
            check_is_ct(volume)
        except ValueError as reason:
            way_on = "" if options.progress == "json" else " (--force goes on all the same)"  # a program has its own
            raise ValueError(f"{volume.name}: {reason}{way_on}") from reason
    checkpoint = load_checkpoint(options.model)
    progress("Starting PyTorch", 0.05)
    from anatembed.maps.inference import embed as embed_volume

    embedding_map = embed_volume(
        volume, checkpoint, device=options.device, force=options.force, progress=part_of(progress, 0.1, 0.95)
    )
    return checkpoint, embedding_map, volume
