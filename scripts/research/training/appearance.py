"""What a crop looks like: an image painted from labels, or a real CT with another scanner's faults.

Painting follows SynthSeg's idea (Billot et al. 2023) of drawing the appearance of every structure at random, within
CT's HU. Noise, borders and tissue spread are as measured on real scans: a network can learn whatever an eye can tell.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from research.training.sampling import nearest, smooth_noise, trilinear
from research.training.subject import OUTSIDE, UNNAMED
from research.training.tissues import NAMES, TISSUES, draw_means

SOFTNESS = 2.5
"""How fast one tissue passes into the next where noise decides between them, per standard deviation."""


@dataclass(frozen=True)
class Variation:
    """How far crops vary; angles in degrees, lengths in voxels."""

    rotation: float = 8.0
    rotation_s: float = 12.0
    log_scale: float = 0.10
    log_scale_all: float = 0.12
    shear: float = 0.04
    elastic: float = 3.0
    free_appearance: float = 0.05
    cut_field_of_view: float = 0.5
    couch: float = 0.4


class Labelled(Protocol):
    """What of a person is painted: labels and flesh (K,J,I), and for every label its concept and tissue."""

    concepts: list[str]
    tissues: list[str]
    tissue_index: Tensor
    label_volume: Tensor
    flesh: Tensor


class Appearance:
    """Draws images by the random numbers of a generator, on its device."""

    def __init__(self, random: np.random.Generator, torch_random: torch.Generator, variation: Variation):
        self.random, self.torch_random, self.variation = random, torch_random, variation
        self.device = torch_random.device

    def _normal(self, shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape, generator=self.torch_random, device=self.device)

    def _noise(self, shape: tuple[int, ...], fineness: int) -> Tensor:
        return smooth_noise(shape, tuple(max(2, n // fineness) for n in shape), self.torch_random)

    def paint(self, source: Labelled, labels: Tensor, voxels_kji: Tensor) -> tuple[Tensor, Tensor]:
        """A CT-like image (K,J,I) of `labels`, which lie at `voxels_kji` (3,K,J,I) of the person, and canonical HU."""
        random, shape = self.random, tuple(labels.shape)
        freely = random.random() < self.variation.free_appearance
        means, textures = draw_means(source.concepts, source.tissues, random, freely)
        means, textures = (torch.from_numpy(values).to(self.device) for values in (means, textures))
        tissue = source.tissue_index[labels.long()]
        mottle, coarse = self._noise(shape, 3), self._noise(shape, 10)
        # Interpolated as a scan would be: partial volume at every border.
        hu = trilinear(source.label_volume, voxels_kji, means)
        hu += textures[labels.long()] * (0.3 * mottle + 0.3 * coarse)
        self._marble(hu, tissue == NAMES.index("muscle"), mottle, coarse)
        self._flesh(hu, labels == UNNAMED, nearest(source.flesh, voxels_kji) / 255)
        self._fill_bowel(hu, tissue == NAMES.index("bowel"), coarse + 0.4 * mottle)
        self._bone_rim(hu, tissue == NAMES.index("bone"))
        lung = tissue == NAMES.index("lung")
        self._blend(hu, lung, mottle - float(random.uniform(1.4, 2.2)), float(random.uniform(-100, 100)))
        canonical = torch.tensor([TISSUES[name].canonical for name in NAMES], device=self.device)[tissue]
        self._couch(hu, labels)
        return self._acquire(hu), canonical

    @staticmethod
    def _blend(hu: Tensor, where: Tensor, excess: Tensor, value: float) -> None:
        """Pass into `value` where `excess` is positive, softly."""
        hu += (excess * SOFTNESS).clamp(0, 1) * where * (value - hu)

    def _marble(self, hu: Tensor, muscle: Tensor, mottle: Tensor, coarse: Tensor) -> None:
        """Fat in muscle."""
        hu -= muscle * float(self.random.gamma(1.5, 12)) * (0.7 * mottle + 0.7 * coarse).clamp_min(0)

    def _flesh(self, hu: Tensor, unnamed: Tensor, near_bone: Tensor) -> None:
        """Muscle in tissue without a name, first of all near bone."""
        random = self.random
        fat_only = float(random.uniform(0.3, 1.5))  # a high threshold is a fat person, a low one a muscular one
        excess = self._noise(tuple(hu.shape), 6) + float(random.uniform(0, 4)) * near_bone - fat_only
        self._blend(hu, unnamed, excess, float(random.uniform(20, 60)))

    def _fill_bowel(self, hu: Tensor, bowel: Tensor, content: Tensor) -> None:
        """Gas, stool or oral contrast in the bowel, which label maps do not tell apart from its wall."""
        random = self.random
        self._blend(hu, bowel, 2 * (content - float(random.uniform(0.2, 2.0))), float(random.uniform(-1000, -700)))
        if random.random() < 0.3:
            self._blend(hu, bowel, float(random.uniform(-1.5, 0.0)) - content, float(random.uniform(120, 400)))

    def _bone_rim(self, hu: Tensor, bone: Tensor) -> None:
        """Cortical bone: the outer voxels of a bone are denser than its inside."""
        inside = _smooth(bone.float()[None, None])[0, 0]
        edge = float(self.random.uniform(0.75, 1.0))
        hu += bone * ((edge - inside) * 4).clamp(0, 1) * float(self.random.uniform(60, 400))

    def _couch(self, hu: Tensor, labels: Tensor) -> None:
        """A curved slab behind the patient, in air only, often with a light core."""
        if self.random.random() > self.variation.couch:
            return
        body_rows = torch.nonzero((labels > 0).any(dim=2).any(dim=0))
        if not len(body_rows):
            return
        row = int(body_rows[0]) - int(self.random.integers(1, 4))
        curve = torch.linspace(-1, 1, hu.shape[2], device=self.device) ** 2 * float(self.random.uniform(-6, 6))
        depth = row + curve - torch.arange(hu.shape[1], device=self.device)[:, None]
        thickness = float(self.random.uniform(1, 8))
        slab = (depth >= 0) & (depth < thickness)
        core = slab & (depth >= 1) & (depth < thickness - 1) & bool(self.random.random() < 0.6)
        air = labels == OUTSIDE
        hu[air & slab[None]] = float(self.random.uniform(-900, 100))
        hu[air & core[None]] = float(self.random.uniform(-980, -850))

    def _acquire(self, hu: Tensor) -> Tensor:
        """Blur of the scanner and the slice thickness, then noise."""
        share = float(self.random.uniform(0.1, 0.7))
        x = hu[None, None]
        x = self._thicken((1 - share) * x + share * _smooth(x))
        level = float(self.random.gamma(1.5, 3.5)) * (4.0 if self.random.random() < 0.07 else 1.0)
        return self._noisy(x + float(self.random.normal(0, 8)), level)

    def _noisy(self, x: Tensor, level: float) -> Tensor:
        """Noise of `level` HU in soft tissue, correlated over a voxel or so, and little of it in clipped air."""
        noise = self._normal(tuple(x.shape))
        share = float(self.random.uniform(0, 0.9))
        noise = (1 - share) * noise + share * 3 * _smooth(noise)
        quiet = ((x + 950) / 300).clamp(0.15, 1)
        return (x + level * noise / noise.std() * quiet)[0, 0].clamp(-1024, 2000)

    def _thicken(self, x: Tensor) -> Tensor:
        """Slices of up to 9 mm: averaged along S and read back by linear interpolation."""
        thick = int(self.random.choice((1, 2, 3), p=(0.6, 0.28, 0.12)))
        if thick == 1:
            return x
        size = x.shape[2:]
        thin = functional.avg_pool3d(x, (thick, 1, 1), ceil_mode=True)
        return functional.interpolate(thin, size=size, mode="trilinear", align_corners=False)

    def augment(self, hu: Tensor) -> Tensor:
        """A real CT (K,J,I) as another scanner and another contrast phase would have shown it."""
        random = self.random
        x = hu[None, None].clone()
        if random.random() < 0.5:
            x = self._thicken(x)
        if random.random() < 0.3:
            share = float(random.uniform(0, 0.8))
            x = (1 - share) * x + share * _smooth(x)
        x = x * float(random.normal(1, 0.05)) + float(random.normal(0, 12))
        if random.random() < 0.4:  # enhancement: soft tissue brighter than muscle is stretched
            x = x + (x - 60).clamp(0, 200) * float(random.uniform(-0.6, 1.0))
        return self._noisy(x, float(random.gamma(1.5, 5)))


def _smooth(x: Tensor) -> Tensor:
    """Mean of 3x3x3 voxels of (1,1,K,J,I); axis by axis, which is four times faster than pooling."""
    for axis in (2, 3, 4):
        size = x.shape[axis]
        wide = torch.cat([x.narrow(axis, 0, 1), x, x.narrow(axis, size - 1, 1)], dim=axis)
        x = (wide.narrow(axis, 0, size) + wide.narrow(axis, 1, size)).add_(wide.narrow(axis, 2, size)).div_(3)
    return x
