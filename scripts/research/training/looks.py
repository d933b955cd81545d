"""One scan as a model sees it in several looks, so that what it says by chance can be told from what it is sure of."""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from anatembed.ask.index import QueryIndex
from anatembed.geometry import spacing_mm, transform_points
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.maps.inference import embed
from anatembed.model.checkpoint import Checkpoint
from anatembed.model.readout import sigmoid
from anatembed.scan.volume import Volume
from scipy import ndimage

from research.training.body_frame import UNIT_MM
from research.training.subject import Subject

AGREEMENT_MM = 15.0
"""Largest distance of a view's body coordinate from the mean of the views."""
CUT_MARGIN_MM = 45.0
"""What is nearer to a face where a look cuts the scan is not judged by it: the model lacks the surroundings there."""
CHUNKS = 20


@dataclass(frozen=True)
class Look:
    """One way to present a scan: zoomed about its centre, with noise (HU), and only a part of its height (0..1)."""

    zoom: float = 1.0
    noise_hu: float = 0.0
    part: tuple[float, float] = (0.0, 1.0)


LOOKS = (Look(), Look(0.94, 20.0), Look(1.0, 0.0, (0.0, 0.62)), Look(1.04, 10.0, (0.38, 1.0)))


class View:
    """A scan as the model saw it in one look; positions are RAS mm of the scan itself."""

    def __init__(
        self,
        embedding_map: EmbeddingMap,
        checkpoint: Checkpoint,
        ras_to_view: np.ndarray | None = None,
        cut: tuple[bool, bool] = (False, False),
    ):
        """`cut`: whether the lowest and the highest slice of the map are where the look cuts the scan."""
        self.map, self.readout = embedding_map, checkpoint.readout
        self.index = QueryIndex(embedding_map, checkpoint.readout, checkpoint.encoder_id)
        self.ras_to_view = np.eye(4) if ras_to_view is None else ras_to_view
        self.margins = [CUT_MARGIN_MM / spacing_mm(embedding_map.ijk_to_ras)[2] * one for one in cut]

    def kji(self, positions_ras: np.ndarray) -> np.ndarray:
        to_ijk = np.linalg.inv(self.map.ijk_to_ras) @ self.ras_to_view
        return transform_points(to_ijk, positions_ras)[:, ::-1].T

    def covers(self, positions_ras: np.ndarray) -> np.ndarray:
        """Whether positions (N,3) lie in this view and not near a cut: bool (N,)."""
        kji, size = self.kji(positions_ras), np.array(self.map.shape_kji)[:, None]
        inside = ((kji >= -0.5) & (kji <= size - 0.5)).all(axis=0)
        below, above = self.margins
        return inside & (kji[0] >= below - 0.5) & (kji[0] <= size[0] - 0.5 - above)

    def sample(self, field_kji: np.ndarray, positions_ras: np.ndarray) -> np.ndarray:
        """Values (N,) of a field on the map's grid, trilinear."""
        return ndimage.map_coordinates(field_kji, self.kji(positions_ras), order=1, mode="nearest")

    def likely_concepts(self, probability: float) -> list[str]:
        """Concepts that are this probable somewhere by the code alone; rivals and place only make them less so."""
        unit = self.readout.unit_features(self.map.latents(self.map.body_kji))
        most = np.max([self.readout.logits(part).max(axis=0) for part in np.array_split(unit, CHUNKS)], axis=0)
        return [c for c, logit in zip(self.readout.concept_ids, most, strict=True) if sigmoid(logit) >= probability]

    @cached_property
    def coordinates_ckji(self) -> np.ndarray:
        """The model's body coordinates (3,K,J,I), units of 100 mm; outside the body those of the nearest body voxel."""
        body = self.map.body_kji
        field = np.zeros((3, *body.shape), np.float32)
        field[:, body] = self.readout.body_coordinates(self.map.latents(body)).T
        nearest = ndimage.distance_transform_edt(~body, return_distances=False, return_indices=True)
        return field[:, *nearest]


def look_at(subject: Subject, checkpoint: Checkpoint, look: Look, random: np.random.Generator) -> View:
    """Embed a person's CT in one look."""
    size = subject.ct_kji.shape[0]
    first, last = (round(part * size) for part in look.part)
    hu = subject.ct_kji[first:last].astype(np.float32)
    hu += look.noise_hu * random.standard_normal(hu.shape, np.float32) if look.noise_hu else 0
    start = np.eye(4)
    start[2, 3] = first
    centre = transform_points(subject.ijk_to_ras, (np.array(subject.ct_kji.shape[::-1]) - 1) / 2)
    ras_to_view = np.diag([look.zoom] * 3 + [1.0])
    ras_to_view[:3, 3] = centre - look.zoom * centre
    volume = Volume(hu, ras_to_view @ subject.ijk_to_ras @ start, "CT", subject.name)
    # Prepared people are CTs; what was cut off around them is filled, which a scan from outside may not be.
    return View(embed(volume, checkpoint, device="cpu", force=True), checkpoint, ras_to_view, (first > 0, last < size))


def agreement(views: list[View], positions: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Where (N,) all views that see a position, two at least, agree about its place in the body."""
    each = np.stack([np.stack([v.sample(f, positions) for f in v.coordinates_ckji], axis=1) for v in views])
    mean = (each * seen[..., None]).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)[:, None]
    apart = np.linalg.norm(each - mean, axis=2) * seen * UNIT_MM
    return seen[0] & (seen.sum(axis=0) > 1) & (apart.max(axis=0) < AGREEMENT_MM)
