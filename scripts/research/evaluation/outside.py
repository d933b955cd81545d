"""What is not the patient: are air and couch known as outside, and does no query end there?"""
from __future__ import annotations

import numpy as np
from anatembed.geometry import transform_points
from anatembed.model.preprocessing import PreparedVolume
from anatembed.scan.volume import Volume
from scipy import ndimage

from research.evaluation.bench import Bench
from research.evaluation.section import Section, Tally

AIR_HU = -1000.0
OPEN_AIR_HU = -900.0
SKIN_HU = -500.0
GAP_MM, SHELL_MM, FOAM_MM = 6.0, 3.0, 30.0
SHELL_HU, FOAM_HU = 100.0, -750.0
EVERY_CONCEPT = 4
THRESHOLD = "HU threshold"

TEXT = (
    "A couch (a foam core of -750 HU in a shell of 100 HU) is drawn into the air under each annotated patient. *Air*: "
    "voxels that hang together with the rim of the scan through air. *Points kept*: annotated points that count as "
    "patient. *First hits in air or couch*: of every fourth structure that the model knows, present or not."
)


def outside(bench: Bench) -> Section:
    """Shares of air and couch that are flagged, of points that are kept, and of hits outside."""
    tally = Tally()
    for scan in bench.trunks:
        volume, couch = with_couch(scan.prepared)
        prepared, explorer = bench.prepare(volume), bench.explore(volume)
        air = open_air(volume.array_kji) & ~couch
        points = np.array([s.inside for s in scan.case.present])
        masks = {bench.name: prepared.body_kji}
        if bench.with_baselines:
            masks[THRESHOLD] = prepared.array_kji > SKIN_HU
        for system, body in masks.items():
            tally.add(system, "air flagged", scan.person, np.mean(~body[air]))
            tally.add(system, "couch flagged", scan.person, np.mean(~body[couch]))
            tally.add(system, "points kept", scan.person, at_points(body, prepared.ijk_to_ras, points))
        concepts = bench.checkpoint.readout.concept_ids[::EVERY_CONCEPT]
        hits = [h.position_ras for c in concepts for h in explorer.index.search(c, 1).hits]
        flagged = at_points(air | couch, prepared.ijk_to_ras, np.array(hits))
        tally.add(bench.name, "first hits in air or couch", scan.person, flagged)
    return Section("outside", "Property 3: known outside the body", TEXT, tally.systems(), tally.intervals())


def with_couch(prepared: PreparedVolume) -> tuple[Volume, np.ndarray]:
    """The scan with 90 mm of air behind it and a flat couch in the air under the patient; and the couch's mask, on
    the grid of that volume, which is the grid that preparing it gives."""
    spacing = prepared.ijk_to_ras[0, 0]
    behind = round(90 / spacing)
    array = np.pad(prepared.array_kji, ((0, 0), (behind, 0), (0, 0)), constant_values=AIR_HU)
    body = np.pad(prepared.body_kji, ((0, 0), (behind, 0), (0, 0)))
    to_ras = prepared.ijk_to_ras.copy()
    to_ras[:3, 3] = transform_points(prepared.ijk_to_ras, [0, -behind, 0])
    back = int(np.argwhere(body.any(axis=(0, 2)))[0, 0]) if body.any() else behind
    top = back - round(GAP_MM / spacing)
    depths = [round(mm / spacing) for mm in (SHELL_MM, FOAM_MM, SHELL_MM)]
    couch = np.zeros_like(body)
    for depth, hu in zip(depths, (SHELL_HU, FOAM_HU, SHELL_HU), strict=True):
        free = np.zeros_like(body)
        free[:, top - depth : top] = array[:, top - depth : top] < OPEN_AIR_HU
        array[free] = hu
        couch |= free
        top -= depth
    return Volume(array.astype(np.int16), to_ras, "CT", "with a couch"), couch


def open_air(array_kji: np.ndarray) -> np.ndarray:
    """Air that reaches the faces of the scan: bool (K,J,I). Smoothed first, so that noise neither cuts nor leaks."""
    smooth = ndimage.uniform_filter(array_kji.astype(np.float32), 3, mode="nearest")
    regions, count = ndimage.label(smooth < OPEN_AIR_HU)
    at_rim = np.zeros(count + 1, bool)
    for rim in (regions[:, 0], regions[:, -1], regions[:, :, 0], regions[:, :, -1]):
        at_rim[rim] = True
    at_rim[0] = False
    return at_rim[regions]


def at_points(mask_kji: np.ndarray, ijk_to_ras: np.ndarray, positions_ras: np.ndarray) -> float:
    """Share of RAS positions (N,3) whose nearest voxel is in a mask; NaN without positions."""
    if not len(positions_ras):
        return float("nan")
    kji = np.rint(transform_points(np.linalg.inv(ijk_to_ras), positions_ras)[:, ::-1]).astype(int)
    kji = np.clip(kji, 0, np.array(mask_kji.shape) - 1)
    return float(np.mean(mask_kji[tuple(kji.T)]))
