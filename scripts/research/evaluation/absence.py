"""Questions whose right answer is "not in this scan", and how many of them are answered so."""
from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from anatembed.ask.explorer import Explorer

from research.evaluation import views
from research.evaluation.absence_scans import (
    ENDS,
    FAR,
    GAP_MM,
    KINDS,
    LISTED,
    MIRRORED,
    PER_SCAN,
    PHANTOM,
    REPLACED,
    SIDE,
    SLAB,
    TURNED,
    Made,
)
from research.evaluation.asking import asked_for
from research.evaluation.metrics import auroc
from research.evaluation.section import Section, Tally
from research.evaluation.truth import TOLERANCE_MM, Structure, distance_mm

CUT = (ENDS, SLAB, SIDE)


@dataclass(frozen=True)
class Question:
    """One question: `truth` whether it is in the picture, `shown` whether users see it, with the calibrated `presence`.

    right: an absent one was refused, a present one shown; in a reversed picture it was refused or shown at its place.
    """

    person: str
    kind: str
    detail: str
    concept: str
    truth: bool
    shown: bool
    presence: float
    right: bool


def ask(made: Made, explorer: Explorer) -> list[Question]:
    """What users are told about everything that is asked of a scan; what the model has not learnt is left out."""
    named = [*((concept, None) for concept in made.absent), *((one.concept, one) for one in made.present)]
    learnt = [(concept, one) for concept, one in named if explorer.locating.targets(concept, None)]
    return [_judged(made, concept, structure, explorer) for concept, structure in learnt]


def _judged(made: Made, concept: str, structure: Structure | None, explorer: Explorer) -> Question:
    shown = asked_for(explorer, concept)
    found, truth = shown.hit is not None, structure is not None
    right = found == truth
    if made.reversed:
        right = not found or distance_mm(
            views.mirrored_position(made.volume, shown.hit.position_ras, made.reversed), structure) <= TOLERANCE_MM
    return Question(made.person, made.kind, made.detail, concept, truth, found, float(shown.presence), bool(right))


TEXT = (
    "Questions for what is not in the scan, all of people (or phantoms) that nothing was trained or calibrated on. "
    f"*{LISTED.capitalize()}*: by the reader of an annotated scan. *{FAR.capitalize()}*: kidneys, bladder and the like "
    f"in head-and-neck scans. *{ENDS.capitalize()}*, *{SLAB}*, *{SIDE}*: of a cut annotated scan, everything that lies "
    f"{GAP_MM:g} mm and more outside, {PER_SCAN} structures a scan at most. *{REPLACED.capitalize()}*: one "
    f"or two organs. *{PHANTOM.capitalize()}*: cylinders of water, fat, water with a rod. "
    f"*{MIRRORED.capitalize()}*, *{TURNED}*: the picture reversed under the same geometry; an answer is right when it "
    "is a refusal or the place to which the structure went. *Present in cut scans*: structures wholly inside."
)


def absence_section(name: str, questions: list[Question]) -> Section:
    """Right refusals by kind, and what is kept in cut scans."""
    tally = Tally()

    def add(row: str, rate: str, own: list[Question]) -> None:
        for one in own:
            tally.add(name, f"{row}: asked", one.person, 1, np.sum)
            tally.add(name, f"{row}: {rate}", one.person, one.right)

    add("all that is absent", "refused", [one for one in questions if not one.truth])
    for kind in KINDS:
        own = [one for one in questions if one.kind == kind]
        if kind in (MIRRORED, TURNED):
            add(kind, "refused or at its place", own)
        else:
            add(kind, "refused", [one for one in own if not one.truth])
    cut = [one for one in questions if one.kind in CUT]
    add("present in cut scans", "kept", [one for one in cut if one.truth])
    systems = tally.systems()
    if cut:
        presence, truth = np.array([one.presence for one in cut]), np.array([one.truth for one in cut])
        systems[name]["cut scans: AUROC of presence"] = auroc(presence, truth)
    rows = [asdict(one) for one in questions]
    return Section("absence", "What is not in the scan", TEXT, systems, tally.intervals(), rows)
