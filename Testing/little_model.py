"""A tiny model with random weights that has heard of everything that the little people have."""

import dataclasses

import numpy as np
from anatembed.model.checkpoint import Checkpoint
from anatembed.model.readout import NOT_FITTED
from little_people import CENTRES_RAS, VOCABULARY
from research.training.calibration import places
from research.training.targets import Taxonomy
from tiny_model import tiny_checkpoint

TAXONOMY = Taxonomy(set(CENTRES_RAS), VOCABULARY)


def checkpoint_of(people) -> Checkpoint:
    """With the places of these people's organs in the body frame."""
    mean, covariance = places(people, TAXONOMY)
    checkpoint = tiny_checkpoint()
    count = len(TAXONOMY.ids)
    vectors = np.random.default_rng(0).normal(size=(count, 5))
    readout = dataclasses.replace(
        checkpoint.readout, concept_ids=TAXONOMY.ids, body_mean=mean, body_covariance=covariance,
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True), compatible=np.eye(count),
        typical_evidence=np.zeros((count, 2)), hit_offsets=np.zeros(count), lowest_hu=NOT_FITTED,
    )
    return dataclasses.replace(checkpoint, readout=readout)


def anywhere(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint that takes every place in the body for as good as any."""
    free = np.stack([100 * np.eye(3)] * len(checkpoint.readout.concept_ids))
    return dataclasses.replace(checkpoint, readout=dataclasses.replace(checkpoint.readout, body_covariance=free))
