"""How well a model finds vertebrae and ribs one by one, and what else is marked in the annotated scans.

python scripts/evaluate_levels.py DATA_FOLDER [--maps FOLDER] [--model FILE] [--name NAME] [-o FILE.json]

DATA_FOLDER holds annotations/ and real_ct/; no one of them was trained on. Prints the tables, every wrong level, and
writes FILE.json: a column named NAME for this model, beside those of other models that are in the file.
"""
from __future__ import annotations

import logging

from research.evaluation.column import Column, column_options
from research.evaluation.harness import ModelSystem, read_annotated
from research.evaluation.levels import ask_levels, levels_sections
from research.people_split import read_split

LOG = logging.getLogger(__name__)


def main() -> None:
    options = column_options(__doc__)
    column = Column(options)
    answers = []
    for case in read_annotated(options.data, read_split(), column.vocabulary):
        answers.append(ask_levels(case, ModelSystem(column.explorer(case.volume)), column.vocabulary))
        LOG.info("%s: numbering moved by %+d levels", case.person, answers[-1].numbering)
        for asked in answers[-1].asked:
            if asked.level_error is not None and not asked.identified:
                LOG.info("%s: %s is %.0f mm off, at %s", asked.person, asked.concept, asked.mm, asked.nearest)
    column.publish(levels_sections(options.name, answers))


if __name__ == "__main__":
    main()
