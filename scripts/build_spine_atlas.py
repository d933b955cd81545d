"""Make the atlas that levels are counted with: how high every level is, and what it looks like beside the canal.

python scripts/build_spine_atlas.py DATA_FOLDER

Writes spine_levels.json and spine_atlas.npz into the library's resources/. Learnt from people with drawn vertebrae, of
whom none is evaluated on: label maps become a CT in which all bone is alike, a labelled CT is taken as it is. How far
probabilities can be trusted (`temperature`) is fitted by `research.level_calibration`: everybody is counted in parts of
a scan with an atlas of the others.
"""
from __future__ import annotations

import argparse
import csv
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from anatembed.ask.levels.canal import centreline
from anatembed.ask.levels.spine_atlas import LEVELS, SpineAtlas, picture, picture_weights
from anatembed.ask.levels.straight_spine import straighten
from anatembed.geometry import transform_points
from anatembed.model.preprocessing import PreprocessingConfig, resample_to_grid
from anatembed.output_file import replacing
from anatembed.scan.files import read_volume
from anatembed.scan.volume import Volume
from anatembed.shipped_file import shipped_file
from research.level_calibration import Spine, fit_temperature, parts_of_scans
from research.training.sources import read_tsv_labels
from scipy import ndimage

LOG = logging.getLogger(__name__)
GRID = PreprocessingConfig()
BONES = ("vertebrae", "rib_", "sacrum", "hip", "femur", "scapula", "sternum", "clavic", "humerus", "skull")
BONE_HU, TISSUE_HU, FAT_HU, AIR_HU = 350, 40, 0, -1000
BODY_CLOSING = 12
LEAST_ML = 15.0
"""A vertebra that is cut by the edge of the scan must have so much left."""
CORE = 0.75
"""The body of a vertebra is its thickest part: where the distance to its surface is at least this share of the most."""
PRIOR_MM = dict(zip(LEVELS, (
    16, 20, 16, 16, 16, 16, 16.5, 18.5, 20, 21, 22, 23, 23.5, 24, 24.5, 25, 26, 28, 31, 33, 34.5, 34, 31.5, 29, 27,
), strict=True))  # fmt: skip
"""Body and disc of an adult, measured along the canal, where a level is known from few people."""
PRIOR_PEOPLE = 2
USUAL_DEPTH_MM = 16.0
"""Where nobody shows a level."""
ARCH_MM = 5.0
"""How far before the middle of the axis the front arch of the atlas lies."""


@dataclass(frozen=True)
class Source:
    """A person: a label map, the CT it belongs to (None: made from it), and how to read names of values."""

    person: str
    labels: str
    scan: str | None
    names: Callable[[Path], dict[int, str]]
    licence: str


def _listed(table: str) -> Callable[[Path], dict[int, str]]:
    return lambda data: read_tsv_labels(data / table)


def _bodyparts(data: Path) -> dict[int, str]:
    table = data / "label_maps/bodyparts3d_v4_man.tsv"
    rows = csv.DictReader(table.read_text(encoding="utf-8").splitlines(), delimiter="\t")
    return {
        int(row["value"]): "spinal_canal" if "canal" in row["name"] else row["totalsegmentator_class"] or row["name"]
        for row in rows
    }


SOURCES = (
    Source("BodyParts3D, (c) The Database Center for Life Science, a man",
           "label_maps/bodyparts3d_v4_man.nii.gz", None, _bodyparts, "CC BY 4.0"),
    Source("TotalSegmentator data set v2, s0327, a man", "label_maps/totalseg_s0327_seg_v2.nii.gz", None,
           _listed("label_maps/labels_total_v2.tsv"), "CC BY 4.0"),
    Source("TotalSegmentator data set v2, s0328, a man", "label_maps/totalseg_s0328_seg_v2.nii.gz", None,
           _listed("label_maps/labels_total_v2.tsv"), "CC BY 4.0"),
    Source("TotalSegmentator's example CT", "real_ct_labelled/example_ct_seg_v2fast.nii.gz",
           "real_ct_labelled/example_ct.nii.gz", _listed("real_ct_labelled/labels_total_v2.tsv"), "Apache-2.0"),
)  # fmt: skip


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("data", type=Path)
    options = arguments.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    spines = [read_spine(options.data, source) for source in SOURCES]
    usual_mm, scales, spread = usual_heights([spine.heights_mm() for spine in spines])
    for source, scale in zip(SOURCES, scales, strict=True):
        LOG.info("%s: scale %.2f", source.person, scale)
    pictures, seen = usual_pictures(spines, usual_mm, scales)
    parts = [
        part for n, spine in enumerate(spines)
        for part in parts_of_scans(atlas_of(spines[:n] + spines[n + 1 :]), spine, np.random.default_rng(n))
    ]  # fmt: skip
    temperature, table = fit_temperature(parts)
    LOG.info("%s", table)
    write(usual_mm, spread, usual_depths(spines, scales), pictures, seen, temperature)


def atlas_of(spines: list[Spine]) -> SpineAtlas:
    """The atlas of some people; a level that nobody of them shows is like no place of a spine."""
    usual_mm, scales, _ = usual_heights([spine.heights_mm() for spine in spines])
    pictures, seen = usual_pictures(spines, usual_mm, scales)
    depths, heights = usual_depths(spines, scales), np.array([usual_mm[level] for level in LEVELS])
    weights = seen * picture_weights()[None]
    return SpineAtlas(heights, np.array([depths[level] for level in LEVELS]), pictures.astype(np.float32), weights)


def read_spine(data: Path, source: Source) -> Spine:
    names = source.names(data)
    labels = read_volume(data / source.labels)
    made = Volume(_as_ct(labels.array_kji, names), labels.ijk_to_ras)
    hu_kji, ijk_to_ras = resample_to_grid(read_volume(data / source.scan) if source.scan else made, GRID)
    canal = [value for value, name in names.items() if name in ("spinal_cord", "spinal_canal")]
    middles = {}
    for value, name in names.items():
        level = name.removeprefix("vertebrae_")
        if name == level or level not in LEVELS or level in middles:
            continue
        if (middle := _body_middle(labels, value)) is not None:
            middles[level] = middle
    return Spine(centreline(_canal_points(labels, canal)), hu_kji, ijk_to_ras, middles)


def _as_ct(labels_kji: np.ndarray, names: dict[int, str]) -> np.ndarray:
    table = np.full(int(labels_kji.max()) + 1, TISSUE_HU, np.int16)
    table[0] = AIR_HU
    for value, name in names.items():
        if value < len(table) and name.startswith(BONES):
            table[value] = BONE_HU
    hu = table[labels_kji.astype(int)]
    body = ndimage.binary_closing(labels_kji > 0, iterations=BODY_CLOSING)
    return np.where((labels_kji == 0) & body, FAT_HU, hu).astype(np.int16)


def _canal_points(labels: Volume, values: list[int]) -> np.ndarray:
    """Middles (n,3) of the canal in layers of 6 mm, from below upwards."""
    positions = transform_points(labels.ijk_to_ras, np.argwhere(np.isin(labels.array_kji, values))[:, ::-1])
    layers = np.floor(positions[:, 2] / 6).astype(int)
    return np.array([positions[layers == layer].mean(axis=0) for layer in np.unique(layers)])


def _body_middle(labels: Volume, value: int) -> np.ndarray | None:
    """RAS mm (3,) of the body of a vertebra; None where too little of it is in the label map."""
    found = ndimage.find_objects((labels.array_kji == value).astype(np.uint8))
    if not found:
        return None
    box = found[0]
    mask = np.pad(labels.array_kji[box] == value, 1)
    spacing_kji = np.linalg.norm(labels.ijk_to_ras[:3, :3], axis=0)[::-1]
    cut = any(part.start == 0 or part.stop == size for part, size in zip(box, labels.array_kji.shape, strict=True))
    if cut and mask.sum() * spacing_kji.prod() / 1000 < LEAST_ML:
        return None
    depth = ndimage.distance_transform_edt(mask, sampling=spacing_kji)
    parts, amount = ndimage.label(depth >= CORE * depth.max())
    largest = 1 + int(np.argmax(ndimage.sum_labels(parts > 0, parts, range(1, amount + 1))))
    corner = np.array([part.start - 1 for part in box])
    return transform_points(labels.ijk_to_ras, (np.argwhere(parts == largest).mean(axis=0) + corner)[::-1])


def usual_heights(people: list[dict[str, float]]) -> tuple[dict[str, float], list[float], dict[str, float]]:
    """Heights of levels in mm for scale 1, the scale of each person, and the relative spread of distances below each
    level, from heights along the canal by level."""
    distances = [
        {(a, b): one[a] - one[b] for a, b in zip(LEVELS, LEVELS[1:], strict=False) if a in one and b in one}
        for one in people
    ]
    usual = dict(PRIOR_MM)
    scales: list[float] = []
    for _ in range(10):
        scales = [
            float(np.exp(np.mean([np.log(mm / ((usual[a] + usual[b]) / 2)) for (a, b), mm in one.items()])))
            for one in distances
        ]
        ratios = {
            level: [mm / scale / ((usual[a] + usual[b]) / 2) for one, scale in zip(distances, scales, strict=True)
                    for (a, b), mm in one.items() if level in (a, b)]
            for level in LEVELS
        }  # fmt: skip
        for level, some in ratios.items():
            if some:
                usual[level] *= np.mean(some) ** (0.5 * len(some) / (len(some) + PRIOR_PEOPLE))
    spread = {level: float(np.std(some)) for level, some in ratios.items() if len(some) > 2}
    return usual, scales, spread


def usual_depths(spines: list[Spine], scales: list[float]) -> dict[str, float]:
    """How far before the canal the middle of the body lies, in mm for scale 1."""
    depths: dict[str, list[float]] = {level: [] for level in LEVELS}
    for spine, scale in zip(spines, scales, strict=True):
        for level, height in spine.heights_mm().items():
            at, before = (spine.canal.places_ras([height], depth)[0] for depth in (0.0, 1.0))
            depths[level].append(float((spine.middles_ras[level] - at) @ (before - at)) / scale)
    usual = {level: float(np.median(some)) if some else USUAL_DEPTH_MM for level, some in depths.items()}
    return usual | {"C1": usual["C2"] + ARCH_MM}  # its thickest parts lie beside the canal


def usual_pictures(spines: list[Spine], usual_mm: dict[str, float], scales: list[float]):
    """Mean picture of every level and its mirror image, and where anybody was seen: (25,13,16,17) both."""
    total, seen = None, None
    for spine, scale in zip(spines, scales, strict=True):
        straight = straighten(spine.canal, spine.hu_kji, spine.ijk_to_ras)
        for level, height in spine.heights_mm().items():
            step = height / spine.canal.length_mm * (len(spine.canal.points_ras) - 1)
            values, mask = picture(straight, step, usual_mm[level] * scale, scale)
            if total is None:
                total, seen = np.zeros((2, len(LEVELS), *values.shape))
            for flip in (slice(None), slice(None, None, -1)):
                total[LEVELS.index(level)] += (values * mask)[:, :, flip]
                seen[LEVELS.index(level)] += mask[:, :, flip]
    return total / np.maximum(seen, 1), seen > 0


def write(usual_mm, spread, depths, pictures, seen, temperature: float) -> None:
    levels = {
        level: {"height_mm": round(usual_mm[level], 2), "spread": round(spread.get(level, 0.0), 3),
                "depth_mm": round(depths[level], 1)}
        for level in LEVELS
    }  # fmt: skip
    sources = [f"{source.person} ({source.licence})" for source in SOURCES]
    table = {
        "about": "Distance along the spinal canal from the middle of the disc above to that below (height_mm, its "
        "relative spread between people), and of the body before the canal (depth_mm), of a person of scale 1; "
        "temperature as in SpineAtlas. Made by scripts/build_spine_atlas.py.",
        "sources": sources,
        "temperature": temperature,
        "levels": levels,
    }
    with replacing(shipped_file("spine_levels.json")) as temporary:
        temporary.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    with replacing(shipped_file("spine_atlas.npz")) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(stream, pictures=np.rint(pictures * 255).astype(np.uint8), seen=seen)


if __name__ == "__main__":
    main()
