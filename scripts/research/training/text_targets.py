"""What voxels are to every term of the vocabulary, not only to those that the image model has learnt."""
from __future__ import annotations

import numpy as np
from anatembed.language.vocabulary import Vocabulary


def term_targets(targets: np.ndarray, concept_ids: tuple[str, ...], vocabulary: Vocabulary) -> np.ndarray:
    """int8 (N, terms) in {-1, 0, 1} from targets (N,K) of learnt concepts: 1 it is, -1 it is not, 0 unknown.

    A structure with two learnt sides is either; a part is surely not where its whole is not; more is not known.
    """
    learnt = {concept: column for column, concept in enumerate(concept_ids)}
    columns: dict[str, np.ndarray] = {}
    for term in vocabulary.terms:
        columns[term.id] = _own(term.id, targets, learnt, vocabulary)
    table = np.zeros((len(targets), len(vocabulary)), np.int8)
    for number, term in enumerate(vocabulary.terms):
        own = columns[term.id].copy()
        wholes = [one for one in vocabulary.ancestors(term.id) if vocabulary[one].category != "region"]
        for whole in wholes if term.id not in learnt else ():
            own[columns[whole] == -1] = -1
        table[:, number] = own
    return table


def _own(term_id: str, targets: np.ndarray, learnt: dict[str, int], vocabulary: Vocabulary) -> np.ndarray:
    if term_id in learnt:
        return targets[:, learnt[term_id]]
    sides = vocabulary.sides(term_id) if vocabulary[term_id].laterality == "none" else {}
    if sides and all(side in learnt for side in sides.values()):
        both = np.stack([targets[:, learnt[side]] for side in sides.values()])
        return np.where((both == 1).any(axis=0), 1, np.where((both == -1).all(axis=0), -1, 0)).astype(np.int8)
    return np.zeros(len(targets), np.int8)
