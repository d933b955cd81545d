"""Is the embedding deterministic: twice, in blocks, with more threads, in another precision?"""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from anatembed.maps.inference import HALO_VOXELS, build_encoder, choose_precision, encode, estimate_bytes
from anatembed.model.encoder import EmbeddingEncoder
from anatembed.model.preprocessing import PreparedVolume
from anatembed.model.readout import Readout

from research.evaluation.bench import Bench
from research.evaluation.codes import unit_rows
from research.evaluation.section import Section

ENDLESS = 2**62
BLOCK_VOXELS = 96
SAMPLES = 5000

TEXT = (
    "The smallest annotated scan, embedded again under the same and under other conditions; for blocks the smallest "
    "scan of all, mirrored to a body so long that blocks are needed. *Largest difference* of any number of a code in "
    "the body, with the standard deviation of codes beside it; *names changed*: body voxels whose most probable "
    "structure is another one."
)


def repeatability(bench: Bench) -> Section:
    """Differences between ways to embed the same scan."""
    encoder = build_encoder(bench.checkpoint).to(memory_format=torch.channels_last_3d)
    trunk, small = (min(scans, key=lambda one: one.prepared.array_kji.size) for scans in (bench.trunks, bench.scans))
    found = {}
    for name, body, expected, other in [*_conditions(trunk.prepared, encoder), _blocks(small.prepared, encoder)]:
        rows = (features[:, body[::2, ::2, ::2]].astype(np.float32).T for features in (expected, other))
        found |= differences(name, *rows, bench.checkpoint.readout)
    found["standard deviation of codes"] = float(bench.map(trunk).latents(bench.map(trunk).body_kji).std())
    return Section("repeatability", "Property 4: deterministic", TEXT, {bench.name: found})


def _conditions(prepared: PreparedVolume, encoder: EmbeddingEncoder) -> Iterator[tuple]:
    """Name, body, and two arrays of latents (C,K,J,I) that should be the same."""
    usual, body = choose_precision(torch.device("cpu")), prepared.body_kji
    first = encode(prepared, encoder, usual, ENDLESS)
    yield "again", body, first, encode(prepared, encoder, usual, ENDLESS)
    with threads(1):
        one = encode(prepared, encoder, usual, ENDLESS)
    with threads(2):
        yield "1 and 2 threads", body, one, encode(prepared, encoder, usual, ENDLESS)
    single = first if usual == torch.float32 else encode(prepared, encoder, torch.float32, ENDLESS)
    yield "bfloat16", body, single, encode(prepared, encoder, torch.bfloat16, ENDLESS)


def _blocks(prepared: PreparedVolume, encoder: EmbeddingEncoder) -> tuple:
    usual = choose_precision(torch.device("cpu"))
    long = lengthened(prepared, 2 * HALO_VOXELS + 2 * BLOCK_VOXELS)
    shape = [-(-n // encoder.config.total_stride) * encoder.config.total_stride for n in long.array_kji.shape]
    budget = estimate_bytes((2 * HALO_VOXELS + BLOCK_VOXELS, *shape[1:]), usual)
    parts = encode(long, encoder, usual, budget)
    return "blocks and one pass", long.body_kji, encode(long, encoder, usual, ENDLESS), parts


def lengthened(prepared: PreparedVolume, planes: int) -> PreparedVolume:
    """The scan, and mirrored, and again, until it has so many planes along K."""
    copies = -(-planes // len(prepared.array_kji))
    arrays = [
        np.concatenate([array[:: 1 if n % 2 == 0 else -1] for n in range(copies)])[:planes]
        for array in (prepared.array_kji, prepared.body_kji)
    ]
    return PreparedVolume(arrays[0], prepared.ijk_to_ras, arrays[1])


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Run torch with so many threads, then with as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def differences(name: str, expected: np.ndarray, found: np.ndarray, readout: Readout) -> dict[str, float]:
    """How latents (N,C) differ: same bits (1 or 0), largest difference, lowest cosine, share of names changed."""
    chosen = np.random.default_rng(0).permutation(len(expected))[:SAMPLES]
    names = [readout.logits(readout.unit_features(rows[chosen])).argmax(axis=1) for rows in (expected, found)]
    cosine = (unit_rows(expected) * unit_rows(found)).sum(axis=1)
    return {
        f"same bits, {name}": float(np.array_equal(expected, found)),
        f"largest difference, {name}": float(np.abs(expected - found).max()),
        f"lowest cosine, {name}": float(cosine.min()),
        f"names changed, {name}": float(np.mean(names[0] != names[1])),
    }
