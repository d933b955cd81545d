"""Turn a training run into the checkpoint that ships: averaged weights, read-out, calibration and provenance.

python scripts/export.py RUN_FOLDER PREPARED_FOLDER -o AnatomicalEmbedding/anatembed/resources/model.npz
python scripts/export.py --checkpoint model.npz PREPARED_FOLDER -o new.npz     # calibrates a finished model again

PREPARED_FOLDER must hold the people that the model was trained on. What it says of them is better than what it will say
of others: where there are labelled people who took no part in the training and are not evaluated on, give a folder of
them by --people, and the calibration uses them instead.
"""
from __future__ import annotations

import argparse
import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from anatembed.language.vocabulary import Vocabulary
from anatembed.model.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from anatembed.model.config import PreprocessingConfig
from anatembed.model.readout import Readout
from research.training.calibration import calibrated, places
from research.training.observations import harder
from research.training.subject import Subject, subject_files
from research.training.synthesis import CropGenerator, CropSource, Variation
from research.training.targets import Taxonomy
from research.training.trainer import source_shares

LOG = logging.getLogger("export")
UNKNOWN_PLACE = 100.0
"""Variance (units of 100 mm, squared) of a place that says nothing."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("run", type=Path, nargs="?", help="folder of scripts/train.py")
    arguments.add_argument("prepared", type=Path)
    arguments.add_argument("--checkpoint", type=Path, help="a finished model instead of a run")
    arguments.add_argument("-o", "--output", type=Path, required=True)
    arguments.add_argument("--people", type=Path, help="prepared people to calibrate on (default: those of PREPARED)")
    arguments.add_argument("--views", type=int, default=160, help="random views to calibrate on (%(default)s)")
    options = arguments.parse_intermixed_args()
    if (options.run is None) == (options.checkpoint is None):
        arguments.error("expected either RUN_FOLDER or --checkpoint")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    subjects = read_people(options.prepared)
    vocabulary = Vocabulary.load()
    taxonomy = Taxonomy({c for s in subjects for o in s.label_concepts for c in o}, vocabulary)
    if options.checkpoint is None:
        state = torch.load(options.run / "state.pt", map_location="cpu", weights_only=True)
        check_concepts(state["concepts"], taxonomy)
        checkpoint = to_checkpoint(state, subjects, taxonomy)
    else:
        checkpoint = load_checkpoint(options.checkpoint)
        check_concepts(checkpoint.readout.concept_ids, taxonomy)
    people = read_people(options.people) if options.people else subjects
    checkpoint = calibrated_on(people, checkpoint, taxonomy, vocabulary, options.views)
    LOG.info("calibration: %s", json.dumps(checkpoint.provenance["calibration"], indent=1))
    sha256 = save_checkpoint(checkpoint, options.output)
    LOG.info("%s  %.1f MB  SHA-256 %s", options.output, options.output.stat().st_size / 1e6, sha256)


def read_people(folder: Path) -> list[Subject]:
    """The subjects of a folder of scripts/prepare_data.py; SystemExit if there is none."""
    paths = subject_files(folder)
    if not paths:
        raise SystemExit(f"expected subjects (*.npz) of scripts/prepare_data.py in {folder}, found none")
    return [Subject.load(path) for path in paths]


def check_concepts(learnt, taxonomy: Taxonomy) -> None:
    """SystemExit if a model was trained on other concepts, or in another order, than the training set has."""
    learnt = tuple(learnt)
    if learnt != taxonomy.ids:
        apart = sorted(set(learnt) ^ set(taxonomy.ids))
        raise SystemExit(
            f"expected a training set with the {len(learnt)} concepts of the model, this one has {len(taxonomy.ids)}; "
            f"not in both: {', '.join(apart[:10]) or 'none, but the order differs'}"
        )


def calibrated_on(
    subjects: list[Subject], checkpoint: Checkpoint, taxonomy: Taxonomy, vocabulary: Vocabulary, views: int
) -> Checkpoint:
    """The checkpoint with its answers calibrated on views of people, drawn as often as in its training."""
    shares = source_shares(subjects, checkpoint.provenance.get("training", {}).get("source_weights", {}))
    sources = [CropSource(subject, taxonomy, vocabulary) for subject in subjects]
    generator = CropGenerator(sources, shares, seed=99, variation=harder(Variation()))
    checkpoint, summary = calibrated(checkpoint, generator, taxonomy, views)
    summary["people"] = len(subjects)
    return replace(checkpoint, provenance=checkpoint.provenance | {"calibration": summary})


def to_checkpoint(state: dict, subjects: list[Subject], taxonomy: Taxonomy) -> Checkpoint:
    """The averaged weights of a run as a checkpoint without calibration."""
    average = {name: value.numpy() for name, value in state["average"].items()}
    encoder, layout = (
        {name.removeprefix(prefix): v for name, v in average.items() if name.startswith(prefix)}
        for prefix in ("encoder.", "layout.")
    )
    vectors = average["concept_vectors"]
    mean, covariance = places(subjects, taxonomy)
    if not state["config"]["weights"].get("coordinate"):  # without a trained coordinate no place argues against a name
        covariance = np.broadcast_to(UNKNOWN_PLACE * np.eye(3), covariance.shape)
    readout = Readout(
        concept_ids=taxonomy.ids,
        language=average["language.weight"],
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        scale=float(np.exp(average["log_scale"])),
        bias=float(average["bias"]),
        coordinate_layers=tuple(
            (average[f"coordinates.{n}.weight"], average[f"coordinates.{n}.bias"]) for n in (0, 2)
        ),
        body_mean=mean,
        body_covariance=covariance,
        compatible=taxonomy.compatible(),
        typical_evidence=np.zeros((len(taxonomy.ids), 2)),
        presence=np.zeros(4),
        presence_threshold=0.5,
    )
    sources = sorted({subject.source for subject in subjects})
    provenance = {
        "begun_with": state.get("begun_with"),
        "steps": int(state["step"]),
        "people": len(subjects),
        "sources": sources,
        "training": json.loads(json.dumps(state["config"])),
    }
    weights = {name: v for name, v in encoder.items() if not name.endswith("num_batches_tracked")}
    layout = layout if state["config"]["weights"].get("structure") else {}
    return Checkpoint(
        weights, state["config"]["encoder"], PreprocessingConfig(), readout, provenance, "0" * 64, layout
    )


if __name__ == "__main__":
    main()
