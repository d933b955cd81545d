"""What the answers of a text encoder are worth: measured on names and structures that took no part in its training."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from anatembed.ask.free_text import FreeText
from anatembed.language.query.suggestions import Suggestions
from anatembed.language.text_encoder import TextEncoder
from anatembed.language.vocabulary_phrases import Phrase
from anatembed.model.checkpoint import Checkpoint
from anatembed.model.readout import sigmoid

from research.training.observations import is_right
from research.training.voxel_sample import View, index_of

NAMES, UNKNOWN, STRANGERS = "names", "unknown structures", "strangers"
ROUNDS = 40
RIDGE = 1e-3
LEAST_FOUND = 20
"""A level is not set by fewer finds than this."""


@dataclass(frozen=True)
class Rows:
    """Evidence (N,F), whether the answer is right (N,) and whether there is a right one at all (N,)."""

    evidence: np.ndarray
    right: np.ndarray
    answerable: np.ndarray


def joined(rows: Iterable[Rows]) -> Rows:
    """All rows in one table."""
    parts = list(rows)
    return Rows(*(np.concatenate([getattr(part, name) for part in parts]) for name in Rows.__annotations__))


def suggestion_rows(suggestions: Suggestions, names: Sequence[Phrase], strangers: Sequence[str]) -> Rows:
    """Score and margin of the nearest structure for names that were withheld, and for texts that name none."""
    asked = [(name.text, name.family) for name in names] + [(text, "") for text in strangers]
    found = [suggestions.near_families(text) for text, _ in asked]
    right = [near.family == family for near, (_, family) in zip(found, asked, strict=True)]
    return Rows(np.array([near.evidence for near in found]), np.array(right), np.array([bool(f) for _, f in asked]))


def fit_suggestions(rows: dict[str, Rows], most_sure: float, most_needless: float) -> tuple[dict, dict]:
    """The level of `Suggestions` and its figures.

    At most the share `most_sure` of the texts of every kind of strangers is sure, and at most the share `most_needless`
    of the names of structures that the vocabulary lacks: for these a related structure is put as a question.
    """
    everything = joined(rows.values())
    weights = fit_logistic(everything.evidence, everything.right)
    scores = {kind: weights[0] + one.evidence @ weights[1:] for kind, one in rows.items()}
    strangers = [scores[kind] for kind in rows if kind not in (NAMES, UNKNOWN)]
    sure = max(level_for(one, most_sure) for one in strangers)
    sure = max(sure, level_for(scores[UNKNOWN], most_needless)) if UNKNOWN in rows else sure
    figures = {kind: round(float((one >= sure).mean()), 4) for kind, one in scores.items() if kind != NAMES}
    names, right = scores[NAMES] >= sure, rows[NAMES].right
    figures |= {
        "names": len(right), "names_first": round(float(right.mean()), 4),
        "names_sure_and_right": round(float((names & right).mean()), 4),
        "names_sure_and_wrong": round(float((names & ~right).mean()), 4),
    }  # fmt: skip
    return {"weights": [float(w) for w in weights], "sure": float(sure)}, figures


def sure_by_language(rows: Rows, names: Sequence[Phrase], level: dict) -> dict[str, dict[str, float]]:
    """Share of the withheld names of every language for which the right, or a wrong, structure is put as a question."""
    sure = rows.evidence @ np.array(level["weights"][1:]) + level["weights"][0] >= level["sure"]
    languages = np.array([name.lang for name in names])
    return {
        lang: {"right": _share((sure & rows.right)[languages == lang]),
               "wrong": _share((sure & ~rows.right)[languages == lang])}
        for lang in sorted(set(languages))
    }  # fmt: skip


def free_text_rows(
    views: Iterable[View], checkpoint: Checkpoint, encoder: TextEncoder, asked: dict[str, list[Phrase]],
    strangers: Sequence[str], amount: int,
) -> dict[str, Rows]:
    """Evidence of the best place in whole views, for kinds of names and for texts that name none.

    Of every kind at most `amount` names are asked in a view, and only of learnt structures of which the view says
    whether they are in it; a place is right within 10 mm of the structure.
    """  # fmt: skip
    learnt = {concept: column for column, concept in enumerate(checkpoint.readout.concept_ids)}
    random = np.random.default_rng(0)
    found: dict[str, list] = {kind: [] for kind in (*asked, STRANGERS)}
    for view in views:
        free = FreeText(index_of(view, checkpoint), encoder)
        told = view.present | view.absent
        for kind, phrases in asked.items():
            here = [phrase for phrase in phrases if phrase.term_id in learnt and told[learnt[phrase.term_id]]]
            for i in random.permutation(len(here))[:amount]:
                column = learnt[here[i].term_id]
                present = bool(view.present[column])
                place = _best_place(free, here[i].text, here[i].side, view, column if present else None)
                found[kind].append((*place, present))
        found[STRANGERS] += [(*_best_place(free, text, None, view, None), False) for text in strangers]
    return {
        kind: Rows(*(np.array(column) for column in zip(*known, strict=True)))
        for kind, rows in found.items() if (known := [row for row in rows if row[1] >= 0])
    }  # fmt: skip


def fit_free_text(rows: dict[str, Rows], least_right: float, most_wrong: float) -> tuple[dict, dict]:
    """The level of `FreeText` and its figures.

    From the level on the share `least_right` of all that is found is right, for one who asks for what is there as often
    as for what is not; of the names of structures that the encoder never heard of, at most the share `most_wrong` ends
    at a wrong place; no text that names nothing is found. Where there is no such level, nothing reaches it.
    """
    everything = joined(rows.values())
    right, counts = everything.right == 1, _balance(everything.answerable)
    weights = fit_logistic(everything.evidence, right, counts)
    chances = {kind: sigmoid(weights[0] + one.evidence @ weights[1:]) for kind, one in rows.items()}
    chance = np.concatenate(list(chances.values()))
    order = np.argsort(-chance)
    share = np.cumsum((counts * right)[order]) / np.cumsum(counts[order])
    enough = np.flatnonzero((share >= least_right) & (np.cumsum(right[order]) >= LEAST_FOUND))
    level = float(chance[order[enough[-1]]]) if len(enough) else 1.0
    level = max(level, level_for(chances[STRANGERS], 0.0)) if STRANGERS in rows else level
    if UNKNOWN in rows:
        level = max(level, level_for(np.where(rows[UNKNOWN].right == 1, 0, chances[UNKNOWN]), most_wrong))
    figures = {}
    for kind, one in rows.items():
        found, true, there = chances[kind] >= level, one.right == 1, one.answerable
        figures[kind] = {"asked": len(found), "found_and_wrong": _share(found & ~true), "present": _share(there)}
        if there.any():
            figures[kind] |= {"present_best_place_right": _share(true[there]),
                              "present_found_and_right": _share((found & true)[there])}  # fmt: skip
    return {"weights": [float(w) for w in weights], "found": level}, figures


def _balance(present: np.ndarray) -> np.ndarray:
    """Weights (N,), 1 on average, with which what is present counts as much as what is not."""
    share = np.clip(present.mean(), 1e-9, 1 - 1e-9)
    return np.where(present, 0.5 / share, 0.5 / (1 - share))


def _share(mask: np.ndarray) -> float:
    return round(float(mask.mean()), 4)


def _best_place(free: FreeText, text: str, side: str | None, view: View, column: int | None) -> tuple[np.ndarray, int]:
    """Evidence (3,) and whether the best place is the concept `column` (1, 0, or -1 for unknown)."""
    vector = free.vector(text, side)
    field = free.score_kji(vector, side)
    evidence = free.evidence(vector, field)
    if column is None or not field.any():
        return evidence, 0
    positions, _ = free.index.places(field, 1)
    return evidence, is_right(positions[0], view.labels_kji, view.targets[:, column], view.spacing_mm)


def fit_logistic(evidence: np.ndarray, right: np.ndarray, counts: np.ndarray | float = 1.0) -> np.ndarray:
    """Weights (1+F,) of a logistic regression by Newton's method with a small ridge; `counts`: weight of each row."""
    given = np.concatenate([np.ones((len(evidence), 1)), evidence], axis=1)
    weights = np.zeros(given.shape[1])
    for _ in range(ROUNDS):
        probability = 0.5 * (1 + np.tanh(0.5 * given @ weights))
        spread = counts * probability * (1 - probability)
        hessian = (given * spread[:, None]).T @ given + RIDGE * len(given) * np.eye(len(weights))
        weights += np.linalg.solve(hessian, given.T @ (counts * (right - probability)) - RIDGE * len(given) * weights)
    return weights


def level_for(scores: np.ndarray, most: float) -> float:
    """The lowest level that at most the share `most` of the scores reaches."""
    ordered = np.sort(scores)[::-1]
    allowed = int(most * len(ordered))
    return float(np.nextafter(ordered[allowed], np.inf)) if allowed < len(ordered) else float(ordered[-1])
