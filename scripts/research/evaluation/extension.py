"""Is the code extensible: does a thin slab, down to a few slices, get the codes that the whole scan gets?"""
from __future__ import annotations

import numpy as np
from anatembed.geometry import spacing_mm, transform_points
from anatembed.model.preprocessing import prepare
from anatembed.scan.volume import Volume
from scipy.stats import spearmanr

from research.evaluation import views
from research.evaluation.baselines import box_lookup
from research.evaluation.bench import BOX, Bench, Scan, body_positions, covered
from research.evaluation.section import Section, Tally

HEIGHTS = (0.2, 0.4, 0.6, 0.8)
SLABS_MM = {"30 mm": 30.0}
FEW_SLICES = 5
SAMPLES = 500

TEXT = (
    "Slabs of the annotated scans at four heights, embedded on their own; how far the predicted body coordinate of a "
    "voxel then lies from that in the whole scan. *Order*: rank correlation of the slabs' predicted and true heights. "
    "*Accepted*: whether the software embeds such a slab at all (it refuses less than its shortest side)."
)


def extension(bench: Bench) -> Section:
    """Coordinates in slabs against coordinates in the whole scan."""
    tally = Tally()
    for scan in bench.trunks:
        thickness = spacing_mm(scan.case.volume.ijk_to_ras)[2 - views.axis_along(scan.case.volume, 2)]
        for title, length in ({f"{FEW_SLICES} slices": FEW_SLICES * thickness} | SLABS_MM).items():
            _slabs(bench, scan, title, max(1, round(length / thickness)), tally)
    return Section("extension", "Property 5: extensible", TEXT, tally.systems(), tally.intervals())


def _slabs(bench: Bench, scan: Scan, title: str, slices: int, tally: Tally) -> None:
    heights, predicted = [], []
    for share in HEIGHTS:
        volume = views.slab(scan.case.volume, share, slices)
        model, box, place = shifts_mm(bench, scan, volume)
        if not len(model):
            continue
        tally.add(bench.name, f"median mm off, {title}", scan.person, np.median(model))
        tally.add(bench.name, f"90th percentile mm off, {title}", scan.person, np.percentile(model, 90))
        if bench.with_baselines:
            tally.add(BOX, f"median mm off, {title}", scan.person, np.median(box))
            tally.add(BOX, f"90th percentile mm off, {title}", scan.person, np.percentile(box, 90))
        heights.append(place[0])
        predicted.append(place[1])
    if len(heights) > 2:
        tally.add(bench.name, f"order, {title}", scan.person, spearmanr(heights, predicted)[0])
    tally.add(bench.name, f"accepted, {title}", scan.person, accepted(bench, volume))


def accepted(bench: Bench, volume: Volume) -> float:
    """1 if the software takes such a volume, 0 if it is too small for it."""
    try:
        prepare(volume, bench.checkpoint.preprocessing, force=True)
    except ValueError:
        return 0.0
    return 1.0


def shifts_mm(bench: Bench, scan: Scan, volume: Volume) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
    """How far (N,) in mm body coordinates in a part of a scan are from those in the whole: the model's, the body
    box's; and the part's mean height, true and predicted."""
    whole, part = bench.map(scan), bench.embed(volume)
    positions = body_positions(part, SAMPLES)
    positions = positions[covered(whole, positions)]
    if not len(positions):
        return np.empty(0), np.empty(0), (np.nan, np.nan)
    coordinates = [bench.checkpoint.readout.body_coordinates(m.sample(positions)) for m in (part, whole)]
    model = 100 * np.linalg.norm(coordinates[0] - coordinates[1], axis=1)
    boxes = (box_lookup(bench.prepare(volume), bench.reference), scan.lookups[BOX])
    places = [transform_points(lookup.matrix, positions) for lookup in boxes]
    height = (float(positions[:, 2].mean()), float(coordinates[0][:, 2].mean()))
    return model, np.linalg.norm(places[0] - places[1], axis=1), height
