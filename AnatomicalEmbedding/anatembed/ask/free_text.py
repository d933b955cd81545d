"""Words that are no known name, compared with the image itself.

The words become a vector in the language space of the voxels; what is most like it is a hit only from a calibrated
level on, because words that the model never learnt are seldom seen. Of a side that is named, only that side is
searched.
"""
from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
from scipy import ndimage

from anatembed.ask.index import SMOOTHING_VOXELS, Hit, QueryIndex, Search
from anatembed.ask.locating import GO, Answer, percent
from anatembed.language.query_words import QueryWords, load_query_words
from anatembed.language.side_less import side_less
from anatembed.language.sides import read_sides
from anatembed.language.text_encoder import TextEncoder
from anatembed.language.text_normalisation import is_chinese, normalise
from anatembed.model.readout import log_odds, sigmoid

UNFITTED = {"weights": [-50.0, 0.0, 0.0, 0.0], "found": 0.5}
"""Without a calibrated level nothing is found."""
OFF_MIDLINE = 0.05
"""Units of 100 mm from the middle of the body at which a side begins."""


class FreeText:
    """Searches a map for words; ValueError if the text encoder was trained against another image model."""

    def __init__(self, index: QueryIndex, encoder: TextEncoder):
        if index.readout.space_id != encoder.space_id:
            raise ValueError(f"the text encoder was trained for the language space {encoder.space_id}, the model in "
                             f"use has {index.readout.space_id}")
        self.index, self._encoder = index, encoder
        self._level = encoder.levels.get("free_text", UNFITTED)

    def answer(self, text: str, refused: Answer, k: int) -> Answer:
        """What is found for a text that names no known structure, with a caution; `refused` where nothing reaches the
        level."""
        reading = read_words(text, load_query_words())
        search = self.search(*reading, k) if reading else None
        if search is None or not search.found:
            return refused
        first, *others = (replace(hit, label=f"“{text}”") for hit in search.hits)
        reason = f"“{text}” was only compared with the image, and this place is most like it."
        caution = f"It is not a known name (confidence {percent(first.confidence)}): check the place."
        return Answer(text, GO, reason, caution=caution, places=(first,), less_likely=tuple(others),
                      place=refused.place, presence=search.presence)

    def field_kji(self, text: str) -> np.ndarray:
        """Score in 0..1 of the words of a text: float32 (K,J,I)."""
        words, side = read_words(text, load_query_words()) or ("", None)
        return self.score_kji(self.vector(words, side), side)

    def search(self, words: str, side: str | None, k: int = 5) -> Search:
        """The `k` best places of side-less words; `found` from the calibrated level on. Hits have no concept."""
        vector = self.vector(words, side)
        field = self.score_kji(vector, side)
        evidence = self.evidence(vector, field)
        presence = float(sigmoid(np.dot(self._level["weights"], np.concatenate([[1.0], evidence]))))
        found = bool(words.strip()) and presence >= self._level["found"]
        if not field.any():
            return Search("", False, 0.0, [])
        positions, scores = self.index.places(field, k)
        hits = [
            Hit(position, float(presence * score / scores[0]), "", presence)
            for position, score in zip(positions, scores, strict=True)
        ]
        return Search("", found, presence, hits)

    def vector(self, words: str, side: str | None) -> np.ndarray:
        """The words as unit vector (E,) of the language space of the voxels."""
        return self._encoder.image_vectors([words], side)[0]

    def score_kji(self, vector: np.ndarray, side: str | None) -> np.ndarray:
        """Score in 0..1 of a vector (E,) by the scale and bias of the image model: float32 (K,J,I), 0 outside the body
        and on the side that is not meant."""
        readout, body_kji = self.index.readout, self.index.map.body_kji
        score = sigmoid(readout.scale * self.index.similarity_kji(vector) + readout.bias)
        score = ndimage.gaussian_filter(np.where(body_kji, score, 0), SMOOTHING_VOXELS, truncate=2.5)
        score[~body_kji] = 0
        if side is not None:
            score[body_kji] *= self.on_side(side)
        return score.astype(np.float32)

    def on_side(self, side: str) -> np.ndarray:
        """Bool (N,): voxels of the body on the patient's `side`, by their body coordinate."""
        right = self._towards_right
        return right > OFF_MIDLINE if side == "right" else right < -OFF_MIDLINE

    @cached_property
    def _towards_right(self) -> np.ndarray:
        """First body coordinate (N,) of the voxels of the body, units of 100 mm, larger to the patient's right."""
        return self.index.coordinates[:, 0]

    def evidence(self, vector: np.ndarray, score_kji: np.ndarray) -> np.ndarray:
        """What speaks for a find (3,): log-odds of the best place, log of the expected voxels, and how near the words
        are to something that the image model has learnt (cosine)."""
        nearest = float((self.index.readout.vectors @ vector).max())
        volume = np.log(float(score_kji.sum()) + 1e-3)
        return np.array([float(log_odds(score_kji.max(initial=0))), volume, nearest])


def read_words(text: str, tables: QueryWords) -> tuple[str, str | None] | None:
    """The side-less words of a question and its side; None where the text excludes something or names both sides."""
    plain = normalise(text)
    if is_chinese(plain):
        if any(word in plain for word in tables.chinese_both):
            return None
        return side_less(tables.chinese_command.sub("", plain), tables)
    reading = read_sides(tables.drop_commands(plain), frozenset(), tables)
    if reading.kind not in ("none", "one") or reading.negation:
        return None
    words = [word for word in reading.words if word not in tables.ignorable]
    return " ".join(tables.canonical_numbers(words)), reading.side
