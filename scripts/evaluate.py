"""Evaluate a model on scans that were never trained on; prints the tables and writes them, with figures, to a folder.

python scripts/evaluate.py DATA_FOLDER PREPARED_FOLDER [--model FILE] [--compare NAME=FILE ...] [--maps FOLDER]
    [--only [PART ...]] [-o FOLDER]

DATA_FOLDER holds annotations/, real_ct/, real_ct_labelled/ and openkbp/; PREPARED_FOLDER comes from prepare_data.py
and gives the labelled training people that baselines and label transfer start from. --compare runs further
checkpoints through the same tables. Figures need matplotlib.
"""
from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from anatembed.language.vocabulary import Vocabulary
from anatembed.model.checkpoint import load_checkpoint
from research.evaluation.baselines import Reference
from research.evaluation.bench import Bench, read_scans
from research.evaluation.harness import read_cases, run, write
from research.evaluation.label_maps import read_label_maps
from research.evaluation.suite import PARTS, joined_sections, run_parts
from research.people_split import read_split
from research.training.subject import Subject

REFERENCE = "totalseg_s0327_v2.npz"
NAME = "embedding"
NAMES = tuple(part.__name__ for part in PARTS)


def main() -> None:
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    vocabulary, split = Vocabulary.load(), read_split()
    checkpoints = {NAME: load_checkpoint(options.model)} | {n: load_checkpoint(f) for n, f in options.compare}
    reference = Reference.of(Subject.load(options.prepared / REFERENCE), vocabulary)
    scans = read_scans(read_cases(options.data, split, vocabulary), checkpoints[NAME].preprocessing, reference)
    labels = read_label_maps(options.data, split, vocabulary)
    reports, sections = {}, []
    for name, checkpoint in checkpoints.items():
        bench = Bench(name, checkpoint, vocabulary, reference, scans, labels, options.prepared, name == NAME,
                      kept=options.maps)
        reports |= run(bench)
        sections.append(run_parts(bench, [part for part in PARTS if part.__name__ in options.only]))
    reports = {name: reports[name] for name in checkpoints} | reports  # models first, then lookups
    sys.stdout.write(write(reports, checkpoints[NAME], options.output, joined_sections(sections),
                           keep=set(options.only) != set(NAMES)))


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("prepared", type=Path)
    arguments.add_argument("--model", type=Path, help="checkpoint; the shipped one by default")
    arguments.add_argument("--compare", type=_named_file, action="append", default=[], metavar="NAME=FILE",
                           help="another checkpoint for the same tables; may be given several times")
    arguments.add_argument("--maps", type=Path, metavar="FOLDER", help="where embedded scans are kept for the next run")
    arguments.add_argument("--only", nargs="*", choices=NAMES, default=NAMES, metavar="PART",
                           help=f"beside search, naming and refusal only these: {', '.join(NAMES)}; others that are in "
                           "FOLDER stay")
    arguments.add_argument("-o", "--output", type=Path, default=Path("evaluation"))
    return arguments.parse_args()


def _named_file(text: str) -> tuple[str, Path]:
    name, _, file = text.partition("=")
    if not name or not file or name == NAME:
        raise argparse.ArgumentTypeError(f"expected NAME=FILE with a name other than {NAME}, got {text!r}")
    return name, Path(file)


if __name__ == "__main__":
    main()
