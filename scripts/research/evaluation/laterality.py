"""Left and right: is anything ever found or named on the wrong side, and what happens in a mirrored scan?"""
from __future__ import annotations

import numpy as np
from anatembed.ask.explorer import Explorer
from anatembed.geometry import transform_points
from anatembed.language.vocabulary import Vocabulary
from anatembed.maps.embedding_map import EmbeddingMap

from research.evaluation import views
from research.evaluation.bench import Bench, Scan, body_positions
from research.evaluation.section import Section, Tally
from research.evaluation.truth import Structure

SAMPLES = 1500
MARGIN_MM = 20.0
TELLING_MM = 40.0
EVERY_OTHER = 4
"""Of the labelled scans every fourth is asked for all structures: there are many and they are alike."""

TEXT = (
    "*Annotated*: structures with a side whose other side is annotated too; wrong when the first hit lies nearer to "
    "the other one. *All sided structures*: every paired structure that the model says is in an annotated scan or in "
    "every fourth labelled one; wrong when its first hit lies more than 20 mm on the other side of the middle of the "
    "body at that height. *Voxels*: random voxels of "
    "the body more than 20 mm from that middle whose most probable name has a side. *Mirrored*: the annotated scans "
    "with the picture flipped left-right and the geometry kept, as a body with all organs on the other side (or a "
    "file with a wrong header) would look. Of unpaired organs far from the middle: does the first hit follow the "
    "picture, stay on the usual side, or is the organ refused? Of paired organs: is the hit on the side of its name?"
)


def laterality(bench: Bench) -> Section:
    """Wrong sides in every held-out scan, and the mirrored scans."""
    tally = Tally()
    for system, reports in bench.reports.items():
        for report in reports:
            located = [x.wrong_side for x in report.located if x.sided]
            tally.add(system, "annotated and found on the wrong side", report.person, located)
            tally.add(system, "annotated asked", report.person, np.ones(len(located)), np.sum)
    sided = paired_concepts(bench)
    others = [scan for scan in bench.scans if scan not in bench.trunks]
    for scan in [*bench.trunks, *others[::EVERY_OTHER]]:
        wrong = _wrong_hits(bench.explorers[scan.person], sided)
        tally.add(bench.name, "all sided structures, wrong side", scan.person, wrong)
        tally.add(bench.name, "all sided structures found", scan.person, np.ones(len(wrong)), np.sum)
        for system, named in _names(bench, scan).items():
            wrong = wrong_voxels(bench.map(scan), named, bench.vocabulary)
            tally.add(system, "voxels named for the wrong side", scan.person, np.mean(wrong) if len(wrong) else [])
            tally.add(system, "voxels with a sided name", scan.person, len(wrong), np.sum)
    for scan in bench.trunks:
        _mirrored(bench, scan, tally)
    return Section("laterality", "Left and right", TEXT, tally.systems(), tally.intervals())


def paired_concepts(bench: Bench) -> dict[str, str]:
    """Concepts of the model whose side is part of their name's meaning, with that side; a left ventricle's is not."""
    terms = [bench.vocabulary[c] for c in bench.checkpoint.readout.concept_ids]
    return {t.id: t.laterality for t in terms if t.side_policy == "paired" and t.laterality != "none"}


def middle_r(embedding_map: EmbeddingMap, heights_s: np.ndarray) -> np.ndarray:
    """R (N,) of the middle of the body at heights S (N,): the mean over the slice, over the body where it has none."""
    kji = np.argwhere(embedding_map.body_kji)
    r = transform_points(embedding_map.ijk_to_ras, kji[:, ::-1])[:, 0]
    planes = embedding_map.shape_kji[0]
    counts = np.bincount(kji[:, 0], minlength=planes)
    means = np.where(counts > 0, np.bincount(kji[:, 0], weights=r, minlength=planes) / np.maximum(counts, 1), r.mean())
    k = np.rint((heights_s - embedding_map.ijk_to_ras[2, 3]) / embedding_map.ijk_to_ras[2, 2]).astype(int)
    return means[np.clip(k, 0, planes - 1)]


def to_the_right(embedding_map: EmbeddingMap, positions_ras: np.ndarray) -> np.ndarray:
    """How far (N,) mm positions (N,3) lie to the patient's right of the middle of the body."""
    return positions_ras[:, 0] - middle_r(embedding_map, positions_ras[:, 2])


def _wrong_hits(explorer: Explorer, sided: dict[str, str]) -> list[bool]:
    searches = [(side, explorer.index.search(concept, 1)) for concept, side in sided.items()]
    found = [(side, search.hits[0].position_ras) for side, search in searches if search.found]
    if not found:
        return []
    right = to_the_right(explorer.map, np.array([place for _, place in found]))
    return [bool(x > 0) != (side == "right") for x, (side, _) in zip(right, found, strict=True) if abs(x) > MARGIN_MM]


def _names(bench: Bench, scan: Scan) -> dict[str, list[tuple[np.ndarray, str | None]]]:
    """Position and most probable name of random voxels, by system."""
    positions = body_positions(bench.map(scan), SAMPLES)
    index = bench.explorers[scan.person].index
    best = index.name_probabilities(positions).argmax(axis=1)
    named = {bench.name: [index.readout.concept_ids[n] for n in best]}
    if bench.with_baselines:
        named |= {name: [lookup.name(p) for p in positions] for name, lookup in scan.lookups.items()}
    return {system: list(zip(positions, own, strict=True)) for system, own in named.items()}


def wrong_voxels(
    embedding_map: EmbeddingMap, named: list[tuple[np.ndarray, str | None]], vocabulary: Vocabulary
) -> list[bool]:
    """Of the voxels clearly on one side whose name has a side: whether it is the other one."""
    sides = [(p, vocabulary[name]) for p, name in named if name is not None]
    sides = [(p, term.laterality) for p, term in sides if term.side_policy == "paired" and term.laterality != "none"]
    if not sides:
        return []
    right = to_the_right(embedding_map, np.array([p for p, _ in sides]))
    return [bool(x > 0) != (side == "right") for x, (_, side) in zip(right, sides, strict=True) if abs(x) > MARGIN_MM]


def _mirrored(bench: Bench, scan: Scan, tally: Tally) -> None:
    explorer = bench.explore(views.mirrored(scan.case.volume))
    for structure in scan.case.present:
        if not structure.is_box or structure.concept not in bench.checkpoint.readout.concept_ids:
            continue
        search = explorer.index.search(structure.concept, 1)
        if bench.vocabulary[structure.concept].pair is None:
            outcome = mirrored_outcome(structure, scan, search)
            if outcome is not None:
                for name in ("follows the picture", "stays on the usual side", "refused"):
                    tally.add(bench.name, f"mirrored, unpaired: {name}", scan.person, float(outcome == name))
        elif search.found:
            right = to_the_right(explorer.map, search.hits[0].position_ras[None])[0]
            true_to_name = (right > 0) == (bench.vocabulary[structure.concept].laterality == "right")
            tally.add(bench.name, "mirrored, paired: on the side of its name", scan.person, float(true_to_name))


def mirrored_outcome(structure: Structure, scan: Scan, search) -> str | None:
    """Where the first hit of an unpaired structure went; None if its two possible places are too near to tell."""
    flipped = views.mirrored_position(scan.case.volume, structure.centre)
    if np.linalg.norm(flipped - structure.centre) < TELLING_MM:
        return None
    if not search.found:
        return "refused"
    place = search.hits[0].position_ras
    nearer = np.linalg.norm(place - flipped) < np.linalg.norm(place - structure.centre)
    return "follows the picture" if nearer else "stays on the usual side"
