"""Turn a folder of public data sets into one training set on a 3 mm grid.

python scripts/prepare_data.py DATA_FOLDER -o PREPARED_FOLDER

DATA_FOLDER holds label_maps/, real_ct/, real_ct_labelled/ and openkbp/ (see Resources/MODEL_CARD.md for the sources).
Subjects of the evaluation list (scripts/configs/split.json) are refused, whatever the folder holds.
"""
from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path

import numpy as np
from anatembed.training.body_frame import BodyFrame
from anatembed.training.completion import compact, lend_skeleton, split_aorta
from anatembed.training.sources import public_sources
from anatembed.training.subject import Subject
from anatembed.vocabulary import Vocabulary

SPLIT = Path(__file__).parent / "configs" / "split.json"
LOG = logging.getLogger("prepare_data")
FEW_LANDMARKS = {"cort prostate": 1}
"""Sources that are placed in the body frame by fewer shared landmarks than the usual three."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("-o", "--output", type=Path, required=True)
    options = arguments.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options.output.mkdir(parents=True, exist_ok=True)
    prepare(options.data, options.output)


def prepare(data: Path, output: Path) -> None:
    """Write one .npz per person and manifest.json."""
    vocabulary = Vocabulary.load()
    ids = frozenset(vocabulary.ids)
    held_out = tuple(json.loads(SPLIT.read_text())["evaluation"])
    frame, manifest, lender = BodyFrame(), [], None
    for read in public_sources(data, ids):
        subject = read()
        if subject.name.startswith(held_out):
            raise ValueError(f"{subject.name} is an evaluation subject and must not be trained on")
        error = frame.fit(subject, FEW_LANDMARKS.get(subject.source, 3))
        if subject.source == "human reference atlas":
            LOG.info("  lent %d voxels of skeleton and muscle", lend_skeleton(lender, subject, vocabulary))
        lender = lender or subject
        split_aorta(subject, ids)
        compact(subject)
        subject.save(output / f"{subject.name}.npz")
        manifest.append(describe(subject, error))
        LOG.info("%s", manifest[-1])
    (output / "manifest.json").write_text(json.dumps(manifest, indent=1))
    megabytes = sum(path.stat().st_size for path in output.iterdir()) / 1e6
    LOG.info("%d people, %.1f MB in %s", len(manifest), megabytes, output)


def describe(subject: Subject, error_mm: float | None) -> dict:
    """One line of the manifest."""
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
