"""The encoder evaluated only where the loss asks: its last level, half of all its work, at sampled voxels.

The loss looks at a few thousand voxels of the embedding grid. The last convolution, its normalisation and the posterior
are computed for these alone, from the 27 neighbours of each; everything coarser is computed as in inference. The
statistics of the normalisation come from voxels drawn evenly over the crops, as they would from all of them: the voxels
of the loss are not drawn evenly.
"""
from __future__ import annotations

import torch
from anatembed.model.encoder import EmbeddingEncoder
from torch import Tensor, nn
from torch.nn import functional

STATISTICS = 4096
"""Voxels of a batch from which the last normalisation takes mean and variance."""


def sampled_posterior(
    encoder: EmbeddingEncoder, x: Tensor, rows: list[Tensor], random: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Mean and log-variance (sum of R,C) of the posterior at voxels of each crop, one crop after the other.

    x: network input (N,2,K,J,I); rows: for each crop int64 (R,), flat indices of its embedding grid (K/2,J/2,I/2).
    """
    coarse, fine = trunk(encoder, x)
    up = encoder.ups[0]
    voxels = fine[0, 0].numel()
    index = torch.cat([row + n * voxels for n, row in enumerate(rows)])
    if encoder.training:
        evenly = torch.randint(len(rows) * voxels, (STATISTICS,), generator=random).to(index.device)
        index = torch.cat([evenly, index])
    around = neighbourhoods(fine, up.reduce(coarse), index)
    kernel = up.conv.weight.permute(0, 2, 3, 4, 1).reshape(len(up.conv.weight), -1)
    y = functional.relu(normalised(up.norm, functional.linear(around, kernel)))[STATISTICS * encoder.training :]
    posterior = functional.linear(y, encoder.posterior.weight.flatten(1), encoder.posterior.bias)
    return posterior.chunk(2, dim=1)


def trunk(encoder: EmbeddingEncoder, x: Tensor) -> tuple[Tensor, Tensor]:
    """What the encoder's last level mixes: the coarser level (N,C',K/4,J/4,I/4) and the finest (N,C,K/2,J/2,I/2)."""
    levels = [encoder.stem(x)]
    for down, block in zip(encoder.downs[:-1], encoder.blocks[:-1], strict=True):
        levels.append(block(down(levels[-1])))
    with torch.autocast(x.device.type, enabled=False):  # as in the encoder itself
        y = encoder.blocks[-1](encoder.downs[-1](levels[-1].float()))
    for up in reversed(encoder.ups[1:]):
        y = up(y, levels.pop())
    return y, levels.pop()


def neighbourhoods(fine: Tensor, coarse: Tensor, index: Tensor) -> Tensor:
    """The sums (R,27*C) of both grids in the 3x3x3 voxels about each voxel, 0 beyond the border.

    fine (N,C,K,J,I); coarse (N,C,K/2,J/2,I/2); index (R,): flat indices over N, K, J and I.
    """
    size = fine.shape[2:]
    place = torch.stack(torch.unravel_index(index, (len(fine), *size)), dim=-1)
    steps = torch.tensor([(0, k, j, i) for k in (-1, 0, 1) for j in (-1, 0, 1) for i in (-1, 0, 1)])
    near = place[:, None] + steps.to(place.device)
    limits = torch.tensor(size, device=place.device)
    inside = ((near[..., 1:] >= 0) & (near[..., 1:] < limits)).all(dim=-1)
    near[..., 1:] = torch.minimum(near[..., 1:].clamp_min(0), limits - 1)
    half = torch.cat([near[..., :1], near[..., 1:] // 2], dim=-1)
    values = _rows(fine, near) + _rows(coarse, half)
    return (values * inside.reshape(-1, 1)).reshape(len(index), -1)


def _rows(grid: Tensor, places: Tensor) -> Tensor:
    """Vectors (P,C) of a grid (N,C,K,J,I) at places (...,4) of N, K, J and I."""
    n, c, k, j, i = grid.shape
    flat = ((places[..., 0] * k + places[..., 1]) * j + places[..., 2]) * i + places[..., 3]
    return grid.permute(0, 2, 3, 4, 1).reshape(-1, c).gather(0, flat.reshape(-1, 1).expand(-1, c))


def normalised(norm: nn.modules.batchnorm._BatchNorm, rows: Tensor) -> Tensor:
    """Batch normalisation of rows (R,C) that, in training, takes its statistics from the first STATISTICS of them."""
    rows = rows.float()
    if not norm.training:
        return functional.batch_norm(rows, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps)
    some = rows[:STATISTICS]
    mean, variance = some.mean(dim=0), some.var(dim=0, unbiased=False)
    with torch.no_grad():
        norm.running_mean.lerp_(mean, norm.momentum)
        norm.running_var.lerp_(variance, norm.momentum)
        norm.num_batches_tracked += 1
    return (rows - mean) * (variance + norm.eps).rsqrt() * norm.weight + norm.bias
