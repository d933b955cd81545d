"""Does a device embed, and how long will a scan take: asked of the real encoder, on pieces that take a moment."""

import time
from dataclasses import dataclass

import numpy as np

from anatembed.geometry import axis_aligned_grid, check_affine
from anatembed.model.checkpoint import Checkpoint
from anatembed.model.preprocessing import PreparedVolume, prepare
from anatembed.scan.volume import Volume

PIECE_MM = 256.0
"""Longest side of the piece of a scan that is timed; of less, threads spend more time on waiting than in a scan."""
_TEST_VOXELS = 32
_FAILURES = (RuntimeError, MemoryError, AssertionError)
"""What PyTorch raises for a device that is broken or occupied, or that its build does not support."""
_MOST_DIFFERENCE = 0.1
"""Mean difference of right codes in any precision from those of the CPU, in standard deviations of a code."""


@dataclass(frozen=True)
class DeviceFacts:
    """kind: "cpu", "cuda" or "mps"; name: for people; free_bytes: memory that can be had now; problem: why it does
    not embed, "" if it does; seconds: estimate for the scan that was asked about, else None."""

    kind: str
    name: str
    free_bytes: int
    problem: str = ""
    seconds: float | None = None


def check_device(
    checkpoint: Checkpoint, device: str = "auto", shape_kji=None, spacing_mm=None, began: float | None = None
) -> DeviceFacts:
    """Facts of a device after a tiny computation on it, with an estimate if a scan's shape and spacing (i,j,k) come.

    The estimate includes the time since `began` (time.perf_counter()), in which PyTorch was started. ValueError for a
    device that this machine lacks and for a scan that cannot be.
    """
    from anatembed.maps import inference  # here, because importing torch is a part of the time

    scan = None if shape_kji is None else _scan_like(shape_kji, spacing_mm)
    chosen = inference.choose_device(device)
    try:
        name, free_bytes = inference.device_name(chosen), inference.free_memory(chosen)
        problem = _problem(checkpoint, chosen)
    except _FAILURES as error:
        failure = " ".join(str(error).split())[:300] or type(error).__name__
        return DeviceFacts(chosen.type, chosen.type, 0, f"a computation on it failed: {failure}")
    if problem or scan is None:
        return DeviceFacts(chosen.type, name, free_bytes, problem)
    started = 0.0 if began is None else time.perf_counter() - began
    seconds = round(started + _seconds(checkpoint, chosen, *scan), 1)
    return DeviceFacts(chosen.type, name, free_bytes, seconds=seconds)


def _problem(checkpoint: Checkpoint, device) -> str:
    """Why the encoder's codes on the device are not those of the CPU, in a sentence; "" if they are."""
    codes = _codes(checkpoint, device, _noise((_TEST_VOXELS,) * 3))
    expected = _codes(checkpoint, None, _noise((_TEST_VOXELS,) * 3))
    difference = np.abs(codes - expected).mean() / expected.std()
    # Written so that NaN is a problem too.
    return "" if difference < _MOST_DIFFERENCE else "a computation on it gave wrong numbers"


def _codes(checkpoint: Checkpoint, device, prepared: PreparedVolume) -> np.ndarray:
    """Codes (C,K/2,J/2,I/2) as the device computes them; without one, on the CPU in full precision."""
    from anatembed.maps import inference

    encoder = inference.build_encoder(checkpoint)
    if device is None:
        return inference.encode(prepared, encoder, inference.FULL_PRECISION, 2**62).astype(np.float64)
    encoder = inference.placed(encoder, device)
    return inference.encode(prepared, encoder, inference.choose_precision(device), 2**62).astype(np.float64)


def _seconds(checkpoint: Checkpoint, device, shape_kji: tuple[int, int, int], ijk_to_ras: np.ndarray) -> float:
    """The time of a piece of the scan, its preparation and its encoding each scaled by voxels."""
    from anatembed.maps import inference

    spacing = checkpoint.preprocessing.spacing_mm
    mm = np.diag(ijk_to_ras)[2::-1]
    piece_kji = np.minimum(shape_kji, np.ceil(np.maximum(PIECE_MM, checkpoint.preprocessing.min_extent_mm) / mm))
    piece = Volume(np.zeros(piece_kji.astype(int), np.int16), ijk_to_ras, "CT")
    prepare(piece, checkpoint.preprocessing, force=True)
    began = time.perf_counter()
    prepared = prepare(piece, checkpoint.preprocessing, force=True)
    preparing = (time.perf_counter() - began) * np.prod(np.divide(shape_kji, piece_kji))
    encoder = inference.placed(inference.build_encoder(checkpoint), device)
    precision, stride = inference.choose_precision(device), encoder.config.total_stride
    encodings = []
    for _ in range(2):  # the first one may also choose algorithms and fill caches
        began = time.perf_counter()
        inference.encode(_noise(prepared.array_kji.shape), encoder, precision, 2**62)
        encodings.append(time.perf_counter() - began)
    grid_kji, _ = axis_aligned_grid(shape_kji, ijk_to_ras, spacing)
    whole, timed = (inference.padded_shape(shape, stride) for shape in (grid_kji, prepared.array_kji.shape))
    budget = int(inference.MEMORY_SHARE * inference.free_memory(device))
    planes = inference.plan_blocks(whole, stride, precision, budget).computed
    return float(preparing + min(encodings) * planes * whole[1] * whole[2] / np.prod(timed))


def _scan_like(shape_kji, spacing_mm) -> tuple[tuple[int, int, int], np.ndarray]:
    """Shape and geometry of a scan of this shape and spacing (i,j,k); ValueError for an impossible one."""
    shape = tuple(int(size) for size in shape_kji)
    if len(shape) != 3 or min(shape) < 1:
        raise ValueError(f"expected three sizes of 1 or more as shape, got {list(shape)}")
    if spacing_mm is None or not np.all(np.asarray(spacing_mm) > 0):
        raise ValueError(f"expected the spacing of the voxels, three lengths above 0 mm, got {spacing_mm}")
    return shape, check_affine(np.diag([*spacing_mm, 1.0]))


def _noise(shape_kji) -> PreparedVolume:
    hu = np.random.default_rng(0).uniform(-1000, 1000, shape_kji).astype(np.float32)
    return PreparedVolume(hu, np.eye(4), np.ones(shape_kji, bool))
