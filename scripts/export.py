"""Turn a training run into the checkpoint that ships: averaged weights, read-out, calibration and provenance.

python scripts/export.py RUN_FOLDER PREPARED_FOLDER -o AnatomicalEmbedding/anatembed/resources/model.npz
"""
from __future__ import annotations

import argparse
import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from anatembed.checkpoint import Checkpoint, save_checkpoint
from anatembed.preprocessing import PreprocessingConfig
from anatembed.readout import Readout
from anatembed.training.calibration import calibrated, places
from anatembed.training.subject import Subject
from anatembed.training.synthesis import CropGenerator, CropSource
from anatembed.training.targets import Taxonomy
from anatembed.vocabulary import Vocabulary

LOG = logging.getLogger("export")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("run", type=Path)
    arguments.add_argument("prepared", type=Path)
    arguments.add_argument("-o", "--output", type=Path, required=True)
    arguments.add_argument("--views", type=int, default=120, help="random views of training people to calibrate on")
    options = arguments.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    state = torch.load(options.run / "state.pt", map_location="cpu", weights_only=True)
    subjects = [Subject.load(path) for path in sorted(options.prepared.glob("*.npz"))]
    vocabulary = Vocabulary.load()
    taxonomy = Taxonomy({c for s in subjects for o in s.label_concepts for c in o}, vocabulary)
    if taxonomy.ids != tuple(state["concepts"]):
        raise SystemExit("the run was trained on other concepts than this training set has")
    checkpoint = to_checkpoint(state, subjects, taxonomy)
    weights = state["config"]["source_weights"]
    totals = {s.source: sum(o.source == s.source for o in subjects) for s in subjects}
    shares = [weights.get(s.name, weights.get(s.source, 1.0) / totals[s.source]) for s in subjects]
    generator = CropGenerator([CropSource(s, taxonomy, vocabulary) for s in subjects], shares, seed=99)
    checkpoint, summary = calibrated(checkpoint, generator, taxonomy, options.views)
    LOG.info("calibration: %s", summary)
    checkpoint = replace(checkpoint, provenance=checkpoint.provenance | {"calibration": summary})
    sha256 = save_checkpoint(checkpoint, options.output)
    LOG.info("%s  %.1f MB  SHA-256 %s", options.output, options.output.stat().st_size / 1e6, sha256)


def to_checkpoint(state: dict, subjects: list[Subject], taxonomy: Taxonomy) -> Checkpoint:
    """The averaged weights of a run as a checkpoint without calibration."""
    average = {name: value.numpy() for name, value in state["average"].items()}
    prefix = "encoder."
    encoder = {name[len(prefix) :]: v for name, v in average.items() if name.startswith(prefix)}
    vectors = average["concept_vectors"]
    mean, covariance = places(subjects, taxonomy)
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
        "steps": int(state["step"]),
        "people": len(subjects),
        "sources": sources,
        "training": json.loads(json.dumps(state["config"])),
    }
    weights = {name: v for name, v in encoder.items() if not name.endswith("num_batches_tracked")}
    return Checkpoint(weights, state["config"]["encoder"], PreprocessingConfig(), readout, provenance, "0" * 64)


if __name__ == "__main__":
    main()
