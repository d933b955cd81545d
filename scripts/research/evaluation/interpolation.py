"""Can codes be interpolated: do they change with the distance, is the middle's code the middle of the codes?"""
from __future__ import annotations

import numpy as np
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.model.readout import Readout
from scipy.spatial.distance import pdist
from scipy.stats import binned_statistic, spearmanr

from research.evaluation.bench import Bench, body_positions, covered
from research.evaluation.codes import baseline_maps, unit_rows
from research.evaluation.section import Figure, Section, Tally

SAMPLES = 1000
LOCAL_MM = 80.0
STEP_MM = 12.0
EDGES_MM = np.arange(0, 401, 20)

TEXT = (
    "Pairs of body voxels of the annotated scans. *Rank correlation* of code distance and distance in mm (Spearman). "
    "*Mid-point error*: distance of the code in the middle of two places from the mean of their codes, in shares of "
    "the distance of two random codes of the body. *Rising*: the predicted height grows over a step of 12 mm up."
)


def interpolation(bench: Bench) -> Section:
    """Distance in code space against distance in the body, mid-points, and the path along the body."""
    tally, curves = Tally(), {}
    for scan in bench.trunks:
        own = bench.map(scan)
        maps = {bench.name: own} | (baseline_maps(scan.prepared, own) if bench.with_baselines else {})
        for system, embedding_map in maps.items():
            curve = _distances(embedding_map, system, scan.person, tally)
            curves.setdefault(system, []).append(curve)
            for apart in (STEP_MM, 4 * STEP_MM):
                error = midpoint_error(embedding_map, apart)
                tally.add(system, f"mid-point error, {apart:g} mm apart", scan.person, error)
        up, mean_up = rising(own, bench.checkpoint.readout)
        tally.add(bench.name, "rising, single voxels", scan.person, up)
        tally.add(bench.name, "rising, means of slices", scan.person, mean_up)
    middles = ((EDGES_MM[:-1] + EDGES_MM[1:]) / 2).tolist()
    means = {system: np.ma.masked_invalid(found).mean(axis=0) for system, found in curves.items()}
    series = {system: mean.filled(np.nan).tolist() for system, mean in means.items()}
    figure = Figure("code_distance", "Distance of codes and distance in the body", "mm apart",
                    "median code distance / that of random pairs", "line", middles, series)
    return Section("interpolation", "Property 2: interpolatable", TEXT, tally.systems(), tally.intervals(),
                   figures=[figure])


def _distances(embedding_map: EmbeddingMap, system: str, person: str, tally: Tally) -> np.ndarray:
    """Adds the rank correlations; returns the median code distance by distance in mm."""
    positions = body_positions(embedding_map, SAMPLES)
    apart, differ = pdist(positions), pdist(unit_rows(embedding_map.sample(positions)))
    local = apart <= LOCAL_MM
    tally.add(system, f"rank correlation up to {LOCAL_MM:g} mm", person, spearmanr(apart[local], differ[local])[0])
    tally.add(system, "rank correlation, whole body", person, spearmanr(apart, differ)[0])
    inside = apart < EDGES_MM[-1]
    return binned_statistic(apart[inside], differ[inside], "median", EDGES_MM).statistic / np.median(differ)


def midpoint_error(embedding_map: EmbeddingMap, apart_mm: float) -> float:
    """Median distance of a middle's code from the mean of two codes `apart_mm` from each other along the three axes,
    over the median distance of random codes; NaN where nothing is that wide."""
    centres = body_positions(embedding_map, SAMPLES)
    middle = unit_rows(embedding_map.sample(centres))
    errors = []
    for axis in range(3):
        step = np.eye(3)[axis] * apart_mm / 2
        inside = covered(embedding_map, centres + step) & covered(embedding_map, centres - step)
        ends = [unit_rows(embedding_map.sample(centres[inside] + sign * step)) for sign in (1, -1)]
        errors.append(np.linalg.norm(middle[inside] - (ends[0] + ends[1]) / 2, axis=1))
    pooled = np.concatenate(errors)
    return float(np.median(pooled) / np.median(pdist(middle))) if len(pooled) else float("nan")


def rising(embedding_map: EmbeddingMap, readout: Readout) -> tuple[float, float]:
    """Share of steps of 12 mm towards the head over which the predicted height grows: of voxels, of slice means."""
    positions = body_positions(embedding_map, SAMPLES)
    above = positions + (0, 0, STEP_MM)
    inside = covered(embedding_map, above)
    low, high = (readout.body_coordinates(embedding_map.sample(p[inside]))[:, 2] for p in (positions, above))
    slices = np.unique(np.round(positions[:, 2]), return_inverse=True)[1]
    height = readout.body_coordinates(embedding_map.sample(positions))[:, 2]
    counts = np.bincount(slices)
    means = (np.bincount(slices, weights=height) / counts)[counts >= 10]
    return float(np.mean(high > low)), float(np.mean(means[2:] > means[:-2]))
