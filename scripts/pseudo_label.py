"""Give the unlabelled people of a prepared training set the names that a trained model is sure of.

python scripts/pseudo_label.py PREPARED_FOLDER [--model FILE]

Rewrites the files of the people whose source has next to no labels, each whole or not at all; labels of an earlier run
are replaced. Prints what was named and the share of the body's voxels that has a name before and after.
"""
from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path

import numpy as np
from anatembed.language.vocabulary import Vocabulary
from anatembed.model.checkpoint import load_checkpoint
from research.people_split import read_split
from research.training.placement import Reference
from research.training.pseudo_labels import pseudo_label
from research.training.subject import UNNAMED, Subject, subject_files

REFERENCE = "totalseg_s0327_v2.npz"
SOURCES = ("chest CT", "head CT", "slab CT")
LOG = logging.getLogger("pseudo_label")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("prepared", type=Path)
    arguments.add_argument("--model", type=Path, help="checkpoint; the shipped one by default")
    options = arguments.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    label_folder(options.prepared, options.model)


def label_folder(prepared: Path, model: Path | None = None) -> None:
    """Rewrite the unlabelled people of a folder; ValueError, before any is touched, if one is for evaluation."""
    held_out = tuple(read_split()["evaluation"])
    paths = subject_files(prepared)
    if not (prepared / REFERENCE).is_file():
        raise FileNotFoundError(f"expected the labelled person {REFERENCE} of scripts/prepare_data.py in {prepared}")
    unlabelled = [path for path in paths if header(path)["source"] in SOURCES]
    for path in unlabelled:
        if path.name.startswith(held_out) or header(path)["name"].startswith(held_out):
            raise ValueError(f"{path.name} is an evaluation subject and must not be trained on")
    checkpoint = load_checkpoint(model)
    reference = Reference(Subject.load(prepared / REFERENCE), Vocabulary.load())
    for path in unlabelled:
        before = Subject.load(path)
        after = pseudo_label(before, checkpoint, reference)
        after.save(path)
        LOG.info("%s", named_shares(before, after))


def header(path: Path) -> dict:
    """What a prepared file says of its person, without the arrays."""
    with np.load(path, allow_pickle=False) as file:
        return json.loads(str(file["header"]))


def named_shares(before: Subject, after: Subject) -> str:
    """Names with their voxels, and the shares of the body that are named."""
    counts = np.bincount(after.labels_kji.ravel(), minlength=len(after.label_names))
    shares = [np.mean(one.labels_kji[one.labels_kji > 0] > UNNAMED) for one in (before, after)]
    lines = [f"{after.name}: {shares[0]:.1%} of the body named before, {shares[1]:.1%} now; "
             f"{'placed in' if after.ras_to_body is not None else 'no place in'} the body frame"]
    lines += [f"  {counts[i]:7d} {name}" for i, name in enumerate(after.label_names) if i > UNNAMED]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
