"""The training loop: crops in, checkpoints and a log out; resumes where it was stopped."""
from __future__ import annotations

import json
import logging
import math
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from anatembed.encoder import EncoderConfig, network_input
from anatembed.training.losses import balanced_rows, capacity, gaussian_kl, masked_siglip
from anatembed.training.model import TrainingModel
from anatembed.training.subject import Subject
from anatembed.training.synthesis import CropGenerator, CropSource
from anatembed.training.targets import Taxonomy
from anatembed.vocabulary import Vocabulary

LOG = logging.getLogger(__name__)


@dataclass
class TrainingConfig:
    """Everything that decides a run; read from a YAML file."""

    steps: int = 5000
    batch: int = 2
    shapes: tuple[tuple[int, int, int], ...] = ((64, 96, 128), (96, 96, 96))
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    warm_up: float = 0.05
    ema: float = 0.998
    voxels: int = 3000
    language_weight: float = 1.0
    coordinate_weight: float = 2.0
    reconstruction_weight: float = 0.5
    kl_weight: float = 0.01
    capacity_nats: float = 24.0
    contralateral_weight: float = 4.0
    seed: int = 1
    workers: int = 1
    source_weights: dict[str, float] = field(default_factory=dict)
    encoder: dict = field(default_factory=lambda: EncoderConfig().to_dict())


class CropStream(IterableDataset):
    """An endless stream of batches; each worker draws with its own seed."""

    def __init__(self, generator_of_seed, config: TrainingConfig, start: int):
        self.generator_of_seed, self.config, self.start = generator_of_seed, config, start

    def __iter__(self):
        torch.set_num_threads(1)
        info = torch.utils.data.get_worker_info()
        worker = info.id if info else 0
        generator: CropGenerator = self.generator_of_seed(self.config.seed + 1000 * worker + 7 * self.start)
        while True:
            shape = self.config.shapes[int(generator.random.integers(len(self.config.shapes)))]
            yield [generator.draw(shape) for _ in range(self.config.batch)]


class Trainer:
    """Trains on prepared subjects into `folder`; `run()` returns the last averaged losses."""

    def __init__(self, subjects: list[Subject], vocabulary: Vocabulary, config: TrainingConfig, folder: Path):
        self.config, self.folder = config, folder
        concepts = {c for s in subjects for options in s.label_concepts for c in options}
        self.taxonomy = Taxonomy(concepts, vocabulary)
        self.sources = [CropSource(subject, self.taxonomy, vocabulary) for subject in subjects]
        weights = config.source_weights
        totals = {s.source: sum(o.source == s.source for o in subjects) for s in subjects}
        self.weights = [
            weights.get(s.name, weights.get(s.source, 1.0) / totals[s.source]) for s in subjects
        ]
        self.focus = self._contralateral_focus(vocabulary)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = TrainingModel(EncoderConfig.from_dict(config.encoder), len(self.taxonomy.ids), config.seed)
        self.model.to(self.device, memory_format=torch.channels_last_3d)
        self.average = {k: v.detach().clone().float() for k, v in self.model.state_dict().items()}
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.step = 0
        self.random = torch.Generator().manual_seed(config.seed)

    def _contralateral_focus(self, vocabulary: Vocabulary) -> Tensor:
        """(K,K): weight of the pair (true concept, other concept); the other side of the same structure counts more."""
        ids = self.taxonomy.ids
        focus = torch.ones(len(ids), len(ids))
        for row, concept in enumerate(ids):
            if vocabulary[concept].pair in ids:
                focus[row, ids.index(vocabulary[concept].pair)] = self.config.contralateral_weight
        return focus.to("cuda" if torch.cuda.is_available() else "cpu")

    def learning_rate(self, step: int) -> float:
        """Linear warm-up, then a cosine to zero."""
        c = self.config
        warm = c.warm_up * c.steps
        if step < warm:
            return c.learning_rate * (step + 1) / warm
        return c.learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm) / (c.steps - warm))))

    def losses(self, batch: list) -> dict[str, Tensor]:
        """All loss terms of a batch of (person index, Crop)."""
        hu = torch.stack([crop.hu for _, crop in batch]).to(self.device)
        x = network_input(hu).to(memory_format=torch.channels_last_3d)
        with torch.autocast(self.device, dtype=torch.bfloat16):
            mean, log_variance = self.model.encoder(x)
        sums: dict[str, list[Tensor]] = {"language": [], "coordinate": [], "reconstruction": [], "kl": []}
        for index, (which, crop) in enumerate(batch):
            self._crop_losses(sums, which, crop, mean[index].float(), log_variance[index].float())
        return {name: torch.stack(terms).mean() for name, terms in sums.items() if terms}

    def _crop_losses(self, sums: dict, which: int, crop, mean: Tensor, log_variance: Tensor) -> None:
        model, width = self.model, self.config.voxels
        offset = torch.randint(0, 2, (3,), generator=self.random)
        labels = crop.labels[offset[0] :: 2, offset[1] :: 2, offset[2] :: 2].reshape(-1)
        rows = balanced_rows(labels, width, self.random)
        body = rows[labels[rows] > 0]
        rows_on, body_on = rows.to(self.device), body.to(self.device)
        latent = mean.reshape(mean.shape[0], -1).T[rows_on]
        spread = log_variance.reshape(mean.shape[0], -1).T[rows_on].clamp(-8, 4)
        targets = torch.from_numpy(self.sources[which].targets)[labels[rows].long()].to(self.device).float()
        focus = 1 + ((targets > 0).float() @ (self.focus - 1)).clamp(0, self.config.contralateral_weight)
        sums["language"].append(
            masked_siglip(model.similarity(latent), targets, model.log_scale, model.bias, focus)
        )
        if crop.has_coordinates and len(body):
            centres = functional.avg_pool3d(crop.body_coordinates[None], 2)[0].reshape(3, -1).T[body].to(self.device)
            predicted = model.coordinates(mean.reshape(mean.shape[0], -1).T[body_on])
            sums["coordinate"].append(functional.smooth_l1_loss(predicted, centres, beta=0.2))
        sums["kl"].append(gaussian_kl(latent, spread).mean())
        if crop.has_canonical:
            sample = latent + torch.randn(latent.shape, device=self.device) * (0.5 * spread).exp()
            blocks = _octants(crop.canonical_hu).reshape(8, -1).T[rows].to(self.device) / 500
            sums["reconstruction"].append(functional.smooth_l1_loss(model.decoder(sample), blocks))

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        c = self.config
        nats = capacity(self.step, c.steps, c.capacity_nats)
        total = c.language_weight * losses["language"] + c.kl_weight * (losses["kl"] - nats).abs()
        if "coordinate" in losses:
            total = total + c.coordinate_weight * losses["coordinate"]
        if "reconstruction" in losses:
            total = total + c.reconstruction_weight * losses["reconstruction"]
        return total

    def run(self, save_every_s: float = 120.0) -> dict[str, float]:
        """Train until `config.steps`; resumes from `folder`/state.pt."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._resume()
        loader = iter(DataLoader(
            CropStream(lambda seed: CropGenerator(self.sources, self.weights, seed), self.config, self.step),
            batch_size=None, num_workers=self.config.workers, prefetch_factor=3 if self.config.workers else None,
        ))
        self.model.train()
        running: dict[str, float] = {}
        saved = began = time.monotonic()
        first = self.step
        while self.step < self.config.steps:
            losses = self.losses(next(loader))
            self._update(self.total(losses))
            for name, value in losses.items():
                running[name] = 0.98 * running.get(name, value.item()) + 0.02 * value.item()
            if self.step % 25 == 0 or self.step == self.config.steps:
                pace = (time.monotonic() - began) / (self.step - first)
                self._log(running, pace)
            if time.monotonic() - saved > save_every_s or self.step == self.config.steps:
                self._save()
                saved = time.monotonic()
        return running

    def _update(self, total: Tensor) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(self.step)
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        if torch.isfinite(norm):
            self.optimizer.step()
        else:
            LOG.warning("step %d skipped: the gradient is not finite", self.step)
        self.step += 1
        keep = min(self.config.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, value in self.model.state_dict().items():
                if value.is_floating_point():
                    self.average[name].mul_(keep).add_(value.float(), alpha=1 - keep)
                else:
                    self.average[name].copy_(value)

    def _log(self, running: dict[str, float], pace: float) -> None:
        left = (self.config.steps - self.step) * pace
        terms = "  ".join(f"{name} {value:.3f}" for name, value in running.items())
        LOG.info("step %d/%d  %s  %.2f s/step  %d min left", self.step, self.config.steps, terms, pace, left // 60)
        with open(self.folder / "log.jsonl", "a") as file:
            file.write(json.dumps({"step": self.step, **running, "seconds_per_step": pace}) + "\n")

    def _save(self) -> None:
        state = {
            "step": self.step,
            "model": self.model.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "concepts": self.taxonomy.ids,
            "config": asdict(self.config),
        }
        torch.save(state, self.folder / "state.tmp")
        os.replace(self.folder / "state.tmp", self.folder / "state.pt")

    def _resume(self) -> None:
        path = self.folder / "state.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        if tuple(state["concepts"]) != self.taxonomy.ids:
            raise ValueError(f"{path} was trained on other concepts than this training set has; use a new folder")
        self.model.load_state_dict(state["model"])
        self.average = state["average"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]


def _octants(volume: Tensor) -> Tensor:
    """(K,J,I) to (8,K/2,J/2,I/2): the eight voxels below each embedding voxel."""
    k, j, i = (n // 2 for n in volume.shape)
    return volume.reshape(k, 2, j, 2, i, 2).permute(1, 3, 5, 0, 2, 4).reshape(8, k, j, i)
