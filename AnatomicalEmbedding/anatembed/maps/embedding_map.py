"""The embedding map: one latent code per voxel of its own coarse grid, with its place in the world."""
from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from anatembed.geometry import bounds_ras, check_affine, transform_points
from anatembed.npz_file import UNREADABLE, map_array, save_arrays

FORMAT = "anatembed-map/1"


@dataclass(frozen=True)
class EmbeddingMap:
    """features_ckji: float16 (C,K,J,I) latent means; ijk_to_ras: 4x4, mm; body_kji: bool (K,J,I), inside the patient.

    encoder_id names the model: vectors of two models must not be compared. source: name, content_hash and modality
    of the scan. hu_kji: float16 (K,J,I), mean HU of the scan in each voxel; None in maps that were made without.
    """

    features_ckji: np.ndarray
    ijk_to_ras: np.ndarray
    encoder_id: str
    body_kji: np.ndarray
    source: dict = field(default_factory=dict)
    hu_kji: np.ndarray | None = None

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
        return self.features_ckji.shape[1:]

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
        """Write as .npz under a temporary name, then rename; OSError leaves an existing file as it was."""
        header = json.dumps({"format": FORMAT, "encoder_id": self.encoder_id, "source": self.source})
        save_arrays(
            path,
            header=np.array(header),
            features_ckji=self.features_ckji,
            ijk_to_ras=self.ijk_to_ras,
            body_kji=np.packbits(self.body_kji),
            **({} if self.hu_kji is None else {"hu_kji": self.hu_kji}),
        )

    @classmethod
    def load(cls, path: Path | str, *, mapped: bool = False) -> EmbeddingMap:
        """The map of a file; FileNotFoundError if there is none, ValueError if it is damaged or something else.

        `mapped`: the features stay in the file, which must not be written to meanwhile; they are read when they are
        used, and shared with other programs. Replacing or deleting the file is safe; Windows forbids it.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"expected an embedding map at {path}, found none")
        try:
            with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
                header = json.loads(str(file["header"]))
                if header.get("format") != FORMAT:
                    raise ValueError(f"its format is {header.get('format')!r}, not {FORMAT}")
                features = map_array(stream, "features_ckji") if mapped else file["features_ckji"]
                body = np.unpackbits(file["body_kji"], count=features[0].size).reshape(features.shape[1:]).astype(bool)
                hu = file["hu_kji"] if "hu_kji" in file.files else None
                return cls(features, file["ijk_to_ras"], header["encoder_id"], body, header["source"], hu)
        except UNREADABLE as cause:
            raise ValueError(f"expected an embedding map, {path.name} is damaged or something else: {cause}") from cause
