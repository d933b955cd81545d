"""The demonstration: embed the bundled scan, ask six questions, draw the answers."""

import re
import time
from pathlib import Path

from anatembed.ask.explorer import Explorer
from anatembed.geometry import spacing_mm
from anatembed.model.checkpoint import load_checkpoint
from anatembed.output_file import make_folder, replacing
from anatembed.progress import NoProgress, part_of
from anatembed.scan.files import read_volume
from anatembed.serve import pictures
from anatembed.serve.answer_document import answer_document
from anatembed.shipped_file import shipped_file

SCAN = shipped_file("cort_trunk_ct.nii.gz")
QUESTIONS = ("liver", "left kidney", "RLL", "spleen", "mandible", "flurbogast")
"""Three names and an abbreviation of what the scan shows, one of what it does not show, and nonsense."""


def run_demo(options, progress: NoProgress) -> dict:
    """The answers, where the pictures are and how long it took; `options` has out, device, force and model."""
    began = time.perf_counter()
    folder = make_folder(options.out)
    progress("Reading the scan", 0.0)
    volume, checkpoint = read_volume(SCAN), load_checkpoint(options.model)
    progress("Starting PyTorch", 0.02)
    from anatembed.maps.inference import embed

    embedding_began = time.perf_counter()
    embedding_map = embed(volume, checkpoint, device=options.device, progress=part_of(progress, 0.1, 0.6))
    embedding_seconds = time.perf_counter() - embedding_began
    explorer = Explorer(embedding_map, checkpoint)
    under = pictures.backdrop(explorer, volume)
    progress("Drawing the overlay", 0.6)
    overlay = folder / "overlay.png"
    _save(pictures.overview(under), overlay)
    answers = []
    for number, question in enumerate(QUESTIONS, 1):
        progress(f"Asking “{question}”", 0.65 + 0.35 * number / (len(QUESTIONS) + 1))
        answers.append(_ask(under, question, folder / f"{number}_{_file_name(question)}.png"))
    progress("Done", 1.0)
    return {
        "scan": {
            "name": volume.name,
            "shape_kji": list(embedding_map.shape_kji),
            "spacing_mm": spacing_mm(embedding_map.ijk_to_ras).round(4).tolist(),
        },
        "answers": answers,
        "overlay": str(overlay),
        "folder": str(folder),
        "embedding_seconds": round(embedding_seconds, 3),
        "seconds": round(time.perf_counter() - began, 3),
    }


def _ask(under: pictures.Backdrop, question: str, path: Path) -> dict:
    """The answer as plain data with `picture`: None where nothing was found, and an older picture is taken away."""
    probability, answer = under.explorer.probability(question)
    if answer.hits:
        _save(pictures.answer_picture(under, answer, probability), path)
    else:
        path.unlink(missing_ok=True)
    return {**answer_document(answer), "picture": str(path) if answer.hits else None}


def _save(image, path: Path) -> None:
    with replacing(path) as temporary:
        image.save(temporary, format="PNG")


def _file_name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
