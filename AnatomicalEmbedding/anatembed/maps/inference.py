"""From a scan to its embedding map; the only use of torch at run time."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import convert_conv3d_weight_memory_format, fuse_conv_bn_eval

from anatembed.geometry import transform_points
from anatembed.maps.embedding_map import EmbeddingMap, kept_codes
from anatembed.maps.spine_hu import SpineHu, canal_probability, spine_hu
from anatembed.model.blocks import Blocks, blocks_within
from anatembed.model.checkpoint import Checkpoint
from anatembed.model.config import EncoderConfig
from anatembed.model.encoder import EmbeddingEncoder, network_input
from anatembed.model.memory_budget import memory_of, with_less_memory
from anatembed.model.preprocessing import PreparedVolume, prepare
from anatembed.model.readout import Readout
from anatembed.scan.volume import Volume

Progress = Callable[[str, float], None]

FULL_PRECISION = torch.float32
BYTES_PER_VOXEL = {torch.float32: 130, torch.bfloat16: 80, torch.float16: 80}
"""Peak memory of one pass per input voxel, rounded up from scripts/benchmarks/{blocks,embed}.py on CPU."""
MEMORY_SHARE = 0.6
"""Share of the free memory that one pass may fill."""
HALO_VOXELS = 128
"""Margin of a block in input voxels, four of the deepest level's. What lies farther hardly reaches the block: codes
with a standard deviation of 0.43 differ by 0.002 at most from one pass (scripts/benchmarks/blocks.py)."""


class Cancelled(Exception):  # noqa: N818 - not an error: the user asked for it
    """Raised by `embed` when its `cancelled` callback says so."""


def choose_device(device: str = "auto") -> torch.device:
    """CUDA, else Apple's MPS, else CPU for "auto"; ValueError for a device that this machine lacks."""
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if available[name]))
    if device not in available:
        raise ValueError(f"expected the device auto, cpu, cuda or mps, got {device!r}")
    if not available[device]:
        raise ValueError(f"this machine has no usable {device} device; choose auto or cpu")
    return torch.device(device)


def choose_precision(device: torch.device) -> torch.dtype:
    """Half precision where the hardware is faster at it: float16 on GPUs, bfloat16 on CPUs with matrix units."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device.type == "cpu" and _has_amx():
        return torch.bfloat16
    return torch.float32


def _has_amx() -> bool:
    check = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return bool(check and check())


def build_encoder(checkpoint: Checkpoint) -> EmbeddingEncoder:
    """The encoder in evaluation mode with batch normalisation folded into its convolutions.

    ValueError if the weights do not fit the configuration.
    """
    encoder = EmbeddingEncoder(EncoderConfig.from_dict(checkpoint.encoder_config))
    weights = {name: torch.from_numpy(np.asarray(value, np.float32)) for name, value in checkpoint.weights.items()}
    expected = encoder.state_dict()
    for name, value in expected.items():
        if name.endswith("num_batches_tracked"):
            weights.setdefault(name, value)
    try:
        encoder.load_state_dict(weights)
    except RuntimeError as cause:
        raise ValueError(f"the weights do not fit the encoder {checkpoint.encoder_config}: {cause}") from cause
    return fold_normalisation(encoder.eval())


def fold_normalisation(encoder: EmbeddingEncoder) -> EmbeddingEncoder:
    """Merge each batch normalisation into the convolution before it; the function stays the same."""
    pairs = (("conv", "norm"), ("first", "first_norm"), ("second", "second_norm"))
    for module in list(encoder.modules()):
        for conv, norm in pairs:
            if isinstance(getattr(module, norm, None), nn.BatchNorm3d):
                setattr(module, conv, fuse_conv_bn_eval(getattr(module, conv), getattr(module, norm)))
                setattr(module, norm, nn.Identity())
    return encoder


def placed(encoder: EmbeddingEncoder, device: torch.device) -> EmbeddingEncoder:
    """The encoder on a device, in the memory layout that is fast there."""
    return convert_conv3d_weight_memory_format(encoder.to(device), torch.channels_last_3d)


def free_memory(device: torch.device) -> int:
    """Bytes that can be allocated now."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        with open("/proc/meminfo") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable"))
    except (OSError, StopIteration):  # not Linux, or one of before 2014
        try:
            return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        except (ValueError, AttributeError):
            return 4 * 2**30


def release_memory(device: torch.device) -> None:
    """Give back what PyTorch keeps for later on a graphics processor."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def device_name(device: torch.device) -> str:
    """For people: the product name of a CUDA device, else the kind."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return {"mps": "Apple GPU", "cpu": "CPU"}[device.type]


def estimate_bytes(shape_kji: tuple[int, int, int], precision: torch.dtype) -> int:
    """Peak memory of embedding a prepared volume of this shape in one pass."""
    return int(np.prod(shape_kji)) * BYTES_PER_VOXEL[precision]


def embed(
    volume: Volume,
    checkpoint: Checkpoint,
    *,
    device: str = "auto",
    force: bool = False,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    max_bytes: int | None = None,
) -> EmbeddingMap:
    """Embed a CT: one pass when it fits into `max_bytes` (default: a share of the free memory), else in blocks.

    progress(stage, fraction 0..1) is called between steps; `cancelled()` is asked there and ends it by `Cancelled`.
    ValueError for what is not a CT (unless `force`), too small, or a device that is missing; NotEnoughMemory when the
    smallest blocks do not fit either.
    """
    report = _Reporter(progress, cancelled)
    chosen = choose_device(device)
    report("Preparing the scan", 0.0)
    with memory_of("cpu"):
        prepared = prepare(volume, checkpoint.preprocessing, force=force)
    report("Loading the model", 0.3)
    with memory_of(chosen.type):
        encoder = placed(build_encoder(checkpoint), chosen)
        precision = choose_precision(chosen)
        report("Embedding", 0.4)
        budget = max_bytes if max_bytes is not None else int(MEMORY_SHARE * free_memory(chosen))
        features = encode(
            prepared, encoder, precision, budget, lambda part: report("Embedding", 0.4 + 0.5 * part),
            smaller=lambda: report("Too little memory: trying again in smaller blocks", 0.4),
        )
    report("Finishing", 0.95)
    embedding_map = _to_map(features, prepared, volume, checkpoint)
    report("Done", 1.0)
    return embedding_map


class _Reporter:
    def __init__(self, progress: Progress | None, cancelled: Callable[[], bool] | None):
        self.progress, self.cancelled = progress, cancelled
        self.reached = 0.0

    def __call__(self, stage: str, fraction: float) -> None:
        if self.cancelled is not None and self.cancelled():
            raise Cancelled(stage)
        self.reached = max(self.reached, fraction)  # a second attempt does not move a bar backwards
        if self.progress is not None:
            self.progress(stage, self.reached)


def encode(
    prepared: PreparedVolume,
    encoder: EmbeddingEncoder,
    precision: torch.dtype,
    max_bytes: int,
    report: Callable[[float], None] = lambda part: None,
    halo: int = HALO_VOXELS,
    *,
    smaller: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """float16 latents (C,K/2,J/2,I/2) of a prepared volume, in blocks along S if one pass exceeds `max_bytes`.

    When memory runs out all the same, `smaller()` is told and it is tried again in smaller blocks.
    """
    hu, stride = prepared.array_kji, encoder.config.total_stride
    padded = _pad(hu, stride)
    sizes = tuple(-(-n // 2) for n in hu.shape)

    def release_and_tell() -> None:
        release_memory(next(encoder.parameters()).device)
        smaller()

    blocks = with_less_memory(
        lambda blocks: _in_blocks(encoder, padded, precision, blocks, report),
        plan_blocks(padded.shape, stride, precision, max_bytes, halo),
        Blocks.smaller,
        release_and_tell,
    )
    return _crop(blocks, sizes)


def plan_blocks(
    shape_kji: tuple[int, int, int], stride: int, precision: torch.dtype, max_bytes: int, halo: int = HALO_VOXELS
) -> Blocks:
    """The blocks in which a padded volume is encoded so that none exceeds `max_bytes`, if that is possible."""
    most = max_bytes // estimate_bytes((1, *shape_kji[1:]), precision)
    return blocks_within(shape_kji[0], most, halo, stride)


def _in_blocks(encoder: EmbeddingEncoder, hu: np.ndarray, precision: torch.dtype, blocks: Blocks, report) -> np.ndarray:
    parts = []
    shares = work_shares(encoder)
    for first, start, stop, last in blocks:
        done = iter(shares)

        def tell(*_layer, start=start, stop=stop, done=done) -> None:
            report((start + next(done, 1.0) * (stop - start)) / blocks.planes)

        with _after_every_convolution(encoder, tell):
            block = _forward(encoder, hu[first:last], precision)
        parts.append(block[:, (start - first) // 2 : (stop - first) // 2])
        report(stop / blocks.planes)
    return np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]


def work_shares(encoder: EmbeddingEncoder) -> list[float]:
    """What share of the multiplications is done after each convolution, in their order, up to 1: counted on the
    smallest scan, because the shares are those of every size."""
    counts: list[int] = []

    def count(layer: nn.Conv3d, _inputs, output: Tensor) -> None:
        counts.append(layer.weight.numel() * output[0, 0].numel())

    side = encoder.config.total_stride
    nothing = network_input(torch.zeros(1, side, side, side, device=next(encoder.parameters()).device))
    with _after_every_convolution(encoder, count), torch.inference_mode():
        encoder(nothing)
    return (np.cumsum(counts) / max(sum(counts), 1)).tolist()


@contextmanager
def _after_every_convolution(encoder: EmbeddingEncoder, call: Callable) -> Iterator[None]:
    """Within, `call(layer, inputs, output)` follows every convolution of the network; what it raises ends the pass."""
    hooks = [layer.register_forward_hook(call) for layer in encoder.modules() if isinstance(layer, nn.Conv3d)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def padded_shape(shape_kji: tuple[int, int, int], multiple: int) -> tuple[int, int, int]:
    """The shape that `encode` pads to: multiples of the stride, at least two of the deepest voxels a side."""
    k, j, i = (max(2 * multiple, -(-int(n) // multiple) * multiple) for n in shape_kji)
    return k, j, i


def _pad(hu: np.ndarray, multiple: int) -> np.ndarray:
    """Air behind the last voxels."""
    behind = [(0, w - n) for w, n in zip(padded_shape(hu.shape, multiple), hu.shape, strict=True)]
    return np.pad(hu, behind, constant_values=hu.min(initial=-1000))


def _crop(features: np.ndarray, sizes: tuple[int, int, int]) -> np.ndarray:
    k, j, i = sizes
    return np.ascontiguousarray(features[:, :k, :j, :i])


def _forward(encoder: EmbeddingEncoder, hu: np.ndarray, precision: torch.dtype) -> np.ndarray:
    device = next(encoder.parameters()).device
    x: Tensor = network_input(torch.from_numpy(np.ascontiguousarray(hu))[None].to(device))
    x = x.to(memory_format=torch.channels_last_3d)
    half = torch.autocast(device.type, dtype=precision) if precision != torch.float32 else nullcontext()
    with torch.inference_mode(), half:
        mean, _ = encoder(x)
    return mean[0].to(torch.float16).cpu().numpy()


def _to_map(features: np.ndarray, prepared: PreparedVolume, volume: Volume, checkpoint: Checkpoint) -> EmbeddingMap:
    """Attach geometry: map voxel o lies between prepared voxels 2 o and 2 o + 1 on each axis."""
    step = EncoderConfig.OUTPUT_STRIDE
    to_prepared = np.diag([step, step, step, 1.0])
    to_prepared[:3, 3] = (step - 1) / 2
    k, j, i = features.shape[1:]
    body = voxel_means(prepared.body_kji, (k, j, i), "constant") >= 0.5
    hu = voxel_means(prepared.array_kji, (k, j, i), "edge").astype(np.float16)
    source = {"name": volume.name, "content_hash": volume.content_hash, "modality": volume.modality}
    codes = kept_codes(features, body)
    ijk_to_ras = prepared.ijk_to_ras @ to_prepared
    spine = _spine_hu(codes, body, ijk_to_ras, prepared, checkpoint.readout)
    return EmbeddingMap(codes, ijk_to_ras, checkpoint.encoder_id, body, source, hu, spine)


def _spine_hu(
    codes: np.ndarray, body_kji: np.ndarray, ijk_to_ras: np.ndarray, prepared: PreparedVolume, readout: Readout
) -> SpineHu | None:
    """HU around the canal that the model sees in its own codes (C,K,J,I)."""
    probability = canal_probability(readout.unit_features(codes[:, body_kji].T), readout)
    if probability is None:
        return None
    positions = transform_points(ijk_to_ras, np.argwhere(body_kji)[:, ::-1])
    return spine_hu(prepared.array_kji, prepared.ijk_to_ras, positions, probability)


def voxel_means(
    array_kji: np.ndarray, shape_kji: tuple[int, int, int], beyond: Literal["constant", "edge"]
) -> np.ndarray:
    """Means (K,J,I) of the prepared voxels in each voxel of a map; `beyond` (np.pad) is what lies behind the last."""
    step = EncoderConfig.OUTPUT_STRIDE
    k, j, i = shape_kji
    behind = [(0, n * step - m) for n, m in zip(shape_kji, array_kji.shape, strict=True)]
    return np.pad(array_kji, behind, mode=beyond).reshape(k, step, j, step, i, step).mean(axis=(1, 3, 5))
