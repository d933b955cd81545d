"""People of whom only spine, ribs and pelvis are there, with any number of vertebrae, straight or bent, as a CT."""

from dataclasses import dataclass

import numpy as np
from anatembed.ask.levels.canal import Canal, centreline
from anatembed.ask.levels.spine_atlas import HEIGHT_SHARES, LEVELS, PICTURE_ANTERIOR_MM, PICTURE_RIGHT_MM, SpineAtlas
from anatembed.geometry import transform_points
from scipy import ndimage

LOOKS_LIKE = {"T13": "T12", "L6": "L5"}
USUAL = LEVELS[7:]
SOFT_HU, BONE_HU = 40.0, 420.0
FINE_MM = 1.0
MARGIN_MM = 12.0
RIB_FALL = 0.6
RIB_REACH_MM = {"T12": 75.0, "T13": 55.0}


@dataclass(frozen=True)
class SpinePhantom:
    """HU (K,J,I), ijk_to_ras, points (n,3) of the canal from below, and the RAS place in it of each vertebra."""

    hu_kji: np.ndarray
    ijk_to_ras: np.ndarray
    points_ras: np.ndarray
    middles_ras: dict[str, np.ndarray]

    @property
    def canal(self) -> Canal:
        return centreline(self.points_ras)

    def moved(self, matrix: np.ndarray) -> "SpinePhantom":
        """The same person elsewhere: world positions moved by a rigid 4x4 matrix."""
        middles = {name: transform_points(matrix, one) for name, one in self.middles_ras.items()}
        return SpinePhantom(self.hu_kji, matrix @ self.ijk_to_ras, transform_points(matrix, self.points_ras), middles)

    def stored_flipped(self, axes: tuple[int, ...]) -> "SpinePhantom":
        """The same person, with the array (K,J,I) stored the other way round along some axes."""
        ijk_to_ras = self.ijk_to_ras.copy()
        for axis in axes:
            ijk_to_ras[:3, 3] += ijk_to_ras[:3, 2 - axis] * (self.hu_kji.shape[axis] - 1)
            ijk_to_ras[:3, 2 - axis] *= -1
        return SpinePhantom(np.flip(self.hu_kji, axes), ijk_to_ras, self.points_ras, self.middles_ras)

    def mirrored(self) -> "SpinePhantom":
        """The mirror image of the person."""
        mirror = np.diag([-1.0, 1.0, 1.0, 1.0])
        points = transform_points(mirror, self.points_ras)
        middles = {name: transform_points(mirror, one) for name, one in self.middles_ras.items()}
        return SpinePhantom(self.hu_kji, mirror @ self.ijk_to_ras, points, middles)

    def resampled(self, spacing_mm: tuple[float, float, float]) -> "SpinePhantom":
        """The same person on a grid of other spacing (i, j, k)."""
        old = np.linalg.norm(self.ijk_to_ras[:3, :3], axis=0)
        factors = np.array(spacing_mm) / old
        size_kji = [int((n - 1) / f) + 1 for n, f in zip(self.hu_kji.shape, factors[::-1], strict=True)]
        blurred = ndimage.gaussian_filter(self.hu_kji, np.maximum(factors[::-1] - 1, 0) / 2)
        hu = ndimage.affine_transform(blurred, np.diag(factors[::-1]), output_shape=size_kji, order=1, mode="nearest")
        return SpinePhantom(hu, self.ijk_to_ras @ np.diag([*factors, 1.0]), self.points_ras, self.middles_ras)

    def cropped(self, low_s: float, high_s: float) -> "SpinePhantom":
        """Only what lies between two heights in S, of an upright person."""
        heights = self.ijk_to_ras[2, 3] + self.ijk_to_ras[2, 2] * np.arange(self.hu_kji.shape[0])
        kept = np.flatnonzero((heights >= low_s) & (heights <= high_s))
        ijk_to_ras = self.ijk_to_ras.copy()
        ijk_to_ras[2, 3] = heights[kept[0]]
        points = self.points_ras[(self.points_ras[:, 2] >= low_s) & (self.points_ras[:, 2] <= high_s)]
        middles = {name: one for name, one in self.middles_ras.items() if low_s <= one[2] <= high_s}
        return SpinePhantom(self.hu_kji[kept], ijk_to_ras, points, middles)


def spine_phantom(
    levels: tuple[str, ...] = USUAL, *, scale: float = 1.0, bend_mm: float = 0.0, kyphosis_mm: float = 15.0,
    spacing_mm: float = 3.0,
) -> SpinePhantom:  # fmt: skip
    """A person with these vertebrae from above downwards; `bend_mm` to the side (scoliosis) and to the back."""
    atlas = SpineAtlas.load()
    heights = {name: atlas.heights_mm[LEVELS.index(LOOKS_LIKE.get(name, name))] * scale for name in levels}
    below = np.cumsum([heights[name] for name in levels[::-1]]) - np.array([heights[name] / 2 for name in levels[::-1]])
    at = dict(zip(levels[::-1], below + MARGIN_MM, strict=True))
    length = sum(heights.values()) + 2 * MARGIN_MM
    rise = np.arange(0, length + 1, 4.0)
    turn = np.pi * rise / length
    canal = centreline(np.stack([bend_mm * np.sin(2 * turn), -kyphosis_mm * np.sin(turn), rise], axis=1))
    shape = tuple(int(np.ceil(mm / spacing_mm)) for mm in (length, 150, 210))
    ijk_to_ras = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    ijk_to_ras[:3, 3] = (-104.0, -85.0, 0.0)
    bone = np.zeros(shape, np.float32)
    for name in levels:
        _paint_picture(bone, ijk_to_ras, canal, at[name], heights[name], scale,
                       atlas.pictures[LEVELS.index(LOOKS_LIKE.get(name, name))])
        if name.startswith("T"):
            _paint_ribs(bone, ijk_to_ras, canal, at[name] + 0.2 * heights[name], RIB_REACH_MM.get(name, 81.0))
        if name == "S1":
            _paint_pelvis(bone, ijk_to_ras, canal, at[name] + 1.2 * heights[name])
    middles = {name: canal.places_ras([at[name]])[0] for name in levels}
    hu = SOFT_HU + bone * (BONE_HU - SOFT_HU)
    return SpinePhantom(hu.astype(np.float32), ijk_to_ras, canal.points_ras, middles)


def _paint(bone: np.ndarray, ijk_to_ras: np.ndarray, positions_ras: np.ndarray, values: np.ndarray) -> None:
    kji = np.rint(transform_points(np.linalg.inv(ijk_to_ras), positions_ras)[:, ::-1]).astype(int)
    inside = ((kji >= 0) & (kji < np.array(bone.shape))).all(axis=1)
    np.maximum.at(bone, tuple(kji[inside].T), values[inside])


def _paint_picture(bone, ijk_to_ras, canal, at: float, height: float, scale: float, picture: np.ndarray) -> None:
    """The middle height of a level's picture, drawn along the canal."""
    along = np.arange(-0.5, 0.5, FINE_MM / height)
    ahead = np.arange(PICTURE_ANTERIOR_MM[0], PICTURE_ANTERIOR_MM[-1], 2.0)
    aside = np.arange(PICTURE_RIGHT_MM[0], PICTURE_RIGHT_MM[-1] + 0.1, 2.0)
    grid = np.stack(np.meshgrid(along, ahead, aside, indexing="ij"), axis=-1).reshape(-1, 3)
    index = [np.interp(grid[:, n], axis, np.arange(len(axis)))
             for n, axis in enumerate((HEIGHT_SHARES, PICTURE_ANTERIOR_MM, PICTURE_RIGHT_MM))]  # fmt: skip
    values = ndimage.map_coordinates(picture, index, order=1)
    places = canal.places_ras(at + grid[:, 0] * height, grid[:, 1] * scale, grid[:, 2] * scale)
    _paint(bone, ijk_to_ras, places, values.astype(np.float32))


def _paint_ribs(bone, ijk_to_ras, canal, at: float, reach_mm: float) -> None:
    """A tube on each side that begins beside the canal and goes down and outwards."""
    for sign in (-1, 1):
        out = np.arange(22.0, reach_mm, 1.0)
        for rise in np.arange(-3.0, 4.0, 1.0):
            for depth in np.arange(-3.0, 4.0, 1.5):
                places = canal.places_ras(at + rise - RIB_FALL * (out - 22), depth - 8 - 0.1 * out, sign * out)
                _paint(bone, ijk_to_ras, places, np.full(len(places), 0.9, np.float32))


def _paint_pelvis(bone, ijk_to_ras, canal, top: float) -> None:
    """Wings of the sacrum and iliac bones, from the height of the last lumbar vertebra downwards."""
    for sign in (-1, 1):
        rise, out, depth = np.meshgrid(np.arange(0, top, 2.0), np.arange(24.0, 81.0, 2.0), np.arange(-24.0, 18.0, 2.0),
                                       indexing="ij")  # fmt: skip
        # The ilium reaches higher than the sacrum's wing; both are a shell with a gap between.
        shell = (rise < top - np.where(out < 48, 12, 0)) & ((out < 44) | ((out > 52) & (out < 74)))
        places = canal.places_ras(rise[shell], depth[shell], sign * out[shell])
        _paint(bone, ijk_to_ras, places, np.full(int(shell.sum()), 0.8, np.float32))
