"""How often a model says "not in this scan" of what is not in it, and how often of what is.

python scripts/evaluate_absence.py DATA_FOLDER [--maps FOLDER] [--model FILE] [--name NAME] [-o FILE.json]

DATA_FOLDER holds annotations/, real_ct/, real_ct_labelled/ and openkbp/; only people on the evaluation list are read.
About a hundred cut, painted and turned scans are embedded: --maps keeps them for the next run. Prints the table and
writes FILE.json: a column named NAME for this model, beside those of other models that are in the file.
"""
from __future__ import annotations

import argparse
import json
import logging
import sys
from itertools import chain
from pathlib import Path

from anatembed.ask.explorer import Explorer
from anatembed.language.vocabulary import Vocabulary
from anatembed.model.checkpoint import load_checkpoint
from research.evaluation.absence import absence_section, ask
from research.evaluation.absence_scans import few_alike, made_scans, phantoms
from research.evaluation.harness import read_cases
from research.evaluation.kept_maps import embed_once
from research.evaluation.tables import section_markdown, write_column

SPLIT = Path(__file__).parent / "configs" / "split.json"
LOG = logging.getLogger(__name__)


def main() -> None:
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    vocabulary, checkpoint = Vocabulary.load(), load_checkpoint(options.model)
    cases = few_alike(read_cases(options.data, json.loads(SPLIT.read_text()), vocabulary))
    questions = []
    for made in chain(phantoms(), chain.from_iterable(made_scans(case, vocabulary) for case in cases)):
        explorer = Explorer(embed_once(made.volume, checkpoint, options.maps), checkpoint, vocabulary)
        own = ask(made, explorer)
        questions += own
        LOG.info("%s, %s %s: %d of %d right", made.person, made.kind, made.detail, sum(q.right for q in own), len(own))
    section = absence_section(options.name, questions)
    sys.stdout.write("\n".join(section_markdown(section, set(), with_rows=False)) + "\n")
    if options.output:
        write_column(options.output, options.name, checkpoint.encoder_id, [section])


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--maps", type=Path, metavar="FOLDER", help="where embedded scans are kept for the next run")
    arguments.add_argument("--model", type=Path, help="checkpoint; the shipped one by default")
    arguments.add_argument("--name", default="embedding", help="what this model is called in the table")
    arguments.add_argument("-o", "--output", type=Path, metavar="FILE.json")
    return arguments.parse_args()


if __name__ == "__main__":
    main()
