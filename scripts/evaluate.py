"""Evaluate a model on scans that were never trained on; prints one table and writes evaluation.json and .md.

python scripts/evaluate.py DATA_FOLDER PREPARED_FOLDER [--model FILE] [-o FOLDER]

DATA_FOLDER holds annotations/, real_ct/, real_ct_labelled/ and openkbp/; PREPARED_FOLDER comes from prepare_data.py
and gives the labelled person that the baselines look up.
"""
from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

from anatembed.checkpoint import load_checkpoint
from anatembed.evaluation.baselines import Reference
from anatembed.evaluation.harness import run, write
from anatembed.training.subject import Subject
from anatembed.vocabulary import Vocabulary

SPLIT = Path(__file__).parent / "configs" / "split.json"
REFERENCE = "totalseg_s0327_v2.npz"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("prepared", type=Path)
    arguments.add_argument("--model", type=Path, help="checkpoint; the shipped one by default")
    arguments.add_argument("-o", "--output", type=Path, default=Path("evaluation"))
    options = arguments.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    vocabulary, checkpoint = Vocabulary.load(), load_checkpoint(options.model)
    reference = Reference.of(Subject.load(options.prepared / REFERENCE), vocabulary)
    reports = run(options.data, json.loads(SPLIT.read_text()), checkpoint, reference, vocabulary)
    sys.stdout.write(write(reports, checkpoint, options.output))


if __name__ == "__main__":
    main()
