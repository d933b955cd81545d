"""One colour for every structure that a model knows, and a scan in which every voxel has that of its structure.

A structure has the same colour in every scan. Structures that lie next to each other in people differ for every eye,
colour-blind ones included: large ones choose first, each the colour that is farthest from its neighbours'. Both sides
of a pair share a hue, the left is the lighter one.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anatembed.ask.colour_vision import least_distance, rgb_of
from anatembed.ask.index import QueryIndex
from anatembed.language.vocabulary import Vocabulary
from anatembed.maps.finer_grid import FACTOR, box_around, finer, finer_affine
from anatembed.model.readout import Readout

LIKELY = 0.5
"""A voxel has a colour where its structure is more likely than not."""
LIGHTNESS, CHROMA, HUES = (36.0, 47.0, 58.0, 69.0, 80.0, 91.0), (22.0, 45.0, 65.0), 16
SIDES = ("left", "none", "right")
SIDE_LIGHTNESS = (5.0, 0.0, -5.0)
TOUCHING, FAR = 6.0, 25.0
"""Squared Mahalanobis distances between the places of two structures; two balls that just touch have 10."""
CLEAR = 25.0
"""CIELAB distance that no one mistakes; more does not help."""
SWEEPS = 8
"""How often every structure may choose again, once the others have chosen."""

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class StructureColours:
    """labels_kji: int16 (K,J,I), one more than the structure's number in concept_ids, 0 where nothing is likely.

    rgba_kji: uint8 (K,J,I,4), alpha 0 where nothing is likely. legend: name and colour of what is there, the largest
    first. The grid is finer than the map's and covers the same box.
    """

    labels_kji: np.ndarray
    rgba_kji: np.ndarray
    ijk_to_ras: np.ndarray
    concept_ids: tuple[str, ...]
    legend: list[tuple[str, Colour]]


def structure_colours(index: QueryIndex, vocabulary: Vocabulary, part_share: float) -> StructureColours:
    """The likeliest structure of every voxel, the most specific name of each, which is what `Explorer.specific` says.

    A part takes the place of its whole where it is at least `part_share` as probable.
    """
    ids = index.readout.concept_ids
    columns, scores = _specific(*_names(index), _part_table(ids, vocabulary), part_share)
    labels = _likeliest(columns, scores, index.map.body_kji)
    colours = palette(index.readout, vocabulary)
    table = np.zeros((len(ids) + 1, 4), np.uint8)
    table[1:, :3], table[1:, 3] = [colours[one] for one in ids], 255
    voxels = np.bincount(labels.ravel(), minlength=len(ids) + 1)[1:]
    there = [n for n in np.argsort(-voxels, kind="stable") if voxels[n]]
    legend = [(vocabulary.name(ids[n]), colours[ids[n]]) for n in there]
    affine = finer_affine(index.map.ijk_to_ras, FACTOR)
    return StructureColours(labels, table[labels], affine, ids, legend)


def palette(readout: Readout, vocabulary: Vocabulary) -> dict[str, Colour]:
    """sRGB 0..255 of every structure of a model, by id."""
    candidates = _candidates()
    flat = candidates.reshape(-1, 3)
    confusion = np.maximum(1 - least_distance(flat[:, None], flat) / CLEAR, 0) ** 2
    weights = nearness(readout) * _importance(readout)
    first_row = np.arange(len(candidates)) * len(SIDES)
    groups = _groups(readout, vocabulary)
    rows = np.full(len(readout.concept_ids), -1)
    for _ in range(SWEEPS):
        for group in groups:
            cost = np.zeros(len(candidates))
            for own, side in group:
                others = np.flatnonzero((rows >= 0) & (weights[own] > 0))
                others = others[~np.isin(others, [n for n, _ in group])]
                cost += confusion[np.ix_(first_row + SIDES.index(side), rows[others])] @ weights[own, others]
            chosen = int(np.argmin(cost))
            for own, side in group:
                rows[own] = chosen * len(SIDES) + SIDES.index(side)
    colours = [(int(r), int(g), int(b)) for r, g, b in np.rint(flat)]
    return {concept: colours[rows[n]] for n, concept in enumerate(readout.concept_ids)}


def nearness(readout: Readout) -> np.ndarray:
    """How close the places of two structures are in people: (K,K), 1 for the same place, about 0.2 for two balls
    that touch, 0 for what is far apart or one structure."""
    offset = readout.body_mean[:, None] - readout.body_mean[None]
    spread = readout.body_covariance[:, None] + readout.body_covariance[None]
    squares = np.einsum("abi,abi->ab", offset, np.linalg.solve(spread, offset[..., None])[..., 0])
    near = np.where(squares < FAR, np.exp(-squares / TOUCHING), 0)
    return near * (1 - np.eye(len(near)))


def _importance(readout: Readout) -> np.ndarray:
    """Large structures share long borders: (K,K), the smaller one counts."""
    sizes = np.linalg.det(readout.body_covariance) ** 0.1
    return np.minimum(sizes[:, None], sizes[None])


def _candidates() -> np.ndarray:
    """sRGB float (M,3,3): colours to choose from, each as left, right and side-less variant; vivid ones first."""
    angles = np.arange(HUES) * 2 * np.pi / HUES
    labs = [
        (light, chroma * np.cos(angle), chroma * np.sin(angle))
        for chroma in sorted(CHROMA, reverse=True) for light in LIGHTNESS for angle in angles
    ]
    shift = np.array([(value, 0, 0) for value in SIDE_LIGHTNESS])
    rgb = rgb_of(np.array(labs)[:, None] + shift[None])
    return rgb[np.isfinite(rgb).all(axis=(1, 2))]


def _groups(readout: Readout, vocabulary: Vocabulary) -> list[list[tuple[int, str]]]:
    """Column and side of the structures that share a hue, large ones first: both sides of a pair, unless they touch
    as the two ventricles do; else one alone."""
    near = nearness(readout)
    groups: dict[str, list[tuple[int, str]]] = {}
    for column, concept in enumerate(readout.concept_ids):
        term = vocabulary[concept]
        group = groups.setdefault(term.base or concept, [])
        if term.side_policy == "inherent" and any(near[column, other] for other, _ in group):
            group = groups.setdefault(concept, [])
        group.append((column, term.laterality))
    sizes = np.linalg.det(readout.body_covariance)
    return sorted(groups.values(), key=lambda group: -max(sizes[column] for column, _ in group))


def _names(index: QueryIndex) -> tuple[np.ndarray, np.ndarray]:
    """Columns and probabilities (M,N) of the strongest names of every voxel of the body."""
    readout = index.readout
    temperature, none = readout.naming
    columns, odds = index.named  # of what every search keeps of a scan; computing it again takes seconds
    odds = odds.astype(np.float32) ** np.float32(1 / temperature)
    probabilities = np.empty_like(odds)
    for own, (column, own_odds) in enumerate(zip(columns, odds, strict=True)):
        against = sum(readout.rivals[column, other] * o for other, o in zip(columns, odds, strict=True))
        probabilities[own] = own_odds / (np.exp(none) + own_odds + against)
    return columns, probabilities


def _part_table(ids: tuple[str, ...], vocabulary: Vocabulary) -> np.ndarray:
    """Bool (K,K): the second is a part of the first."""
    table = np.zeros((len(ids), len(ids)), bool)
    for part, concept in enumerate(ids):
        for whole in vocabulary.ancestors(concept):
            if whole in ids:
                table[ids.index(whole), part] = True
    return table


def _specific(columns: np.ndarray, probabilities: np.ndarray, parts: np.ndarray, part_share: float):
    """Columns (M,N) and scores (M,N) of names; a whole with a likely part has none, and its best part gets its own.

    So rib 5 wins over muscle where the rib cage does, though it is less probable: it competes with the other ribs.
    """
    amount = len(columns)
    likely = np.zeros((amount, amount, columns.shape[1]), bool)
    for whole in range(amount):
        for part in range(amount):
            enough = probabilities[part] >= part_share * probabilities[whole]
            likely[whole, part] = parts[columns[whole], columns[part]] & enough
    leaf = ~likely.any(axis=1)
    scores = np.where(leaf, probabilities, 0)
    for whole in range(amount):
        shares = np.where(likely[whole] & leaf, probabilities, 0)
        best = shares.max(axis=0)
        lifted = probabilities[whole] * shares / np.maximum(best, 1e-12)
        scores = np.maximum(scores, lifted)
    return columns, scores


def _likeliest(columns: np.ndarray, scores: np.ndarray, body_kji: np.ndarray) -> np.ndarray:
    """Int16 labels on the finer grid: scores are interpolated one structure at a time, and the highest one wins."""
    shape = tuple(size * FACTOR for size in body_kji.shape)
    labels, best = np.zeros(shape, np.int16), np.full(shape, LIKELY, np.float32)
    winners = np.take_along_axis(columns, scores.argmax(axis=0)[None], axis=0)[0]
    for column in np.unique(winners[scores.max(axis=0) >= LIKELY]):
        field = np.zeros(body_kji.shape, np.float32)
        field[body_kji] = np.where(columns == column, scores, 0).max(axis=0)
        box = box_around(field >= LIKELY / 2, 1)
        fine = tuple(slice(part.start * FACTOR, part.stop * FACTOR) for part in box)
        values = finer(field[box], FACTOR)
        wins = values > best[fine]
        labels[fine][wins] = column + 1
        best[fine][wins] = values[wins]
    return labels
