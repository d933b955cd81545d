"""Is a code unique: the same for the same place whatever the view of the scan, and another for another place?"""
from __future__ import annotations

import numpy as np
from anatembed.geometry import transform_points
from anatembed.maps.embedding_map import EmbeddingMap
from scipy.spatial.distance import pdist

from research.evaluation import views
from research.evaluation.bench import Bench, Scan, body_positions, covered
from research.evaluation.codes import baseline_maps, unit_rows
from research.evaluation.section import Section, Tally

VIEWS = {"field of view": views.middle, "slice thickness": lambda volume: views.thicker(volume, 5.0)}
SAMPLES = 1000
STRIDE_MM = 6.0
FAR_MM = 30.0

TEXT = (
    "The annotated scans are embedded whole, then cut to their middle (60 % of the height, 75 % of width and depth) "
    "and with slices averaged to 5 mm or more. *Cosine*: the same place in both. *Found again*: the nearest code in "
    "the whole scan lies within one stride (6 mm) of the place. *Aliasing*: pairs of body voxels more than 30 mm apart "
    "whose codes are nearer than those of neighbours (6 mm) usually are. All codes have unit length."
)


def uniqueness(bench: Bench) -> Section:
    """Self-retrieval, cosine between views, and aliasing."""
    tally = Tally()
    for scan in bench.trunks:
        wholes = _maps(bench, scan.prepared, bench.map(scan))
        for system, whole in wholes.items():
            near, aliased = aliasing(whole)
            tally.add(system, f"aliasing (pairs over {FAR_MM:g} mm apart)", scan.person, aliased)
            tally.add(system, "code distance of neighbours", scan.person, near)
        for view, change in VIEWS.items():
            _compare(bench, scan, view, change(scan.case.volume), wholes, tally)
    return Section("uniqueness", "Property 1: unique", TEXT, tally.systems(), tally.intervals())


def _maps(bench: Bench, prepared, model_map: EmbeddingMap) -> dict[str, EmbeddingMap]:
    """The model's map, and those of the baselines for the first model."""
    return {bench.name: model_map} | (baseline_maps(prepared, model_map) if bench.with_baselines else {})


def _compare(bench: Bench, scan: Scan, view: str, volume, wholes: dict[str, EmbeddingMap], tally: Tally) -> None:
    seen = _maps(bench, bench.prepare(volume), bench.embed(volume))
    positions = body_positions(seen[bench.name], SAMPLES)
    positions = positions[covered(wholes[bench.name], positions)]
    for system, whole in wholes.items():
        cosine, distance = same_places(whole, seen[system], positions)
        tally.add(system, f"cosine, mean ({view})", scan.person, cosine.mean())
        tally.add(system, f"cosine, 5th percentile ({view})", scan.person, np.percentile(cosine, 5))
        tally.add(system, f"found again within a stride ({view})", scan.person, np.mean(distance <= STRIDE_MM))
        tally.add(system, f"found again, median mm off ({view})", scan.person, np.median(distance))


def same_places(whole: EmbeddingMap, view: EmbeddingMap, positions_ras: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cosine (N,) of the two maps' codes at RAS positions (N,3), and how far (N,) mm from the position the body
    voxel of `whole` lies whose code is nearest to the view's."""
    own, other = unit_rows(view.sample(positions_ras)), unit_rows(whole.sample(positions_ras))
    body = unit_rows(whole.latents(whole.body_kji))
    best = np.concatenate([(rows @ body.T).argmax(axis=1) for rows in np.array_split(own, max(1, len(own) // 200))])
    places = transform_points(whole.ijk_to_ras, np.argwhere(whole.body_kji)[best][:, ::-1])
    return (own * other).sum(axis=1), np.linalg.norm(places - positions_ras, axis=1)


def aliasing(embedding_map: EmbeddingMap) -> tuple[float, float]:
    """Median code distance of neighbouring body voxels, and the share of pairs far apart that are as near."""
    positions = body_positions(embedding_map, 2 * SAMPLES)
    codes = unit_rows(embedding_map.sample(positions))
    beside = positions + embedding_map.ijk_to_ras[:3, np.arange(len(positions)) % 3].T
    inside = covered(embedding_map, beside)
    near = float(np.median(np.linalg.norm(codes[inside] - unit_rows(embedding_map.sample(beside[inside])), axis=1)))
    far = pdist(positions) > FAR_MM
    return near, float(np.mean(pdist(codes)[far] <= near))
