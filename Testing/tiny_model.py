"""A tiny encoder with random weights: quick, knows nothing, and its reach is small enough to be exact in blocks."""

import numpy as np
import torch
from anatembed.model.checkpoint import Checkpoint
from anatembed.model.config import EncoderConfig, PreprocessingConfig
from anatembed.model.encoder import EmbeddingEncoder
from anatembed.model.readout import Readout

CONFIG = EncoderConfig(channels=(4, 6, 8), latent=5)
CONCEPTS = ("kidney_left", "kidney_right", "liver")


def tiny_encoder(config: EncoderConfig = CONFIG, seed: int = 0) -> EmbeddingEncoder:
    """In evaluation mode, with statistics of its normalisations as different as those of a trained network."""
    random = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    encoder = EmbeddingEncoder(config).eval()
    for module in encoder.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            module.running_mean.copy_(0.3 * torch.randn(module.num_features, generator=random))
            module.running_var.copy_(0.5 + torch.rand(module.num_features, generator=random))
            module.weight.data.copy_(0.5 + torch.rand(module.num_features, generator=random))
            module.bias.data.copy_(0.3 * torch.randn(module.num_features, generator=random))
    return encoder


def receptive_radius(config: EncoderConfig) -> int:
    """Input voxels beyond which nothing can influence an output voxel, a bound (not the effective field)."""
    levels = len(config.channels)
    down = sum(2 * 2**level for level in range(2, levels + 1))  # two 3x3x3 convolutions a level
    strided = sum(2**level for level in range(1, levels + 1))  # the kernel of each strided convolution
    up = sum(2**level for level in range(1, levels))  # one convolution a level on the way up
    nearest = sum(2**level for level in range(1, levels + 1))  # nearest upsampling reads a whole coarse voxel
    return down + strided + up + nearest


def tiny_readout(latent: int = CONFIG.latent, seed: int = 0) -> Readout:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(len(CONCEPTS), latent))
    return Readout(
        concept_ids=CONCEPTS,
        language=random.normal(size=(latent, latent)),
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        scale=8.0,
        bias=-3.0,
        coordinate_layers=(
            (random.normal(size=(7, latent)), random.normal(size=7)),
            (random.normal(size=(3, 7)), random.normal(size=3)),
        ),
        body_mean=random.normal(size=(len(CONCEPTS), 3)),
        body_covariance=np.stack([np.diag(d) for d in random.uniform(0.1, 1, (len(CONCEPTS), 3))]),
        compatible=np.eye(len(CONCEPTS)),
        typical_evidence=np.zeros((len(CONCEPTS), 2)),
        presence=np.array([0.0, 1.0, 0.0, 0.0]),
        presence_threshold=0.5,
    )


def tiny_checkpoint(config: EncoderConfig = CONFIG, seed: int = 0) -> Checkpoint:
    state = tiny_encoder(config, seed).state_dict()
    weights = {name: value.numpy() for name, value in state.items() if not name.endswith("num_batches_tracked")}
    return Checkpoint(
        weights, config.to_dict(), PreprocessingConfig(), tiny_readout(config.latent, seed), {"people": 0}, "ab" * 32
    )
