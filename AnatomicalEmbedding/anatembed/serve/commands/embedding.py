"""Commands that run the network: embed, device."""

import time
from dataclasses import asdict

from anatembed.model.checkpoint import load_checkpoint
from anatembed.output_file import check_output, explained
from anatembed.progress import NoProgress
from anatembed.serve import cli_output
from anatembed.serve.commands.facts import map_facts
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
    document = {"map": str(output), **map_facts(embedding_map), "seconds": round(time.perf_counter() - began, 3)}
    return Reply(DONE, document, cli_output.embedded(document))


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
