"""Does the code stay when only the picture changes: contrast, noise, blur, thick slices?"""
from __future__ import annotations

import numpy as np
from anatembed.ask.explorer import Explorer
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.model.preprocessing import PreparedVolume

from research.evaluation.bench import Bench, Scan, body_positions, covered
from research.evaluation.codes import STATISTICS, baseline_maps
from research.evaluation.section import Figure, Section, Tally
from research.evaluation.uniqueness import same_places
from research.evaluation.views import CHANGES

SAMPLES = 400
STRIDE_MM = 12.0

TEXT = (
    "The annotated scans with a wrong HU scale (5 % and 20 HU), a gamma of 1.3 over the soft tissues, enhancement "
    "(above 20 HU raised, by 130 HU at most), white noise of 40 HU, a blur of 3 mm, and slices averaged to 8 mm or "
    "more. *Cosine* of the same voxel's codes before and after; *names changed*: voxels whose most probable structure "
    "is another one; *found again*: the nearest code in the unchanged scan lies within two strides (12 mm); *shift*: "
    "how far the first hit of the boxed structures moves. The position in the scanner does not change and is left out."
)


def invariance(bench: Bench) -> Section:
    """Every change of every annotated scan against the unchanged scan."""
    tally = Tally()
    for scan in bench.trunks:
        before = bench.explorers[scan.person]
        hits = first_hits(before, boxed(scan, bench))
        maps = {bench.name: before.map} | _baselines(bench, scan.prepared, before.map)
        for change in CHANGES:
            _compare(bench, scan, change, maps, hits, tally)
    table = tally.systems()
    series = {system: [row[f"cosine, 5th percentile ({c})"] for c in CHANGES] for system, row in table.items()}
    figure = Figure("invariance", "Codes before and after a change of the picture", "", "cosine, 5th percentile",
                    "bar", list(CHANGES), series)
    return Section("invariance", "Contrast, noise and sharpness", TEXT, table, tally.intervals(), figures=[figure])


def _baselines(bench: Bench, prepared: PreparedVolume, like: EmbeddingMap) -> dict[str, EmbeddingMap]:
    return baseline_maps(prepared, like, (STATISTICS,)) if bench.with_baselines else {}


def boxed(scan: Scan, bench: Bench) -> list[str]:
    """Concepts of the scan's boxes that the model knows."""
    return [s.concept for s in scan.case.present if s.is_box and s.concept in bench.checkpoint.readout.concept_ids]


def first_hits(explorer: Explorer, concepts: list[str]) -> dict[str, np.ndarray]:
    """RAS position (3,) of the first hit of each concept that has one."""
    hits = {concept: explorer.index.search(concept, 1).hits for concept in concepts}
    return {concept: found[0].position_ras for concept, found in hits.items() if found}


def _compare(
    bench: Bench, scan: Scan, change: str, maps: dict[str, EmbeddingMap], hits: dict[str, np.ndarray], tally: Tally
) -> None:
    volume = CHANGES[change](scan.case.volume)
    before, after = bench.explorers[scan.person], bench.explore(volume)
    changed = {bench.name: after.map} | _baselines(bench, bench.prepare(volume), after.map)
    positions = body_positions(before.map, SAMPLES)
    positions = positions[covered(after.map, positions)]
    for system, unchanged in maps.items():
        cosine, distance = same_places(unchanged, changed[system], positions)
        tally.add(system, f"cosine, median ({change})", scan.person, np.median(cosine))
        tally.add(system, f"cosine, 5th percentile ({change})", scan.person, np.percentile(cosine, 5))
        tally.add(system, f"found again ({change})", scan.person, np.mean(distance <= STRIDE_MM))
    names = [e.index.name_probabilities(positions).argmax(axis=1) for e in (before, after)]
    tally.add(bench.name, f"names changed ({change})", scan.person, np.mean(names[0] != names[1]))
    moved = first_hits(after, list(hits))
    shifts = [np.linalg.norm(moved[c] - place) for c, place in hits.items() if c in moved]
    tally.add(bench.name, f"shift of first hits, median mm ({change})", scan.person, shifts, np.median)
    tally.add(bench.name, f"shift of first hits, largest mm ({change})", scan.person, shifts, np.max)
