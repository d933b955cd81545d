"""Train the encoder on a prepared training set; stops and resumes freely.

python scripts/train.py PREPARED_FOLDER -o RUN_FOLDER [--config scripts/configs/default.yaml] [--start-from model.npz]
torchrun --nproc-per-node 2 scripts/train.py PREPARED_FOLDER -o RUN_FOLDER     # one process a GPU (or CPU)

RUN_FOLDER gets state.pt (resumed from when it exists), log.jsonl, TensorBoard events if that package is installed, and
the configuration used. Turn a run into a checkpoint with scripts/export.py.
"""
from __future__ import annotations

import argparse
import logging
from pathlib import Path

import yaml
from anatembed.language.vocabulary import Vocabulary
from anatembed.model.checkpoint import load_checkpoint
from research.training.processes import processes
from research.training.subject import Subject, subject_files
from research.training.trainer import Trainer, TrainingConfig

DEFAULT = Path(__file__).parent / "configs" / "default.yaml"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("prepared", type=Path)
    arguments.add_argument("-o", "--output", type=Path, required=True)
    arguments.add_argument("--config", type=Path, default=DEFAULT)
    arguments.add_argument("--steps", type=int, help="instead of the configuration's number")
    arguments.add_argument("--minutes", type=float, help="train as many steps as fit into this time")
    arguments.add_argument("--without", nargs="+", default=[], metavar="TERM", help="leave these loss terms out")
    arguments.add_argument("--start-from", type=Path, help="checkpoint whose weights a new run begins with")
    options = arguments.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    config = TrainingConfig(**yaml.safe_load(options.config.read_text()))
    config.weights = without(options.without, config.weights)
    config.steps, config.minutes = options.steps or config.steps, options.minutes or config.minutes
    paths = subject_files(options.prepared)
    if not paths:
        raise SystemExit(f"expected subjects (*.npz) of scripts/prepare_data.py in {options.prepared}, found none")
    begin_with = load_checkpoint(options.start_from) if options.start_from else None
    with processes() as these:
        subjects = [Subject.load(path) for path in paths]
        trainer = Trainer(subjects, Vocabulary.load(), config, options.output, these, begin_with)
        if these.first:
            options.output.mkdir(parents=True, exist_ok=True)
            (options.output / "config.yaml").write_text(options.config.read_text())
        trainer.run()


def without(left_out: list[str], weights: dict[str, float]) -> dict[str, float]:
    """The weights of the other loss terms; SystemExit if a term to leave out is none of them."""
    if strangers := set(left_out) - weights.keys():
        raise SystemExit(f"expected loss terms among {', '.join(weights)}, got {', '.join(sorted(strangers))}")
    return {term: weight for term, weight in weights.items() if term not in left_out}


if __name__ == "__main__":
    main()
