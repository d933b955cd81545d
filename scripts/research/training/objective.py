"""What is minimised: every loss term of a batch of crops, each computed only if its weight is not zero."""
from __future__ import annotations

from dataclasses import dataclass

import torch
from anatembed.model.encoder import network_input
from torch import Tensor, nn
from torch.nn import functional

from research.training.layout import hidden
from research.training.losses import balanced_rows, distillation, gaussian_kl, masked_siglip, masked_softmax
from research.training.model import TrainingModel
from research.training.sampled_codes import sampled_posterior
from research.training.synthesis import Crop

TERMS = ("language", "softmax", "coordinate", "structure", "reconstruction", "kl", "distillation")
VISIBLE_PATCHES = (1, 2, 4, 8, 16)
MASK_BLOCK = 16


@dataclass
class Rows:
    """Sampled voxels of one crop: flat indices (N,) on the embedding grid, codes (N,C), and what is known of them."""

    index: Tensor
    mean: Tensor
    log_variance: Tensor
    labels: Tensor
    targets: Tensor


class Objective(nn.Module):
    """The model and its loss terms; `forward` is what several processes share (PyTorch's DistributedDataParallel).

    targets: one int8 (labels,K) table a person. focus: (K,K) weight of the pair (true concept, other concept).
    """

    def __init__(
        self, model: TrainingModel, targets: list[Tensor], focus: Tensor, voxels: int, mask_share: float,
        precision: torch.dtype = torch.float32,
    ):
        super().__init__()
        self.model, self.targets, self.focus = model, targets, focus
        self.voxels, self.mask_share, self.precision = voxels, mask_share, precision

    def forward(
        self, batch: list[tuple[int, Crop]], wanted: frozenset[str], teacher: TrainingModel | None,
        random: torch.Generator,
    ) -> tuple[dict[str, Tensor], Tensor]:
        """The terms of `wanted` that the batch can teach (scalars), and the codes (sum of N,C) that they come from."""
        device = self.focus.device
        distilled = [n for n, (_, crop) in enumerate(batch) if teacher is not None and crop.is_real]
        images = [
            block_mask(crop.hu, self.mask_share, random) if n in distilled else crop.hu
            for n, (_, crop) in enumerate(batch)
        ]
        chosen = [self._choose(crop, random) for _, crop in batch]
        indices = [index.to(device) for index, _ in chosen]
        codes = encode(self.model, torch.stack(images).to(device), indices, self.precision, random)
        parts = zip(*(part.float().split([len(index) for index in indices]) for part in codes), strict=True)
        sums: dict[str, list[Tensor]] = {}
        for n, ((which, crop), (mean, log_variance)) in enumerate(zip(batch, parts, strict=True)):
            rows = self._rows(which, indices[n], chosen[n][1], mean, log_variance)
            terms = {
                "language": lambda rows=rows: self._language(rows),
                "softmax": lambda rows=rows: self._softmax(rows),
                "coordinate": lambda rows=rows, crop=crop: self._coordinate(rows, crop),
                "structure": lambda rows=rows, crop=crop, which=which: self._structure(
                    rows, crop, self.targets[which], random
                ),
                "reconstruction": lambda rows=rows, crop=crop: self._reconstruction(rows, crop),
                "kl": lambda rows=rows: gaussian_kl(rows.mean, rows.log_variance).mean(),
            }
            for name in terms.keys() & wanted:
                value = terms[name]()
                if value is not None:
                    sums.setdefault(name, []).append(value)
            if n in distilled and "distillation" in wanted:
                sums.setdefault("distillation", []).append(self._distillation(rows, crop, teacher, random))
        return {name: torch.stack(values).mean() for name, values in sums.items()}, codes[0]

    def _choose(self, crop: Crop, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Voxels of the embedding grid, flat indices (N,), and the labels (N,) of one of the eight voxels in each."""
        offset = torch.randint(0, 2, (3,), generator=random)
        labels = crop.labels[offset[0] :: 2, offset[1] :: 2, offset[2] :: 2].reshape(-1)
        index = balanced_rows(labels.cpu(), self.voxels, random).to(labels.device)
        return index, labels[index].long()

    def _rows(self, which: int, index: Tensor, labels: Tensor, mean: Tensor, log_variance: Tensor) -> Rows:
        table = self.targets[which]
        targets = table[labels.to(table.device)].float()
        return Rows(index, mean, log_variance.clamp(-8, 4), labels.to(mean.device), targets)

    def _weights(self, targets: Tensor) -> Tensor:
        """Hard negatives: the other side of what is true counts more."""
        return 1 + ((targets > 0).float() @ (self.focus - 1)).clamp(0, float(self.focus.max()))

    def _language(self, rows: Rows) -> Tensor:
        model = self.model
        similarity = model.similarity(rows.mean)
        return masked_siglip(similarity, rows.targets, model.log_scale, model.bias, self._weights(rows.targets))

    def _softmax(self, rows: Rows) -> Tensor:
        return masked_softmax(self.model.similarity(rows.mean), rows.targets, self.model.log_scale, self.model.bias)

    def _coordinate(self, rows: Rows, crop: Crop) -> Tensor | None:
        body = rows.labels > 0
        if not crop.has_coordinates or not body.any():
            return None
        centres = functional.avg_pool3d(crop.body_coordinates[None], 2)[0].reshape(3, -1).T
        known = centres[rows.index.to(centres.device)].to(rows.mean.device)
        return functional.smooth_l1_loss(self.model.coordinates(rows.mean[body]), known[body], beta=0.2)

    def _structure(self, rows: Rows, crop: Crop, table: Tensor, random: torch.Generator) -> Tensor | None:
        body = torch.nonzero(rows.labels > 0)[:, 0]
        if crop.layout is None or not len(body):
            return None
        amount = VISIBLE_PATCHES[int(torch.randint(len(VISIBLE_PATCHES), (1,), generator=random))]
        visible = body[torch.randint(len(body), (amount,), generator=random).to(body.device)]
        size = tuple(n // 2 for n in crop.labels.shape)
        grid = torch.stack(torch.unravel_index(rows.index[visible], size), dim=1).flip(1)
        at = crop.layout.places_of(2.0 * grid + 0.5, tuple(crop.labels.shape))
        places = crop.layout.positions.to(at.device)
        asked = hidden(places, at)
        if not asked.any():
            return None
        codes = rows.mean[visible]
        targets = table[crop.layout.labels.to(table.device)[asked]].float()
        similarity = self.model.compare(self.model.layout(codes, places[asked]))
        return masked_siglip(similarity, targets, self.model.log_scale, self.model.bias, self._weights(targets))

    def _reconstruction(self, rows: Rows, crop: Crop) -> Tensor | None:
        if not crop.has_canonical:
            return None
        sample = rows.mean + torch.randn_like(rows.mean) * (0.5 * rows.log_variance).exp()
        blocks = octants(crop.canonical_hu).reshape(8, -1).T
        blocks = blocks[rows.index.to(blocks.device)].to(rows.mean.device) / 500
        return functional.smooth_l1_loss(self.model.decoder(sample), blocks)

    def _distillation(self, rows: Rows, crop: Crop, teacher: TrainingModel, random: torch.Generator) -> Tensor:
        """The teacher sees the scan itself, the student an augmented one with holes."""
        with torch.no_grad():
            seen = crop.canonical_hu[None].to(rows.mean.device)
            codes = encode(teacher, seen, [rows.index], self.precision, random)[0].float()
            theirs, place = teacher.logits(teacher.similarity(codes)), teacher.coordinates(codes)
        ours = self.model.logits(self.model.similarity(rows.mean))
        names = distillation(ours, theirs, rows.targets == 0)
        body = rows.labels > 0
        if crop.has_coordinates or not body.any():
            return names
        return names + functional.smooth_l1_loss(self.model.coordinates(rows.mean[body]), place[body], beta=0.2)


def encode(
    model: TrainingModel, hu: Tensor, rows: list[Tensor], precision: torch.dtype, random: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Mean and log-variance (sum of R,C) of HU (N,K,J,I) at voxels of each crop, in float32 or under autocast."""
    x = network_input(hu).to(memory_format=torch.channels_last_3d)
    with torch.autocast(hu.device.type, dtype=torch.bfloat16, enabled=precision == torch.bfloat16):
        return sampled_posterior(model.encoder, x, rows, random)


def block_mask(hu: Tensor, share: float, random: torch.Generator) -> Tensor:
    """HU (K,J,I) with about `share` of its blocks of MASK_BLOCK voxels replaced by one random value."""
    cells = torch.rand([-(-n // MASK_BLOCK) for n in hu.shape], generator=random) < share
    for axis in range(3):
        cells = cells.repeat_interleave(MASK_BLOCK, dim=axis)
    value = float(torch.empty(1).uniform_(-1000, 300, generator=random))
    return torch.where(cells[tuple(slice(n) for n in hu.shape)].to(hu.device), value, hu)


def octants(volume: Tensor) -> Tensor:
    """(K,J,I) to (8,K/2,J/2,I/2): the eight voxels below each embedding voxel."""
    k, j, i = (n // 2 for n in volume.shape)
    return volume.reshape(k, 2, j, 2, i, 2).permute(1, 3, 5, 0, 2, 4).reshape(8, k, j, i)
