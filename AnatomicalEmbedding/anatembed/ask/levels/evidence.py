"""What speaks for each level at each point of the canal: its look, its ribs, and organs that lie at usual heights."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from anatembed.ask.levels.canal import STEP_MM
from anatembed.ask.levels.ribs import FIRST_MM, RibWays
from anatembed.ask.levels.sequence import LEVEL_OF_STATE, ORDINAL, STATES
from anatembed.ask.levels.straight_spine import ANTERIOR_MM, RIGHT_MM, StraightSpine

PHASE_WEIGHT = 40.0
"""Log-likelihood per unit of correlation by which a middle of a vertebra is more like one than its surroundings."""
AROUND_MM = 18.0
LOOK_WEIGHT, DISTINCT_WEIGHT = 2.0, 6.0
"""The same for one level being more alike than another, and for levels that look like no other one."""
DISTINCT = frozenset({"C1", "C2", "L5", "L6", "S1"})
ENOUGH_SEEN = 0.3

RIB_WEIGHT = 0.8
RIB_BINS_MM = (36.0, 51.0, 66.0)
"""Borders of the lengths that are told apart: no process or a short one, a process, a short rib, a rib."""
_CERVICAL, _LUMBAR, _PELVIC = (0.80, 0.13, 0.05, 0.02), (0.35, 0.48, 0.12, 0.05), (0.25, 0.25, 0.25, 0.25)
_RIB = (0.03, 0.04, 0.08, 0.85)
RIB_LENGTHS = {
    **{f"C{n}": _CERVICAL for n in range(1, 7)}, "C7": (0.50, 0.35, 0.10, 0.05),
    **{f"T{n}": _RIB for n in range(1, 11)}, "T11": (0.05, 0.08, 0.12, 0.75),
    "T12": (0.15, 0.20, 0.22, 0.43), "T13": (0.15, 0.20, 0.22, 0.43),
    "L1": _LUMBAR, "L2": _LUMBAR, "L3": _LUMBAR, "L4": (0.35, 0.35, 0.15, 0.15),
    "L5": _PELVIC, "L6": _PELVIC, "S1": _PELVIC,
}  # fmt: skip
"""How often thin bone beside a level reaches so far from the canal: lower ribs are short in many people, transverse
processes of the third lumbar vertebra reach as far as some of them, and beside the fifth lies the pelvis."""
RIB_WINDOW = 0.7
RIB_ABOVE = np.array([
    {"T1": 0.2, "T10": 0.25, **{f"T{n}": 0.35 for n in range(2, 10)},
     **dict.fromkeys(("T11", "T12", "T13", "L1", "L2", "L3"), 0.15)}.get(state, 0.1) for state in STATES
])  # fmt: skip
"""How far above the middle of a vertebra its rib begins, in heights: the second to ninth join the disc above."""

PELVIS_HU, PELVIS_HALF_MM = 120.0, 8.0
PELVIS_BEHIND_MM, PELVIS_AHEAD_MM = -30.0, 20.0
PELVIS_NEAR_MM, PELVIS_FAR_MM = (27.0, 45.0), (48.0, 80.0)
"""Distance from the canal of the sacrum's wings and of the ilium."""
PELVIS_SHARE = {"S1": (0.5, 0.2), "L5": (0.22, 0.12), "L6": (0.22, 0.12), "L4": (0.04, 0.1),
                **{f"C{n}": (0.1, 0.25) for n in (1, 2, 3)}, "C7": (0.08, 0.15), "T1": (0.08, 0.15), "T2": (0.08, 0.15)}
ELSEWHERE_SHARE = (0.02, 0.08)
"""Which share of both is bone beside a level, with its spread: apart from the pelvis, only jaws and shoulders."""
MOST_PELVIS_COST, LEAST_KNOWN = 5.0, 0.3

ORGAN_WEIGHT, MOST_ORGAN_COST = 1.0, 4.5


@dataclass(frozen=True)
class Organ:
    """A structure that lies at a usual height: `ordinal` in the order of levels (T1 is 7), with its spread."""

    name: str
    concept_ids: tuple[str, ...]
    ordinal: float
    spread: float


ORGANS = (
    Organ("lung apices", ("lung_apex_left", "lung_apex_right"), 7.3, 0.9),
    Organ("carina", ("carina",), 10.6, 1.0),
    Organ("kidneys", ("kidney_left", "kidney_right"), 19.5, 1.0),
    Organ("aortic bifurcation", ("aortic_bifurcation",), 22.0, 0.8),
    Organ("iliac crests", ("iliac_crest_left", "iliac_crest_right"), 22.5, 0.8),
)
"""Heights as anatomies give them: apices at T1, carina at T4/T5, kidneys at L1/L2, bifurcation and crests at L4. With a
spread of a level they cannot count, but they say where to begin when nothing else does."""


@dataclass(frozen=True)
class OrganPlace:
    """Where an organ was seen, mm along the canal, and how much that counts (0..1)."""

    organ: Organ
    height_mm: float
    weight: float


def look(likeness: np.ndarray, seen: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Log-likelihoods from correlations (S,25): that a vertebra has its middle here (S,1), and which (S, states)."""
    well_seen = np.where(seen > ENOUGH_SEEN, likeness, -1)
    best = np.where((seen > ENOUGH_SEEN).any(axis=1), well_seen.max(axis=1), likeness.max(axis=1))[:, None]
    spread = AROUND_MM * scale / STEP_MM
    there = ndimage.gaussian_filter1d(np.ones_like(best), spread, axis=0, mode="constant")
    around = ndimage.gaussian_filter1d(best, spread, axis=0, mode="constant") / there
    weights = np.array([DISTINCT_WEIGHT if state in DISTINCT else LOOK_WEIGHT for state in STATES])
    own = likeness[:, LEVEL_OF_STATE]
    return PHASE_WEIGHT * (best - around), weights * (own - best) * np.minimum(seen[:, LEVEL_OF_STATE], 1)


def ribs(ways: RibWays, heights_mm: np.ndarray) -> np.ndarray:
    """Log-likelihoods (S, states) of what was followed beside the canal, for levels of these heights (states,)."""
    lengths = np.array([RIB_LENGTHS[state] for state in STATES])
    exactly, at_least = np.log(lengths), np.log(np.cumsum(lengths[:, ::-1], axis=1)[:, ::-1])
    total = np.zeros((len(ways.reach_mm), len(STATES)))
    for state, height in enumerate(heights_mm):
        reach, may_reach = (_nearby(one, state, height) for one in (ways.reach_mm, ways.may_reach_mm))
        column = np.digitize(reach, RIB_BINS_MM)
        cut = may_reach - reach > 9
        total[:, state] = np.where(cut, at_least[state, column], exactly[state, column]).sum(axis=1)
    return RIB_WEIGHT * total


def rib_window(state: int, height_mm: float) -> tuple[int, int]:
    """Steps, from the middle of a vertebra, between which its rib begins."""
    middle, half = RIB_ABOVE[state] * height_mm / STEP_MM, RIB_WINDOW * height_mm / STEP_MM / 2
    return int(round(middle - half)), int(round(middle + half))


def _nearby(reach: np.ndarray, state: int, height_mm: float) -> np.ndarray:
    low, high = rib_window(state, height_mm)
    longest = ndimage.maximum_filter1d(reach, high - low + 1, axis=0, mode="constant", cval=FIRST_MM)
    middle = np.clip(np.arange(len(reach)) + (low + high) // 2, 0, len(reach) - 1)
    return longest[middle]


def pelvis(spine: StraightSpine) -> np.ndarray:
    """Log-likelihoods (S, states) of how much bone lies beside each step, near the spine and farther out."""
    deep = (ANTERIOR_MM >= PELVIS_BEHIND_MM) & (ANTERIOR_MM <= PELVIS_AHEAD_MM)
    aside = np.abs(RIGHT_MM)
    shares, known = [], []
    for low, high in (PELVIS_NEAR_MM, PELVIS_FAR_MM):
        box = np.ix_(np.ones(len(spine.hu), bool), deep, (aside >= low) & (aside <= high))
        inside = spine.known[box].mean(axis=(1, 2))
        bone = (spine.known[box] & (spine.hu[box] > PELVIS_HU)).mean(axis=(1, 2))
        width = int(2 * PELVIS_HALF_MM / STEP_MM) + 1
        inside, bone = (ndimage.uniform_filter1d(one, width, mode="nearest") for one in (inside, bone))
        shares.append(bone / np.maximum(inside, 1e-6))
        known.append(inside)
    share, usable = np.minimum(*shares), np.minimum(*known) > LEAST_KNOWN
    mean, spread = np.array([PELVIS_SHARE.get(state, ELSEWHERE_SHARE) for state in STATES]).T
    likely = -0.5 * ((share[:, None] - mean) / spread) ** 2 - np.log(spread)
    likely = np.maximum(likely - likely.max(axis=1, keepdims=True), -MOST_PELVIS_COST)
    return np.where(usable[:, None], likely, 0)


REGIONS = ("cervical_spine", "thoracic_spine", "lumbar_spine", "sacrum")
REGION_ENDS = ((0, 6), (7, 18.5), (19, 23.5), (24, 24))
"""First and last ordinal of each region."""
REGION_TOLERANCE, MOST_REGION_COST, REGION_MM = 2.0, 4.0, 6.0
"""The network knows regions but not where they end: within two levels of its end both are as good."""


def regions(logits: np.ndarray) -> np.ndarray:
    """Log-likelihoods (S, states) from the network's logits (S,4) of the REGIONS at the vertebral bodies."""
    smooth = ndimage.gaussian_filter1d(logits.astype(np.float64), REGION_MM / STEP_MM, axis=0, mode="nearest")
    highest = smooth.max(axis=1, keepdims=True)
    probable = smooth - highest - np.log(np.exp(smooth - highest).sum(axis=1, keepdims=True))
    near = [(low - REGION_TOLERANCE <= ORDINAL) & (high + REGION_TOLERANCE >= ORDINAL) for low, high in REGION_ENDS]
    best = np.where(np.array(near)[None], probable[:, :, None], -MOST_REGION_COST).max(axis=1)
    return np.maximum(best, -MOST_REGION_COST)


def organs(places: list[OrganPlace], steps: int, heights_mm: np.ndarray) -> np.ndarray:
    """Log-likelihoods (S, states) of organs at these heights: a vertebra answers for what lies beside it."""
    total = np.zeros((steps, len(STATES)))
    along = np.arange(steps) * STEP_MM
    for place in places:
        beside = np.maximum(0, 1 - np.abs(place.height_mm - along)[:, None] / heights_mm)
        unusual = (ORDINAL - place.organ.ordinal) / place.organ.spread
        total += place.weight * beside * np.maximum(-0.5 * unusual**2, -MOST_ORGAN_COST)
    return ORGAN_WEIGHT * total
