"""How well a model finds vertebrae and ribs one by one, and what else is marked in the annotated scans.

python scripts/evaluate_levels.py DATA_FOLDER [--maps FOLDER] [--model FILE] [--name NAME] [-o FILE.json]

DATA_FOLDER holds annotations/ and real_ct/; no one of them was trained on. Prints the tables, every wrong level, and
writes FILE.json: a column named NAME for this model, beside those of other models that are in the file.
"""
from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

from anatembed.ask.explorer import Explorer
from anatembed.language.vocabulary import Vocabulary
from anatembed.model.checkpoint import load_checkpoint
from research.evaluation.harness import ModelSystem, read_annotated
from research.evaluation.kept_maps import embed_once
from research.evaluation.levels import ask_levels, levels_sections
from research.evaluation.tables import section_markdown, write_column

SPLIT = Path(__file__).parent / "configs" / "split.json"
LOG = logging.getLogger(__name__)


def main() -> None:
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    vocabulary, checkpoint = Vocabulary.load(), load_checkpoint(options.model)
    answers = []
    for case in read_annotated(options.data, json.loads(SPLIT.read_text()), vocabulary):
        explorer = Explorer(embed_once(case.volume, checkpoint, options.maps), checkpoint, vocabulary)
        answers.append(ask_levels(case, ModelSystem(explorer), vocabulary))
        LOG.info("%s: numbering moved by %+d levels", case.person, answers[-1].numbering)
        for asked in answers[-1].asked:
            if asked.level_error is not None and not asked.identified:
                LOG.info("%s: %s is %.0f mm off, at %s", asked.person, asked.concept, asked.mm, asked.nearest)
    sections = levels_sections(options.name, answers)
    for section in sections:
        sys.stdout.write("\n".join(section_markdown(section, set(), with_rows=False)) + "\n")
    if options.output:
        write_column(options.output, options.name, checkpoint.encoder_id, sections)


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
