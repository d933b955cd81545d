"""Training crops: a random view of a person, as a CT-like image made from labels or as an augmented real CT.

Spatial variation comes from one smooth map per crop (rotation, anisotropic scale, shear, elastic); what the crop looks
like is drawn by `appearance`. No mirroring: left and right are what the model must learn.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from anatembed.language.vocabulary import Vocabulary
from scipy import ndimage
from torch import Tensor

from research.training.appearance import Appearance, Variation
from research.training.layout import Layout, LayoutSampler
from research.training.sampling import AIR_HU, nearest, sample, smooth_noise, trilinear
from research.training.subject import OUTSIDE, TISSUE_OF_LABEL, UNNAMED, Subject
from research.training.targets import Taxonomy
from research.training.tissues import NAMES, tissue_of

FLESH_REACH = 6.0
"""Voxels from bone over which the wall of the trunk and of the limbs is rather muscle than fat."""
CENTRES = 4000
"""Candidate crop centres of a person in what is named, and as many in what is not."""
SLAB_VOXELS = (12, 36)
"""Thickness of a slab: 36 to 108 mm."""
SIDE_SHARE = 0.3
"""How much of a crop's width or depth may be missing at each side of a scan of a part of the body."""


@dataclass
class Crop:
    """One training example; HU (K,J,I), canonical HU, label indices, and body coordinates (3,K,J,I).

    is_real: the HU come from a scan, and canonical_hu is that scan before augmentation. layout: the rest of the person,
    None where no landmark fixes the body's origin.
    """

    hu: Tensor
    canonical_hu: Tensor
    labels: Tensor
    body_coordinates: Tensor
    has_coordinates: bool
    has_canonical: bool
    is_real: bool
    layout: Layout | None


class CropSource:
    """A person with what the generator needs at hand, on `device`: labels, CT, tissues and targets."""

    def __init__(self, subject: Subject, taxonomy: Taxonomy, vocabulary: Vocabulary, device: str = "cpu"):
        self.subject = subject
        self.labels = subject.labels_kji.astype(np.int16)
        self.label_volume = torch.from_numpy(self.labels).to(device)
        self.ct = None if subject.ct_kji is None else torch.from_numpy(subject.ct_kji).to(device)
        self.warp = None if subject.body_warp is None else torch.from_numpy(subject.body_warp).to(device)
        self.targets = taxonomy.target_table(subject)
        named = [concepts[0] if concepts else "" for concepts in subject.label_concepts]
        self.concepts = [c or name for c, name in zip(named, subject.label_names, strict=True)]
        self.tissues = [tissue_of(c, vocabulary) if c else "soft" for c in named]
        self.tissues[OUTSIDE], self.tissues[UNNAMED] = "air", "fat"
        for index, name in enumerate(subject.label_names):
            self.tissues[index] = TISSUE_OF_LABEL.get(name, self.tissues[index])
        self.tissue_index = torch.tensor([NAMES.index(t) for t in self.tissues], device=device)
        self.device = device

    # What is slow to make waits for the first crop of the person that needs it: a run of many people starts at once.
    @cached_property
    def layout(self) -> LayoutSampler | None:
        """Places all over the person, None where no landmark fixes the body's origin."""
        return LayoutSampler(self.subject) if self.subject.ras_to_body is not None else None

    @cached_property
    def flesh(self) -> Tensor:
        """uint8 (K,J,I): how near bone is, 255 at bone, 0 from FLESH_REACH on: there unnamed tissue is muscle first."""
        bone = np.isin(self.labels, [n for n, tissue in enumerate(self.tissues) if tissue == "bone"])
        if not bone.any():
            return torch.zeros(bone.shape, dtype=torch.uint8, device=self.device)
        near = np.clip(1 - ndimage.distance_transform_edt(~bone) / FLESH_REACH, 0, 1)
        return torch.from_numpy((255 * near).astype(np.uint8)).to(self.device)

    @cached_property
    def centres(self) -> np.ndarray:
        """Candidate crop centres (n,3) KJI: three quarters in labelled structures, a label by the root of its size, so
        that a whole body is not mostly thighs."""
        named = np.argwhere(self.labels > UNNAMED)
        body = np.argwhere(self.labels == UNNAMED)
        rng = np.random.default_rng(0)
        groups = []
        if len(named):
            sizes = np.bincount(self.labels.ravel())
            share = 1 / np.sqrt(sizes[self.labels[tuple(named.T)]])
            groups.append(named[rng.choice(len(named), CENTRES, p=share / share.sum())])
        if len(body):
            groups.append(body[rng.integers(len(body), size=CENTRES)])
        return np.concatenate(groups[:1] * 3 + groups[1:])


class CropGenerator:
    """Draws crops from people on the device of `sources`; every draw is decided by the generator's seed."""

    def __init__(self, sources: list[CropSource], weights: list[float], seed: int, variation: Variation | None = None):
        self.sources = sources
        self.weights = np.array(weights) / np.sum(weights)
        self.random = np.random.default_rng(seed)
        self.device = sources[0].label_volume.device
        self.torch_random = torch.Generator(self.device).manual_seed(seed)
        self.variation = variation or Variation()

    def draw(self, shape: tuple[int, int, int]) -> tuple[int, Crop]:
        """A crop of `shape` (K,J,I) and the index of the person it shows."""
        which = int(self.random.choice(len(self.sources), p=self.weights))
        return which, self.crop(self.sources[which], shape)

    def crop(self, source: CropSource, shape: tuple[int, int, int]) -> Crop:
        voxels_kji, matrix, origin = self._positions(source, shape)
        labels = nearest(source.label_volume, voxels_kji)
        appearance = Appearance(self.random, self.torch_random, self.variation)
        from_ct = source.ct is not None and (self.random.random() < 0.75 or len(source.subject.annotated) < 20)
        canonical_known = True
        if from_ct:
            real = trilinear(source.ct, voxels_kji)
            hu, canonical = appearance.augment(real), real
        else:
            hu, canonical = appearance.paint(source, labels, voxels_kji)
            canonical_known = source.ct is None
        self._cut(hu, canonical, labels)
        layout = source.layout and source.layout.draw(source.labels, matrix, origin, self.random)
        known = source.subject.ras_to_body is not None
        coordinates = _body_coordinates(source, voxels_kji) if known else torch.zeros_like(voxels_kji)
        return Crop(
            hu, canonical.clamp(-1000, 1000), labels, coordinates, known, canonical_known, from_ct, layout
        )

    def _positions(self, source: CropSource, shape: tuple[int, int, int]) -> tuple[Tensor, np.ndarray, np.ndarray]:
        """Where each voxel of the crop lies in the person's grid: (3,K,J,I), KJI voxel coordinates; and the same map
        without its elastic part: person = matrix @ (crop - (shape - 1) / 2) + centre."""
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
        axes = [torch.arange(n, dtype=torch.float32, device=self.device) - (n - 1) / 2 for n in shape]
        grid = torch.stack(torch.meshgrid(*axes, indexing="ij"))
        centre = 0.0 + source.centres[random.integers(len(source.centres))] + random.normal(0, 6, 3)
        # A crop as wide as the body is centred on it more often than not: scans are.
        middle = (np.array(source.labels.shape) - 1) / 2
        centre[1:] = centre[1:] + (middle[1:] - centre[1:]) * random.uniform(0.2, 1.0, 2)
        cells = (5, 5, 5)
        elastic = torch.stack([smooth_noise(shape, cells, self.torch_random) for _ in range(3)])
        elastic *= float(random.uniform(0, v.elastic))
        linear = torch.from_numpy(matrix.astype(np.float32)).to(self.device)
        moved = (linear @ grid.reshape(3, -1)).reshape(3, *shape) + elastic
        shift = torch.tensor(centre, dtype=torch.float32, device=self.device)
        return moved + shift[:, None, None, None], matrix, centre

    def _cut(self, hu: Tensor, canonical: Tensor, labels: Tensor) -> None:
        """A scan that ends inside the crop: what one of FIELDS_OF_VIEW, drawn by its share, leaves out is air."""
        random = self.random
        if random.random() > self.variation.cut_field_of_view:
            return
        fields, shares = zip(*FIELDS_OF_VIEW, strict=True)
        field = fields[int(random.choice(len(fields), p=shares))]
        gone = torch.zeros(labels.shape, dtype=torch.bool, device=self.device)
        field(gone, random)
        hu[gone] = AIR_HU
        canonical[gone] = AIR_HU
        labels[gone] = OUTSIDE


def _ends(gone: Tensor, random: np.random.Generator) -> None:
    """Slices above and below."""
    low, high = (int(random.uniform(0, 0.4) * len(gone)) for _ in range(2))
    gone[:low] = True
    gone[len(gone) - high :] = True


def _circle(gone: Tensor, random: np.random.Generator) -> None:
    """All outside a reconstruction circle."""
    rows, columns = (torch.linspace(-1, 1, n, device=gone.device) for n in gone.shape[1:])
    gone |= (rows[:, None] ** 2 + columns[None] ** 2 > float(random.uniform(0.6, 1.3)))[None]


def _slab(gone: Tensor, random: np.random.Generator) -> None:
    """All but a slab across one of the axes, axial ones as often as the other two."""
    axis = int(random.choice(3, p=(0.5, 0.25, 0.25)))
    size = gone.shape[axis]
    thickness = min(size, int(random.integers(*SLAB_VOXELS)))
    first = int(random.integers(size - thickness + 1))
    along = torch.arange(size, device=gone.device)
    shape = [-1 if n == axis else 1 for n in range(3)]
    gone |= ((along < first) | (along >= first + thickness)).reshape(shape)


def _sides(gone: Tensor, random: np.random.Generator) -> None:
    """What lies beside, before and behind a part of the body, as in scans of the spine or of a limb."""
    for axis in (1, 2):
        low, high = (int(random.uniform(0, SIDE_SHARE) * gone.shape[axis]) for _ in range(2))
        gone.narrow(axis, 0, low).fill_(True)
        gone.narrow(axis, gone.shape[axis] - high, high).fill_(True)


FIELDS_OF_VIEW = ((_ends, 0.4), (_circle, 0.2), (_slab, 0.25), (_sides, 0.15))
"""What may be missing of a view, with the share of each among those that miss something."""


def _affine(matrix: np.ndarray, voxels_kji: Tensor) -> Tensor:
    """A 4x4 of IJK (or RAS) applied to KJI voxel coordinates (3,K,J,I): (3,K,J,I) in the target's axis order."""
    on = torch.from_numpy(matrix.astype(np.float32)).to(voxels_kji.device)
    flat = voxels_kji.flip(0).reshape(3, -1)
    return (on[:3, :3] @ flat + on[:3, 3:]).reshape(voxels_kji.shape)


def _body_coordinates(source: CropSource, voxels_kji: Tensor) -> Tensor:
    """Body coordinates (3,K,J,I), units of 100 mm, of voxels of the person's grid."""
    subject = source.subject
    coordinates = _affine(subject.ras_to_body @ subject.ijk_to_ras, voxels_kji)
    if source.warp is not None:
        lattice = _affine(np.linalg.inv(subject.warp_to_ras) @ subject.ijk_to_ras, voxels_kji).flip(0)
        coordinates = coordinates + sample(source.warp, lattice, beyond="border")
    return coordinates
