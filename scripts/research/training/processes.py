"""One process or several: what `torchrun` says about this one, and the device that it computes on."""
from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed


@dataclass(frozen=True)
class Processes:
    """This process among `count`, and its device; rank 0 writes files and logs."""

    rank: int
    count: int
    device: str

    @property
    def first(self) -> bool:
        return self.rank == 0


@contextmanager
def processes():
    """The processes that torchrun started, joined for as long as the context lasts; alone without torchrun."""
    rank, count, local = (int(os.environ.get(name, default)) for name, default in
                          (("RANK", 0), ("WORLD_SIZE", 1), ("LOCAL_RANK", 0)))
    device = f"cuda:{local}" if torch.cuda.is_available() else "cpu"
    if count > 1:
        distributed.init_process_group("nccl" if device != "cpu" else "gloo")
    try:
        yield Processes(rank, count, device)
    finally:
        if count > 1:
            distributed.destroy_process_group()


ALONE = Processes(0, 1, "cuda:0" if torch.cuda.is_available() else "cpu")
