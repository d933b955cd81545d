"""The same scan, seen differently: cut, thicker slices, another contrast, noise, mirrored. Geometry stays true."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from anatembed.geometry import spacing_mm, transform_points
from anatembed.scan.volume import Volume
from scipy import ndimage

AIR_HU = -1000.0


def cropped(volume: Volume, start_kji, stop_kji) -> Volume:
    """The voxels from `start_kji` up to `stop_kji`, at their old place in the world."""
    box = tuple(slice(int(a), int(b)) for a, b in zip(start_kji, stop_kji, strict=True))
    to_ras = volume.ijk_to_ras.copy()
    to_ras[:3, 3] = transform_points(volume.ijk_to_ras, [int(a) for a in start_kji][::-1])
    return replace(volume, array_kji=volume.array_kji[box], ijk_to_ras=to_ras)


def middle(volume: Volume, shares_kji=(0.6, 0.75, 0.75)) -> Volume:
    """The middle part of a scan, a little off centre."""
    size = np.array(volume.array_kji.shape)
    start = np.floor(size * (1 - np.array(shares_kji)) * 0.45)
    return cropped(volume, start, start + np.maximum(np.ceil(size * shares_kji), 1))


def axis_along(volume: Volume, world_axis: int) -> int:
    """Array axis (0 is K) whose direction has the largest part along R, A or S (0, 1, 2)."""
    unit = volume.ijk_to_ras[:3, :3] / spacing_mm(volume.ijk_to_ras)
    return 2 - int(np.argmax(np.abs(unit[world_axis])))


def slab(volume: Volume, share: float, slices: int) -> Volume:
    """`slices` neighbouring planes along S, their middle at `share` (0..1) of the height."""
    axis = axis_along(volume, 2)
    size = volume.array_kji.shape[axis]
    slices = min(slices, size)
    start, stop = np.zeros(3, int), np.array(volume.array_kji.shape)
    start[axis] = np.clip(round(share * size - slices / 2), 0, size - slices)
    stop[axis] = start[axis] + slices
    return cropped(volume, start, stop)


def thicker(volume: Volume, slice_mm: float = 8.0) -> Volume:
    """Neighbouring slices along S averaged to at least `slice_mm`; what does not fill a slice is left out."""
    axis = axis_along(volume, 2)
    factor = max(2, int(np.ceil(slice_mm / spacing_mm(volume.ijk_to_ras)[2 - axis])))
    size = volume.array_kji.shape[axis] // factor
    if size == 0:
        raise ValueError(f"expected at least {factor} slices, got {volume.array_kji.shape[axis]}")
    array = np.moveaxis(volume.array_kji, axis, 0)[: size * factor]
    mean = array.reshape(size, factor, *array.shape[1:]).mean(axis=1)
    to_old = np.eye(4)
    to_old[2 - axis, 2 - axis] = factor
    to_old[2 - axis, 3] = (factor - 1) / 2
    return _with(replace(volume, ijk_to_ras=volume.ijk_to_ras @ to_old), np.moveaxis(mean, 0, axis))


def mirrored(volume: Volume, world_axes: tuple[int, ...] = (0,)) -> Volume:
    """The picture reversed along R, A or S (0, 1, 2), the geometry kept: along R, a person with all on the other side;
    along two of them, one who is turned by 180 degrees."""
    flips = [axis_along(volume, axis) for axis in world_axes]
    return replace(volume, array_kji=np.flip(volume.array_kji, flips))


def mirrored_position(volume: Volume, position_ras, world_axes: tuple[int, ...] = (0,)) -> np.ndarray:
    """Where `mirrored` puts what was at a RAS position (3,), and whence it took what is there."""
    ijk = transform_points(np.linalg.inv(volume.ijk_to_ras), position_ras)
    for axis in (axis_along(volume, world_axis) for world_axis in world_axes):
        ijk[2 - axis] = volume.array_kji.shape[axis] - 1 - ijk[2 - axis]
    return transform_points(volume.ijk_to_ras, ijk)


def brighter(volume: Volume) -> Volume:
    """HU off by a wrong calibration: 5 % and 20 HU."""
    return _with(volume, volume.array_kji * 1.05 + 20.0)


def gamma(volume: Volume, exponent: float = 1.3) -> Volume:
    """A gamma curve over the soft tissues, from -160 to 240 HU."""
    share = np.clip((volume.array_kji + 160.0) / 400.0, 0, 1)
    return _with(volume, np.where((share > 0) & (share < 1), share**exponent * 400 - 160, volume.array_kji))


def enhanced(volume: Volume, gain: float = 1.0) -> Volume:
    """As if contrast had been given: what is above 20 HU is raised, the more the denser it was, by 130 HU at most."""
    return _with(volume, volume.array_kji + gain * np.clip(volume.array_kji - 20.0, 0, 130))


def noisy(volume: Volume, sd_hu: float = 40.0, seed: int = 0) -> Volume:
    """White noise, also in the air."""
    return _with(volume, volume.array_kji + np.random.default_rng(seed).normal(0, sd_hu, volume.array_kji.shape))


def blurred(volume: Volume, sigma_mm: float = 3.0) -> Volume:
    """A soft reconstruction kernel."""
    sigma_kji = (sigma_mm / spacing_mm(volume.ijk_to_ras))[::-1]
    return _with(volume, ndimage.gaussian_filter(volume.array_kji.astype(np.float32), sigma_kji))


CHANGES: dict[str, Callable[[Volume], Volume]] = {
    "wrong HU scale": brighter,
    "gamma": gamma,
    "enhancement": enhanced,
    "noise 40 HU": noisy,
    "blur 3 mm": blurred,
    "8 mm slices": thicker,
}


def _with(volume: Volume, array_kji: np.ndarray) -> Volume:
    """Other voxels, rounded to what a scanner stores and not below air."""
    low = min(AIR_HU, float(volume.array_kji.min()))
    return replace(volume, array_kji=np.rint(np.clip(array_kji, low, 32767)).astype(np.int16))
