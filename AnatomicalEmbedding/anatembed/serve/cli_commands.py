"""What each command of the command line does; results are returned, nothing is printed here."""

import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from anatembed.language.query.resolver import Resolver
from anatembed.language.vocabulary import Vocabulary
from anatembed.progress import NoProgress, part_of
from anatembed.serve import cli_output

DONE, BAD_DEVICE, NOT_HERE, NOT_UNDERSTOOD = 0, 2, 3, 4
ZIP_SIGN = b"PK\x03\x04"


@dataclass(frozen=True)
class Reply:
    """Exit code, the JSON document (None: only lines), and the same for people, line by line."""

    code: int
    document: dict | None
    lines: Iterable[str]


def embed(options, progress: NoProgress) -> Reply:
    """Embed a scan and save the map."""
    from anatembed.output_file import check_output, explained

    began = time.perf_counter()
    output = check_output(options.output, inputs=(options.scan, *([options.model] if options.model else [])))
    _, embedding_map, _ = _embedded(options, progress)
    progress("Writing the map", 0.97)
    with explained(output):
        embedding_map.save(output)
    document = {"map": str(output), **_facts(embedding_map), "seconds": round(time.perf_counter() - began, 3)}
    return Reply(DONE, document, cli_output.embedded(document))


def locate(options, progress: NoProgress) -> Reply:
    """Find a structure by its name."""
    explorer, _ = open_explorer(options, progress)
    answer = explorer.locate(options.text, options.k)
    document = answer_document(answer)
    return Reply(exit_code(answer), document, cli_output.answer(document))


def report(options, progress: NoProgress) -> Reply:
    """Find everything that a report mentions, and the slices that show it."""
    from anatembed.ask.report import read_report
    from anatembed.serve.report_document import read_report_file, report_document

    text = read_report_file(options.report)
    explorer, volume = open_explorer(options, progress)
    reading = read_report(explorer, text, options.k, part_of(progress, 0.9, 0.99))
    document = report_document(reading, explorer, volume)
    code = DONE if any(read.found for read in reading.mentions) else NOT_HERE if reading.mentions else NOT_UNDERSTOOD
    return Reply(code, document, cli_output.report(document))


def resolve(options, progress: NoProgress) -> Reply:
    """Say which structure a text means, or answer a file of questions."""
    if (options.text is None) == (options.batch is None):
        raise ValueError("expected either a text or --batch FILE")
    resolver = Resolver(Vocabulary.load())
    if options.batch is not None:
        return Reply(DONE, None, cli_output.json_lines(_batch(resolver, options.batch)))
    document = _resolution(resolver, options.text)
    code = NOT_UNDERSTOOD if document["outcome"] == "refuse" else DONE
    return Reply(code, document, cli_output.resolution(document))


def describe(options, progress: NoProgress) -> Reply:
    """Name the structures at a place."""
    explorer, _ = open_explorer(options, progress)
    description = explorer.describe(options.ras, options.k)
    candidates = [{**asdict(one), "probability": round(one.probability, 4)} for one in description.candidates]
    document = {"inside_body": description.inside_body, "candidates": candidates}
    return Reply(DONE, document, cli_output.description(document))


def overlay(options, progress: NoProgress) -> Reply:
    """Write the colours, where a structure is, or how unsure the names are, as a picture or a volume; nothing is
    written when a structure is not found."""
    from anatembed.output_file import check_output
    from anatembed.serve import overlay_volume

    output = check_output(options.output, (".png", ".nii.gz"), inputs=(options.scan,))
    explorer, volume = open_explorer(options, progress)
    probability = answer = None
    if options.query is not None:
        probability, answer = explorer.probability(options.query)
        if not answer.hits:
            document = {"output": None, "answer": answer_document(answer)}
            return Reply(exit_code(answer), document, cli_output.answer(document["answer"]))
    progress("Drawing", 0.97)
    if output.name.lower().endswith(".png"):
        _write_picture(explorer, volume, options, answer, probability, output)
    elif options.uncertainty:
        overlay_volume.write_probability(explorer.index.uncertainty_kji(), explorer.map.ijk_to_ras, output)
    elif answer is None:
        overlay_volume.write_colours(explorer.colours_kji(), explorer.map.ijk_to_ras, output)
    else:
        overlay_volume.write_probability(probability, explorer.map.ijk_to_ras, output)
    document = {"output": str(output), "answer": answer_document(answer) if answer else None}
    return Reply(DONE, document, [f"written: {output}"])


def terms(options, progress: NoProgress) -> Reply:
    """List the structures that are understood, and those that the model has learnt."""
    from anatembed.model.checkpoint import load_checkpoint

    vocabulary = Vocabulary.load()
    learnt = set(load_checkpoint(options.model).readout.concept_ids)
    wanted = options.filter.casefold()
    rows = [
        {"id": term.id, "name": term.preferred, "side": _side(term), "learnt": term.id in learnt}
        for term in vocabulary.terms
        if any(wanted in text.casefold() for text in (term.id, term.preferred, *(one.text for one in term.synonyms)))
        and (term.id in learnt or not options.learnt)
    ]
    document = {"terms": rows, "understood": len(rows), "learnt": sum(row["learnt"] for row in rows)}
    return Reply(DONE, document, cli_output.terms(document))


def info(options, progress: NoProgress) -> Reply:
    """Say what a map is, and whether the model in use can read it."""
    from anatembed.maps.embedding_map import EmbeddingMap
    from anatembed.model.checkpoint import load_checkpoint

    embedding_map = EmbeddingMap.load(options.map)
    model = load_checkpoint(options.model).encoder_id
    document = {"map": str(options.map), **_facts(embedding_map), "bytes": Path(options.map).stat().st_size}
    document |= {"model_in_use": model, "fits_the_model_in_use": model == embedding_map.encoder_id}
    return Reply(DONE, document, cli_output.info(document))


def device(options, progress: NoProgress) -> Reply:
    """Say which device would embed, whether it works, and how long a scan of a shape and spacing would take."""
    from anatembed.maps.device_check import check_device
    from anatembed.model.checkpoint import load_checkpoint

    if (options.shape is None) != (options.spacing is None):
        raise ValueError("expected --shape and --spacing together, or neither")
    began = time.perf_counter()
    progress("Trying the device", 0.0)
    checkpoint = load_checkpoint(options.model)
    facts = check_device(checkpoint, options.device, options.shape, options.spacing, began)
    document = {**asdict(facts), "works": not facts.problem, "encoder_id": checkpoint.encoder_id}
    return Reply(BAD_DEVICE if facts.problem else DONE, document, cli_output.device(document))


def demo(options, progress: NoProgress) -> Reply:
    """Embed the bundled scan, ask six questions, draw the answers."""
    from anatembed.serve.demo import run_demo

    document = run_demo(options, progress)
    return Reply(DONE, document, cli_output.demo(document))


def mcp(options, progress: NoProgress) -> Reply:
    """Serve scans to a language model until its end of the connection is closed."""
    from anatembed.maps.cache import MapCache
    from anatembed.model.checkpoint import load_checkpoint
    from anatembed.serve.allowed_folders import AllowedFolders
    from anatembed.serve.scan_opening import ScanOpener
    from anatembed.serve.scan_tools import ScanTools

    try:
        from anatembed.serve.mcp_server import build_server
    except ImportError as cause:
        raise ImportError(f'{cause}; install it with: pip install "mcp>=2.0"', name="mcp") from cause
    folders = AllowedFolders(options.folder, options.output)
    cache = MapCache(options.cache) if options.cache else None
    opener = ScanOpener(load_checkpoint(options.model), device=options.device, cache=cache)
    build_server(ScanTools(folders, opener)).run()
    return Reply(DONE, None, [])


def open_explorer(options, progress: NoProgress):
    """(Explorer, Volume or None) of a saved map, or of a scan that is embedded on the fly."""
    from anatembed.ask.explorer import Explorer
    from anatembed.maps.embedding_map import EmbeddingMap
    from anatembed.model.checkpoint import load_checkpoint

    if is_map(options.scan):
        return Explorer(EmbeddingMap.load(options.scan), load_checkpoint(options.model)), None
    checkpoint, embedding_map, volume = _embedded(options, progress)
    return Explorer(embedding_map, checkpoint), volume


def is_map(path) -> bool:
    """Whether a file begins as an .npz does, whatever its name, and is not a scan."""
    from anatembed.scan.volume_file import is_volume_file

    path = Path(path)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(ZIP_SIGN)) == ZIP_SIGN and not is_volume_file(path)


def _embedded(options, progress: NoProgress):
    from anatembed.model.checkpoint import load_checkpoint
    from anatembed.scan.modality import check_is_ct
    from anatembed.scan.volume import read_volume

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


def _write_picture(explorer, volume, options, answer, probability, output: Path) -> None:
    from anatembed.output_file import replacing
    from anatembed.serve import pictures

    under = pictures.backdrop(explorer, volume, is_ct=not options.force)
    if answer is not None:
        image = pictures.answer_picture(under, answer, probability)
    else:
        image = pictures.uncertainty_overview(under) if options.uncertainty else pictures.overview(under)
    with replacing(output) as temporary:
        image.save(temporary, format="PNG")


def answer_document(answer) -> dict:
    """An Answer of the explorer as plain data."""
    return {
        "query": answer.query,
        "found": answer.found,
        "reason": answer.reason,
        "question": answer.question,
        "place": place_document(answer.place),
        "presence": None if answer.presence is None else round(answer.presence, 4),
        "resolved": [asdict(one) for one in answer.resolved],
        "hits": [
            {
                "position_ras": [round(float(value), 2) for value in hit.position_ras],
                "confidence": round(float(hit.confidence), 4),
                "presence": round(float(hit.presence), 4),
                "id": hit.concept_id,
                "label": hit.label,
            }
            for hit in answer.hits
        ],
        "seconds": round(answer.seconds, 4),
    }


def place_document(place) -> dict | None:
    """Where in, at or beside the structure is meant, as plain data; `others` are ids."""
    if place is None:
        return None
    others = [one.id for one in place.others]
    return {"kind": place.kind, "directions": list(place.directions), "share": place.share or None, "others": others,
            "words": place.words}


def exit_code(answer) -> int:
    """0 found, 4 not understood, else 3."""
    if answer.found:
        return DONE
    return NOT_UNDERSTOOD if answer.outcome == "not understood" else NOT_HERE


def _resolution(resolver: Resolver, text: str) -> dict:
    resolution = resolver.resolve(text)
    candidates = [asdict(one) for one in resolution.candidates]
    place = place_document(resolution.place)
    return {"query": text, "outcome": resolution.outcome, "candidates": candidates, "place": place,
            "reason": resolution.reason}


def _batch(resolver: Resolver, name: str) -> Iterable[dict]:
    """One document for each line, empty lines included: the answers stay beside their questions."""
    if name == "-":
        return (_resolution(resolver, line.rstrip("\r\n")) for line in sys.stdin)
    path = Path(name)
    if not path.is_file():
        raise FileNotFoundError(f"expected a text file with one question a line, found none at {path}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as cause:
        raise ValueError(f"expected a text file in UTF-8, but {path.name} is not one") from cause
    lines = text.replace("\r\n", "\n").split("\n")
    return (_resolution(resolver, line) for line in (lines[:-1] if lines[-1] == "" else lines))


def _facts(embedding_map) -> dict:
    from anatembed.geometry import bounds_ras, spacing_mm

    low, high = bounds_ras(embedding_map.shape_kji, embedding_map.ijk_to_ras)
    return {
        "encoder_id": embedding_map.encoder_id,
        "shape_kji": list(embedding_map.shape_kji),
        "channels": int(embedding_map.features_ckji.shape[0]),
        "spacing_mm": [round(float(value), 4) for value in spacing_mm(embedding_map.ijk_to_ras)],
        "bounds_ras": [[round(float(value), 2) for value in corner] for corner in (low, high)],
        "source": embedding_map.source,
    }


def _side(term) -> str | None:
    return term.laterality if term.laterality != "none" else None
