"""Whether the probabilities in a model's answers mean what they say on the held-out scans."""
from __future__ import annotations

import numpy as np
from anatembed.ask.explorer import Explorer
from anatembed.language.vocabulary import Vocabulary

from research.evaluation.asking import asked_for
from research.evaluation.bench import Bench
from research.evaluation.section import Figure, Section
from research.evaluation.truth import TOLERANCE_MM, Structure, distance_mm
from research.reliability import BINS, classes_alike, summary, table

PRESENCE, BOXES, POINTS, NAMES = "presence", "first hit, boxes", "first hit, points", "first name"
WORDS = {"count": "answers", "predicted": "mean probability", "observed": "right", "ece": "calibration error",
         "brier": "Brier"}
TEXT = (
    "Whether probabilities mean what they say: of the answers that are called 70 % probable, 70 % should be right. "
    "*Calibration error*: mean distance of probability and rate of right answers over ten parts of the scale; *Brier*: "
    "mean squared distance of probability and truth, 0.25 for one half each time."
)


def confidence(bench: Bench) -> Section:
    """Reliability of presence, of the first hit of what is there and was found, and of the first name of annotated
    points."""
    answers: dict[str, list[tuple[float, bool]]] = {PRESENCE: [], BOXES: [], POINTS: [], NAMES: []}
    for report in bench.reports[bench.name]:
        answers[PRESENCE] += [(score, truth) for _, truth, score, _ in report.presence]
    for scan in bench.scans:
        explorer = bench.explorers[scan.person]
        for structure in scan.case.present:
            hit = first_hit(explorer, structure)
            if hit is not None:
                answers[BOXES if structure.is_box else POINTS].append(hit)
            if (name := first_name(explorer, structure, bench.vocabulary)) is not None:
                answers[NAMES].append(name)
    columns = {kind: tuple(np.array(column) for column in zip(*rows, strict=True)) for kind, rows in answers.items()
               if rows}
    if PRESENCE in columns:
        columns[PRESENCE] += (classes_alike(columns[PRESENCE][1]),)
    return reliability_section(bench.name, columns)


def first_hit(explorer: Explorer, structure: Structure) -> tuple[float, bool] | None:
    """Confidence of the first hit, and whether it lies within TOLERANCE_MM of the structure; None if none was found."""
    shown = asked_for(explorer, structure.concept)
    if shown is None or shown.hit is None:
        return None
    return shown.hit.confidence, distance_mm(shown.hit.position_ras, structure) <= TOLERANCE_MM


def first_name(explorer: Explorer, structure: Structure, vocabulary: Vocabulary) -> tuple[float, bool] | None:
    """Probability of the first name of the point inside a structure, and whether it is the structure or a part of it;
    None where nothing is named."""
    candidates = explorer.describe(structure.inside, 1).candidates
    if not candidates:
        return None
    first = candidates[0]
    return first.probability, structure.concept in (first.id, *vocabulary.ancestors(first.id))


def reliability_section(system: str, answers: dict[str, tuple], bins: int = BINS) -> Section:
    """The part of a report on how far the probabilities of one system can be believed.

    `answers`: what the probability is of (such as "presence", "confidence of the first hit", "first name") to (scores,
    truth) or (scores, truth, weights).
    """
    measures = {
        f"{name}: {words}": figures[key]
        for name, figures in ((name, summary(*columns)) for name, columns in answers.items())
        for key, words in WORDS.items()
    }
    rows = [
        {"probability of": name, "from": row["low"], "to": row["high"], "answers": row["count"],
         "predicted": row["predicted"], "observed": row["observed"]}
        for name, columns in answers.items() for row in table(*columns, bins=bins) if row["count"]
    ]
    return Section("reliability", "Reliability of probabilities", TEXT, {system: measures}, rows=rows,
                   figures=[diagram(system, answers, bins)])


def diagram(system: str, answers: dict[str, tuple], bins: int = BINS) -> Figure:
    """Observed rate in each part of the scale, beside what would be right; `plots.draw` makes a PNG of it."""
    middles = [(n + 0.5) / bins for n in range(bins)]
    series = {f"{system}, {name}": [row["observed"] for row in table(*columns, bins=bins)]
              for name, columns in answers.items()}
    return Figure("reliability", "Reliability of probabilities", "probability (middle of its tenth)", "observed rate",
                  "line", middles, series | {"as it should be": middles})
