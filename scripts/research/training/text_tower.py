"""The networks that read text: the small one that ships, and the projections of its large teacher."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from anatembed.language.text_encoder import SIDES
from anatembed.language.text_features import letter_groups
from anatembed.language.word_pieces import WordPieces
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class TowerConfig:
    """Sizes of the small network: widths of the tables, of its layers, of its vectors, and rows for letter groups."""

    piece_width: int = 96
    group_width: int = 96
    buckets: int = 32768
    hidden: int = 256
    size: int = 96
    image_hidden: int = 128


class Bag:
    """Rows of a table with weights for many texts, as `embedding_bag` takes them."""

    def __init__(self, rows: Sequence[tuple[Sequence[int], Sequence[float]]]):
        self.numbers = torch.tensor([n for numbers, _ in rows for n in numbers], dtype=torch.long)
        self.weights = torch.tensor([w for _, weights in rows for w in weights], dtype=torch.float32)
        lengths = [0, *(len(numbers) for numbers, _ in rows[:-1])]
        self.offsets = torch.tensor(np.cumsum(lengths), dtype=torch.long)

    def sum(self, table: Tensor) -> Tensor:
        return functional.embedding_bag(
            self.numbers, table, self.offsets, mode="sum", per_sample_weights=self.weights.to(table.dtype)
        )


class Student(nn.Module):
    """The text encoder that ships, in training; the piece vectors stay as they were distilled."""

    def __init__(self, pieces: WordPieces, piece_vectors: np.ndarray, image_size: int, config: TowerConfig):
        super().__init__()
        self.pieces, self.config = pieces, config
        self.register_buffer("piece", torch.from_numpy(rounded(piece_vectors)))
        self.group = nn.Parameter(torch.zeros(config.buckets, config.group_width))
        width = config.piece_width + config.group_width
        self.hidden = nn.Linear(width, config.hidden)
        self.output = nn.Linear(width + config.hidden, config.size)
        self.image_hidden = nn.Linear(config.size + len(SIDES), config.image_hidden)
        self.image_output = nn.Linear(config.image_hidden, image_size)

    def read(self, texts: list[str], dropout: float = 0.0) -> tuple[Bag, Bag]:
        """Bags of pieces and of letter groups; `dropout` leaves out that share of the letter groups at random."""
        pieces = [(numbers, [len(numbers) ** -0.5] * len(numbers)) for numbers in map(self.pieces.split, texts)]
        groups = Bag([letter_groups(text, self.config.buckets) for text in texts])
        if dropout:
            kept = torch.rand(groups.weights.shape) >= dropout
            groups.weights = groups.weights * kept / (1 - dropout)
        return Bag(pieces), groups

    def features(self, bags: tuple[Bag, Bag], dropout: float = 0.0) -> Tensor:
        """Summed vectors (N,F); `dropout` hides all pieces or all letter groups of that share of the texts."""
        pieces, groups = bags[0].sum(self.piece), bags[1].sum(self.group)
        if dropout:
            chance = torch.rand(len(pieces), 1)
            pieces = pieces * (chance >= dropout)
            groups = groups * (chance < 1 - dropout / 3)
        return torch.cat([pieces, groups], dim=1)

    def encode(self, features: Tensor) -> Tensor:
        """Unit vectors (N,D)."""
        hidden = functional.relu(self.hidden(features))
        return functional.normalize(self.output(torch.cat([features, hidden], dim=1)), dim=1)

    def image_vectors(self, vectors: Tensor, sides: Tensor) -> Tensor:
        """Unit vectors (N,E) in the language space of the voxels; sides: (N,3), one of `SIDES` each."""
        return functional.normalize(
            self.image_output(functional.relu(self.image_hidden(torch.cat([vectors, sides], dim=1)))), dim=1
        )


class Projections(nn.Module):
    """From the teacher's vectors to the two spaces of the student."""

    def __init__(self, teacher_size: int, size: int, image_size: int):
        super().__init__()
        self.words = nn.Linear(teacher_size, size)
        self.image_hidden = nn.Linear(teacher_size + len(SIDES), 4 * image_size)
        self.image = nn.Linear(4 * image_size, image_size)

    def encode(self, vectors: Tensor) -> Tensor:
        return functional.normalize(self.words(vectors), dim=1)

    def image_vectors(self, vectors: Tensor, sides: Tensor) -> Tensor:
        hidden = functional.relu(self.image_hidden(torch.cat([vectors, sides], dim=1)))
        return functional.normalize(self.image(hidden), dim=1)


def one_hot_sides(sides: Sequence[str | None]) -> Tensor:
    """Float (N,3)."""
    return functional.one_hot(torch.tensor([SIDES.index(side) for side in sides]), len(SIDES)).float()


def quantised(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int8 rows and their float32 scales; an empty row stays 0."""
    scales = np.abs(table).max(axis=1) / 127
    return np.rint(table / np.maximum(scales, 1e-12)[:, None]).astype(np.int8), scales.astype(np.float32)


def rounded(table: np.ndarray) -> np.ndarray:
    """The table as it will be read back from int8."""
    whole, scales = quantised(table)
    return whole.astype(np.float32) * scales[:, None]


def word_contrast(anchors: Tensor, classes: Tensor, own: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of anchors (N,D) with the name of their structure among those of all structures (K,D)."""
    return functional.cross_entropy(anchors @ classes.T / temperature, own)


def group_contrast(anchors: Tensor, own: Tensor, temperature: float) -> Tensor:
    """Supervised contrastive loss (Khosla et al. 2020) among anchors (N,D): other names of the structure are near."""
    itself = torch.eye(len(anchors), dtype=torch.bool)
    similar = (anchors @ anchors.T / temperature).masked_fill(itself, -1e4)
    same = (own[:, None] == own[None]) & ~itself
    log_share = similar - similar.logsumexp(dim=1, keepdim=True)
    has_other = same.any(dim=1)
    mean = (log_share * same).sum(dim=1)[has_other] / same.sum(dim=1)[has_other]
    return -mean.mean() if len(mean) else anchors.sum() * 0


def stranger_loss(strangers: Tensor, classes: Tensor, level: float, temperature: float) -> Tensor:
    """What keeps texts (N,D) that name no structure farther than cosine `level` from every name."""
    return functional.softplus((strangers @ classes.T - level) / temperature).mean(dim=0).sum()
