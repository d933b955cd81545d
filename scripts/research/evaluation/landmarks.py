"""The same landmark in another person: matching by codes beside registration and the position in the body's box."""
from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from anatembed.ask.matching import ANCHORS, Matcher
from anatembed.geometry import transform_points

from research.evaluation.bench import AFFINE, BOX, Bench, Scan
from research.evaluation.levels import level_of
from research.evaluation.metrics import auroc
from research.evaluation.registration import affine
from research.evaluation.section import Figure, Section, Tally
from research.evaluation.truth import Case

COMPACT = frozenset({"heart", "kidney_left", "kidney_right", "liver", "spleen"})
"""Organs whose box has a middle that means the same place in everyone."""
DIRECT = "affine, scan to scan"
WAYS = {
    "": {"kind": "latent", "anchors": ANCHORS},
    ", nearest code only": {"kind": "latent", "anchors": 0},
    ", names and place": {"kind": "names and place", "anchors": ANCHORS},
    ", place only": {"kind": "place", "anchors": 0},
}
CLOSE_MM = 20.0
ERRORS_MM = np.arange(0, 81, 4)

TEXT = (
    "Every compact structure that is marked by a point in two of the annotated scans, and the middle of the boxes of "
    "heart, liver, spleen and kidneys, from each scan to each other one. *Within 10 mm*, *within 20 mm*: share of "
    "matches so near to the other scan's annotation, which itself is good to 4 to 14 mm. The intervals are over target "
    "scans. Matching by codes as `anatembed.ask.matching` does it, and its parts; affine registration through the "
    "reference person and from scan to scan; the same place in the body's box."
)


@dataclass(frozen=True)
class Pair:
    """Landmarks (N,3) RAS that two scans share."""

    source: Scan
    target: Scan
    concepts: list[str]
    start: np.ndarray
    end: np.ndarray


def landmarks(bench: Bench) -> Section:
    """Errors of matching every shared landmark between every two scans."""
    tally, details, curves = Tally(), [], {}
    confidence, close = [], []
    transforms: dict[tuple[str, str], np.ndarray] = {}
    for pair in pairs(bench.trunks):
        found = {}
        for way, options in WAYS.items():
            matcher = Matcher(bench.map(pair.source), bench.map(pair.target), bench.checkpoint.readout, **options)
            found[bench.name + way] = matcher(pair.start)
        answers = {system: match.positions_ras for system, match in found.items()}
        if bench.with_baselines:
            answers |= {name: _through_reference(pair, name) for name in (AFFINE, BOX)}
            answers[DIRECT] = transform_points(_direct(pair, transforms), pair.start)
        errors = {system: np.linalg.norm(places - pair.end, axis=1) for system, places in answers.items()}
        for system, own in errors.items():
            _count(tally, system, pair.target.person, own)
            curves.setdefault(system, []).extend(own)
        confidence.extend(found[bench.name].confidence)
        close.extend(errors[bench.name] <= CLOSE_MM)
        details += zip(pair.concepts, errors[bench.name], strict=True)
    table = tally.systems()
    if close:
        table[bench.name]["AUROC of the confidence (within 20 mm)"] = auroc(np.array(confidence), np.array(close))
    return Section("landmarks", "Landmarks from person to person", TEXT, table, tally.intervals(),
                   _by_concept(details, bench.name), [_figure(curves)])


def pairs(scans: list[Scan]) -> list[Pair]:
    """Every ordered pair of scans that shares landmarks."""
    found = []
    for source, target in itertools.permutations(scans, 2):
        one, other = (landmark_positions(scan.case) for scan in (source, target))
        shared = sorted(set(one) & set(other))
        if shared:
            ends = (np.array([side[concept] for concept in shared]) for side in (one, other))
            found.append(Pair(source, target, shared, *ends))
    return found


def landmark_positions(case: Case) -> dict[str, np.ndarray]:
    """RAS position (3,) of each annotated point and of the middle of each compact organ's box; one place along a long
    structure is no landmark, and neither is a vertebra whose number is in doubt."""
    found = {s.concept: (s.low + s.high) / 2 for s in case.present if s.concept in COMPACT and s.is_box}
    for structure in case.present:
        is_long = structure.spheres is not None and len(structure.spheres) > 1
        doubtful = case.level_doubt > 0 and level_of(structure.concept) is not None
        if not (structure.is_box or is_long or doubtful):
            found[structure.concept] = structure.centre
    return found


def _through_reference(pair: Pair, name: str) -> np.ndarray:
    there = transform_points(pair.source.lookups[name].matrix, pair.start)
    return transform_points(np.linalg.inv(pair.target.lookups[name].matrix), there)


def _direct(pair: Pair, known: dict) -> np.ndarray:
    """4x4 from scan to scan, registered once for both directions: the shorter to the taller one, which shows more."""
    short, tall = sorted((pair.source, pair.target), key=lambda scan: len(scan.prepared.array_kji))
    key = (short.person, tall.person)
    if key not in known:
        known[key] = affine(short.prepared, tall.prepared.array_kji, tall.prepared.ijk_to_ras)
    return known[key] if pair.source is short else np.linalg.inv(known[key])


def _count(tally: Tally, system: str, person: str, errors: np.ndarray) -> None:
    tally.add(system, "landmarks", person, np.ones(len(errors)), np.sum)
    tally.add(system, "median mm", person, errors, np.median)
    tally.add(system, "within 10 mm", person, errors <= 10)
    tally.add(system, "within 20 mm", person, errors <= CLOSE_MM)


def _by_concept(details: list[tuple[str, float]], system: str) -> list[dict]:
    table = []
    for concept in sorted({name for name, _ in details}):
        own = [error for name, error in details if name == concept]
        table.append({"model": system, "landmark": concept, "pairs": len(own), "median mm": float(np.median(own))})
    return table


def _figure(curves: dict[str, list[float]]) -> Figure:
    series = {system: [float(np.mean(np.array(own) <= e)) for e in ERRORS_MM] for system, own in curves.items()}
    return Figure("landmarks", "Landmarks from person to person", "mm", "share of landmarks within", "line",
                  ERRORS_MM.tolist(), series)
