"""Training crops: a random view of a person, as a CT-like image made from labels or as an augmented real CT.

Spatial variation comes from one smooth map per crop (rotation, anisotropic scale, shear, elastic); images follow
SynthSeg's idea (Billot et al. 2023) of drawing the appearance of every structure at random, within CT's HU.
No mirroring: left and right are what the model must learn.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from anatembed.training.subject import OUTSIDE, UNNAMED, Subject
from anatembed.training.targets import Taxonomy
from anatembed.training.tissues import NAMES, TISSUES, draw_means, tissue_of
from anatembed.vocabulary import Vocabulary

AIR_HU = -1000.0


@dataclass(frozen=True)
class Variation:
    """How far crops vary; angles in degrees, lengths in voxels."""

    rotation: float = 8.0
    rotation_s: float = 12.0
    log_scale: float = 0.10
    log_scale_all: float = 0.12
    shear: float = 0.04
    elastic: float = 3.0
    free_appearance: float = 0.12
    cut_field_of_view: float = 0.4
    couch: float = 0.4


@dataclass
class Crop:
    """One training example; HU (K,J,I), canonical HU, label indices, and body coordinates (3,K,J,I)."""

    hu: Tensor
    canonical_hu: Tensor
    labels: Tensor
    body_coordinates: Tensor
    has_coordinates: bool
    has_canonical: bool


class CropSource:
    """A person with what the generator needs at hand: labels, CT, tissues and targets."""

    def __init__(self, subject: Subject, taxonomy: Taxonomy, vocabulary: Vocabulary):
        self.subject = subject
        self.labels = subject.labels_kji.astype(np.int16)
        self.ct = None if subject.ct_kji is None else torch.from_numpy(subject.ct_kji)
        self.targets = taxonomy.target_table(subject)
        named = [concepts[0] if concepts else "" for concepts in subject.label_concepts]
        self.concepts = [c or name for c, name in zip(named, subject.label_names, strict=True)]
        self.tissues = [tissue_of(c, vocabulary) if c else "soft" for c in named]
        self.tissues[OUTSIDE], self.tissues[UNNAMED] = "air", "fat"
        self.tissue_index = np.array([NAMES.index(t) for t in self.tissues], np.int16)
        self.centres = self._centres()

    def _centres(self) -> np.ndarray:
        """Candidate crop centres (n,3) KJI: half of them in labelled structures, each label alike."""
        named = np.argwhere(self.labels > UNNAMED)
        body = np.argwhere(self.labels == UNNAMED)
        rng = np.random.default_rng(0)
        groups = [group[rng.integers(len(group), size=4000)] for group in (named, body) if len(group)]
        return np.concatenate(groups[:1] * 3 + groups[1:])


def smooth_noise(shape: tuple[int, ...], cells: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Unit-variance noise (K,J,I) that varies over about shape/cells voxels."""
    coarse = torch.randn((1, 1, *cells), generator=generator)
    fine = functional.interpolate(coarse, size=shape, mode="trilinear", align_corners=False)[0, 0]
    return fine / fine.std().clamp_min(1e-3)


class CropGenerator:
    """Draws crops from people; every draw is decided by the generator's seed."""

    def __init__(self, sources: list[CropSource], weights: list[float], seed: int, variation: Variation | None = None):
        self.sources = sources
        self.weights = np.array(weights) / np.sum(weights)
        self.random = np.random.default_rng(seed)
        self.torch_random = torch.Generator().manual_seed(seed)
        self.variation = variation or Variation()

    def draw(self, shape: tuple[int, int, int]) -> tuple[int, Crop]:
        """A crop of `shape` (K,J,I) and the index of the person it shows."""
        which = int(self.random.choice(len(self.sources), p=self.weights))
        return which, self.crop(self.sources[which], shape)

    def crop(self, source: CropSource, shape: tuple[int, int, int]) -> Crop:
        voxels_kji = self._positions(source, shape)
        labels = _nearest(source.labels, voxels_kji)
        from_ct = source.ct is not None and (self.random.random() < 0.75 or len(source.subject.label_names) < 20)
        canonical_known = True
        if from_ct:
            real = _trilinear(source.ct, voxels_kji)
            hu, canonical = self._augment_real(real), real
        else:
            hu, canonical = self._synthesise(source, labels)
            canonical_known = source.ct is None
        self._cut(hu, canonical, labels)
        coordinates = torch.zeros(3, *shape)
        matrix = source.subject.ras_to_body
        if matrix is not None:
            to_body = torch.from_numpy((matrix @ source.subject.ijk_to_ras).astype(np.float32))
            flat = voxels_kji.flip(0).reshape(3, -1)
            coordinates = (to_body[:3, :3] @ flat + to_body[:3, 3:]).reshape(3, *shape)
        return Crop(hu, canonical.clamp(-1000, 1000), labels, coordinates, matrix is not None, canonical_known)

    def _positions(self, source: CropSource, shape: tuple[int, int, int]) -> Tensor:
        """Where each voxel of the crop lies in the person's grid: (3,K,J,I), KJI voxel coordinates."""
        v, random = self.variation, self.random
        angles = np.deg2rad(random.normal(0, (v.rotation / 2, v.rotation / 2, v.rotation_s / 2)))
        matrix = np.eye(3)
        for axis, angle in zip(((0, 1), (0, 2), (1, 2)), angles, strict=True):
            turn = np.eye(3)
            turn[axis[0], axis[0]] = turn[axis[1], axis[1]] = np.cos(angle)
            turn[axis[0], axis[1]], turn[axis[1], axis[0]] = -np.sin(angle), np.sin(angle)
            matrix = matrix @ turn
        scale = np.exp(random.normal(0, v.log_scale, 3) + random.normal(0, v.log_scale_all))
        matrix = matrix @ np.diag(scale) + random.normal(0, v.shear / 2, (3, 3)) * (1 - np.eye(3))
        matrix = torch.from_numpy(matrix.astype(np.float32))
        axes = [torch.arange(n, dtype=torch.float32) - (n - 1) / 2 for n in shape]
        grid = torch.stack(torch.meshgrid(*axes, indexing="ij"))
        centre = 0.0 + source.centres[random.integers(len(source.centres))] + random.normal(0, 6, 3)
        # A crop as wide as the body is centred on it more often than not: scans are.
        middle = (np.array(source.labels.shape) - 1) / 2
        centre[1:] = centre[1:] + (middle[1:] - centre[1:]) * random.uniform(0.2, 1.0, 2)
        cells = (5, 5, 5)
        elastic = torch.stack([smooth_noise(shape, cells, self.torch_random) for _ in range(3)])
        elastic *= float(random.uniform(0, v.elastic))
        moved = (matrix @ grid.reshape(3, -1)).reshape(3, *shape) + elastic
        return moved + torch.tensor(centre, dtype=torch.float32)[:, None, None, None]

    def _noise(self, shape: tuple[int, int, int], fineness: int) -> Tensor:
        return smooth_noise(shape, tuple(max(2, n // fineness) for n in shape), self.torch_random)

    def _synthesise(self, source: CropSource, labels: Tensor) -> tuple[Tensor, Tensor]:
        random, shape = self.random, tuple(labels.shape)
        freely = random.random() < self.variation.free_appearance
        means, textures = draw_means(source.concepts, source.tissues, random, freely)
        tissue = torch.from_numpy(source.tissue_index)[labels.long()]
        white = torch.randn(shape, generator=self.torch_random)
        mottle = self._noise(shape, 3)
        coarse = self._noise(shape, 10)
        spread = torch.from_numpy(textures)[labels.long()]
        hu = torch.from_numpy(means)[labels.long()] + spread * (0.5 * white + 0.6 * mottle + 0.3 * coarse)
        fat_only = float(random.uniform(0.3, 1.5))  # a high threshold is a fat person, a low one a muscular one
        unnamed = labels == UNNAMED
        patches = unnamed & (self._noise(shape, 6) > fat_only)
        hu[patches] = float(random.uniform(35, 65)) + 12 * white[patches]
        self._fill_bowel(hu, tissue, coarse, mottle)
        self._bone_rim(hu, tissue, random)
        lung = tissue == NAMES.index("lung")
        vessels = lung & (mottle > random.uniform(1.4, 2.2))
        hu[vessels] = float(random.uniform(-100, 100))
        canonical = torch.tensor([TISSUES[name].canonical for name in NAMES])[tissue.long()]
        self._couch(hu, labels)
        hu = self._acquire(hu)
        return hu, canonical

    def _fill_bowel(self, hu: Tensor, tissue: Tensor, coarse: Tensor, mottle: Tensor) -> None:
        """Gas, stool or oral contrast in the bowel, which label maps do not tell apart from its wall."""
        bowel = tissue == NAMES.index("bowel")
        content = coarse + 0.4 * mottle
        gas = bowel & (content > self.random.uniform(0.2, 2.0))
        hu[gas] = float(self.random.uniform(-1000, -700))
        if self.random.random() < 0.3:
            hu[bowel & (content < self.random.uniform(-1.5, 0.0))] = float(self.random.uniform(120, 400))

    def _bone_rim(self, hu: Tensor, tissue: Tensor, random: np.random.Generator) -> None:
        """Cortical bone: the outer voxels of a bone are denser than its inside."""
        bone = (tissue == NAMES.index("bone")).float()[None, None]
        inside = functional.avg_pool3d(bone, 3, 1, 1)[0, 0]
        rim = (bone[0, 0] > 0) & (inside < random.uniform(0.7, 0.95))
        hu[rim] += float(random.uniform(100, 450))

    def _couch(self, hu: Tensor, labels: Tensor) -> None:
        """A curved slab behind the patient, in air only."""
        if self.random.random() > self.variation.couch:
            return
        body_rows = torch.nonzero((labels > 0).any(dim=2).any(dim=0))
        if not len(body_rows):
            return
        row = int(body_rows[0]) - int(self.random.integers(1, 4))
        curve = torch.linspace(-1, 1, hu.shape[2]) ** 2 * float(self.random.uniform(-6, 6))
        rows = torch.arange(hu.shape[1])[:, None]
        slab = (rows <= row + curve) & (rows > row + curve - float(self.random.uniform(1, 6)))
        air = labels == OUTSIDE
        hu[air & slab[None]] = float(self.random.uniform(-900, 100))

    def _acquire(self, hu: Tensor) -> Tensor:
        """Blur of the scanner and the slice thickness, then noise."""
        random = self.random
        x = hu[None, None]
        smooth = functional.avg_pool3d(functional.pad(x, (1,) * 6, mode="replicate"), 3, 1)
        share = float(random.uniform(0, 0.8))
        x = (1 - share) * x + share * smooth
        x = self._thicken(x)
        noise = torch.randn(x.shape, generator=self.torch_random) * float(random.gamma(2, 10))
        return (x + noise + float(random.normal(0, 8)))[0, 0].clamp(-1024, 2000)

    def _thicken(self, x: Tensor) -> Tensor:
        """Slices of up to 9 mm: averaged along S and read back by linear interpolation."""
        thick = int(self.random.choice((1, 2, 3), p=(0.6, 0.28, 0.12)))
        if thick == 1:
            return x
        size = x.shape[2:]
        thin = functional.avg_pool3d(x, (thick, 1, 1), ceil_mode=True)
        return functional.interpolate(thin, size=size, mode="trilinear", align_corners=False)

    def _augment_real(self, hu: Tensor) -> Tensor:
        random = self.random
        x = hu[None, None].clone()
        if random.random() < 0.5:
            x = self._thicken(x)
        if random.random() < 0.3:
            share = float(random.uniform(0, 0.8))
            smooth = functional.avg_pool3d(functional.pad(x, (1,) * 6, mode="replicate"), 3, 1)
            x = (1 - share) * x + share * smooth
        x = x * float(random.normal(1, 0.05)) + float(random.normal(0, 12))
        if random.random() < 0.4:  # enhancement: soft tissue brighter than muscle is stretched
            bright = (x - 60).clamp(0, 200)
            x = x + bright * float(random.uniform(-0.6, 1.0))
        noise = torch.randn(x.shape, generator=self.torch_random) * float(random.gamma(1.5, 8))
        return (x + noise)[0, 0].clamp(-1024, 2000)

    def _cut(self, hu: Tensor, canonical: Tensor, labels: Tensor) -> None:
        """A scan that ends inside the crop: slices above or below, or all outside a reconstruction circle, are air."""
        random = self.random
        if random.random() > self.variation.cut_field_of_view:
            return
        gone = torch.zeros(labels.shape, dtype=torch.bool)
        if random.random() < 0.75:
            low, high = (int(random.uniform(0, 0.4) * labels.shape[0]) for _ in range(2))
            gone[:low] = True
            gone[labels.shape[0] - high :] = True
        else:
            rows, columns = (torch.linspace(-1, 1, n) for n in labels.shape[1:])
            circle = rows[:, None] ** 2 + columns[None] ** 2 > float(random.uniform(0.6, 1.3))
            gone |= circle[None]
        hu[gone] = AIR_HU
        canonical[gone] = AIR_HU
        labels[gone] = OUTSIDE


def _nearest(array: np.ndarray, voxels_kji: Tensor) -> Tensor:
    """Label at the nearest voxel, OUTSIDE beyond the array: int16 of the positions' shape."""
    index = voxels_kji.round().long()
    sizes = torch.tensor(array.shape)[:, None, None, None]
    inside = ((index >= 0) & (index < sizes)).all(dim=0)
    index = torch.minimum(index.clamp_min(0), sizes - 1)
    flat = (index[0] * array.shape[1] + index[1]) * array.shape[2] + index[2]
    return torch.where(inside, torch.from_numpy(array).reshape(-1)[flat], OUTSIDE)


def _trilinear(volume: Tensor, voxels_kji: Tensor) -> Tensor:
    """HU by linear interpolation, air beyond the volume."""
    low = (voxels_kji.amin(dim=(1, 2, 3)).floor().long() - 1).clamp_min(0)
    sizes = torch.tensor(volume.shape)
    high = torch.minimum(voxels_kji.amax(dim=(1, 2, 3)).ceil().long() + 2, sizes)
    if bool((high - low < 2).any()):
        return torch.full(voxels_kji.shape[1:], AIR_HU)
    box = volume[low[0] : high[0], low[1] : high[1], low[2] : high[2]].float() - AIR_HU
    size = torch.tensor(box.shape)[:, None, None, None]
    unit = (2 * (voxels_kji - low[:, None, None, None]) + 1) / size - 1
    grid = unit.flip(0).permute(1, 2, 3, 0)[None]
    return functional.grid_sample(box[None, None], grid, align_corners=False)[0, 0] + AIR_HU
