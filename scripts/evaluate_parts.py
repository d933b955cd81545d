"""How often "upper third of liver" and the like land in that third, on scans that were never trained on.

python scripts/evaluate_parts.py DATA_FOLDER [--model FILE] [--people N] [-o FILE.json]

DATA_FOLDER holds annotations/, real_ct/, real_ct_labelled/ and openkbp/. Truth is the label map of a scan, or the boxes
of its annotated structures. Prints a table with the baseline "the whole structure's first hit".
"""
from __future__ import annotations

import argparse
import json
import logging
import sys
from collections import Counter
from pathlib import Path

from anatembed.ask.explorer import Explorer
from anatembed.language.vocabulary import Vocabulary
from anatembed.maps.inference import embed
from anatembed.model.checkpoint import load_checkpoint
from anatembed.output_file import replacing
from research.evaluation.harness import read_cases
from research.evaluation.label_maps import read_label_maps
from research.evaluation.part_places import ask_parts, outlines_of, section
from research.evaluation.section import Tally
from research.evaluation.tables import section_content, section_markdown
from research.people_split import read_split

LOG = logging.getLogger(__name__)


def main() -> None:
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    vocabulary, split, checkpoint = Vocabulary.load(), read_split(), load_checkpoint(options.model)
    labels = read_label_maps(options.data, split, vocabulary)
    tally, rows, groups = Tally(), [], Counter()
    for case in read_cases(options.data, split, vocabulary):
        groups[case.group] += 1
        if groups[case.group] > options.people:
            continue
        explorer = Explorer(embed(case.volume, checkpoint), checkpoint, vocabulary)
        before = len(rows)
        ask_parts(case.person, explorer, outlines_of(case, labels.get(case.person), vocabulary), tally, rows)
        LOG.info("%s: %d questions, %d right", case.person, len(rows) - before, sum(r["right"] for r in rows[before:]))
    result = section(tally, rows)
    sys.stdout.write("\n".join(section_markdown(result, set())))
    if options.output:
        with replacing(options.output) as temporary:
            temporary.write_text(json.dumps(section_content(result) | {"questions": rows}, indent=1))


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--model", type=Path, help="checkpoint; the shipped one by default")
    arguments.add_argument("--people", type=int, default=1000, help="at most so many scans of each kind")
    arguments.add_argument("-o", "--output", type=Path, metavar="FILE.json", help="every question with its result")
    return arguments.parse_args()


if __name__ == "__main__":
    main()
