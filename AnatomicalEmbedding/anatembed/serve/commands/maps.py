"""Commands that make maps and say what they are: embed, info, device."""

import time
from dataclasses import asdict
from pathlib import Path

from anatembed.geometry import bounds_ras, spacing_mm
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.model.checkpoint import load_checkpoint
from anatembed.output_file import check_output, explained
from anatembed.progress import NoProgress
from anatembed.serve import cli_output
from anatembed.serve.commands.opening import embedded
from anatembed.serve.commands.reply import Reply
from anatembed.serve.failures import BAD_INPUT, DONE


def embed(options, progress: NoProgress) -> Reply:
    """Embed a scan and save the map."""
    began = time.perf_counter()
    output = check_output(options.output, inputs=(options.scan, *([options.model] if options.model else [])))
    embedding_map = embedded(options, progress).embedding_map
    progress("Writing the map", 0.97)
    with explained(output):
        embedding_map.save(output)
    document = {"map": str(output), **_facts(embedding_map), "seconds": round(time.perf_counter() - began, 3)}
    return Reply(DONE, document, cli_output.embedded(document))


def info(options, progress: NoProgress) -> Reply:
    """Say what a map is, and whether the model in use can read it."""
    embedding_map = EmbeddingMap.load(options.map)
    model = load_checkpoint(options.model).encoder_id
    document = {"map": str(options.map), **_facts(embedding_map), "bytes": Path(options.map).stat().st_size}
    document |= {"model_in_use": model, "fits_the_model_in_use": model == embedding_map.encoder_id}
    return Reply(DONE, document, cli_output.info(document))


def device(options, progress: NoProgress) -> Reply:
    """Say which device would embed, whether it works, and how long a scan of a shape and spacing would take."""
    from anatembed.maps.device_check import check_device

    if (options.shape is None) != (options.spacing is None):
        raise ValueError("expected --shape and --spacing together, or neither")
    began = time.perf_counter()
    progress("Trying the device", 0.0)
    checkpoint = load_checkpoint(options.model)
    facts = check_device(checkpoint, options.device, options.shape, options.spacing, began)
    document = {**asdict(facts), "works": not facts.problem, "encoder_id": checkpoint.encoder_id}
    return Reply(BAD_INPUT if facts.problem else DONE, document, cli_output.device(document))


def _facts(embedding_map) -> dict:
    low, high = bounds_ras(embedding_map.shape_kji, embedding_map.ijk_to_ras)
    return {
        "encoder_id": embedding_map.encoder_id,
        "shape_kji": list(embedding_map.shape_kji),
        "channels": int(embedding_map.features_ckji.shape[0]),
        "spacing_mm": [round(float(value), 4) for value in spacing_mm(embedding_map.ijk_to_ras)],
        "bounds_ras": [[round(float(value), 2) for value in corner] for corner in (low, high)],
        "source": embedding_map.source,
    }
