"""Codes of voxels that need no training, on the grid of an embedding map, to compare the embedding with."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.model.preprocessing import PreparedVolume
from scipy import ndimage

PATCH_VOXELS = 4
SHORTEST_WAVE_VOXELS = 4.0
SCANNER, STATISTICS, PROJECTION = "scanner position", "HU statistics", "random projection"


def baseline_maps(
    prepared: PreparedVolume, like: EmbeddingMap, names=(SCANNER, STATISTICS, PROJECTION)
) -> dict[str, EmbeddingMap]:
    """The maps of the baselines of these names; `like` is the model's map of the same scan."""
    shape, dimension = like.shape_kji, like.features_ckji.shape[0]
    make = {
        SCANNER: lambda: scanner_position(shape, dimension),
        STATISTICS: lambda: hu_statistics(prepared.array_kji, shape),
        PROJECTION: lambda: random_projection(prepared.array_kji, shape, dimension),
    }
    return {n: replace(like, features_ckji=make[n]().astype(np.float16), encoder_id=n) for n in names}


def unit_rows(latents: np.ndarray) -> np.ndarray:
    """Rows (N,C) of unit length; the similarity of any two codes here is their cosine."""
    return latents / np.maximum(np.linalg.norm(latents, axis=1, keepdims=True), 1e-12)


def scanner_position(shape_kji: tuple[int, int, int], dimension: int) -> np.ndarray:
    """Sines and cosines (D,K,J,I) of the place in the volume's own box, D the last multiple of 6 up to `dimension`.

    As the usual position codes, with wave lengths from twice the box to four voxels in even ratios.
    """
    waves = max(1, dimension // 6)
    parts = []
    for axis, size in enumerate(shape_kji):
        lengths = np.geomspace(2 * size, SHORTEST_WAVE_VOXELS, waves)
        angle = 2 * np.pi * (np.arange(size) + 0.5) / lengths[:, None]
        shape = [waves, 1, 1, 1]
        shape[axis + 1] = size
        for wave in (np.sin(angle), np.cos(angle)):
            parts.append(np.broadcast_to(wave.reshape(shape), (waves, *shape_kji)))
    return np.concatenate(parts)


def hu_statistics(array_kji: np.ndarray, shape_kji: tuple[int, int, int]) -> np.ndarray:
    """Mean and standard deviation of HU in a cell and its six neighbours, and a constant that keeps the amount when
    codes are brought to unit length: (22,K,J,I)."""
    fine = _filled(array_kji, shape_kji)
    means, squares = _cells(fine), _cells(np.square(fine / 1000))
    spread = np.sqrt(np.maximum(squares - np.square(means / 1000), 0))
    own = np.stack([means / 1000, np.clip((means - 40) / 200, -1, 1), 10 * spread])
    parts = [np.ones((1, *shape_kji)), own]
    for axis in (1, 2, 3):
        for shift in (-1, 1):
            places = np.clip(np.arange(own.shape[axis]) + shift, 0, own.shape[axis] - 1)
            parts.append(own.take(places, axis=axis))
    return np.concatenate(parts)


def random_projection(array_kji: np.ndarray, shape_kji: tuple[int, int, int], dimension: int) -> np.ndarray:
    """A fixed random projection (D,K,J,I) of the 4x4x4 voxels around each cell, in a soft-tissue window, and a
    constant."""
    fine = np.clip((_filled(array_kji, shape_kji) - 40) / 200, -1, 1)
    weights = np.random.default_rng(0).normal(size=(dimension - 1, *[PATCH_VOXELS] * 3)) / PATCH_VOXELS**1.5
    weights = weights.reshape(dimension - 1, -1).astype(np.float32)
    padded = np.pad(fine, 1, mode="edge").astype(np.float32)
    planes = []
    for start in range(shape_kji[0]):
        block = padded[2 * start : 2 * start + PATCH_VOXELS]
        patches = np.lib.stride_tricks.sliding_window_view(block, [PATCH_VOXELS] * 3)[0, ::2, ::2]
        planes.append(np.einsum("dp,jip->dji", weights, patches.reshape(*patches.shape[:2], -1), optimize=True))
    return np.concatenate([np.ones((1, *shape_kji), np.float32), np.stack(planes, axis=1)])


def _filled(array_kji: np.ndarray, shape_kji: tuple[int, int, int]) -> np.ndarray:
    """The scan with an even number of voxels an axis, the last ones repeated."""
    behind = [(0, 2 * size - have) for size, have in zip(shape_kji, array_kji.shape, strict=True)]
    return np.pad(array_kji, behind, mode="edge")


def _cells(fine_kji: np.ndarray) -> np.ndarray:
    return ndimage.uniform_filter(fine_kji, 2, origin=-1)[::2, ::2, ::2]
