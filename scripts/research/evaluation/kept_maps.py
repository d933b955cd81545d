"""Embedding maps for the evaluation, of changed and cut scans too, kept in a folder so that the next run is fast."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from anatembed.maps.cache import MapCache
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.maps.inference import embed
from anatembed.model.checkpoint import Checkpoint
from anatembed.scan.volume import Volume

LIMIT_BYTES = 50_000_000_000


def loose(checkpoint: Checkpoint) -> Checkpoint:
    """The same model, which takes a scan of any extent."""
    return replace(checkpoint, preprocessing=replace(checkpoint.preprocessing, min_extent_mm=0.0))


def embed_once(volume: Volume, checkpoint: Checkpoint, folder: Path | None = None) -> EmbeddingMap:
    """The map of a scan, whatever its extent and content; from `folder` if it was made before, else kept there."""
    cache = MapCache(folder, LIMIT_BYTES) if folder else None
    known = cache.find(volume.content_hash, checkpoint.encoder_id) if cache else None
    if known is not None:
        return known
    made = embed(volume, loose(checkpoint), force=True)
    if cache:
        cache.keep(made, volume.content_hash)
    return made
