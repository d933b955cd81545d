"""The demonstration: embed the bundled scan, ask six questions, draw the answers."""

import re
import time
from pathlib import Path

from anatembed.ask.explorer import Explorer
from anatembed.geometry import spacing_mm
from anatembed.output_file import make_folder, replacing
from anatembed.progress import NoProgress, part_of
from anatembed.scan.files import read_volume
from anatembed.serve import pictures
from anatembed.serve.commands.opening import opener_of
from anatembed.serve.documents import answer_document
from anatembed.shipped_file import shipped_file

SCAN = shipped_file("cort_trunk_ct.nii.gz")
QUESTIONS = ("liver", "left kidney", "RLL", "spleen", "mandible", "flurbogast")
"""Three names and an abbreviation of what the scan shows, one of what it does not show, and nonsense."""


def run_demo(options, progress: NoProgress) -> dict:
    """The answers, where the pictures are and how long it took; embedding_seconds is None where the map was kept.

    `options` has what `opener_of` reads, and the folder `out`.
    """
    began = time.perf_counter()
    folder = make_folder(options.out)
    progress("Reading the scan", 0.0)
    opener, volume = opener_of(options, progress), read_volume(SCAN)
    embedding_began = time.perf_counter()
    scan = opener.of_volume(volume, part_of(progress, 0.05, 0.6))
    embedding_seconds = None if scan.was_kept else round(time.perf_counter() - embedding_began, 3)
    for one in scan.warnings:
        progress.warn(one)
    embedding_map = scan.embedding_map
    explorer = Explorer(embedding_map, opener.checkpoint)
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
        "embedding_seconds": embedding_seconds,
        "seconds": round(time.perf_counter() - began, 3),
    }


def _ask(under: pictures.Backdrop, question: str, path: Path) -> dict:
    """The answer as plain data with `picture`: None where nothing was found, and an older picture is taken away."""
    probability, answer = under.explorer.probability(question)
    if answer.places:
        _save(pictures.answer_picture(under, answer, probability), path)
    else:
        path.unlink(missing_ok=True)
    document = answer_document(answer, under.explorer.vocabulary)
    return {**document, "picture": str(path) if answer.places else None}


def _save(image, path: Path) -> None:
    with replacing(path) as temporary:
        image.save(temporary, format="PNG")


def _file_name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
