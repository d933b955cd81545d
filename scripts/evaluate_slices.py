"""Do chosen slices show what was asked for? python scripts/evaluate_slices.py DATA_FOLDER [--model FILE] [--most N]

DATA_FOLDER holds annotations/, real_ct/, real_ct_labelled/ and openkbp/; only people that were never trained on are
read. Every marked structure is asked for by itself, then slices are chosen without a question.
"""
from __future__ import annotations

import argparse
import logging
import sys
from itertools import islice
from pathlib import Path

from anatembed.ask.explorer import Explorer
from anatembed.language.vocabulary import Vocabulary
from anatembed.maps.inference import embed
from anatembed.model.checkpoint import load_checkpoint
from research.evaluation.harness import read_cases
from research.evaluation.slice_selection import overview_hits, selection_hits, table
from research.people_split import read_split

LOG = logging.getLogger(__name__)


def main() -> None:
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    vocabulary, checkpoint = Vocabulary.load(), load_checkpoint(options.model)
    asked, overview = [], []
    cases = read_cases(options.data, read_split(), vocabulary)
    for case in islice(cases, options.most):
        explorer = Explorer(embed(case.volume, checkpoint, device=options.device), checkpoint, vocabulary)
        asked += selection_hits(case, explorer)
        overview += overview_hits(case, explorer)
        LOG.info("%s: %d structures", case.person, len(case.present))
    sys.stdout.write("Each structure asked for by its name\n\n" + table(asked))
    sys.stdout.write("\nWithout a question\n\n" + table(overview))


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--model", type=Path, help="checkpoint; the shipped one by default")
    arguments.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    arguments.add_argument("--most", type=int, help="read at most so many people")
    return arguments.parse_args()


if __name__ == "__main__":
    main()
