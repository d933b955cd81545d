"""The border between two structures, as the embedding sees it: how sure each place belongs to the one or the other.

The probability of the first of the two is a softmax over exactly these two, from the scores that names of places are
made of (language logit with its place, at the temperature of the naming), so the even line is where the name changes.
It says nothing where a third structure, or none, is likelier than both: there `either` is low.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from anatembed.ask.index import FREE_DISTANCE, PLACE_WEIGHT, QueryIndex
from anatembed.geometry import spacing_mm, transform_points
from anatembed.language.vocabulary import Vocabulary
from anatembed.maps.finer_grid import box_around, continued, finer, finer_affine
from anatembed.model.readout import Readout, sigmoid

SPACING_MM = 2.0
MOST_VOXELS = 4_000_000
"""Above this the grid is made coarser: both structures fill the trunk, and the answer would take too long."""
EITHER = 0.5
"""A place takes part where it is more likely than not that it belongs to one of the two."""
AMBIGUOUS = (0.25, 0.75)
UNLIKELY = 0.05
SMOOTHING_VOXELS = 0.6
"""Standard deviation in voxels of the map: less than what the map resolves, and enough for a line without steps."""
MARGIN_VOXELS = 2
CHUNK = 8192


@dataclass(frozen=True)
class Posterior:
    """How sure the places around two structures belong to the first; float32 (K,J,I) in 0..1 on a grid of its own.

    first_kji: probability of the first of the two, given that it is one of them; it is continued to where neither is,
    so that a contour has no false edges. either_kji: probability that it is one of them, which takes part from
    `either_threshold` up. The grid is the box around both, not the whole scan.
    """

    first_id: str
    second_id: str
    first_kji: np.ndarray
    either_kji: np.ndarray
    ijk_to_ras: np.ndarray
    either_threshold: float = EITHER

    @property
    def where_kji(self) -> np.ndarray:
        """Bool (K,J,I): one of the two is likely, so `first_kji` means something."""
        return self.either_kji >= self.either_threshold

    @property
    def band_kji(self) -> np.ndarray:
        """Bool (K,J,I): either could be right."""
        low, high = AMBIGUOUS
        return self.where_kji & (self.first_kji > low) & (self.first_kji < high)

    @property
    def masks(self) -> dict[str, np.ndarray]:
        """What belongs to each of the two, by id: bool (K,J,I), without overlap."""
        first = self.first_kji >= 0.5
        return {self.first_id: self.where_kji & first, self.second_id: self.where_kji & ~first}


def posterior(
    index: QueryIndex, vocabulary: Vocabulary, first_id: str, second_id: str, spacing: float = SPACING_MM
) -> Posterior:
    """The border between two learnt structures on a grid of about `spacing` mm around both.

    ValueError for structures that are unknown, not learnt, the same, of which one is part of the other, and for two
    that are nowhere likely in the scan.
    """
    columns = _rivals(index.readout, vocabulary, first_id, second_id)
    possible = _possible(index, [column for one in (first_id, second_id) for column in index.alike(one)])
    difference, either = _scores(index, columns, possible)
    if either.max(initial=0) < EITHER:
        names = " nor ".join(vocabulary.name(one) for one in (first_id, second_id))
        raise ValueError(f"neither {names} is likely anywhere in this scan, so there is no border to draw")
    box = box_around(_field(index, possible, either) >= EITHER, MARGIN_VOXELS)
    known_kji = _field(index, possible, 1)[box] > 0
    difference_kji = continued(_field(index, possible, difference)[box], known_kji)
    either_kji = _field(index, possible, either)[box]
    factor = _factor(spacing_mm(index.map.ijk_to_ras).mean(), either_kji.size, spacing)
    smooth = ndimage.gaussian_filter(difference_kji, SMOOTHING_VOXELS, mode="nearest")
    first_kji = sigmoid(finer(smooth, factor)).astype(np.float32)
    either_kji = np.clip(finer(either_kji, factor), 0, 1)
    affine = finer_affine(index.map.ijk_to_ras, factor, [part.start for part in reversed(box)])
    return Posterior(first_id, second_id, first_kji, either_kji, affine)


def _rivals(readout: Readout, vocabulary: Vocabulary, first_id: str, second_id: str) -> list[int]:
    """Columns of two structures that a place can only be one of; ValueError that says why they are not such a pair."""
    names = [vocabulary.name(one) for one in (first_id, second_id)]
    if first_id == second_id:
        raise ValueError(f"expected two different structures, got {names[0]} twice")
    for part, whole in ((first_id, second_id), (second_id, first_id)):
        if whole in vocabulary.ancestors(part):
            raise ValueError(
                f"{vocabulary.name(part)} is a part of {vocabulary.name(whole)}: there is no border between the two"
            )
    for one, name in zip((first_id, second_id), names, strict=True):
        if one not in readout.concept_ids:
            raise ValueError(f"{name}: understood, but this model has not learnt to see it")
    columns = [readout.index(one) for one in (first_id, second_id)]
    if not readout.rivals[columns[0], columns[1]]:
        raise ValueError(f"{names[0]} and {names[1]} overlap: a place may be both, so there is no border between them")
    return columns


def likeliest_pair(readout: Readout, vocabulary: Vocabulary, names: Iterable[str]) -> tuple[str, str]:
    """The first of the names (ids) of a place, from the best on, and the first of the others that excludes it;
    ValueError where none does."""
    first, *others = names
    for other in others:
        try:
            _rivals(readout, vocabulary, first, other)
        except ValueError:
            continue
        return first, other
    raise ValueError(f"nothing but {vocabulary.name(first)} is likely at this place")


def _possible(index: QueryIndex, columns: list[int]) -> np.ndarray:
    """Voxels (N,3) KJI of the body that could be one of the two with a probability of UNLIKELY or more."""
    readout, body = index.readout, index.map.body_kji
    temperature, none = readout.naming
    least = temperature * (none + np.log(UNLIKELY))
    kji, latents = np.argwhere(body), index.map.latents(body)
    language = _language_logits(readout.unit_features(latents), readout, columns)
    # In two steps, as few voxels pass the first: words alone, then lowered where they are out of place.
    chosen = language.max(axis=1, initial=-np.inf) >= least
    kji, language, places = kji[chosen], language[chosen], readout.body_coordinates(latents[chosen])
    far = np.stack([readout.misplacement(places, column) for column in columns], axis=1) - FREE_DISTANCE
    placed = language - PLACE_WEIGHT * 0.5 * np.maximum(far, 0)
    return kji[placed.max(axis=1, initial=-np.inf) >= least]


def _language_logits(unit_features: np.ndarray, readout: Readout, columns: list[int]) -> np.ndarray:
    return np.stack([readout.logits(unit_features, column) for column in columns], axis=1)


def _scores(index: QueryIndex, columns: list[int], kji: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds (N,) of the first against the second, and the probability (N,) of one of the two."""
    readout = index.readout
    difference, either = np.empty(len(kji), np.float32), np.empty(len(kji), np.float32)
    for start in range(0, len(kji), CHUNK):
        part = slice(start, start + CHUNK)
        logits = index.name_logits(transform_points(index.map.ijk_to_ras, kji[part, ::-1]))
        first, second = logits[:, columns].T
        difference[part] = (first - second) / readout.naming[0]
        either[part] = readout.name_probabilities(logits)[:, columns].sum(axis=1)
    return difference, either


def _field(index: QueryIndex, kji: np.ndarray, values: np.ndarray | float) -> np.ndarray:
    field = np.zeros(index.map.shape_kji, np.float32)
    field[tuple(kji.T)] = values
    return field


def _factor(coarse_mm: float, voxels: int, spacing: float) -> int:
    factor = max(1, round(coarse_mm / spacing))
    while factor > 1 and voxels * factor**3 > MOST_VOXELS:
        factor -= 1
    return factor
