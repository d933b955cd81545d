"""What is measured on training people after training: where concepts lie in the body, and what the model's answers are
worth: which tissue a structure is, when it is in a scan, when a place is right, when a name is.

Evaluation people play no part in it.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from anatembed.geometry import transform_points
from anatembed.model.checkpoint import Checkpoint
from anatembed.model.readout import Readout

from research import reliability
from research.training.body_frame import body_positions
from research.training.calibration_fits import fit_hits, fit_naming, fit_presence, typical_evidence
from research.training.observations import SHAPES, observations
from research.training.subject import Subject
from research.training.synthesis import CropGenerator
from research.training.targets import Taxonomy
from research.training.tissue_limits import lowest_hu

BETWEEN_PEOPLE = 0.15
"""Standard deviation added to every concept's place, units of 100 mm: few people were seen."""
CUT_SHARE = 0.5
"""A structure of which less than this share is in the view is cut by its border."""
HELD_OUT = 4
"""Every fourth view is left out of the fits and gives the figures."""


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
    kji = np.argwhere(subject.labels_kji > 1)
    labels = subject.labels_kji[tuple(kji.T)]
    points = body_positions(subject, transform_points(subject.ijk_to_ras, kji[:, ::-1]))
    for label in np.unique(labels):
        own = points[labels == label]
        moments[int(label)] = (len(own), own.mean(axis=0), own.T @ own / len(own))
    return moments


def calibrated(
    checkpoint: Checkpoint, generator: CropGenerator, taxonomy: Taxonomy, scans: int, shapes=SHAPES
) -> tuple[Checkpoint, dict]:
    """The checkpoint with its answers calibrated, and how reliable they are on views that took no part in the fit."""
    limits = lowest_hu(generator, taxonomy, scans, shapes)
    checkpoint = replace(checkpoint, readout=replace(checkpoint.readout, lowest_hu=limits))
    seen = observations(checkpoint, generator, taxonomy, scans, shapes).arrays()
    readout = fitted(checkpoint.readout, {name: rows[_fitted_on(seen, name)] for name, rows in seen.items()})
    held_out = {name: rows[~_fitted_on(seen, name)] for name, rows in seen.items()}
    figures = {name: reliability.summary(*columns) for name, columns in answers(readout, held_out).items()}
    summary = {
        "views": scans,
        "views_of_scans": len(np.unique(seen["view"][seen["real"]])),
        "held_out": {
            name: {key: round(value, 4) if np.isfinite(value) else None for key, value in row.items()}
            for name, row in figures.items()
        },
    }
    return replace(checkpoint, readout=readout), summary


def _fitted_on(seen: dict[str, np.ndarray], name: str) -> np.ndarray:
    view = seen["point_view" if name in ("point_view", "logits", "targets") else "view"]
    return view % HELD_OUT != HELD_OUT - 1


def fitted(readout: Readout, seen: dict[str, np.ndarray]) -> Readout:
    """The read-out with presence, hits and naming fitted to observations."""
    concept, evidence, present = seen["concept"], seen["evidence"].copy(), seen["present"]
    typical = typical_evidence(concept, evidence, present, len(readout.concept_ids))
    evidence[:, :2] -= typical[concept]
    readout = replace(
        readout, typical_evidence=typical, presence=fit_presence(evidence, present), presence_threshold=0.5
    )
    rows = list(hit_rows(readout, seen))
    weights, offsets = fit_hits(
        np.array([row[2] for row in rows]), np.array([row[3] for row in rows]), np.array([row[0] for row in rows]),
        len(readout.concept_ids),
    )
    naming = fit_naming(seen["logits"], seen["targets"], readout.rivals)
    return replace(readout, hit=weights, hit_offsets=offsets, naming=naming)


def hit_rows(readout: Readout, seen: dict[str, np.ndarray]) -> Iterator[tuple[int, int, np.ndarray, bool]]:
    """Concept, rank (0 is first), evidence (3,) and truth of every place of which it is known whether it is right."""
    presences = readout.presences(seen["concept"], seen["evidence"])
    for row in np.flatnonzero(seen["present"]):
        scores = seen["scores"][row][np.isfinite(seen["scores"][row])]
        evidence = readout.hit_evidence(seen["concept"][row], presences[row], scores)
        for rank in np.flatnonzero(seen["right"][row][: len(scores)] >= 0):
            yield int(seen["concept"][row]), int(rank), evidence[rank], bool(seen["right"][row][rank])


def answers(readout: Readout, seen: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, ...]]:
    """Scores, truth and weights of presence, first hits (of what is found, others are not shown) and first names, for
    `reliability`; those of structures cut by the border of the view stand apart too.
    """
    presences = readout.presences(seen["concept"], seen["evidence"])
    present, cut = seen["present"], seen["present"] & (seen["share"] < CUT_SHARE)
    result = {}
    for name, rows in (("presence", np.ones(len(cut), bool)), ("presence where cut", cut | ~present)):
        truth = present[rows]
        result[name] = (presences[rows], truth, reliability.classes_alike(truth))
    first = np.where(presences >= readout.presence_threshold, seen["right"][:, 0], -1)
    confidences = np.array([
        readout.hit_confidences(concept, presence, scores[np.isfinite(scores)])[0] if right >= 0 else np.nan
        for concept, presence, scores, right in zip(seen["concept"], presences, seen["scores"], first, strict=True)
    ])
    for name, rows in (("first hit", first >= 0), ("first hit where cut", (first >= 0) & cut)):
        result[name] = (confidences[rows], first[rows] == 1)
    if len(seen["logits"]):
        probabilities = readout.name_probabilities(seen["logits"])
        best = np.arange(len(probabilities)), probabilities.argmax(axis=1)
        known = seen["targets"][best] != 0
        result["first name"] = (probabilities[best][known], seen["targets"][best][known] == 1)
    return result
