"""The loss terms; each takes sampled voxels as rows and returns a scalar in float32."""
from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional


def masked_siglip(similarity: Tensor, targets: Tensor, log_scale: Tensor, bias: Tensor, focus: Tensor) -> Tensor:
    """Sigmoid language loss (Zhai et al. 2023) with several positives and with unknowns.

    similarity: cosine (N,K) of voxels and concepts; targets: (N,K) in {-1, 0, 1}, 0 is unknown and costs nothing;
    focus: (N,K) weight of each pair, for hard negatives. Sum over concepts, mean over voxels, as in the original.
    """
    logits = similarity * log_scale.exp() + bias
    pair_losses = -functional.logsigmoid(targets * logits) * (targets != 0) * focus
    return pair_losses.sum(dim=1).mean()


def masked_softmax(similarity: Tensor, targets: Tensor, log_scale: Tensor, bias: Tensor) -> Tensor:
    """Cross-entropy of a plain segmenter over the concepts and "none of them" (logit 0), same arguments as above.

    Unknown pairs take no part; where several concepts are true (a part and its whole) any of them is right.
    """
    logits = (similarity * log_scale.exp() + bias).masked_fill(targets == 0, -math.inf)
    none = torch.zeros_like(logits[:, :1])
    right = torch.where(targets > 0, logits, -math.inf)
    nothing = (targets > 0).any(dim=1, keepdim=True)
    right = torch.cat([right, none.masked_fill(nothing, -math.inf)], dim=1)
    return (torch.cat([logits, none], dim=1).logsumexp(dim=1) - right.logsumexp(dim=1)).mean()


def distillation(student: Tensor, teacher: Tensor, unknown: Tensor, sure: float = 0.9) -> Tensor:
    """Cross-entropy of the student's concept logits (N,K) with the teacher's probabilities, where `unknown` otherwise.

    Only pairs of which the teacher is sure take part (FixMatch, Sohn et al. 2020); sum over concepts, mean over
    voxels.
    """
    probability = teacher.sigmoid()
    counts = unknown & ((probability > sure) | (probability < 1 - sure))
    pairs = functional.binary_cross_entropy_with_logits(student, probability, reduction="none")
    return (pairs * counts).sum(dim=1).mean()


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(q || N(0, I)) per voxel in nats: -1/2 sum(1 + log s^2 - m^2 - s^2) (Kingma & Welling 2014); (N,C) to (N,)."""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(dim=1)


def capacity(step: int, steps: int, final_nats: float, ramp: float = 0.8) -> float:
    """Capacity C of Burgess et al. 2018, raised linearly over the share `ramp` of the steps; 0 holds it constant."""
    return final_nats if ramp == 0 else final_nats * min(1.0, step / (ramp * steps))


def initial_bias(concepts: int) -> float:
    """Start of the SigLIP bias: about one of K concepts is right, so sigma(bias) = 1/K."""
    return -math.log(max(concepts, 2))


def balanced_rows(labels: Tensor, amount: int, generator: torch.Generator) -> Tensor:
    """Indices of `amount` voxels of flat `labels`, drawn with weight 1/sqrt(size of the label); with replacement."""
    _, inverse, counts = labels.unique(return_inverse=True, return_counts=True)
    weights = counts.float().rsqrt()[inverse]
    # Inverse-transform sampling: torch.multinomial refuses more than 2^24 categories and is slow near it.
    cumulative = weights.double().cumsum(0)
    draws = torch.rand(amount, generator=generator, dtype=torch.double) * cumulative[-1]
    return torch.searchsorted(cumulative, draws).clamp_max(len(labels) - 1)
