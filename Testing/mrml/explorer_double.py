"""A map and an explorer that know one structure at one place, in the shape of the library's own types."""

from dataclasses import dataclass, field

import numpy as np
from anatembed.geometry import axis_aligned_grid, bounds_ras


class VocabularyDouble:
    def name(self, concept_id: str) -> str:
        return {"liver": "Liver"}[concept_id]


@dataclass(frozen=True)
class Hit:
    position_ras: np.ndarray
    confidence: float
    concept_id: str


@dataclass(frozen=True)
class Answer:
    query: str
    found: bool
    outcome: str
    reason: str
    resolved: tuple = ()
    hits: list = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True)
class Description:
    position_ras: tuple


class MapDouble:
    """4 mm canonical grid over the volume that was embedded."""

    def __init__(self, volume) -> None:
        self.volume = volume
        self.shape_kji, self.ijk_to_ras = axis_aligned_grid(volume.array_kji.shape, volume.ijk_to_ras, 4.0)


class ExplorerDouble:
    """Knows the "liver" 10 mm to the right of the middle of the volume, with a weaker second hit 10 mm to the left."""

    vocabulary = VocabularyDouble()

    def __init__(self, embeddingMap) -> None:
        volume = embeddingMap.volume
        self.map = embeddingMap
        self.low_ras, self.high_ras = bounds_ras(volume.array_kji.shape, volume.ijk_to_ras)
        self.middle_ras = (self.low_ras + self.high_ras) / 2

    def locate(self, text: str, k: int = 5) -> Answer:
        if text != "liver":
            return Answer(text, False, "not in this scan", f"{text} is not in this scan")
        hits = [Hit(self.middle_ras + (x, 0, 0), sure, "liver") for x, sure in ((10, 0.93), (-10, 0.6))]
        return Answer(text, True, "found", "Liver: found", hits=hits)

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

    def _rightHalf(self) -> np.ndarray:
        i = np.arange(self.map.shape_kji[2])
        right = self.map.ijk_to_ras[0, 0] * i + self.map.ijk_to_ras[0, 3] > self.middle_ras[0]
        return np.broadcast_to(right, self.map.shape_kji)
