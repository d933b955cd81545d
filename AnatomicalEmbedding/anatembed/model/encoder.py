"""The encoder network: a CT block in, the posterior of a latent code for every second voxel out."""
from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from anatembed.model.config import EncoderConfig


class ConvBlock(nn.Module):
    """Two 3x3x3 convolutions with batch normalisation and a residual connection; (N,C,K,J,I) to the same shape."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = nn.Conv3d(channels, channels, 3, padding=1, bias=False)
        self.first_norm = nn.BatchNorm3d(channels)
        self.second = nn.Conv3d(channels, channels, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm3d(channels)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.first_norm(self.first(x)), inplace=True)
        return functional.relu(x + self.second_norm(self.second(y)), inplace=True)


class Down(nn.Module):
    """A strided convolution that halves the grid, with batch normalisation; (N,C,K,J,I) to (N,C',K/2,J/2,I/2)."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 2):
        super().__init__()
        self.conv = nn.Conv3d(inputs, outputs, kernel, stride=2, padding=(kernel - 2) // 2, bias=False)
        self.norm = nn.BatchNorm3d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.norm(self.conv(x)), inplace=True)


class Up(nn.Module):
    """Adds the coarser level, upsampled by nearest neighbour, to the finer one and mixes them by a convolution."""

    def __init__(self, coarse: int, fine: int):
        super().__init__()
        self.reduce = nn.Conv3d(coarse, fine, 1)
        self.conv = nn.Conv3d(fine, fine, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm3d(fine)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        x = fine + functional.interpolate(self.reduce(coarse), scale_factor=2, mode="nearest")
        return functional.relu(self.norm(self.conv(x)), inplace=True)


class EmbeddingEncoder(nn.Module):
    """Maps HU scaled to [-1, 1] (N,2,K,J,I) to mean and log-variance (N,C,K/2,J/2,I/2) of the latent posterior.

    Sizes must be multiples of `config.total_stride`. Only local operations with fixed statistics in evaluation mode
    (no global pooling, no instance normalisation), so a block with enough margin gives what the whole volume gives.
    """

    def __init__(self, config: EncoderConfig):
        super().__init__()
        self.config = config
        widths = config.channels
        self.stem = Down(2, widths[0], kernel=4)
        self.downs = nn.ModuleList(Down(a, b) for a, b in zip(widths, widths[1:], strict=False))
        self.blocks = nn.ModuleList(ConvBlock(width) for width in widths[1:])
        self.ups = nn.ModuleList(Up(b, a) for a, b in zip(widths, widths[1:], strict=False))
        self.posterior = nn.Conv3d(widths[0], 2 * config.latent, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        levels = [self.stem(x)]
        for down, block in zip(self.downs[:-1], self.blocks[:-1], strict=True):
            levels.append(block(down(levels[-1])))
        # In full precision: bfloat16 weight gradients of convolutions over very few voxels come out infinite on CPUs
        # with matrix units (oneDNN), and this level is too small to cost anything.
        with torch.autocast(x.device.type, enabled=False):
            y = self.blocks[-1](self.downs[-1](levels[-1].float()))
        for up in reversed(self.ups):
            y = up(y, levels.pop())
        mean, log_variance = self.posterior(y).chunk(2, dim=1)
        return mean, log_variance


def network_input(hu: Tensor) -> Tensor:
    """Turn HU (N,K,J,I) into the two input channels (N,2,K,J,I): the whole range and a soft-tissue window."""
    whole = hu.clamp(-1000, 1000) / 1000
    soft = ((hu - 40) / 200).clamp(-1, 1)
    return torch.stack((whole, soft), dim=1)
