"""What a model answers in random views of training people, beside what is known to be true there."""
from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from anatembed.ask.index import QueryIndex
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.maps.inference import build_encoder, choose_precision, encode, voxel_means
from anatembed.model.body_mask import body_mask
from anatembed.model.checkpoint import Checkpoint
from anatembed.model.preprocessing import PreparedVolume

from research.training.subject import OUTSIDE, UNNAMED
from research.training.synthesis import Crop, CropGenerator, CropSource, Variation
from research.training.targets import Taxonomy

ABSENT_BEYOND = 1.0
"""A concept whose middle lies this far (units of 100 mm) beyond all body that a scan shows is not in it."""
PRESENT_VOXELS, LEAST_VOXELS, PRESENT_SHARE = 64, 8, 0.2
"""Voxels of 3 mm (eight codes, one code) and share of a structure that must be seen for it to be present in a view."""
SHAPES = ((96, 96, 128), (64, 96, 128), (128, 96, 128), (40, 96, 128))
"""Sizes (K,J,I) of the views, voxels of 3 mm, drawn at random: 12 to 38 cm of the body."""
HARDER = 1.5
"""How much farther than in training the views vary: the model has seen these people, it has not seen its users'."""
RIGHT_MM = 10.0
PLACES = 3
POINTS = 100
"""Labelled points of a view that are named, by volume; as many again with every label alike, half as many unnamed."""


def harder(variation: Variation) -> Variation:
    """Bodies that vary farther by HARDER."""
    names = ("rotation", "rotation_s", "log_scale", "log_scale_all", "shear", "elastic")
    return replace(variation, **{name: HARDER * getattr(variation, name) for name in names})


@dataclass
class Observations:
    """What was seen in views, a row for each concept whose presence in a view is known, and for each named point.

    real: whether the view comes from a scan, else it was drawn from labels. share: how much of the structure is in the
    view. scores (PLACES,), NaN where there are fewer, with `right` 1, 0 or -1 (unknown).
    """

    view: list[int] = field(default_factory=list)
    real: list[bool] = field(default_factory=list)
    concept: list[int] = field(default_factory=list)
    evidence: list[np.ndarray] = field(default_factory=list)
    present: list[bool] = field(default_factory=list)
    share: list[float] = field(default_factory=list)
    scores: list[np.ndarray] = field(default_factory=list)
    right: list[np.ndarray] = field(default_factory=list)
    point_view: list[int] = field(default_factory=list)
    logits: list[np.ndarray] = field(default_factory=list)
    targets: list[np.ndarray] = field(default_factory=list)

    def arrays(self) -> dict[str, np.ndarray]:
        return {name: np.array(rows) for name, rows in vars(self).items()}


def observations(
    checkpoint: Checkpoint, generator: CropGenerator, taxonomy: Taxonomy, scans: int, shapes=SHAPES
) -> Observations:
    """What the model answers in `scans` random views of training people, and what is known to be true."""
    encoder = build_encoder(checkpoint).to(memory_format=torch.channels_last_3d)
    precision = choose_precision(torch.device("cpu"))
    random, spacing_mm = np.random.default_rng(0), checkpoint.preprocessing.spacing_mm
    seen = Observations()
    for view in range(scans):
        which, crop = generator.draw(shapes[random.integers(len(shapes))])
        index, source = view_index(crop, checkpoint, encoder, precision), generator.sources[which]
        if index is None:
            continue
        labels = crop.labels.numpy()
        present, absent, share = known_presence(crop, source, taxonomy, checkpoint)
        for concept in np.flatnonzero(present | absent):
            name = taxonomy.ids[concept]
            probability = index.probability_kji(name)
            positions, scores = index.places(probability, PLACES) if present[concept] else (np.empty((0, 3)), [])
            right = [is_right(position, labels, source.targets[:, concept], spacing_mm) for position in positions]
            seen.view.append(view)
            seen.real.append(crop.is_real)
            seen.concept.append(int(concept))
            seen.evidence.append(index.evidence(name, probability))
            seen.present.append(bool(present[concept]))
            seen.share.append(float(share[concept]))
            seen.scores.append(np.pad(scores, (0, PLACES - len(scores)), constant_values=np.nan))
            seen.right.append(np.pad(np.array(right, int), (0, PLACES - len(right)), constant_values=-1))
        points = view_points(labels, index.map.body_kji, random)
        seen.logits.extend(index.name_logits(spacing_mm * points[:, ::-1]))
        seen.targets.extend(source.targets[labels[tuple(points.T)]])
        seen.point_view.extend([view] * len(points))
    return seen


def view_index(crop: Crop, checkpoint: Checkpoint, encoder, precision: torch.dtype) -> QueryIndex | None:
    """The view prepared for queries, in mm from its first voxel; None if it shows hardly any body."""
    hu, spacing = crop.hu.numpy().clip(-1000, 1000), checkpoint.preprocessing.spacing_mm
    body = body_mask(hu, spacing)
    if body.mean() < 0.02:
        return None
    features = encode(PreparedVolume(hu, np.eye(4), body), encoder, precision, 2**40)
    grid = np.diag([2 * spacing] * 3 + [1.0])
    grid[:3, 3] = spacing / 2
    means = voxel_means(hu, features.shape[1:], "edge").astype(np.float16)
    embedding_map = EmbeddingMap(features, grid, checkpoint.encoder_id, body[::2, ::2, ::2], hu_kji=means)
    return QueryIndex(embedding_map, checkpoint.readout, checkpoint.encoder_id)


def known_presence(
    crop: Crop, source: CropSource, taxonomy: Taxonomy, checkpoint: Checkpoint
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which concepts are surely in the crop and which are surely not, two bool (K,), and the share (K,) that is in it.

    What shows too little of itself is neither.
    """
    voxels = np.bincount(crop.labels.numpy().ravel().astype(np.int64), minlength=len(source.targets))
    seen = (voxels[:, None] * (source.targets == 1)).sum(axis=0)
    possible = (voxels[2:, None] * (source.targets[2:] == 0)).sum(axis=0)
    whole = (np.bincount(source.labels.ravel(), minlength=len(source.targets))[:, None] * (source.targets == 1)).sum(0)
    present = (seen >= PRESENT_VOXELS) | (seen >= np.maximum(LEAST_VOXELS, PRESENT_SHARE * whole))
    annotated = np.array([concept in source.subject.annotated for concept in taxonomy.ids])
    absent = annotated & (seen == 0) & (possible == 0)
    if crop.has_coordinates:
        here = crop.body_coordinates[:, crop.labels > 0]
        if here.shape[1]:
            low, high = here.amin(dim=1).numpy(), here.amax(dim=1).numpy()
            mean = checkpoint.readout.body_mean
            place_known = checkpoint.readout.body_covariance[:, 0, 0] < 50
            outside = np.maximum(np.maximum(low - mean, mean - high), 0)[:, 2]
            absent |= place_known & (outside > ABSENT_BEYOND) & (seen == 0)
    return present, absent, seen / np.maximum(whole, 1)


def is_right(position_mm: np.ndarray, labels: np.ndarray, targets: np.ndarray, spacing_mm: float) -> int:
    """1 if a voxel that surely is the concept lies within RIGHT_MM, -1 if one that may be it does, else 0."""
    middle, reach = position_mm[::-1] / spacing_mm, RIGHT_MM / spacing_mm
    low = np.maximum(np.ceil(middle - reach), 0).astype(int)
    high = np.minimum(np.floor(middle + reach) + 1, labels.shape).astype(int)
    box = np.stack(np.meshgrid(*map(np.arange, low, high), indexing="ij"), axis=-1)
    near = np.linalg.norm(box - middle, axis=-1) <= reach
    here = targets[labels[low[0] : high[0], low[1] : high[1], low[2] : high[2]][near]]
    return 1 if (here == 1).any() else -1 if (here == 0).any() else 0


def view_points(labels: np.ndarray, body_kji: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Random voxels (n,3) KJI of a view inside its body: by volume, with every label alike, and without a name."""
    inside = body_kji.repeat(2, 0).repeat(2, 1).repeat(2, 2)[tuple(map(slice, labels.shape))]
    flat = np.flatnonzero(inside & (labels > OUTSIDE))
    own = labels.ravel()[flat]
    named, unnamed = flat[own > UNNAMED], flat[own == UNNAMED]
    chosen = [random.choice(unnamed, POINTS // 2)] if len(unnamed) else []
    if len(named):
        share = 1 / np.bincount(own)[labels.ravel()[named]]
        chosen += [random.choice(named, POINTS), random.choice(named, POINTS, p=share / share.sum())]
    return np.stack(np.unravel_index(np.concatenate(chosen).astype(int), labels.shape), axis=1) if chosen else (
        np.empty((0, 3), int))
