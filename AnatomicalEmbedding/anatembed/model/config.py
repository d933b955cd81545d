"""What a model was trained with: its grid and window, and the shape of its network.

A leaf without SimpleITK, SciPy and torch: who reads a checkpoint or a map pays for none of them.
"""
from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True)
class PreprocessingConfig:
    """Grid and window of a model: isotropic `spacing_mm`, HU clipped to [`hu_min`, `hu_max`], shortest side allowed."""

    spacing_mm: float = 3.0
    hu_min: float = -1000.0
    hu_max: float = 1000.0
    min_extent_mm: float = 32.0

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int | float) or not math.isfinite(value):
                raise ValueError(f"expected a finite number as {field.name}, got {value!r}")
        if not self.spacing_mm > 0:
            raise ValueError(f"expected a positive spacing_mm, got {self.spacing_mm:g}")
        if not self.hu_min < self.hu_max:
            raise ValueError(f"expected hu_min below hu_max, got {self.hu_min:g} and {self.hu_max:g}")
        if self.min_extent_mm < 0:
            raise ValueError(f"expected min_extent_mm of 0 or more, got {self.min_extent_mm:g}")

    def to_dict(self) -> dict:
        """The four numbers by name, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> PreprocessingConfig:
        """The configuration of `to_dict`; ValueError for names that do not exist."""
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"expected only {[field.name for field in fields(cls)]}, got also {sorted(unknown)}")
        return cls(**values)


@dataclass(frozen=True)
class EncoderConfig:
    """Shape of the network; frozen, because it is stored in the checkpoint beside the weights."""

    channels: tuple[int, ...] = (48, 64, 128, 160, 224)
    latent: int = 48

    OUTPUT_STRIDE = 2

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> EncoderConfig:
        return cls(channels=tuple(values["channels"]), latent=int(values["latent"]))

    @property
    def total_stride(self) -> int:
        """Input voxels per voxel of the deepest level; input sizes are padded to a multiple of it."""
        return 2 ** len(self.channels)
