"""The embedding map: one latent code per voxel of its own coarse grid, with its place in the world."""
from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from anatembed.geometry import bounds_ras, check_affine, transform_points
from anatembed.maps.spine_hu import SpineHu
from anatembed.npz_file import UNREADABLE, save_arrays

FORMAT = "anatembed-map/2"
_EARLIER_FORMAT = "anatembed-map/1"
STEP = 2.0**-11
"""Codes are kept in multiples of it, as all float16 from 0.5 on are; smaller ones lose no more than those do by being
float16 (what that changes: scripts/benchmarks/map_storage.py)."""
HIGH_BYTES, LOW_BYTES = "codes_high", "codes_low"
MARKS = frozenset({LOW_BYTES, "features_ckji"})
"""An archive with one of these arrays is an embedding map, of this version or the earlier one."""
_MOST_STEPS = 2**15 - 1


def kept_voxels(body_kji: np.ndarray) -> np.ndarray:
    """Bool (K,J,I): the body and one voxel around it, which places at the skin are interpolated with."""
    kept = body_kji
    for axis in range(3):
        before = np.moveaxis(kept, axis, 0)
        grown = before.copy()
        grown[1:] |= before[:-1]
        grown[:-1] |= before[1:]
        kept = np.moveaxis(grown, 0, axis)
    return kept


def kept_codes(features_ckji: np.ndarray, body_kji: np.ndarray) -> np.ndarray:
    """Codes (C,K,J,I) as a map keeps them: float16 in multiples of STEP, 0 beyond the kept voxels."""
    kept = kept_voxels(body_kji)
    codes = np.zeros(features_ckji.shape, np.float16)
    for channel, values in zip(codes, features_ckji, strict=True):
        channel[kept] = np.rint(values[kept].astype(np.float32) / STEP) * STEP
    return codes


@dataclass(frozen=True)
class EmbeddingMap:
    """features_ckji: float16 (C,K,J,I) latent means; ijk_to_ras: 4x4, mm; body_kji: bool (K,J,I), inside the patient.

    encoder_id names the model: vectors of two models must not be compared. source: name, content_hash and modality
    of the scan. hu_kji: float16 (K,J,I), mean HU of the scan in each voxel; None in maps that were made without.
    spine_hu: HU around the spinal canal on the finer grid of the prepared scan, for counting levels; None without.
    """

    features_ckji: np.ndarray
    ijk_to_ras: np.ndarray
    encoder_id: str
    body_kji: np.ndarray
    source: dict = field(default_factory=dict)
    hu_kji: np.ndarray | None = None
    spine_hu: SpineHu | None = None

    def __post_init__(self):
        object.__setattr__(self, "ijk_to_ras", check_affine(self.ijk_to_ras))
        if self.features_ckji.ndim != 4 or 0 in self.features_ckji.shape:
            raise ValueError(f"expected features (C,K,J,I), got shape {self.features_ckji.shape}")
        if self.body_kji.shape != self.features_ckji.shape[1:]:
            raise ValueError(f"expected a body mask {self.features_ckji.shape[1:]}, got {self.body_kji.shape}")
        if self.hu_kji is not None and self.hu_kji.shape != self.features_ckji.shape[1:]:
            raise ValueError(f"expected HU {self.features_ckji.shape[1:]}, got {self.hu_kji.shape}")

    @property
    def shape_kji(self) -> tuple[int, int, int]:
        _, k, j, i = self.features_ckji.shape
        return k, j, i

    def ras_to_kji(self, positions_ras: np.ndarray) -> np.ndarray:
        """Voxel coordinates (N,3) in array order; ValueError for a position outside the scan."""
        positions = np.atleast_2d(np.asarray(positions_ras, np.float64))
        with np.errstate(invalid="ignore"):  # infinity becomes NaN and is refused below
            kji = transform_points(np.linalg.inv(self.ijk_to_ras), positions)[:, ::-1]
        inside = (kji >= -0.5).all(axis=1) & (kji <= np.array(self.shape_kji) - 0.5).all(axis=1)
        if not inside.all():
            where = ", ".join(f"{value:g}" for value in positions[~inside][0])
            low, high = bounds_ras(self.shape_kji, self.ijk_to_ras)
            ranges = ", ".join(f"{name} {a:.0f}..{b:.0f}" for name, a, b in zip("RAS", low, high, strict=True))
            raise ValueError(f"the point ({where}) lies outside the scan, which covers {ranges} mm")
        return kji

    def sample(self, positions_ras: np.ndarray) -> np.ndarray:
        """Latents (N,C) float32 at RAS positions (N,3), trilinear; ValueError outside the scan."""
        kji = np.clip(self.ras_to_kji(positions_ras), 0, np.array(self.shape_kji) - 1)
        low = np.minimum(np.floor(kji).astype(int), np.maximum(np.array(self.shape_kji) - 2, 0))
        fraction = kji - low
        total = np.zeros((len(kji), self.features_ckji.shape[0]), np.float32)
        for corner in np.ndindex(2, 2, 2):
            weight = np.prod(np.where(corner, fraction, 1 - fraction), axis=1)
            k, j, i = np.minimum(low + corner, np.array(self.shape_kji) - 1).T
            total += (weight[:, None] * self.features_ckji[:, k, j, i].T).astype(np.float32)
        return total

    def inside_body(self, positions_ras: np.ndarray) -> np.ndarray:
        """Whether RAS positions (N,3) lie in the patient: bool (N,); ValueError outside the scan."""
        from scipy import ndimage  # here, because saying what a map is needs no SciPy

        kji = self.ras_to_kji(positions_ras)
        return ndimage.map_coordinates(self.body_kji.astype(np.float32), kji.T, order=1, mode="nearest") >= 0.5

    def sample_hu(self, positions_ras: np.ndarray) -> np.ndarray | None:
        """Mean HU (N,) float32 around RAS positions (N,3), trilinear; ValueError outside the scan."""
        if self.hu_kji is None:
            return None
        from scipy import ndimage

        kji = self.ras_to_kji(positions_ras)
        return ndimage.map_coordinates(self.hu_kji.astype(np.float32), kji.T, order=1, mode="nearest")

    def latents(self, mask_kji: np.ndarray) -> np.ndarray:
        """Latents (N,C) float32 of the voxels in a mask, in array order."""
        return self.features_ckji[:, mask_kji].T.astype(np.float32)

    def save(self, path: Path | str) -> None:
        """Write as .npz, whole or not at all: the codes of `kept_voxels`, in multiples of STEP or, where they are
        larger than it allows in 16 bits, of the next power of two that does.

        ValueError for codes that are not finite; OSError leaves an existing file as it was.
        """
        channels = len(self.features_ckji)
        voxels = np.flatnonzero(kept_voxels(self.body_kji))
        codes = self.features_ckji.reshape(channels, -1).take(voxels, axis=1)
        most = max(float(codes.max(initial=0)), -float(codes.min(initial=0)))
        if not np.isfinite(most):
            raise ValueError("expected finite codes in an embedding map, got NaN or infinity")
        step = max(STEP, 2.0 ** math.ceil(math.log2(max(most, STEP) / _MOST_STEPS)))
        steps = np.empty(codes.shape, np.int16)
        for row, values in zip(steps, codes, strict=True):
            row[:] = np.rint(values.astype(np.float32) / step)
        header = {"format": FORMAT, "encoder_id": self.encoder_id, "source": self.source, "step": step}
        arrays = {
            "header": np.array(json.dumps(header)),
            "ijk_to_ras": self.ijk_to_ras,
            "shape_kji": np.array(self.shape_kji),
            "body_kji": np.packbits(self.body_kji),
            HIGH_BYTES: (steps >> 8).astype(np.int8),
            LOW_BYTES: (steps & 255).astype(np.uint8),
        }
        if self.hu_kji is not None:
            arrays["hu_kji"] = self.hu_kji
        if self.spine_hu is not None:
            arrays |= self.spine_hu.arrays()
        # In each channel neighbours have the same high bytes. The low ones are as noise, which cannot be compressed.
        save_arrays(path, compressed=arrays.keys() - {"header", LOW_BYTES}, **arrays)

    @classmethod
    def load(cls, path: Path | str) -> EmbeddingMap:
        """The map of a file, with codes of 0 beyond `kept_voxels`.

        FileNotFoundError if there is none, ValueError if it is damaged, something else or of an earlier version.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"expected an embedding map at {path}, found none")
        try:
            with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
                header = json.loads(str(file["header"]))
                if header.get("format") != _EARLIER_FORMAT:
                    return cls._of_arrays(header, file)
        except UNREADABLE as cause:
            raise ValueError(f"expected an embedding map, {path.name} is damaged or something else: {cause}") from cause
        raise ValueError(f"the embedding map {path.name} was written by an earlier version: embed the scan again")

    @classmethod
    def _of_arrays(cls, header: dict, file: Mapping[str, np.ndarray]) -> EmbeddingMap:
        """The map of what `save` wrote; one of UNREADABLE if it did not write that."""
        if header.get("format") != FORMAT:
            raise ValueError(f"its format is {header.get('format')!r}, not {FORMAT}")
        encoder_id, source, step = header["encoder_id"], header["source"], float(header["step"])
        if not isinstance(encoder_id, str) or not isinstance(source, dict) or not 0 < step < np.inf:
            raise ValueError("expected the model, the source and the step of the codes in its header")
        body = _unpacked(file["body_kji"], file["shape_kji"])
        features = _unstepped(file[HIGH_BYTES], file[LOW_BYTES], step, kept_voxels(body))
        hu = file.get("hu_kji")
        if hu is not None and (hu.dtype.kind != "f" or not np.isfinite(hu).all()):
            raise ValueError(f"expected finite HU, got {hu.dtype} or NaN or infinity")
        return cls(features, file["ijk_to_ras"], encoder_id, body, source, hu, SpineHu.of_arrays(file))


def _unpacked(bits: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """The body (K,J,I) of its packed bits."""
    if shape.shape != (3,) or shape.dtype.kind not in "iu" or shape.min() < 1:
        raise ValueError(f"expected three sizes as shape, got {shape.tolist()}")
    voxels = math.prod(shape.tolist())
    if bits.dtype != np.uint8 or bits.shape != (-(-voxels // 8),):
        raise ValueError(f"expected one bit for each of {voxels} voxels as body, got {bits.dtype} {bits.shape}")
    return np.unpackbits(bits, count=voxels).reshape(shape).astype(bool)


def _unstepped(high: np.ndarray, low: np.ndarray, step: float, kept_kji: np.ndarray) -> np.ndarray:
    """Codes (C,K,J,I) float16 of the bytes (C,N) of their steps."""
    voxels = np.flatnonzero(kept_kji)
    if (high.dtype, low.dtype) != (np.int8, np.uint8) or high.shape != low.shape or high.shape[1:] != voxels.shape:
        raise ValueError(
            f"expected high and low bytes of codes (C,{len(voxels)}), "
            f"got {high.dtype} {high.shape} and {low.dtype} {low.shape}"
        )
    features = np.zeros((len(low), kept_kji.size), np.float16)
    for channel, channel_high, channel_low in zip(features, high, low, strict=True):
        channel[voxels] = ((channel_high.astype(np.int16) << 8) | channel_low) * np.float32(step)
    return features.reshape(len(low), *kept_kji.shape)
