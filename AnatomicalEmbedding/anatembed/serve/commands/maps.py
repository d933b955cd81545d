"""The command info: what a map is."""

from pathlib import Path

from anatembed.geometry import bounds_ras, spacing_mm
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.model.checkpoint import read_header
from anatembed.progress import NoProgress
from anatembed.serve import cli_output
from anatembed.serve.commands.reply import Reply
from anatembed.serve.failures import DONE


def info(options, progress: NoProgress) -> Reply:
    """Say what a map is, and whether the model in use can read it."""
    embedding_map = EmbeddingMap.load(options.map)
    model = read_header(options.model).encoder_id
    document = {"map": str(options.map), **map_facts(embedding_map), "bytes": Path(options.map).stat().st_size}
    document |= {"model_in_use": model, "fits_the_model_in_use": model == embedding_map.encoder_id}
    return Reply(DONE, document, cli_output.info(document))


def map_facts(embedding_map: EmbeddingMap) -> dict:
    """Of what model, grid and scan a map is, as plain data."""
    low, high = bounds_ras(embedding_map.shape_kji, embedding_map.ijk_to_ras)
    return {
        "encoder_id": embedding_map.encoder_id,
        "shape_kji": list(embedding_map.shape_kji),
        "channels": int(embedding_map.features_ckji.shape[0]),
        "spacing_mm": [round(float(value), 4) for value in spacing_mm(embedding_map.ijk_to_ras)],
        "bounds_ras": [[round(float(value), 2) for value in corner] for corner in (low, high)],
        "source": embedding_map.source,
    }
