"""The network in training: the encoder, the heads that ship with it, and the decoder that does not."""
from __future__ import annotations

import torch
from anatembed.model.config import EncoderConfig
from anatembed.model.encoder import EmbeddingEncoder
from torch import Tensor, nn
from torch.nn import functional

from research.training.layout import LayoutDecoder
from research.training.losses import initial_bias


class TrainingModel(nn.Module):
    """Encoder with language head (linear), body coordinate head, and decoders of image and layout; rows (N,latent)."""

    def __init__(self, config: EncoderConfig, concepts: int, seed: int = 0):
        super().__init__()
        torch.manual_seed(seed)
        width = config.latent
        self.encoder = EmbeddingEncoder(config)
        self.language = nn.Linear(width, width, bias=False)
        self.concept_vectors = nn.Parameter(torch.randn(concepts, width))
        self.log_scale = nn.Parameter(torch.tensor(10.0).log())
        self.bias = nn.Parameter(torch.tensor(initial_bias(concepts)))
        self.coordinates = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 3))
        self.decoder = nn.Sequential(nn.Linear(width, 96), nn.ReLU(), nn.Linear(96, 8))
        self.layout = LayoutDecoder(width)

    def similarity(self, mean: Tensor) -> Tensor:
        """Cosine (N,K) of the language projection of latent means (N,C) with every concept."""
        return self.compare(self.language(mean))

    def compare(self, vectors: Tensor) -> Tensor:
        """Cosine (N,K) of vectors of the language space (N,latent) with every concept."""
        return functional.normalize(vectors, dim=1) @ functional.normalize(self.concept_vectors, dim=1).T

    def logits(self, similarity: Tensor) -> Tensor:
        """Log-odds (N,K) of cosines, by the learnt temperature and bias."""
        return similarity * self.log_scale.exp() + self.bias
