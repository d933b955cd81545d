"""How often a model says "not in this scan" of what is not in it, and how often of what is.

python scripts/evaluate_absence.py DATA_FOLDER [--maps FOLDER] [--model FILE] [--name NAME] [-o FILE.json]

DATA_FOLDER holds annotations/, real_ct/, real_ct_labelled/ and openkbp/; only people on the evaluation list are read.
About a hundred cut, painted and turned scans are embedded: --maps keeps them for the next run. Prints the table and
writes FILE.json: a column named NAME for this model, beside those of other models that are in the file.
"""
from __future__ import annotations

import logging
from itertools import chain

from research.evaluation.absence import absence_section, ask
from research.evaluation.absence_scans import few_alike, made_scans, phantoms
from research.evaluation.column import Column, column_options
from research.evaluation.harness import read_cases
from research.people_split import read_split

LOG = logging.getLogger(__name__)


def main() -> None:
    options = column_options(__doc__)
    column = Column(options)
    cases = few_alike(read_cases(options.data, read_split(), column.vocabulary))
    questions = []
    for made in chain(phantoms(), chain.from_iterable(made_scans(case, column.vocabulary) for case in cases)):
        own = ask(made, column.explorer(made.volume))
        questions += own
        LOG.info("%s, %s %s: %d of %d right", made.person, made.kind, made.detail, sum(q.right for q in own), len(own))
    column.publish([absence_section(options.name, questions)])


if __name__ == "__main__":
    main()
