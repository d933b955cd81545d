"""In which precision the network is trained: what the machine is fast at, tried once before it is used."""
from __future__ import annotations

import logging
import time

import torch
from anatembed.maps.inference import choose_precision
from torch import nn

LOG = logging.getLogger(__name__)
TRIAL = (1, 32, 16, 24, 24)
"""Shape (N,C,K,J,I) of the trial: enough for the convolution routines that training uses, a moment in any precision."""


def training_precision(device: str) -> torch.dtype:
    """bfloat16 where the machine has units for it and a trial is no slower there than in float32, else float32.

    Without matrix units a CPU's bfloat16 convolutions take minutes a pass, so there it is not even tried. float16 would
    need scaled gradients: a device that is fast only at that trains in float32.
    """
    wanted = choose_precision(torch.device(device))
    if wanted != torch.bfloat16:
        LOG.info("precision: float32 on %s, which has no units for bfloat16", device)
        return torch.float32
    seconds = {dtype: trial_seconds(device, dtype) for dtype in (torch.float32, torch.bfloat16)}
    chosen = torch.bfloat16 if seconds[torch.bfloat16] <= seconds[torch.float32] else torch.float32
    times = ", ".join(f"{str(dtype).removeprefix('torch.')} {1000 * s:.0f} ms" for dtype, s in seconds.items())
    LOG.info("precision: %s on %s (trial: %s)", str(chosen).removeprefix("torch."), device, times)
    return chosen


def trial_seconds(device: str, dtype: torch.dtype) -> float:
    """Seconds of one convolution forwards and backwards under autocast to `dtype`, the better of two after one more;
    infinity where a gradient is not finite."""
    conv = nn.Conv3d(TRIAL[1], TRIAL[1], 3, padding=1).to(device, memory_format=torch.channels_last_3d)
    x = torch.randn(TRIAL, device=device).to(memory_format=torch.channels_last_3d)
    best = float("inf")
    for attempt in range(3):
        conv.zero_grad(set_to_none=True)
        began = time.perf_counter()
        with torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
            conv(x).float().square().mean().backward()
        if not torch.isfinite(conv.weight.grad).all():
            return float("inf")
        if attempt:
            best = min(best, time.perf_counter() - began)
    return best
