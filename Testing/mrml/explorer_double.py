"""A map and an explorer that know one structure at one place, in the shape of the library's own types."""

from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace

import numpy as np
from anatembed.ask.border import Posterior
from anatembed.ask.explorer import NamedProbability
from anatembed.ask.index import Hit, Search
from anatembed.ask.locating import GO, NOT_HERE, REFUSE, Answer, Meaning
from anatembed.ask.structure_colours import StructureColours
from anatembed.geometry import axis_aligned_grid, bounds_ras
from anatembed.language.query.resolver import Resolver
from anatembed.language.vocabulary import Vocabulary
from anatembed.maps.embedding_map import EmbeddingMap

ENCODER = "anatembed-double"


class VocabularyDouble:
    def name(self, concept_id: str) -> str:
        return {"liver": "Liver"}[concept_id]

    def __getitem__(self, concept_id: str) -> SimpleNamespace:
        return SimpleNamespace(id=concept_id, category="organ")


@cache
def resolver() -> Resolver:
    return Resolver(Vocabulary.load())


@dataclass(frozen=True)
class Description:
    position_ras: tuple
    inside_body: bool = True
    candidates: tuple = (NamedProbability("liver", "liver", 0.9),)
    caution: str = ""
    whole: None = None


def mapOf(volume) -> EmbeddingMap:
    """A map without codes on a 4 mm canonical grid over a volume, which remembers where the volume ends."""
    shape_kji, ijk_to_ras = axis_aligned_grid(volume.array_kji.shape, volume.ijk_to_ras, 4.0)
    ends = [end.tolist() for end in bounds_ras(volume.array_kji.shape, volume.ijk_to_ras)]
    source = {"content_hash": volume.content_hash, "ends": ends}
    return EmbeddingMap(np.zeros((1, *shape_kji), np.float16), ijk_to_ras, ENCODER, np.ones(shape_kji, bool), source)


class ExplorerDouble:
    """Knows the "liver" 10 mm to the right of the middle of the volume, with a weaker second hit 10 mm to the left."""

    vocabulary = VocabularyDouble()

    def __init__(self, embeddingMap, checkpoint=None) -> None:
        self.map = embeddingMap
        self.low_ras, self.high_ras = np.array(embeddingMap.source["ends"])
        self.middle_ras = (self.low_ras + self.high_ras) / 2

    def locate(self, text: str, k: int = 5) -> Answer:
        if text != "liver":
            return Answer(text, REFUSE, f"{text} is not in this scan", NOT_HERE)
        best, other = (
            Hit(self.middle_ras + (x, 0, 0), sure, "liver", label="Liver") for x, sure in ((10, 0.93), (-10, 0.6))
        )
        meant = Meaning("liver", "Liver", None, best, "Liver")
        return Answer(text, GO, "Liver: found.", places=(best,), less_likely=(other,), meant=(meant,))

    @property
    def resolver(self) -> Resolver:
        return resolver()

    @property
    def locating(self) -> SimpleNamespace:
        return SimpleNamespace(
            answer=lambda text, _resolution, k: self.locate(text, k),
            field_kji=lambda _answer: self._rightHalf().astype(np.float32),
        )

    def describe(self, position_ras, k: int = 5) -> Description:
        if (position_ras < self.low_ras).any() or (position_ras > self.high_ras).any():
            raise ValueError(f"expected a position inside the scan, got {position_ras}")
        return Description(tuple(np.asarray(position_ras) - self.middle_ras))

    def probability(self, text: str):
        return self._rightHalf().astype(np.float32), self.locate(text)

    def colours_kji(self) -> np.ndarray:
        rgba_kji = np.zeros((*self.map.shape_kji, 4), np.uint8)
        rgba_kji[self._rightHalf()] = (60, 120, 90, 255)
        return rgba_kji

    @property
    def index(self) -> SimpleNamespace:
        return SimpleNamespace(search=lambda concept, k: Search(concept, True, 1.0, list(self.locate(concept).places)))

    def structures(self) -> StructureColours:
        labels_kji = self._rightHalf().astype(np.int16)
        legend = [("Liver", (60, 120, 90))]
        return StructureColours(labels_kji, self.colours_kji(), self.map.ijk_to_ras, ("liver",), legend)

    def uncertainty(self) -> tuple[np.ndarray, np.ndarray]:
        return 1 - self._rightHalf().astype(np.float32), self.map.ijk_to_ras

    def likeliest_pair(self, position_ras) -> tuple[str, str]:
        return ("liver", "kidney_right") if position_ras[0] > self.middle_ras[0] else ("kidney_right", "liver")

    def border(self, first_id: str, second_id: str) -> Posterior:
        """The first structure is surely on the right, the second one on the left."""
        right = self._rightHalf().astype(np.float32)
        return Posterior(first_id, second_id, right, np.ones_like(right), self.map.ijk_to_ras)

    def _rightHalf(self) -> np.ndarray:
        i = np.arange(self.map.shape_kji[2])
        right = self.map.ijk_to_ras[0, 0] * i + self.map.ijk_to_ras[0, 3] > self.middle_ras[0]
        return np.broadcast_to(right, self.map.shape_kji)
