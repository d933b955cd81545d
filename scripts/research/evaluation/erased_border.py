"""An ambiguous border: two organs side by side with the contrast between them erased; does the place still tell?"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from anatembed.ask.explorer import Explorer
from anatembed.geometry import transform_points
from anatembed.scan.volume import Volume
from scipy import ndimage

from research.evaluation.baselines import Lookup, Reference, affine_lookup
from research.evaluation.bench import AFFINE, Bench, Scan
from research.evaluation.section import Section, Tally
from research.evaluation.truth import Structure
from research.training.subject import Subject

PERSON = "example_ct_v1"
PAIRS = (("liver", "kidney_right"), ("spleen", "kidney_left"))
BAND_MM = 10.0
ERASED_HU, NOISE_HU = 50.0, 15.0
SAMPLES = 1500
CORE = 0.5
"""Of the half axes of an organ's box: what lies within such an ellipsoid surely belongs to a compact organ."""
LIVER_BALL_MM = 20.0
NEAREST_HU, TRUE_BORDER, CORES = "nearest HU", "10 mm band", "held-out cores"

TEXT = (
    "Two organs and the fat between them are set to 50 HU with noise of 15 HU. *10 mm band*: voxels of either organ "
    "within 10 mm of the other one, each given to the more probable of the two names. This needs masks, which no "
    "held-out trunk has, so it is done on the labelled training CT: **the model was trained on this person** and "
    "the figure is an upper bound. *Held-out cores*: on annotated scans, everything between -150 and 300 HU in the "
    "boxes of liver and right kidney is erased in the same way and the inner half of the kidney's box is told from a "
    "ball of 20 mm around the liver's annotated point: no border, but people that were never trained on. Accuracies "
    "are means over both organs; .5 is chance. Baselines: the organ with the nearest mean HU; the nearer organ of the "
    "reference after affine registration."
)


@dataclass(frozen=True)
class Problem:
    """Positions (N,3) RAS to be given to one of two concepts; `first` (N,) says which is true; `organs` (K,J,I) is
    what belongs to either, on the grid of the scan."""

    concepts: tuple[str, str]
    positions: np.ndarray
    first: np.ndarray
    organs: np.ndarray


def border(bench: Bench) -> Section | None:
    """Accuracy before and after the contrast is erased; None if the model does not know the organs."""
    known = [pair for pair in PAIRS if set(pair) <= set(bench.checkpoint.readout.concept_ids)]
    if not known:
        return None
    tally = Tally()
    person = bench.person(PERSON)
    scan = Volume(person.ct_kji, person.ijk_to_ras, "CT", person.name)
    lookup = affine_lookup(bench.prepare(scan), bench.reference) if bench.with_baselines else None
    before = bench.explore(scan)
    for pair in known:
        problem, erased = band(person, pair)
        if problem.first.all() or not problem.first.any():
            continue  # they do not touch in this person
        scans = {"before": (scan, before), "erased": (erased, bench.explore(erased))}
        _judge(bench, tally, f"{TRUE_BORDER}, {pair[0]} and {pair[1]}", PERSON, problem, scans, lookup)
    for held_out in bench.trunks:
        found = cores(held_out)
        if PAIRS[0] in known and found is not None:
            problem, erased = found
            volume = Volume(held_out.prepared.array_kji, held_out.prepared.ijk_to_ras, "CT")
            scans = {"before": (volume, bench.explorers[held_out.person]), "erased": (erased, bench.explore(erased))}
            _judge(bench, tally, CORES, held_out.person, problem, scans, held_out.lookups[AFFINE])
    return Section("border", "An ambiguous border", TEXT, tally.systems(), tally.intervals())


def _judge(bench: Bench, tally: Tally, title: str, person: str, problem: Problem,
           scans: dict[str, tuple[Volume, Explorer]], lookup: Lookup | None) -> None:
    for when, (volume, explorer) in scans.items():
        guesses = {bench.name: by_name(explorer, problem)}
        if bench.with_baselines:
            guesses[NEAREST_HU] = by_hu(volume, problem)
            guesses[AFFINE] = by_distance(lookup, problem)
        for system, guess in guesses.items():
            tally.add(system, f"{title}, {when}", person, balanced_accuracy(guess, problem.first))
    tally.add(bench.name, f"{title}, voxels", person, len(problem.first), np.sum)


def band(person: Subject, pair: tuple[str, str]) -> tuple[Problem, Volume]:
    """The voxels of two organs near each other, and the CT with both and what is between them erased."""
    spacing = float(np.abs(person.ijk_to_ras[0, 0]))
    masks = [np.isin(person.labels_kji, [i for i, c in enumerate(person.label_concepts) if c == (concept,)])
             for concept in pair]
    if not all(mask.any() for mask in masks):
        raise ValueError(f"expected {pair[0]} and {pair[1]} in {person.name}, got only {person.label_concepts[2:]}")
    far = [ndimage.distance_transform_edt(~mask) * spacing for mask in masks]
    near = [masks[0] & (far[1] <= BAND_MM), masks[1] & (far[0] <= BAND_MM)]
    between = (far[0] <= BAND_MM) & (far[1] <= BAND_MM) & (person.labels_kji <= 1)
    erased = _erase(person.ct_kji, masks[0] | masks[1] | between)
    problem = _problem(pair, near, person.ijk_to_ras, masks[0] | masks[1])
    return problem, Volume(erased, person.ijk_to_ras, "CT", f"{person.name}, erased")


def cores(scan: Scan) -> tuple[Problem, Volume] | None:
    """Voxels that surely belong to the right kidney and to the liver of an annotated scan, and the scan with both
    boxes erased; None if either has no box."""
    boxes = {s.concept: s for s in scan.case.present if s.is_box}
    if not set(PAIRS[0]) <= set(boxes):
        return None
    liver, kidney = (boxes[concept] for concept in PAIRS[0])
    prepared = scan.prepared
    k, j, i = np.indices(prepared.array_kji.shape)
    positions = transform_points(prepared.ijk_to_ras, np.stack([i, j, k], axis=-1))
    in_boxes = _within(positions, liver) | _within(positions, kidney)
    soft = (prepared.array_kji > -150) & (prepared.array_kji < 300)
    ball = np.linalg.norm(positions - liver.inside, axis=-1) <= LIVER_BALL_MM
    ellipsoid = np.linalg.norm((positions - kidney.centre) / ((kidney.high - kidney.low) / 2), axis=-1) <= CORE
    inner = [ball & ~ellipsoid & soft, ellipsoid & ~ball & soft]
    erased = _erase(prepared.array_kji, in_boxes & soft)
    problem = _problem(PAIRS[0], inner, prepared.ijk_to_ras, in_boxes & soft)
    return problem, Volume(erased, prepared.ijk_to_ras, "CT", "erased")


def _within(positions: np.ndarray, structure: Structure) -> np.ndarray:
    return ((positions >= structure.low) & (positions <= structure.high)).all(axis=-1)


def _erase(array_kji: np.ndarray, mask_kji: np.ndarray) -> np.ndarray:
    erased = array_kji.astype(np.float32)
    erased[mask_kji] = ERASED_HU + np.random.default_rng(0).normal(0, NOISE_HU, int(mask_kji.sum()))
    return np.rint(erased).astype(np.int16)


def _problem(
    pair: tuple[str, str], masks: list[np.ndarray], ijk_to_ras: np.ndarray, organs: np.ndarray
) -> Problem:
    """At most SAMPLES random voxels of each mask."""
    random, parts = np.random.default_rng(0), []
    for mask in masks:
        kji = np.argwhere(mask)
        parts.append(random.permutation(kji)[:SAMPLES])
    positions = transform_points(ijk_to_ras, np.concatenate(parts)[:, ::-1])
    return Problem(pair, positions, np.repeat([True, False], [len(part) for part in parts]), organs)


def by_name(explorer: Explorer, problem: Problem) -> np.ndarray:
    """Whether the first concept is the more probable one, by the model: bool (N,)."""
    columns = [explorer.index.readout.index(concept) for concept in problem.concepts]
    one, other = explorer.index.name_probabilities(problem.positions)[:, columns].T
    return one > other


def by_hu(volume: Volume, problem: Problem) -> np.ndarray:
    """Whether the HU of a voxel and its neighbours in either organ is nearer to the first organ's mean; the means are
    the true ones of the very voxels that are asked for."""
    inside = problem.organs.astype(np.float32)
    total = ndimage.uniform_filter(volume.array_kji * inside, 3)
    smooth = total / np.maximum(ndimage.uniform_filter(inside, 3), 1e-6)
    kji = transform_points(np.linalg.inv(volume.ijk_to_ras), problem.positions)[:, ::-1]
    hu = smooth[tuple(np.rint(kji).astype(int).T)]
    means = [hu[problem.first].mean(), hu[~problem.first].mean()]
    return np.abs(hu - means[0]) < np.abs(hu - means[1])


def by_distance(lookup: Lookup, problem: Problem) -> np.ndarray:
    """Whether the first organ of the reference is the nearer one after registration: bool (N,)."""
    places = transform_points(lookup.matrix, problem.positions)
    distances = [_signed_distance(lookup.reference, concept, places) for concept in problem.concepts]
    return distances[0] < distances[1]


def _signed_distance(reference: Reference, concept: str, positions_ras: np.ndarray) -> np.ndarray:
    """Distance (N,) in voxels from an organ of the reference, negative in it."""
    own = np.flatnonzero(reference.table[:, reference.concepts.index(concept)] == 1)
    mask = np.isin(reference.subject.labels_kji, own)
    distance = ndimage.distance_transform_edt(~mask) - ndimage.distance_transform_edt(mask)
    kji = transform_points(np.linalg.inv(reference.subject.ijk_to_ras), positions_ras)[:, ::-1]
    return ndimage.map_coordinates(distance, kji.T, order=1, mode="nearest")


def balanced_accuracy(guess: np.ndarray, truth: np.ndarray) -> float:
    """Mean of the shares of right answers where the truth is yes and where it is no."""
    return float((np.mean(guess[truth]) + np.mean(~guess[~truth])) / 2)
