"""How sure a count of vertebrae may be: the temperature by which evidence of people who are not in the atlas holds.

A person is counted in parts of a scan of random length, height and noise, by what HU show alone. The temperature is the
one with which the true level of each vertebra in view is likeliest (maximum likelihood; Guo et al. 2017, temperature
scaling).
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from anatembed.ask.levels.canal import STEP_MM, Canal
from anatembed.ask.levels.count import BESIDE, decode_weighed, evidence_of
from anatembed.ask.levels.ribs import follow_ribs
from anatembed.ask.levels.sequence import LEVEL_OF_STATE, STATES
from anatembed.ask.levels.spine_atlas import LEVELS, SpineAtlas
from anatembed.ask.levels.straight_spine import straighten

from research import reliability

PARTS = 16
SHORTEST_MM, LONGEST_MM = 80.0, 450.0
NOISE_HU = (0.0, 20.0, 60.0)
BEYOND_MM = 3.0
TEMPERATURES = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0)
LEAST = 1e-3
"""A level that is called impossible costs no more than this probability."""


@dataclass(frozen=True)
class Spine:
    """A person's canal, HU on the model's grid, and the middles (3,) of the bodies of drawn vertebrae."""

    canal: Canal
    hu_kji: np.ndarray
    ijk_to_ras: np.ndarray
    middles_ras: dict[str, np.ndarray]

    def heights_mm(self) -> dict[str, float]:
        """Of the drawn vertebrae, along the canal."""
        names = [name for name in LEVELS if name in self.middles_ras]
        return dict(zip(names, self.canal.heights_mm(np.array([self.middles_ras[n] for n in names])), strict=True))

    def part(self, low_mm: float, high_mm: float, noise_hu: float, random: np.random.Generator) -> Spine:
        """What a scan between two heights of the canal shows."""
        some = slice(int(low_mm / STEP_MM), int(high_mm / STEP_MM) + 1)
        canal = Canal(*(one[some] for one in (self.canal.points_ras, self.canal.up, self.canal.right,
                                              self.canal.anterior)))  # fmt: skip
        low_s, high_s = canal.points_ras[[0, -1], 2] + (-BEYOND_MM, BEYOND_MM)
        planes_s = self.ijk_to_ras[2, 3] + self.ijk_to_ras[2, 2] * np.arange(len(self.hu_kji))
        first, last = np.flatnonzero((planes_s >= low_s) & (planes_s <= high_s))[[0, -1]]
        hu = self.hu_kji[first : last + 1].astype(np.float32)
        hu += noise_hu * random.standard_normal(hu.shape, np.float32)
        affine = self.ijk_to_ras.copy()
        affine[:3, 3] += first * affine[:3, 2]
        seen = {name: place for name, place in self.middles_ras.items() if low_s <= place[2] <= high_s}
        return Spine(canal, hu, affine, seen)


@dataclass(frozen=True)
class Part:
    """The evidence of one part of a scan, what it should be decoded to (heights by level), and the atlas's heights."""

    evidence: list[dict[str, np.ndarray]]
    true_mm: dict[str, float]
    heights_mm: np.ndarray


def parts_of_scans(atlas: SpineAtlas, spine: Spine, random: np.random.Generator) -> Iterator[Part]:
    """The whole spine and PARTS random parts of it, by an atlas that does not hold this person."""
    length = spine.canal.length_mm
    for n in range(PARTS + 1):
        size = random.uniform(SHORTEST_MM, min(LONGEST_MM, length)) if n else length
        low = random.uniform(0, length - size)
        seen = spine.part(low, low + size, random.choice(NOISE_HU), random)
        if seen.middles_ras:
            straight = straighten(seen.canal, seen.hu_kji, seen.ijk_to_ras)
            found = evidence_of(atlas, straight, follow_ribs(straight))
            yield Part(found, seen.heights_mm(), atlas.heights_mm[LEVEL_OF_STATE])


def fit_temperature(parts: list[Part]) -> tuple[float, list[dict]]:
    """The likeliest of TEMPERATURES, and of each: mean negative log-likelihood of the true levels, how often the level
    that is named is right, how probable it is called, and its calibration error."""
    table = []
    for temperature in TEMPERATURES:
        true, named, right = (np.concatenate(some) for some in zip(*(judged(one, temperature) for one in parts),
                                                                   strict=True))  # fmt: skip
        table.append({
            "temperature": temperature, "vertebrae": len(true),
            "negative_log_likelihood": round(float(-np.log(np.maximum(true, LEAST)).mean()), 3),
            "right": round(float(right.mean()), 3), "called": round(float(named.mean()), 3),
            "ece": round(reliability.expected_calibration_error(named, right), 3),
        })  # fmt: skip
    return min(table, key=lambda row: row["negative_log_likelihood"])["temperature"], table


def judged(part: Part, temperature: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of every true vertebra (n,): the probability that it has its number, the probability of the number that the best
    way of counting gives it, and whether that is right."""
    found = decode_weighed(part.evidence, part.heights_mm, temperature)
    rows = []
    for name, height in part.true_mm.items():
        state = STATES.index(name)
        near = max(1, int(part.heights_mm[state] * found.scale * BESIDE / STEP_MM))
        at = int(round(height / STEP_MM))
        probable = np.minimum(found.posterior[:, max(at - near, 0) : at + near + 1].sum(axis=1), 1.0)
        beside = np.abs(found.steps - at)
        counted = len(beside) and beside.min() <= near
        own = int(found.states[np.argmin(beside)]) if counted else int(probable.argmax())
        rows.append((probable[state], probable[own], own == state))
    true, named, right = np.array(rows).T
    return true, named, right > 0
