"""How much of the code is used: effective rank, active units, and what the posterior carries."""
from __future__ import annotations

import numpy as np
from anatembed.maps.inference import build_encoder, choose_device, choose_precision, encode
from anatembed.model.encoder import EmbeddingEncoder
from torch import nn

from research.evaluation.bench import Bench, body_positions
from research.evaluation.section import Figure, Section

SAMPLES = 2000
SHOWN = 32
ACTIVE_VARIANCE = 0.01

TEXT = (
    "Codes of 2000 random body voxels of each held-out scan. *Effective rank*: exp of the entropy of the normalised "
    "eigenvalues of their covariance (Roy and Vetterli 2007). *Active units*: dimensions whose mean varies with a "
    "variance above 0.01 (Burda et al. 2016). *KL*: of the posterior of a body voxel from the standard normal, in nats "
    "(one annotated scan)."
)


def spectrum(bench: Bench) -> Section:
    """Rank and units over all scans, KL on the smallest annotated one."""
    maps = [bench.map(scan) for scan in bench.scans]
    codes = np.concatenate([one.sample(body_positions(one, SAMPLES)) for one in maps])
    values = eigenvalues(codes)
    active = float(np.mean(codes.var(axis=0) > ACTIVE_VARIANCE))
    row = {
        "dimensions": int(codes.shape[1]),
        "effective rank": effective_rank(values),
        "effective rank / dimensions": effective_rank(values) / codes.shape[1],
        "active units": active,
        "KL, nats per voxel": posterior_kl(bench),
    }
    shares = np.zeros(SHOWN)  # as many for every model, so that they can be drawn together
    shares[: len(values)] = values[:SHOWN] / values.sum()
    figure = Figure("spectrum", "Spectrum of the codes", "dimension", "share of the variance", "line",
                    list(range(1, SHOWN + 1)), {bench.name: shares.tolist()})
    return Section("spectrum", "How much of the code is used", TEXT, {bench.name: row}, figures=[figure])


def eigenvalues(codes: np.ndarray) -> np.ndarray:
    """Eigenvalues (C,) of the covariance of codes (N,C), largest first, none below 0."""
    return np.maximum(np.linalg.eigvalsh(np.cov(codes.T))[::-1], 0)


def effective_rank(values: np.ndarray) -> float:
    """exp of the entropy of eigenvalues (C,); 0 where all codes are the same."""
    total = values.sum()
    if total <= 0:
        return 0.0
    shares = values[values > 0] / total
    return float(np.exp(-(shares * np.log(shares)).sum()))


def posterior_kl(bench: Bench) -> float:
    """Mean over body voxels of the KL divergence of the posterior N(mean, variance) from N(0, 1), in nats."""
    scan = min(bench.trunks, key=lambda one: one.prepared.array_kji.size)
    encoder = _LogVariance(build_encoder(bench.checkpoint))
    log_variance = encode(scan.prepared, encoder, choose_precision(choose_device("cpu")), 2**62)
    body = bench.map(scan).body_kji
    mean, log_variance = (a[:, body].astype(np.float32) for a in (bench.map(scan).features_ckji, log_variance))
    return float(0.5 * (np.square(mean) + np.exp(log_variance) - 1 - log_variance).sum(axis=0).mean())


class _LogVariance(nn.Module):
    """The encoder with its two answers swapped: `encode` keeps the first one."""

    def __init__(self, encoder: EmbeddingEncoder):
        super().__init__()
        self.encoder, self.config = encoder, encoder.config

    def forward(self, x):
        mean, log_variance = self.encoder(x)
        return log_variance, mean
