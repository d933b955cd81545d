"""A picture of what the encoder is trained on: generated crops beside real ones, to see what tells them apart.

python scripts/contact_sheet.py PREPARED_FOLDER -o sheet.png [--pairs 4] [--seed 0]

Synthetic crops are what the generator makes of label maps, with its acquisition; real ones are CTs of the same set
through the same random geometry, without the augmentation of their HU. A person with a label map and a CT is shown
beside itself, at the same place; for the others, every source is as likely as every other.
The axial and the coronal slice with most body, each in a soft-tissue and a lung window; the patient's right is at the
left. The same seed gives the same sheet.
"""
from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from anatembed.language.vocabulary import Vocabulary
from anatembed.output_file import check_output, replacing
from PIL import Image, ImageDraw
from research.training.subject import OUTSIDE, Subject
from research.training.synthesis import Crop, CropGenerator, CropSource
from research.training.targets import Taxonomy

SHAPE_KJI = (96, 96, 128)
WINDOWS_HU = {"soft tissue": (-160.0, 240.0), "lung": (-1100.0, 200.0)}
PLANES = ("axial", "coronal")
MIN_CONCEPTS = 20
"""A label map with fewer names gives no picture of a body."""
ZOOM, GAP, LINE, CHARACTER = 2, 6, 16, 7
"""Pixels per voxel, between columns, for a line of text and for one letter."""


@dataclass(frozen=True)
class Panel:
    """A column of the sheet: its title, and HU and body (K,J,I) on RAS axes."""

    title: str
    hu_kji: np.ndarray
    body_kji: np.ndarray


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("prepared", type=Path)
    arguments.add_argument("-o", "--output", type=Path, required=True)
    arguments.add_argument("--pairs", type=int, default=4)
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    try:
        output = check_output(options.output, (".png",))
        picture = sheet(panels(options.prepared, options.pairs, options.seed))
    except (FileNotFoundError, ValueError) as error:
        raise SystemExit(str(error)) from error
    with replacing(output) as temporary:
        Image.fromarray(picture).save(temporary, optimize=True)


def panels(prepared: Path, pairs: int, seed: int) -> list[Panel]:
    """Synthetic and real crops in turn; ValueError if the folder lacks people for one of the two."""
    manifest = prepared / "manifest.json"
    if not manifest.is_file():
        raise FileNotFoundError(f"expected the manifest.json of scripts/prepare_data.py in {prepared}, found none")
    people = json.loads(manifest.read_text())["people"]
    random, vocabulary = np.random.default_rng(seed), Vocabulary.load()
    mapped = choose([person for person in people if person["concepts"] >= MIN_CONCEPTS], pairs, random)
    scanned = choose([person for person in people if person["ct"]], pairs, random)
    if not mapped or not scanned:
        raise ValueError(
            f"expected a person with {MIN_CONCEPTS} named structures and one with a CT in {prepared}, "
            f"got {len(mapped)} and {len(scanned)} among {len(people)}"
        )
    has_ct = {person["name"] for person in people if person["ct"]}
    columns = []
    for index, (map_name, scan_name) in enumerate(zip(mapped, scanned, strict=False)):
        scan_name = map_name if map_name in has_ct else scan_name
        scan, label_map = (Subject.load(prepared / f"{name}.npz") for name in (scan_name, map_name))
        taken, at = first_crop(scan, seed + 1000 * index, vocabulary, real=True)
        made, _ = first_crop(dataclasses.replace(label_map, ct_kji=None), at, vocabulary, real=False)
        columns.append(Panel(f"synthetic: {map_name}", made.hu.numpy(), made.labels.numpy() > OUTSIDE))
        columns.append(Panel(f"real: {scan_name}", taken.canonical_hu.numpy(), taken.labels.numpy() > OUTSIDE))
    return columns


def choose(people: list[dict], count: int, random: np.random.Generator) -> list[str]:
    """Names of up to `count` people of the manifest, every source as likely as every other."""
    if not people:
        return []
    totals = Counter(person["source"] for person in people)
    weights = np.array([1 / totals[person["source"]] for person in people])
    chosen = random.choice(len(people), min(count, len(people)), replace=False, p=weights / weights.sum())
    return [people[index]["name"] for index in chosen]


def first_crop(subject: Subject, seed: int, vocabulary: Vocabulary, *, real: bool) -> tuple[Crop, int]:
    """The crop of the person that is real, or that is not, with the first seed from `seed` on, and that seed."""
    concepts = {concept for options in subject.label_concepts for concept in options}
    source = CropSource(subject, Taxonomy(concepts, vocabulary), vocabulary)
    for attempt in itertools.count(seed):
        _, crop = CropGenerator([source], [1.0], attempt).draw(SHAPE_KJI)
        if crop.is_real == real:
            return crop, attempt


def sheet(columns: list[Panel]) -> np.ndarray:
    """Grey picture (height, width) uint8: a column per panel, a row per plane and window, with their names."""
    strips, names = [], []
    for plane in PLANES:
        slices = [fullest_slice(panel, plane) for panel in columns]
        for name, (low, high) in WINDOWS_HU.items():
            grey = [(255 * np.clip((hu - low) / (high - low), 0, 1)).astype(np.uint8) for hu in slices]
            tiles = [np.pad(tile.repeat(ZOOM, 0).repeat(ZOOM, 1), ((LINE, 0), (0, GAP))) for tile in grey]
            strips.append(np.hstack(tiles))
            names.append(f"{plane}, {name}")
    picture = Image.fromarray(np.pad(np.vstack(strips), ((LINE, 0), (0, 0))))
    draw = ImageDraw.Draw(picture)
    width = picture.width // len(columns)
    for index, panel in enumerate(columns):
        draw.text((index * width + 2, 2), panel.title[: width // CHARACTER], fill=255)
    tops = LINE + np.cumsum([0, *(len(strip) for strip in strips)])
    for top, name in zip(tops, names, strict=False):
        draw.text((2, int(top) + 2), name, fill=255)
    return np.asarray(picture)


def fullest_slice(panel: Panel, plane: str) -> np.ndarray:
    """HU of the slice with most body: anterior or superior up, the patient's right at the left."""
    axis = 0 if plane == "axial" else 1
    fullest = panel.body_kji.sum(axis=tuple({0, 1, 2} - {axis})).argmax()
    return panel.hu_kji.take(fullest, axis)[::-1, ::-1]


if __name__ == "__main__":
    main()
