"""From the options of a command to a scan that can be asked."""

from anatembed.ask.explorer import Explorer
from anatembed.maps.cache import MapCache, usual_folder
from anatembed.maps.opening import EmbeddedScan, ScanOpener
from anatembed.model.checkpoint import load_checkpoint
from anatembed.progress import NoProgress
from anatembed.scan.modality import NotACT
from anatembed.scan.volume import Volume


def open_explorer(options, progress: NoProgress) -> tuple[Explorer, Volume | None]:
    """What answers questions about the scan or map of a command, and the scan itself unless it is a map."""
    opener = opener_of(options, progress)
    opened = _told(opener.open, options, progress)
    return Explorer(opened.embedding_map, opener.checkpoint), opened.volume


def embedded(options, progress: NoProgress) -> EmbeddedScan:
    """The scan of a command, embedded; a saved map is refused."""
    return _told(opener_of(options, progress).of_scan, options, progress)


def opener_of(options, progress: NoProgress) -> ScanOpener:
    """Opens scans as the options of a command say."""
    cache = cache_of(options, progress)
    force = getattr(options, "force", False)
    # beside: who gives a command may read the folder of the scan; the tools for language models look at it first.
    return ScanOpener(load_checkpoint(options.model), options.device, cache, force, beside=True)


def cache_of(options, progress: NoProgress) -> MapCache | None:
    """Where maps are kept: in --cache, else where the system keeps such files; nowhere with --no-cache."""
    if options.no_cache:
        return None
    try:
        return MapCache(options.cache or usual_folder())
    except RuntimeError as error:  # nobody's program, such as a service without a home
        progress.warn(f"maps are not kept: {error}")
        return None


def _told(open_scan, options, progress: NoProgress) -> EmbeddedScan:
    try:
        opened = open_scan(options.scan, progress)
    except NotACT as reason:
        if options.progress == "json":  # a program has a way of its own to go on
            raise
        raise NotACT(f"{reason} (--force goes on all the same)") from reason
    for one in opened.warnings:
        progress.warn(one)
    return opened
