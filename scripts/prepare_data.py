"""Turn public data sets into one training set on a 3 mm grid.

python scripts/prepare_data.py DATA_FOLDER -o PREPARED_FOLDER
python scripts/prepare_data.py DATA_FOLDER --second-phase -o PREPARED_FOLDER
python scripts/prepare_data.py [DATA_FOLDER] --totalsegmentator FOLDER -o PREPARED_FOLDER

DATA_FOLDER holds label_maps/, real_ct/, real_ct_labelled/, real_ct_limbs/ and openkbp/ (see Resources/MODEL_CARD.md
for the sources).
Subjects of the evaluation list (scripts/configs/split.json) are refused, whatever the folder holds.
--totalsegmentator takes the unpacked TotalSegmentator data set, v1 or v2: the folder with meta.csv, s0000/, s0001/, ...
Only people of its split "train" are taken, never val or test; those whose files are broken are named and skipped.

PREPARED_FOLDER gets one .npz per person and manifest.json: the people, the people per source, and for every concept
the voxels that surely show it and in how many people. HU are rounded to steps of 4: an error of at most 2 HU, far below
a CT's noise, for files that compress better.
"""
from __future__ import annotations

import argparse
import functools
import itertools
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from anatembed.language.vocabulary import Vocabulary
from anatembed.output_file import make_folder, replacing
from research.people_split import read_split
from research.training.body_frame import BodyFrame, landmarks
from research.training.completed_labels import compact, fill_skull, lend_skeleton, split_aorta
from research.training.parts import name_parts
from research.training.sources import dense_chest, public_sources
from research.training.subject import Subject
from research.training.totalsegmentator import UnreadableSubject, totalsegmentator_people

LOG = logging.getLogger("prepare_data")
FEW_LANDMARKS = {"cort prostate": 1}
"""Sources that are placed in the body frame by fewer shared landmarks than the usual three."""
REFERENCE_LANDMARK = "vertebrae_T12"
SECOND_PHASE = "LIDC-IDRI-0001"
"""The person of the evaluation list whom the second phase of a training adds."""
WITHOUT_SKELETON = ("human reference atlas", "amos")
"""Label maps that lack bones and muscles, which the reference person lends them."""
HU_STEP = 4
Reader = Callable[[], Subject]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("data", type=Path, nargs="?", metavar="DATA_FOLDER")
    arguments.add_argument("--totalsegmentator", type=Path, metavar="FOLDER")
    arguments.add_argument(
        "--second-phase", action="store_true",
        help="also take LIDC-IDRI-0001 with its dense labels: from then on figures of that scan are no evaluation",
    )
    arguments.add_argument("-o", "--output", type=Path, required=True, metavar="PREPARED_FOLDER")
    arguments.add_argument("--max-mb", type=float, help="fail if the set is larger than this, in units of 10^6 bytes")
    options = arguments.parse_args()
    if options.data is None and options.totalsegmentator is None:
        arguments.error("expected DATA_FOLDER, --totalsegmentator FOLDER or both")
    if options.data is None and options.second_phase:
        arguments.error("expected DATA_FOLDER with --second-phase, got none")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    vocabulary = Vocabulary.load()
    ids = frozenset(vocabulary.ids)
    try:
        published = totalsegmentator_people(options.totalsegmentator, ids) if options.totalsegmentator else []
        collected = public_sources(options.data, ids) if options.data else []
        released = {SECOND_PHASE: functools.partial(dense_chest, options.data, ids)} if options.second_phase else {}
        readers = itertools.chain(collected, released.values(), published)
        prepare(readers, make_folder(options.output), vocabulary, frozenset(released))
    except (FileNotFoundError, ValueError) as error:
        raise SystemExit(str(error)) from error
    megabytes = sum(path.stat().st_size for path in options.output.iterdir()) / 1e6
    LOG.info("%.1f MB in %s", megabytes, options.output)
    if options.max_mb is not None and megabytes > options.max_mb:
        raise SystemExit(f"expected a training set of at most {options.max_mb:g} MB, got {megabytes:.1f} MB")


def prepare(
    readers: Iterable[Reader], output: Path, vocabulary: Vocabulary, released: frozenset[str] = frozenset()
) -> Manifest:
    """Write one .npz per person and manifest.json; `released`: people of the evaluation list that may be trained on."""
    ids = frozenset(vocabulary.ids)
    held_out = tuple(set(read_split()["evaluation"]) - released)
    frame, reference, manifest = BodyFrame(), None, Manifest()
    for subject in reference_first(readers, manifest.skipped):
        if subject.name.startswith(held_out):
            raise ValueError(f"{subject.name} is an evaluation subject and must not be trained on")
        if subject.name in manifest.names:
            LOG.info("%s is in the set already", subject.name)
            continue
        error = frame.fit(subject, FEW_LANDMARKS.get(subject.source, 3))
        if subject.source in WITHOUT_SKELETON:
            LOG.info("  lent %d voxels of skeleton and muscle", lend_skeleton(reference, subject, vocabulary))
        reference = reference or subject
        split_aorta(subject, ids)
        if subject.ct_kji is None:
            fill_skull(subject)
        name_parts(subject, ids)
        compact(subject)
        round_hu(subject)
        subject.save(output / f"{subject.name}.npz")
        manifest.add(subject, error)
        LOG.info("%s", manifest.people[-1])
    manifest.write(output / "manifest.json")
    if strangers := {path.stem for path in output.glob("*.npz")} - manifest.names:
        LOG.warning("not of this run, remove them or they are trained on as well: %s", ", ".join(sorted(strangers)))
    return manifest


def reference_first(readers: Iterable[Reader], skipped: list[str]) -> Iterator[Subject]:
    """The readable people; those before the first one who can be the body frame's reference come last.

    They are read a second time, so that only one person is in memory. The messages of unreadable people are appended
    to `skipped`; ValueError if nobody can be the reference.
    """
    early: list[Reader] = []
    found = False
    for read in readers:
        try:
            subject = read()
        except UnreadableSubject as error:
            LOG.warning("skipped %s", error)
            skipped.append(str(error))
            continue
        found = found or REFERENCE_LANDMARK in landmarks(subject)
        if found:
            yield subject
        else:
            early.append(read)
    if not found:
        raise ValueError(
            f"expected a person with the whole of {REFERENCE_LANDMARK} in the field of view as the reference of the "
            f"body frame, got none among {len(early)} people ({len(skipped)} unreadable)"
        )
    for read in early:
        yield read()


def round_hu(subject: Subject) -> None:
    """Round the CT to HU_STEP, so that it compresses better."""
    if subject.ct_kji is not None:
        subject.ct_kji = (np.round(subject.ct_kji / HU_STEP) * HU_STEP).astype(np.int16)


class Manifest:
    """Who is in the training set, and how often every concept is in it."""

    def __init__(self) -> None:
        self.people: list[dict] = []
        self.names: set[str] = set()
        self.skipped: list[str] = []
        self.voxels: Counter[str] = Counter()
        self.seen_in: Counter[str] = Counter()

    def add(self, subject: Subject, error_mm: float | None) -> None:
        """Count a subject; labels that may be one of several concepts count for none of them."""
        voxels: Counter[str] = Counter()
        counts = np.bincount(subject.labels_kji.ravel(), minlength=len(subject.label_concepts))
        for count, concepts in zip(counts, subject.label_concepts, strict=True):
            if len(concepts) == 1 and count:
                voxels[concepts[0]] += int(count)
        self.voxels.update(voxels)
        self.seen_in.update(voxels.keys())
        self.people.append(manifest_entry(subject, error_mm))
        self.names.add(subject.name)

    def write(self, path: Path) -> None:
        content = {
            "sources": dict(Counter(person["source"] for person in self.people)),
            "concepts": {c: {"people": self.seen_in[c], "voxels": self.voxels[c]} for c in sorted(self.voxels)},
            "skipped": self.skipped,
            "people": self.people,
        }
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(content, indent=1))
        sources = ", ".join(f"{count} {source}" for source, count in content["sources"].items())
        counts = len(self.people), sources, len(self.voxels), len(self.skipped)
        LOG.info("%d people (%s), %d concepts; %d people skipped", *counts)


def manifest_entry(subject: Subject, error_mm: float | None) -> dict:
    """One person of the manifest."""
    return {
        "name": subject.name,
        "source": subject.source,
        "shape_kji": list(subject.labels_kji.shape),
        "ct": subject.ct_kji is not None,
        "concepts": len({c for options in subject.label_concepts for c in options}),
        "labelled_share": round(float(np.mean(subject.labels_kji[subject.labels_kji > 0] > 1)), 3),
        "body_frame_error_mm": None if error_mm is None else round(error_mm, 1),
    }


if __name__ == "__main__":
    main()
