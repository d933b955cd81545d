"""Whether the probabilities in a model's answers mean what they say on the held-out scans."""
from __future__ import annotations

import numpy as np
from anatembed.ask.explorer import Explorer
from anatembed.language.vocabulary import Vocabulary

from research.evaluation import reliability
from research.evaluation.bench import Bench
from research.evaluation.section import Section
from research.evaluation.truth import Structure, distance_to_box

TOLERANCE_MM = 10.0
PRESENCE, BOXES, POINTS, NAMES = "presence", "first hit, boxes", "first hit, points", "first name"


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
        columns[PRESENCE] += (reliability.classes_alike(columns[PRESENCE][1]),)
    return reliability.section(bench.name, columns)


def first_hit(explorer: Explorer, structure: Structure) -> tuple[float, bool] | None:
    """Confidence of the first hit, and whether it lies within TOLERANCE_MM of the box; None if nothing was found."""
    parts = explorer.known_parts(structure.concept) or [explorer.known_whole(structure.concept)]
    if parts == [None]:
        return None
    search = max((explorer.index.search(part, 1) for part in parts), key=lambda search: search.presence)
    if not search.found:
        return None
    hit = search.hits[0]
    return hit.confidence, distance_to_box(hit.position_ras, structure) <= TOLERANCE_MM


def first_name(explorer: Explorer, structure: Structure, vocabulary: Vocabulary) -> tuple[float, bool] | None:
    """Probability of the first name of the point inside a structure, and whether it is the structure or a part of it;
    None where nothing is named."""
    candidates = explorer.describe(structure.inside, 1).candidates
    if not candidates:
        return None
    first = candidates[0]
    return first.probability, structure.concept in (first.id, *vocabulary.ancestors(first.id))
