"""From a typed question to a place in a scan: the annotated structures, asked by their names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from anatembed.ask.locating import Answer
from anatembed.language.vocabulary import Vocabulary

from research.evaluation.harness import judge_location
from research.evaluation.questions import ratio
from research.evaluation.truth import Case, Structure

PREFERRED, SYNONYM, TRANSLATION = "preferred name", "synonym", "other language"
_NAMES = ("exact", "lay", "abbreviation", "latin", "translation")


@dataclass(frozen=True)
class Asked:
    """A question put to a scan: was the structure understood, was it found within 10 mm, on which side.

    reachable: asked by its id, the structure is found there; what is lost beyond that is lost by the words.
    """

    person: str
    kind: str
    text: str
    concept: str
    understood: bool
    hit: bool
    wrong_side: bool
    reachable: bool


def names_to_ask(concept: str, vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """(kind, text) of every name that means the structure itself and nothing else."""
    term = vocabulary[concept]
    asked = [(PREFERRED, term.preferred)]
    for synonym in term.synonyms:
        if synonym.type in _NAMES:
            asked.append((SYNONYM if synonym.lang == "en" else TRANSLATION, synonym.text))
    return asked


def ask_scan(case: Case, locate: Callable[[str], Answer], vocabulary: Vocabulary) -> list[Asked]:
    """Ask for every annotated structure of a scan by its names."""
    by_concept = {structure.concept: structure for structure in case.present}
    asked = []
    for structure in case.present:
        pair = by_concept.get(vocabulary[structure.concept].pair)
        reachable, _ = _hit(structure, pair, locate(structure.concept))
        for kind, text in names_to_ask(structure.concept, vocabulary):
            answer = locate(text)
            understood = structure.concept in {one.id for one in answer.meant}
            hit, wrong_side = _hit(structure, pair, answer)
            asked.append(Asked(case.person, kind, text, structure.concept, understood, hit, wrong_side, reachable))
    return asked


def _hit(structure: Structure, pair: Structure | None, answer: Answer) -> tuple[bool, bool]:
    """Whether the first hit lies within 10 mm of the structure's box, and whether it lies on the other side."""
    if not answer.marked:
        return False, False
    located = judge_location(structure, pair, np.asarray(answer.marked[0].position_ras), True)
    return located.hit, located.wrong_side


def places_table(asked: list[Asked]) -> list[dict]:
    """One row a kind of name."""
    rows = []
    for kind in (PREFERRED, SYNONYM, TRANSLATION):
        own = [one for one in asked if one.kind == kind]
        reachable = [one for one in own if one.reachable]
        if own:
            rows.append(
                {
                    "asked by": kind,
                    "questions": len(own),
                    "understood": ratio(sum(one.understood for one in own), len(own)),
                    "hit within 10 mm": ratio(sum(one.hit for one in own), len(own)),
                    "hit where the id hits": ratio(sum(one.hit for one in reachable), len(reachable)),
                    "wrong side": sum(one.wrong_side for one in own),
                }
            )
    return rows
