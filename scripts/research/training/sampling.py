"""Reading volumes at positions, and smooth noise; everything stays on the device of its arguments."""
from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

AIR_HU = -1000.0


def smooth_noise(shape: tuple[int, ...], cells: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Unit-variance noise (K,J,I) that varies over about shape/cells voxels, on the generator's device."""
    coarse = torch.randn((1, 1, *cells), generator=generator, device=generator.device)
    fine = functional.interpolate(coarse, size=shape, mode="trilinear", align_corners=False)[0, 0]
    return fine / fine.std().clamp_min(1e-3)


def nearest(volume: Tensor, voxels_kji: Tensor) -> Tensor:
    """Value at the nearest voxel, 0 beyond the volume: the volume's type, the positions' shape (K,J,I)."""
    index = voxels_kji.round().long()
    sizes = torch.tensor(volume.shape, device=volume.device)[:, None, None, None]
    inside = ((index >= 0) & (index < sizes)).all(dim=0)
    index = torch.minimum(index.clamp_min(0), sizes - 1)
    flat = (index[0] * volume.shape[1] + index[1]) * volume.shape[2] + index[2]
    return torch.where(inside, volume.reshape(-1)[flat], 0)


def trilinear(volume: Tensor, voxels_kji: Tensor, lookup: Tensor | None = None) -> Tensor:
    """HU by linear interpolation at (3,K,J,I) voxel coordinates, air beyond the volume.

    With `lookup` (n,) the volume holds indices into it, and the looked-up values are interpolated.
    """
    low = (voxels_kji.amin(dim=(1, 2, 3)).floor().long() - 1).clamp_min(0)
    sizes = torch.tensor(volume.shape, device=volume.device)
    high = torch.minimum(voxels_kji.amax(dim=(1, 2, 3)).ceil().long() + 2, sizes)
    if bool((high - low < 2).any()):
        return torch.full(voxels_kji.shape[1:], AIR_HU, device=volume.device)
    box = volume[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    box = (box.float() if lookup is None else lookup[box.long()]) - AIR_HU
    return sample(box[None], voxels_kji - low[:, None, None, None])[0] + AIR_HU


def sample(channels: Tensor, voxels_kji: Tensor, beyond: str = "zeros") -> Tensor:
    """Linear interpolation of (C,K,J,I) at (3,K',J',I') voxel coordinates: (C,K',J',I')."""
    size = torch.tensor(channels.shape[1:], device=channels.device)[:, None, None, None]
    grid = ((2 * voxels_kji + 1) / size - 1).flip(0).permute(1, 2, 3, 0)[None]
    return functional.grid_sample(channels[None], grid, align_corners=False, padding_mode=beyond)[0]
