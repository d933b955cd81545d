"""Training of the text encoder against the frozen image model, and turning it into what ships."""
from __future__ import annotations

import logging
import math
import time
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from anatembed.language.text_encoder import LAYERS, TextEncoder
from anatembed.language.vocabulary import Vocabulary
from anatembed.language.vocabulary_phrases import Phrase
from anatembed.language.word_pieces import WordPieces
from anatembed.model.checkpoint import Checkpoint
from torch import Tensor
from torch.nn import functional

from research.training.losses import masked_siglip
from research.training.text_phrases import Typist
from research.training.text_targets import term_targets
from research.training.text_teacher import Remembering
from research.training.text_tower import (
    Projections,
    Student,
    TowerConfig,
    group_contrast,
    one_hot_sides,
    quantised,
    stranger_loss,
    word_contrast,
)
from research.training.voxel_sample import VoxelSample

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class TextConfig:
    """Everything that decides a training; `weights` of the loss terms, see `TextTrainer`."""

    steps: int = 1500
    families: int = 64
    names: int = 4
    voxels: int = 768
    image_phrases: int = 160
    strangers: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    temperature: float = 0.05
    stranger_level: float = 0.35
    dropout: float = 0.3
    group_dropout: float = 0.1
    seed: int = 0
    tower: TowerConfig = field(default_factory=TowerConfig)
    weights: dict[str, float] = field(
        default_factory=lambda: {"words": 1.0, "groups": 0.5, "teacher": 1.0, "distil": 1.0, "strangers": 0.2,
                                 "image": 0.3, "anchor": 0.5}
    )  # fmt: skip

    @classmethod
    def from_dict(cls, values: dict) -> TextConfig:
        """Of a configuration file; TypeError for a name that does not exist."""
        return cls(**values | {"tower": TowerConfig(**values.get("tower", {}))})


@dataclass(frozen=True)
class Material:
    """What is learnt from: phrases of known structures, texts that name none, and general texts for distillation."""

    phrases: list[Phrase]
    strangers: list[str]
    general: list[str]
    voxels: VoxelSample


class TextTrainer:
    """Trains the student and the teacher's projections together; decided by the seed.

    words: a name is nearest to the preferred name of its structure; groups: names of a structure are near each other;
    teacher: the same for the teacher's projection; distil: the student follows the teacher; strangers: texts that name
    no structure stay away; image: SigLIP with voxels; anchor: learnt concepts keep the vectors of the image model.
    """

    def __init__(
        self, material: Material, vocabulary: Vocabulary, checkpoint: Checkpoint, teacher: Remembering,
        piece_vectors: np.ndarray, pieces: WordPieces, config: TextConfig,
    ):  # fmt: skip
        torch.manual_seed(config.seed)
        self.material, self.vocabulary, self.checkpoint, self.config = material, vocabulary, checkpoint, config
        self.random, self.typist = np.random.default_rng(config.seed), Typist(config.seed)
        readout = checkpoint.readout
        self.student = Student(pieces, piece_vectors, readout.vectors.shape[1], config.tower)
        self._group_phrases()
        self.taught = torch.from_numpy(teacher.embed([phrase.text for phrase in material.phrases]))
        self.taught_general = torch.from_numpy(teacher.embed(material.general))
        self.taught_strangers = torch.from_numpy(teacher.embed(material.strangers))
        size = self.taught.shape[1]
        self.projections = Projections(size, config.tower.size, readout.vectors.shape[1])
        self.targets = term_targets(material.voxels.targets, readout.concept_ids, vocabulary)
        self.features = torch.from_numpy(np.asarray(material.voxels.features, np.float32))
        self.log_scale, self.bias = torch.tensor(math.log(readout.scale)), torch.tensor(readout.bias)
        self._prepare_image()

    def _group_phrases(self) -> None:
        phrases = self.material.phrases
        self.families = sorted({phrase.family for phrase in phrases})
        number = {family: i for i, family in enumerate(self.families)}
        self.own = np.array([number[phrase.family] for phrase in phrases])
        self.members = [np.flatnonzero(self.own == i) for i in range(len(self.families))]
        preferred = {}
        for i, phrase in enumerate(phrases):
            if phrase.kind == "preferred":
                preferred.setdefault(phrase.family, i)
        self.preferred = [preferred.get(family, int(self.members[i][0])) for i, family in enumerate(self.families)]
        self.class_bags = self.student.read([phrases[i].text for i in self.preferred])

    def _prepare_image(self) -> None:
        """Phrases of terms of which something is known in the voxels."""
        number = {term.id: i for i, term in enumerate(self.vocabulary.terms)}
        self.term_of = np.array([number[phrase.term_id] for phrase in self.material.phrases])
        known, positive = (self.targets != 0).any(axis=0), (self.targets == 1).any(axis=0)
        self.seen = np.flatnonzero(positive[self.term_of])
        self.partly = np.flatnonzero((known & ~positive)[self.term_of])
        learnt = {concept: i for i, concept in enumerate(self.checkpoint.readout.concept_ids)}
        self.concept_of = np.array([learnt.get(phrase.term_id, -1) for phrase in self.material.phrases])

    def run(self) -> dict[str, float]:
        """Train; the figures of the last hundred steps."""
        config = self.config
        tables = [self.student.group]
        others = [p for n, p in self.student.named_parameters() if n != "group"] + [*self.projections.parameters()]
        optimiser = torch.optim.AdamW(
            [{"params": tables, "weight_decay": 0.0}, {"params": others, "weight_decay": config.weight_decay}],
            lr=config.learning_rate, betas=(0.9, 0.98),
        )  # fmt: skip
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, config.learning_rate, total_steps=config.steps, pct_start=0.05
        )
        began, last = time.perf_counter(), {}
        for step in range(config.steps):
            terms = self.losses()
            loss = sum(config.weights[name] * value for name, value in terms.items() if name in config.weights)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            for name, value in terms.items():
                last[name] = 0.98 * last.get(name, value.item()) + 0.02 * value.item()
            if step % 100 == 99:
                figures = " ".join(f"{name} {value:.3f}" for name, value in last.items())
                LOG.info("%5d  %s  (%.0f s)", step + 1, figures, time.perf_counter() - began)
        self.student.eval()
        return last

    def losses(self) -> dict[str, Tensor]:
        """One batch."""
        config, phrases = self.config, self.material.phrases
        families = self.random.choice(len(self.families), min(config.families, len(self.families)), replace=False)
        chosen = np.concatenate([self.random.choice(self.members[i], config.names) for i in families])
        own = torch.from_numpy(self.own[chosen])
        texts = [self.typist.vary(phrases[i].text) for i in chosen]
        anchors = self._encode(texts)
        classes = self.student.encode(self.student.features(self.class_bags))
        taught = self.projections.encode(self.taught[chosen])
        taught_classes = self.projections.encode(self.taught[self.preferred])
        strange = self.random.choice(len(self.material.strangers), config.strangers)
        strangers = self._encode([self.material.strangers[i] for i in strange])
        return {
            "words": word_contrast(anchors, classes, own, config.temperature),
            "groups": group_contrast(anchors, own, config.temperature),
            "teacher": word_contrast(taught, taught_classes, own, config.temperature),
            "distil": self._distil(),
            "strangers": stranger_loss(strangers, classes, config.stranger_level, config.temperature),
        } | self._image(strangers, strange)

    def _encode(self, texts: list[str]) -> Tensor:
        bags = self.student.read(texts, self.config.group_dropout)
        return self.student.encode(self.student.features(bags, self.config.dropout))

    def _distil(self) -> Tensor:
        """How far the student is from the teacher for English names and general English."""
        english = [i for i in self.random.choice(len(self.own), 96) if self.material.phrases[i].lang == "en"]
        general = self.random.choice(len(self.material.general), 64)
        texts = [self.material.phrases[i].text for i in english] + [self.material.general[i] for i in general]
        with torch.no_grad():
            goal = self.projections.encode(torch.cat([self.taught[english], self.taught_general[general]]))
        return (1 - (self._encode(texts) * goal).sum(dim=1)).mean()

    def _image(self, strangers: Tensor, strange: np.ndarray) -> dict[str, Tensor]:
        """SigLIP of phrases and voxels for student and teacher; texts that name nothing are nowhere."""
        config, phrases = self.config, self.material.phrases
        chosen = self.random.choice(self.seen, config.image_phrases)
        if len(self.partly):
            chosen = np.concatenate([chosen, self.random.choice(self.partly, config.image_phrases // 4)])
        rows = self.random.choice(len(self.features), config.voxels)
        known = self.targets[np.ix_(rows, self.term_of[chosen])]
        nowhere = np.full((len(rows), len(strange)), -1, np.int8)
        targets = torch.from_numpy(np.concatenate([known, nowhere], axis=1)).float()
        sides = one_hot_sides([phrases[i].side for i in chosen] + [None] * len(strange))
        texts = [self.typist.vary(phrases[i].text) for i in chosen]
        own = self.student.image_vectors(torch.cat([self._encode(texts), strangers]), sides)
        taught = self.projections.image_vectors(torch.cat([self.taught[chosen], self.taught_strangers[strange]]), sides)
        voxels, focus = self.features[rows], torch.ones_like(targets)
        loss = sum(masked_siglip(voxels @ one.T, targets, self.log_scale, self.bias, focus) for one in (own, taught))
        concepts = self.concept_of[chosen]
        vectors = torch.from_numpy(self.checkpoint.readout.vectors[concepts[concepts >= 0]].astype(np.float32))
        learnt = torch.from_numpy(np.flatnonzero(concepts >= 0))
        return {"image": loss, "anchor": (1 - (own[learnt] * vectors).sum(dim=1)).mean()}

    def encoder(self, levels: dict, provenance: dict) -> TextEncoder:
        """The student as it ships."""
        tables, scales = {}, {}
        for name, table in (("piece", self.student.piece), ("group", self.student.group.detach())):
            tables[name], scales[name] = quantised(table.numpy())
        weights = {}
        for layer in LAYERS:
            module = getattr(self.student, layer)
            weights[f"{layer}_weight"] = module.weight.detach().numpy().astype(np.float16).astype(np.float32)
            weights[f"{layer}_bias"] = module.bias.detach().numpy().astype(np.float16).astype(np.float32)
        return TextEncoder(
            self.student.pieces, tables, scales, weights, self.checkpoint.readout.space_id, levels,
            provenance | {"training": asdict(self.config)},
        )  # fmt: skip

    @torch.inference_mode()
    def taught_vectors(self, vectors: np.ndarray) -> np.ndarray:
        """The teacher's vectors (N,T) in the student's space (N,D)."""
        return functional.normalize(self.projections.words(torch.from_numpy(vectors)), dim=1).numpy()
