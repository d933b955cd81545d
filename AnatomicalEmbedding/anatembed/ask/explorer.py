"""Questions and answers about one embedded scan: what the command line, the Slicer module and other tools call."""
from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from anatembed.ask.border import Posterior, likeliest_pair, posterior
from anatembed.ask.free_text import FreeText
from anatembed.ask.levels.counted_index import CountedIndex
from anatembed.ask.locating import GO, SURE_PLACE, Answer, Locating
from anatembed.ask.orientation import UNUSUAL, fit_along_body
from anatembed.ask.structure_colours import StructureColours, structure_colours
from anatembed.language.query.resolver import Resolver
from anatembed.language.text_encoder import TextEncoder
from anatembed.language.vocabulary import Vocabulary
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.maps.finer_grid import FACTOR, finer_affine, finer_within
from anatembed.model.checkpoint import Checkpoint, load_checkpoint

PART_SHARE = 0.1
"""A part is a better name than its whole when it is at least this share as probable."""


@dataclass(frozen=True)
class NamedProbability:
    """A structure that a place may belong to; basis: how its number is known ("counted from the last rib"), of the
    first name only."""

    id: str
    name: str
    probability: float
    basis: str = ""


@dataclass(frozen=True)
class Description:
    """What lies at a position: candidates from the most probable on; none outside the body. caution: what is doubtful
    about every name in this scan, or about the number of the first; else empty. whole: what the place belongs to more
    surely, where the first name is an unsure part."""

    inside_body: bool
    candidates: list[NamedProbability] = field(default_factory=list)
    caution: str = ""
    whole: NamedProbability | None = None


class Explorer:
    """Joins a map, the model that made it and the vocabulary; ValueError if the map is another model's."""

    def __init__(
        self,
        embedding_map: EmbeddingMap,
        checkpoint: Checkpoint | None = None,
        vocabulary: Vocabulary | None = None,
    ):
        self.checkpoint = checkpoint or load_checkpoint()
        self.vocabulary = vocabulary or Vocabulary.load()
        self.map = embedding_map
        self.index = CountedIndex(embedding_map, self.checkpoint.readout, self.checkpoint.encoder_id)
        self.resolver = Resolver(self.vocabulary)
        self.locating = Locating(self.index, self.vocabulary)

    def locate(self, text: str, k: int = 5) -> Answer:
        """Find what a text names, with at most `k` places, less likely ones included."""
        began = time.perf_counter()
        resolution = self.resolver.resolve(text)
        answer = self.locating.answer(text, resolution, k)
        if resolution.unknown and self._free_text:
            answer = self._free_text.answer(text, answer, k)
        if answer.marked and self.orientation:
            answer = replace(answer, caution=f"{self.orientation} {answer.caution}".strip())
        return replace(answer, seconds=time.perf_counter() - began)

    @cached_property
    def orientation(self) -> str:
        """What has to be said about every place in this scan: that no body lies in it as its file says; else empty."""
        fit = fit_along_body(self.index)
        return UNUSUAL if fit is not None and fit.is_unusual else ""

    @cached_property
    def _free_text(self) -> FreeText | None:
        """Compares unknown words with the image; None if the text encoder was trained for another image model."""
        encoder = TextEncoder.load()
        return FreeText(self.index, encoder) if encoder.space_id == self.index.readout.space_id else None

    def known_whole(self, concept_id: str) -> str | None:
        """The nearest learnt structure that this one is a part of, None if there is none."""
        return self.locating.known_whole(concept_id)

    def describe(self, position_ras, k: int = 5) -> Description:
        """Name a RAS position (3,), the most specific name of each line of descent; ValueError outside the scan."""
        position = np.asarray(position_ras, np.float64)
        if position.shape != (3,) or not np.isfinite(position).all():
            raise ValueError(f"expected a RAS position of three finite numbers, got {position_ras!r}")
        if not self.map.inside_body(position)[0]:
            return Description(False)
        probabilities = self.index.name_probabilities(position[None])[0]
        names = self.specific(probabilities, k)
        basis, doubt = self.index.number_of(names[0].id)
        names[0] = replace(names[0], basis=basis)
        whole = self._sure_whole(names[0], probabilities)
        return Description(True, names, f"{self.orientation} {doubt}".strip(), whole)

    def _sure_whole(self, part: NamedProbability, probabilities: np.ndarray) -> NamedProbability | None:
        """The nearest whole that is surely there, of a part that is not; None without one. Regions are no names."""
        ids = self.checkpoint.readout.concept_ids
        wholes = (one for one in self.vocabulary.ancestors(part.id) if self.vocabulary[one].category != "region")
        for one in wholes if part.probability < SURE_PLACE else ():
            if one in ids and probabilities[ids.index(one)] >= SURE_PLACE:
                return NamedProbability(one, self.vocabulary.name(one), float(probabilities[ids.index(one)]))
        return None

    def specific(self, probabilities: np.ndarray, k: int) -> list[NamedProbability]:
        """The `k` best names for probabilities (K,): first the most probable structure or its likeliest part, then
        the others from the most probable on, wholes only where none of their parts is a candidate.

        A part is less probable than its whole by nature: a rib competes with other ribs, the rib cage does not.
        """
        likely = dict(zip(self.checkpoint.readout.concept_ids, map(float, probabilities), strict=True))
        first = max(likely, key=likely.__getitem__)
        while parts := self._likely_parts(first, likely):
            first = max(parts, key=likely.__getitem__)
        ranked = sorted(likely, key=likely.__getitem__, reverse=True)[: 10 * k]
        others = [i for i in ranked if not self._likely_parts(i, likely)]
        names = [first, *(i for i in others if i != first)][:k]
        return [NamedProbability(i, self.vocabulary.name(i), likely[i]) for i in names]

    def _likely_parts(self, whole: str, likely: dict[str, float]) -> list[str]:
        parts = self.vocabulary.descendants(whole)
        return [part for part in parts if likely.get(part, 0.0) >= PART_SHARE * likely[whole]]

    def probability(self, text: str, k: int = 5) -> tuple[np.ndarray, Answer]:
        """Probability (K,J,I) of what a text names, on the map's grid, and the answer; zeros unless that goes, outside
        the part, where a part of a structure is named, and far from the place of a single structure."""
        answer = self.locate(text, k)
        compared = answer.decision == GO and not answer.places[0].concept_id
        if compared and self._free_text is not None:
            return self._free_text.field_kji(text), answer
        return self.locating.field_kji(answer), answer

    def colours_kji(self) -> np.ndarray:
        """Colours of the body position, uint8 RGBA (K,J,I,4); alpha is 0 outside the body. Computed once."""
        return self._colours

    @cached_property
    def _colours(self) -> np.ndarray:
        rgba = np.zeros((*self.map.shape_kji, 4), np.uint8)
        body = self.map.body_kji
        rgba[body, :3] = self.checkpoint.readout.colours(self.map.latents(body))
        rgba[body, 3] = 255
        return rgba

    def structures(self) -> StructureColours:
        """The likeliest structure of every voxel in a colour of its own, and the legend; computed once."""
        return self._structures

    @cached_property
    def _structures(self) -> StructureColours:
        return structure_colours(self.index, self.vocabulary, PART_SHARE)

    def uncertainty(self) -> tuple[np.ndarray, np.ndarray]:
        """How unsure the name of a place is, float32 (K,J,I) in 0..1 and -1 outside the body, and its `ijk_to_ras`; on
        a finer grid than the map, so that the skin is not hidden under a rim. Computed once."""
        return self._uncertainty

    @cached_property
    def _uncertainty(self) -> tuple[np.ndarray, np.ndarray]:
        unsure = finer_within(self.index.uncertainty_kji(), self.map.body_kji, FACTOR, -1)
        return unsure, finer_affine(self.map.ijk_to_ras, FACTOR)

    def border(self, first_id: str, second_id: str) -> Posterior:
        """How sure the places around two structures belong to the first; ValueError if there is no such border."""
        return posterior(self.index, self.vocabulary, first_id, second_id)

    def likeliest_pair(self, position_ras) -> tuple[str, str]:
        """The two likeliest structures at a RAS position that exclude each other; ValueError outside the body."""
        readout = self.checkpoint.readout
        described = self.describe(position_ras, k=len(readout.concept_ids))
        if not described.inside_body:
            raise ValueError("this place is outside the body: go to a place between two structures")
        return likeliest_pair(readout, self.vocabulary, (one.id for one in described.candidates))
