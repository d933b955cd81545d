"""The structural term: from the codes of a few patches, without their coordinates, to where the person's organs lie.

In the manner of masked autoencoders (He et al. 2022) a transformer decoder reads a few visible codes and is asked
about the rest; what it predicts is not the image but what lies at a place, as a vector of the language space. Places
are given in the person's own millimetres about the body's origin, so size and pose must be read from the codes;
whatever lies near a visible patch is not asked for.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from research.training.subject import OUTSIDE, Subject

UNIT_MM = 100.0
QUERIES = 384
HIDDEN_BEYOND = 0.4
"""Units of 100 mm from every visible patch; a code of the encoder sees about that far in full detail."""
BOX_MARGIN = 0.5


@dataclass
class Layout:
    """Places about the body's origin in the crop's frame (RAS axes, units of 100 mm) and the labels that lie there.

    positions: float32 (Q,3); labels: int64 (Q,); middle: float32 (3,), where the middle of the crop lies; voxel: units
    of a voxel of the crop.
    """

    positions: Tensor
    labels: Tensor
    middle: Tensor
    voxel: float

    def places_of(self, crop_ijk: Tensor, shape_kji: tuple[int, int, int]) -> Tensor:
        """Positions (N,3) of IJK voxels (N,3) of the crop."""
        centre = (torch.tensor(shape_kji[::-1], device=crop_ijk.device) - 1) / 2
        return (crop_ijk - centre) * self.voxel + self.middle.to(crop_ijk.device)


class LayoutSampler:
    """Draws places all over one person who has a place in the body frame."""

    def __init__(self, subject: Subject):
        self.shape = np.array(subject.labels_kji.shape)
        self.spacing_mm = float(np.abs(subject.ijk_to_ras[0, 0]))
        to_body = subject.ras_to_body @ subject.ijk_to_ras
        self.origin_kji = np.linalg.inv(to_body)[:3, 3][::-1]
        self.labelled = np.argwhere(subject.labels_kji > OUTSIDE + 1)

    def draw(
        self, labels_kji: np.ndarray, matrix: np.ndarray, centre: np.ndarray, random: np.random.Generator
    ) -> Layout:
        """Places for a crop that shows person = matrix @ (crop - middle) + centre, all KJI voxels.

        Half of them are labelled voxels, half anywhere in the person's box and a margin about it. Above and below the
        box nothing is known; beside it there is air.
        """
        chosen = self.labelled[random.integers(len(self.labelled), size=QUERIES // 2)]
        margin = BOX_MARGIN * UNIT_MM / self.spacing_mm * np.array([0, 1, 1])
        anywhere = random.uniform(-margin, self.shape - 1 + margin, (QUERIES - len(chosen), 3))
        voxels = np.concatenate([chosen, anywhere])
        index = np.rint(voxels).astype(int)
        inside = ((index >= 0) & (index < self.shape)).all(axis=1)
        labels = np.full(len(index), OUTSIDE)
        labels[inside] = labels_kji[tuple(index[inside].T)]
        to_units = self.spacing_mm / UNIT_MM
        positions = (voxels - self.origin_kji) @ np.linalg.inv(matrix).T * to_units
        middle = np.linalg.inv(matrix) @ (centre - self.origin_kji) * to_units
        positions, middle = (torch.from_numpy(a[..., ::-1].astype(np.float32)) for a in (positions, middle))
        return Layout(positions, torch.from_numpy(labels), middle, to_units)


class LayoutDecoder(nn.Module):
    """Codes of visible patches (k,C) and places (Q,3) to vectors of the language space (Q,C).

    The codes come as a set, without coordinates; the places ask them by cross-attention.
    """

    def __init__(self, latent: int, width: int = 96, heads: int = 4, layers: int = 2, frequencies: int = 6):
        super().__init__()
        self.register_buffer("frequencies", 2.0 ** torch.arange(-3, frequencies - 3) * math.pi, persistent=False)
        self.tokens = nn.Linear(latent, width)
        self.places = nn.Sequential(nn.Linear(6 * frequencies, width), nn.ReLU(), nn.Linear(width, width))
        reader = nn.TransformerEncoderLayer(width, heads, 2 * width, dropout=0.0, batch_first=True, norm_first=True)
        self.reader = nn.TransformerEncoder(reader, 1, enable_nested_tensor=False)
        self.asking = nn.ModuleList(nn.MultiheadAttention(width, heads, batch_first=True) for _ in range(layers))
        self.thinking = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))
            for _ in range(layers)
        )
        self.answer = nn.Linear(width, latent)

    def forward(self, codes: Tensor, positions: Tensor) -> Tensor:
        angles = (positions[..., None] * self.frequencies).flatten(1)
        asked = self.places(torch.cat([angles.sin(), angles.cos()], dim=1))[None]
        known = self.reader(self.tokens(codes)[None])
        for ask, think in zip(self.asking, self.thinking, strict=True):
            asked = asked + ask(asked, known, known, need_weights=False)[0]
            asked = asked + think(asked)
        return self.answer(asked[0])


def hidden(positions: Tensor, visible: Tensor) -> Tensor:
    """bool (Q,): places that lie beyond HIDDEN_BEYOND of every visible patch; positions (Q,3), visible (k,3)."""
    return torch.cdist(positions, visible).amin(dim=1) > HIDDEN_BEYOND


def decoder_of(weights: dict[str, np.ndarray], latent: int) -> LayoutDecoder:
    """The decoder of a finished checkpoint (`Checkpoint.layout`) for codes of `latent` numbers."""
    decoder = LayoutDecoder(latent).eval()
    decoder.load_state_dict({name: torch.from_numpy(np.asarray(w, np.float32)) for name, w in weights.items()})
    return decoder


def ask(decoder: LayoutDecoder, codes: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Unit vectors (Q,C) of the language space that the codes (k,C) predict at places (Q,3), units of 100 mm."""
    known = torch.from_numpy(np.asarray(codes, np.float32))
    with torch.no_grad():
        parts = torch.from_numpy(np.asarray(places, np.float32)).split(8192)
        return torch.cat([functional.normalize(decoder(known, part), dim=1) for part in parts]).numpy()
