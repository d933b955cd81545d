"""From which HU down a place is fat or air and not a structure: measured on views of training people."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
from anatembed.maps.inference import voxel_means

from research.training.subject import UNNAMED
from research.training.synthesis import CropGenerator
from research.training.targets import Taxonomy

PERCENTILE = 2
SOFT_TISSUE_HU = -10.0
"""No limit lies higher: less contrast, thin bone and steatosis are dense enough for everything."""
LEAST_VOXELS = 60
"""Fewer voxels than these tell nothing of a structure's HU."""
VOXELS_OF_A_LABEL = 40
"""Voxels of each label that a view gives, so that large organs do not speak for small ones."""


def lowest_hu(generator: CropGenerator, taxonomy: Taxonomy, views: int, shapes) -> np.ndarray:
    """Lowest usual HU (K,) inside every concept; -inf where too little was seen of it.

    Inside: where a voxel of the map holds nothing else. What is too small for that gets no limit, and should not: it
    always mixes with its surroundings. Appearance that no tissue has is not drawn.
    """
    random = np.random.default_rng(1)
    generator = CropGenerator(
        generator.sources, generator.weights, seed=1, variation=replace(generator.variation, free_appearance=0.0)
    )
    seen: list[list[np.ndarray]] = [[] for _ in taxonomy.ids]
    for _ in range(views):
        which, crop = generator.draw(shapes[random.integers(len(shapes))])
        labels = unmixed(crop.labels.numpy())
        means = voxel_means(crop.hu.numpy().clip(-1000, 1000), labels.shape, "edge").ravel()
        targets = generator.sources[which].targets
        for label in np.unique(labels[labels > UNNAMED]):
            own = means[random.choice(np.flatnonzero(labels == label), VOXELS_OF_A_LABEL)]
            for concept in np.flatnonzero(targets[label] == 1):
                seen[concept].append(own)
    return np.array([_lowest(values) for values in seen])


def unmixed(labels_kji: np.ndarray) -> np.ndarray:
    """The label (K/2,J/2,I/2) of each voxel of the map that has only one, 0 for the others."""
    corners = np.stack([_padded(labels_kji)[k::2, j::2, i::2] for k, j, i in np.ndindex(2, 2, 2)])
    return np.where((corners == corners[0]).all(axis=0), corners[0], 0)


def _padded(labels_kji: np.ndarray) -> np.ndarray:
    return np.pad(labels_kji, [(0, n % 2) for n in labels_kji.shape], mode="edge")


def _lowest(values: list[np.ndarray]) -> float:
    together = np.concatenate(values) if values else np.empty(0)
    return min(SOFT_TISSUE_HU, np.percentile(together, PERCENTILE)) if len(together) >= LEAST_VOXELS else -np.inf
