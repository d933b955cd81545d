"""What every level of a spine looks like, how high it is, and how alike a place of a straight spine is to it."""
from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import ndimage

from anatembed.ask.levels.canal import STEP_MM
from anatembed.ask.levels.straight_spine import ANTERIOR_MM, GRID_MM, RIGHT_MM, StraightSpine
from anatembed.shipped_file import shipped_file

LEVELS = (*(f"C{n}" for n in range(1, 8)), *(f"T{n}" for n in range(1, 13)), *(f"L{n}" for n in range(1, 6)), "S1")
HEIGHT_SHARES = np.linspace(-0.6, 0.6, 13)
"""Where a picture of a level is sampled along the canal, in heights of the level from its middle."""
PICTURE_ANTERIOR_MM = np.arange(-45.0, 34.0, 5.0)
PICTURE_RIGHT_MM = np.arange(-36.0, 37.0, 4.5)
LEAST_SEEN = 0.05
"""Share of a picture that must lie in the scan to be compared."""


@dataclass(frozen=True)
class SpineAtlas:
    """heights_mm (25,): usual distance along the canal from the middle of the disc above to that below, of a person of
    scale 1; depths_mm (25,): of the middle of the body before the canal; pictures (25,13,16,17): bone in 0..1, by
    height, distance before and beside the canal; weights of the same shape: 0 where nobody was seen. temperature: what
    evidence of which level is which is divided by, so that probabilities hold for people who are not in the atlas."""

    heights_mm: np.ndarray
    depths_mm: np.ndarray
    pictures: np.ndarray
    weights: np.ndarray
    temperature: float = 1.0

    @classmethod
    @cache
    def load(cls) -> SpineAtlas:
        """The atlas that ships with the library."""
        table = json.loads(shipped_file("spine_levels.json").read_text(encoding="utf-8"))
        with np.load(shipped_file("spine_atlas.npz"), allow_pickle=False) as file:
            pictures, seen = file["pictures"].astype(np.float32) / 255, file["seen"]
        heights, depths = ([table["levels"][name][key] for name in LEVELS] for key in ("height_mm", "depth_mm"))
        weights = seen * picture_weights()[None]
        return cls(np.array(heights), np.array(depths), pictures, weights, table["temperature"])

    def likeness(self, spine: StraightSpine, scale: float) -> tuple[np.ndarray, np.ndarray]:
        """Correlation (S,25) of what lies around each point of the canal with every level of a person of a scale, and
        the share (S,25) of the picture that lies in the scan."""
        bone, known = _across(*spine.bone, scale)
        heights = np.rint(self.heights_mm * scale / STEP_MM) * STEP_MM
        likeness = np.zeros((len(bone), len(LEVELS)), np.float32)
        seen = np.zeros_like(likeness)
        for height in np.unique(heights):
            same = np.flatnonzero(heights == height)
            values, mask = _pictures_along(bone, known, height)
            pictures, weights = (one[same].reshape(len(same), -1).T for one in (self.pictures, self.weights))
            likeness[:, same], seen[:, same] = _correlation(values, mask, pictures, weights)
        return likeness, seen


def picture_weights() -> np.ndarray:
    """How much each place of a picture counts (13,16,17): bodies little, being as dark as discs in some people."""
    ahead, aside = PICTURE_ANTERIOR_MM[:, None], np.abs(PICTURE_RIGHT_MM)[None]
    weights = np.where((ahead > 8) & (aside < 22), 0.3, 1.0) * np.where(ahead > 15, 0.4, 1.0)
    return np.broadcast_to(weights, (len(HEIGHT_SHARES), *weights.shape)).astype(np.float32)


def picture(spine: StraightSpine, step: float, height_mm: float, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """The picture (13,16,17) of a level at a step of the canal, and where it lies in the scan."""
    bone, known = _across(*spine.bone, scale)
    at = np.array([step])
    values, mask = _pictures_along(bone, known, height_mm, at)
    shape = (len(HEIGHT_SHARES), len(PICTURE_ANTERIOR_MM), len(PICTURE_RIGHT_MM))
    return values.reshape(shape), mask.reshape(shape) > 0


def _across(bone: np.ndarray, known: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Both sampled at the places of a picture across the canal: (S,16,17)."""
    ahead = (PICTURE_ANTERIOR_MM * scale - ANTERIOR_MM[0]) / GRID_MM
    aside = (PICTURE_RIGHT_MM * scale - RIGHT_MM[0]) / GRID_MM
    at = np.broadcast_arrays(np.arange(len(bone))[:, None, None], ahead[None, :, None], aside[None, None, :])
    sampled = [ndimage.map_coordinates(one.astype(np.float32), at, order=1, mode="nearest") for one in (bone, known)]
    return sampled[0], sampled[1] > 0.5


def _pictures_along(bone, known, height_mm: float, middles: np.ndarray | None = None):
    """Pictures of all levels of one height, around each step: values and mask, float32 (S, places)."""
    middles = np.arange(len(bone)) if middles is None else middles
    at = middles[:, None] + HEIGHT_SHARES * height_mm / STEP_MM
    low = np.clip(np.floor(at).astype(int), 0, len(bone) - 1)
    high = np.minimum(low + 1, len(bone) - 1)
    share = np.clip(at - low, 0, 1)[:, :, None, None].astype(np.float32)
    inside = ((at >= -0.5) & (at <= len(bone) - 0.5))[:, :, None, None]
    mask = known[low] & known[high] & inside
    values = np.where(mask, bone[low] + share * (bone[high] - bone[low]), 0)
    return values.reshape(len(middles), -1), mask.reshape(len(middles), -1).astype(np.float32)


def _correlation(values, mask, pictures, weights) -> tuple[np.ndarray, np.ndarray]:
    """Weighted correlation (S,n) over what is known of values (S,places) with pictures (places,n)."""
    total = mask @ weights
    safe = np.maximum(total, 1e-6)
    value, picture_sum = values @ weights, mask @ (weights * pictures)
    squares, picture_squares = (values * values) @ weights, mask @ (weights * pictures**2)
    products = values @ (weights * pictures)
    spread = (squares - value**2 / safe) * (picture_squares - picture_sum**2 / safe)
    seen = total / np.maximum(weights.sum(axis=0), 1e-6)
    correlation = (products - value * picture_sum / safe) / np.sqrt(np.maximum(spread, 1e-9))
    return np.where(seen > LEAST_SEEN, correlation, 0), seen
