"""What is measured on training people after training: where concepts lie in the body, and when one is in a scan.

Evaluation people play no part in it.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from scipy.optimize import minimize

from anatembed.body_mask import body_mask
from anatembed.checkpoint import Checkpoint
from anatembed.embedding_map import EmbeddingMap
from anatembed.geometry import transform_points
from anatembed.inference import build_encoder, choose_precision, encode
from anatembed.preprocessing import PreparedVolume
from anatembed.query_index import QueryIndex
from anatembed.training.subject import Subject
from anatembed.training.synthesis import CropGenerator
from anatembed.training.targets import Taxonomy

BETWEEN_PEOPLE = 0.15
"""Standard deviation added to every concept's place, units of 100 mm: few people were seen."""
ABSENT_BEYOND = 1.0
"""A concept whose middle lies this far (units of 100 mm) beyond all body that a scan shows is not in it."""
PRESENT_VOXELS = 40
SHRINKAGE = 3.0


def places(subjects: list[Subject], taxonomy: Taxonomy) -> tuple[np.ndarray, np.ndarray]:
    """Mean (K,3) and covariance (K,3,3) of each concept's voxels in the body frame, every person alike."""
    count = len(taxonomy.ids)
    weights, sums, squares = np.zeros(count), np.zeros((count, 3)), np.zeros((count, 3, 3))
    for subject in subjects:
        if subject.ras_to_body is None:
            continue
        table = taxonomy.target_table(subject)
        stats = label_moments(subject)
        for concept in range(count):
            labels = [i for i in np.flatnonzero(table[:, concept] == 1) if i in stats]
            if not labels:
                continue
            amount = sum(stats[i][0] for i in labels)
            weights[concept] += 1
            sums[concept] += sum(stats[i][0] * stats[i][1] for i in labels) / amount
            squares[concept] += sum(stats[i][0] * stats[i][2] for i in labels) / amount
    known = np.maximum(weights, 1)
    mean = sums / known[:, None]
    covariance = squares / known[:, None, None] - np.einsum("ki,kj->kij", mean, mean)
    covariance += BETWEEN_PEOPLE**2 * np.eye(3)
    covariance[weights == 0] = 100 * np.eye(3)  # nothing known about the place: it never argues against
    return mean, covariance


def label_moments(subject: Subject) -> dict[int, tuple[int, np.ndarray, np.ndarray]]:
    """Voxels, first and second moment in the body frame of every label."""
    moments = {}
    to_body = subject.ras_to_body @ subject.ijk_to_ras
    kji = np.argwhere(subject.labels_kji > 1)
    labels = subject.labels_kji[tuple(kji.T)]
    points = transform_points(to_body, kji[:, ::-1])
    for label in np.unique(labels):
        own = points[labels == label]
        moments[int(label)] = (len(own), own.mean(axis=0), own.T @ own / len(own))
    return moments


def observations(
    checkpoint: Checkpoint, generator: CropGenerator, taxonomy: Taxonomy, scans: int, shape: tuple[int, int, int]
) -> Iterator[tuple[int, np.ndarray, bool]]:
    """Concept, evidence (3,) and truth wherever presence is known in `scans` random views of training people."""
    encoder = build_encoder(checkpoint).to(memory_format=torch.channels_last_3d)
    precision = choose_precision(torch.device("cpu"))
    for _ in range(scans):
        which, crop = generator.draw(shape)
        index = _index(crop, checkpoint, encoder, precision)
        if index is None:
            continue
        present, absent = known_presence(crop, generator.sources[which], taxonomy, checkpoint)
        for concept in np.flatnonzero(present | absent):
            name = taxonomy.ids[concept]
            yield int(concept), index.evidence(name, index.probability_kji(name)), bool(present[concept])


def _index(crop, checkpoint: Checkpoint, encoder, precision: torch.dtype) -> QueryIndex | None:
    hu = crop.hu.numpy().clip(-1000, 1000)
    body = body_mask(hu, checkpoint.preprocessing.spacing_mm)
    if body.mean() < 0.02:
        return None
    features = encode(PreparedVolume(hu, np.eye(4), body), encoder, precision, 2**40)
    grid = np.diag([2 * checkpoint.preprocessing.spacing_mm] * 3 + [1.0])
    embedding_map = EmbeddingMap(features, grid, checkpoint.encoder_id, body[::2, ::2, ::2])
    return QueryIndex(embedding_map, checkpoint.readout, checkpoint.encoder_id)


def known_presence(crop, source, taxonomy: Taxonomy, checkpoint: Checkpoint) -> tuple[np.ndarray, np.ndarray]:
    """Which concepts are surely in the crop and which are surely not: two bool (K,)."""
    voxels = np.bincount(crop.labels.numpy().ravel().astype(np.int64), minlength=len(source.targets))
    seen = (voxels[:, None] * (source.targets == 1)).sum(axis=0)
    possible = (voxels[2:, None] * (source.targets[2:] == 0)).sum(axis=0)
    whole = (np.bincount(source.labels.ravel(), minlength=len(source.targets))[:, None] * (source.targets == 1)).sum(0)
    present = seen >= np.maximum(PRESENT_VOXELS, 0.3 * whole)
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
    return present, absent


def typical_evidence(concepts: np.ndarray, evidence: np.ndarray, truth: np.ndarray, count: int) -> np.ndarray:
    """Mean evidence (count,2) of each concept where it is present, drawn to the mean of all where views are few."""
    everyone = evidence[truth, :2].mean(axis=0)
    typical = np.empty((count, 2))
    for concept in range(count):
        own = evidence[truth & (concepts == concept), :2]
        typical[concept] = (own.sum(axis=0) + SHRINKAGE * everyone) / (len(own) + SHRINKAGE)
    return typical


def fit_presence(evidence: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, float]:
    """Logistic regression (4,) with classes weighted alike, and the threshold of the best balanced accuracy."""
    x = np.concatenate([np.ones((len(evidence), 1)), evidence], axis=1)
    sign = np.where(truth, 1.0, -1.0)
    weight = np.where(truth, 0.5 / max(truth.sum(), 1), 0.5 / max((~truth).sum(), 1))

    def loss(w):
        margin = sign * (x @ w)
        return (weight * np.logaddexp(0, -margin)).sum() + 1e-4 * (w[1:] ** 2).sum()

    weights = minimize(loss, np.zeros(x.shape[1])).x
    scores = 1 / (1 + np.exp(-(x @ weights)))
    levels = np.linspace(0.05, 0.95, 91)
    balanced = [np.mean(scores[truth] >= t) + np.mean(scores[~truth] < t) for t in levels]
    return weights, float(levels[int(np.argmax(balanced))])


def calibrated(
    checkpoint: Checkpoint, generator: CropGenerator, taxonomy: Taxonomy, scans: int, shape=(96, 96, 128)
) -> tuple[Checkpoint, dict]:
    """The checkpoint with its presence rule fitted, and how well it does on the views it was fitted to."""
    rows = list(observations(checkpoint, generator, taxonomy, scans, shape))
    concepts, evidence, truth = (np.array([row[n] for row in rows]) for n in range(3))
    typical = typical_evidence(concepts, evidence, truth, len(taxonomy.ids))
    evidence[:, :2] -= typical[concepts]
    weights, threshold = fit_presence(evidence, truth)
    scores = 1 / (1 + np.exp(-(weights[0] + evidence @ weights[1:])))
    summary = {
        "views": scans,
        "present": int(truth.sum()),
        "absent": int((~truth).sum()),
        "kept_present": round(float(np.mean(scores[truth] >= threshold)), 3),
        "refused_absent": round(float(np.mean(scores[~truth] < threshold)), 3),
    }
    readout = replace(
        checkpoint.readout, typical_evidence=typical, presence=weights, presence_threshold=threshold
    )
    return replace(checkpoint, readout=readout), summary
