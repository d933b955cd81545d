"""Where organs lie that were not seen: from the codes of a few patches of one region, without their coordinates.

The decoder of the structural term is asked about a lattice of places; the centroid of what it calls an organ is
compared with the organ's annotated middle. Neither the decoder nor the mean atlas knows where the scan lies, so both
are moved to the annotated middles by one translation before distances are taken.
"""
from __future__ import annotations

import numpy as np
from anatembed.model.checkpoint import Checkpoint
from anatembed.model.readout import sigmoid

from research.evaluation.bench import AFFINE, Bench, Scan, body_positions
from research.evaluation.section import Figure, Section, Tally
from research.evaluation.truth import Structure
from research.training.layout import HIDDEN_BEYOND, UNIT_MM, LayoutDecoder, ask, decoder_of

PATCHES = (1, 2, 4, 8, 16)
DRAWS = 6
LATTICE = tuple(np.arange(low, high, 0.2) for low, high in ((-2.4, 2.5), (-1.8, 1.9), (-6.0, 6.6)))
REGION_SHARE = 0.35
BORDER_MM = 12.0
LIKELY = 0.05
NOWHERE_MM = 1000.0
"""What an organ that is not placed at all counts as."""
ATLAS = "mean atlas"


def layout(bench: Bench) -> Section | None:
    """Distances in mm of predicted from annotated middles of organs away from every patch, by number of patches."""
    if not bench.checkpoint.layout:
        return None
    decoder = decoder_of(bench.checkpoint.layout, bench.checkpoint.encoder_config["latent"])
    tally, shuffled = Tally(), f"{bench.name}, another scan's patches"
    for number, scan in enumerate(bench.trunks):
        other = bench.trunks[(number + 1) % len(bench.trunks)]
        for draw in range(DRAWS):
            for amount in PATCHES:
                visible = region_patches(bench, scan, amount, draw)
                organs = unseen(scan, visible, bench)
                if len(organs) < 3:
                    continue
                measure = f"median mm, {amount} patches"
                systems = {bench.name: predicted(bench, decoder, scan, visible)}
                if other is not scan:
                    theirs = region_patches(bench, other, amount, draw)
                    systems[shuffled] = predicted(bench, decoder, other, theirs)
                if bench.with_baselines:
                    systems |= {ATLAS: atlas(bench.checkpoint), AFFINE: looked_up(scan, organs)}
                for name, middles in systems.items():
                    tally.add(name, measure, scan.person, misses(organs, middles), np.median)
    systems = tally.systems()
    figure = Figure(
        "layout", "Organs that were not seen", "patches", "median mm", "line", list(PATCHES),
        {name: list(values.values()) for name, values in systems.items()},
    )
    text = (
        f"Middles of annotated organs more than {HIDDEN_BEYOND * UNIT_MM:.0f} mm from every patch, predicted from the "
        f"codes of patches of one region ({REGION_SHARE:.0%} of the scan's height); all systems moved to the truth by "
        "one translation. The affine lookup has seen the whole scan."
    )
    return Section("layout", "Layout from a few patches", text, systems, tally.intervals(), figures=[figure])


def region_patches(bench: Bench, scan: Scan, amount: int, seed: int) -> np.ndarray:
    """RAS positions (amount,3) of random voxels of the body within a random part of the scan's height."""
    positions = body_positions(bench.map(scan), 20_000)
    random = np.random.default_rng(seed)
    low, high = positions[:, 2].min(), positions[:, 2].max()
    start = low + random.uniform(0, 1 - REGION_SHARE) * (high - low)
    inside = positions[(positions[:, 2] >= start) & (positions[:, 2] <= start + REGION_SHARE * (high - low))]
    return inside[random.choice(len(inside), amount, replace=False)]


def unseen(scan: Scan, visible: np.ndarray, bench: Bench) -> list[Structure]:
    """Organs with a box that the scan does not cut, known to every system, whose middle is away from the patches."""
    prepared = scan.prepared
    ends = np.array([[0, 0, 0], np.array(prepared.array_kji.shape)[::-1] - 1])
    low, high = (prepared.ijk_to_ras[:3, :3] @ end + prepared.ijk_to_ras[:3, 3] for end in ends)
    known = set(bench.checkpoint.readout.concept_ids) & set(bench.reference.centroids)
    return [
        s for s in scan.case.present
        if s.is_box and s.concept in known and (s.low > low + BORDER_MM).all() and (s.high < high - BORDER_MM).all()
        and np.linalg.norm(visible - s.centre, axis=1).min() > HIDDEN_BEYOND * UNIT_MM
    ]


def predicted(bench: Bench, decoder: LayoutDecoder, scan: Scan, visible: np.ndarray) -> dict[str, np.ndarray]:
    """Middles (3,) in mm of every concept that the decoder places, from the codes at RAS positions (k,3)."""
    readout = bench.checkpoint.readout
    places = np.stack(np.meshgrid(*LATTICE, indexing="ij"), axis=-1).reshape(-1, 3)
    vectors = ask(decoder, bench.map(scan).sample(visible), places)
    middles = {}
    for structure in scan.case.present:
        if structure.concept in readout.concept_ids and structure.concept not in middles:
            odds = sigmoid(readout.logits(vectors, readout.index(structure.concept)))
            if odds.max() > LIKELY:
                weight = np.where(odds > 0.5 * odds.max(), odds, 0) ** 2
                middles[structure.concept] = UNIT_MM * (weight @ places) / weight.sum()
    return middles


def atlas(checkpoint: Checkpoint) -> dict[str, np.ndarray]:
    """Middles (3,) in mm of all concepts in the mean of the training people."""
    readout = checkpoint.readout
    return {concept: UNIT_MM * readout.body_mean[n] for n, concept in enumerate(readout.concept_ids)}


def looked_up(scan: Scan, organs: list[Structure]) -> dict[str, np.ndarray]:
    """Middles (3,) in RAS mm by the affine registration of a labelled person to the whole scan."""
    places = {s.concept: scan.lookups[AFFINE].locate(s.concept) for s in organs}
    return {concept: place for concept, place in places.items() if place is not None}


def misses(organs: list[Structure], middles: dict[str, np.ndarray]) -> np.ndarray:
    """Distances (n,) in mm after one translation, NOWHERE_MM for organs without a predicted middle."""
    placed = [s for s in organs if s.concept in middles]
    if len(placed) < 2:
        return np.full(len(organs), NOWHERE_MM)
    offsets = np.array([s.centre - middles[s.concept] for s in placed])
    distances = np.linalg.norm(offsets - np.median(offsets, axis=0), axis=1)
    return np.concatenate([distances, np.full(len(organs) - len(placed), NOWHERE_MM)])
