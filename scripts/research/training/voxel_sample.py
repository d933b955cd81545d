"""What the frozen image model sees in random views of training people: the material that text is compared with."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from anatembed.ask.index import QueryIndex
from anatembed.language.vocabulary import Vocabulary
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.maps.inference import build_encoder, choose_precision
from anatembed.model.checkpoint import Checkpoint

from research.training.observations import harder, known_presence, view_index, view_points
from research.training.subject import Subject
from research.training.synthesis import CropGenerator, CropSource, Variation
from research.training.targets import Taxonomy
from research.training.trainer import source_shares


@dataclass(frozen=True)
class VoxelSample:
    """Voxels of the views with what is known of them.

    features: float32 (N,E), unit length, language space of the image model; targets: int8 (N,K) in {-1, 0, 1} as in
    `Taxonomy.target_table`; view: int (N,).
    """

    features: np.ndarray
    targets: np.ndarray
    view: np.ndarray


@dataclass(frozen=True)
class View:
    """A whole view: its map in mm from its first voxel, labels (K,J,I) of `spacing_mm`, what each label says about
    every concept (labels,K), and the concepts (K,) that are surely in it and surely not."""

    map: EmbeddingMap
    labels_kji: np.ndarray
    targets: np.ndarray
    spacing_mm: float
    present: np.ndarray
    absent: np.ndarray


def crop_generator(people: list[Subject], taxonomy: Taxonomy, vocabulary: Vocabulary, checkpoint: Checkpoint, seed=7):
    """Views of people, drawn as often as in the training of the image model, a little harder."""
    shares = source_shares(people, checkpoint.provenance.get("training", {}).get("source_weights", {}))
    sources = [CropSource(person, taxonomy, vocabulary) for person in people]
    return CropGenerator(sources, shares, seed, harder(Variation()))


def draw_views(checkpoint: Checkpoint, generator: CropGenerator, taxonomy: Taxonomy, amount: int, shapes):
    """`amount` random views, one by one, of `shapes` (K,J,I); views that show hardly any body are left out."""
    encoder = build_encoder(checkpoint).to(memory_format=torch.channels_last_3d)
    precision = choose_precision(torch.device("cpu"))
    random = np.random.default_rng(0)
    for _ in range(amount):
        which, crop = generator.draw(shapes[random.integers(len(shapes))])
        index, source = view_index(crop, checkpoint, encoder, precision), generator.sources[which]
        if index is None:
            continue
        present, absent, _ = known_presence(crop, source, taxonomy, checkpoint)
        spacing_mm = checkpoint.preprocessing.spacing_mm
        yield View(index.map, crop.labels.numpy(), source.targets, spacing_mm, present, absent)


def sample_voxels(views, checkpoint: Checkpoint) -> VoxelSample:
    """Labelled points of every view: by volume, with every label alike, and without a name."""
    random = np.random.default_rng(1)
    features, targets, numbers = [], [], []
    for number, view in enumerate(views):
        points = view_points(view.labels_kji, view.map.body_kji, random)
        latents = view.map.sample(view.spacing_mm * points[:, ::-1])
        features.append(checkpoint.readout.unit_features(latents))
        targets.append(view.targets[view.labels_kji[tuple(points.T)]])
        numbers.append(np.full(len(points), number))
    if not features:
        raise ValueError("expected views of people, got none")
    return VoxelSample(np.concatenate(features), np.concatenate(targets), np.concatenate(numbers))


def index_of(view: View, checkpoint: Checkpoint) -> QueryIndex:
    """The view prepared for queries."""
    return QueryIndex(view.map, checkpoint.readout, checkpoint.encoder_id)
