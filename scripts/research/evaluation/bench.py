"""What every part of the evaluation works on: the held-out scans, prepared once, and one model's maps of them."""
from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from anatembed.ask.explorer import Explorer
from anatembed.geometry import transform_points
from anatembed.language.vocabulary import Vocabulary
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.model.checkpoint import Checkpoint
from anatembed.model.config import PreprocessingConfig
from anatembed.model.preprocessing import PreparedVolume, prepare
from anatembed.scan.volume import Volume

from research.evaluation.baselines import Lookup, Reference, affine_lookup, box_lookup
from research.evaluation.kept_maps import embed_once, loose
from research.evaluation.label_maps import LabelMap
from research.evaluation.truth import Case
from research.training.subject import Subject

LOG = logging.getLogger(__name__)
ANNOTATED = "annotated"
BOX, AFFINE = "body box lookup", "affine lookup"


@dataclass(frozen=True)
class Scan:
    """A held-out scan on the model's grid, with the baselines that relate it to the reference person."""

    case: Case
    prepared: PreparedVolume
    lookups: dict[str, Lookup]

    @property
    def person(self) -> str:
        return self.case.person


def read_scans(cases: Iterable[Case], config: PreprocessingConfig, reference: Reference) -> list[Scan]:
    """Prepare and register every case."""
    scans = []
    for case in cases:
        prepared = prepare(case.volume, config)
        lookups = {BOX: box_lookup(prepared, reference), AFFINE: affine_lookup(prepared, reference)}
        scans.append(Scan(case, prepared, lookups))
        LOG.info("%s: prepared and registered", case.person)
    return scans


@dataclass
class Bench:
    """One model and everything that it is tested on.

    labels: label maps by person, for those that have one; training: folder of the prepared training people;
    explorers: the embedded scans by person; reports: what the harness found, by system; kept: folder in which maps are
    kept for the next evaluation. Only the first model of an evaluation brings the baselines along.
    """

    name: str
    checkpoint: Checkpoint
    vocabulary: Vocabulary
    reference: Reference
    scans: list[Scan]
    labels: dict[str, LabelMap]
    training: Path
    with_baselines: bool = True
    explorers: dict[str, Explorer] = field(default_factory=dict)
    reports: dict[str, list] = field(default_factory=dict)
    kept: Path | None = None

    @property
    def trunks(self) -> list[Scan]:
        """The annotated scans."""
        return [scan for scan in self.scans if scan.case.group == ANNOTATED]

    def map(self, scan: Scan) -> EmbeddingMap:
        return self.explorers[scan.person].map

    def embed(self, volume: Volume) -> EmbeddingMap:
        """Embed a changed scan, whatever its extent."""
        return embed_once(volume, self.checkpoint, self.kept)

    def explore(self, volume: Volume) -> Explorer:
        return Explorer(self.embed(volume), self.checkpoint, self.vocabulary)

    def prepare(self, volume: Volume) -> PreparedVolume:
        """Prepare a changed scan, whatever its extent."""
        return prepare(volume, loose(self.checkpoint).preprocessing, force=True)

    def person(self, name: str) -> Subject:
        """A training person; FileNotFoundError says which file is missing."""
        path = self.training / f"{name}.npz"
        if not path.is_file():
            raise FileNotFoundError(f"expected the training person {name} at {path}: run prepare_data.py")
        return Subject.load(path)


def body_positions(embedding_map: EmbeddingMap, amount: int, seed: int = 0) -> np.ndarray:
    """RAS positions (N,3) of at most `amount` random voxels of the body, the same for the same seed."""
    kji = np.argwhere(embedding_map.body_kji)
    if len(kji) > amount:
        kji = kji[np.random.default_rng(seed).choice(len(kji), amount, replace=False)]
    return transform_points(embedding_map.ijk_to_ras, kji[:, ::-1])


def covered(embedding_map: EmbeddingMap, positions_ras: np.ndarray) -> np.ndarray:
    """Which positions (N,3) lie in the body of a map, on its grid: bool (N,)."""
    kji = transform_points(np.linalg.inv(embedding_map.ijk_to_ras), positions_ras)[:, ::-1]
    inside = ((kji >= 0) & (kji <= np.array(embedding_map.shape_kji) - 1)).all(axis=1)
    inside[inside] = embedding_map.inside_body(positions_ras[inside])
    return inside
