"""The training loop: crops in, checkpoints and a log out; resumes where it was stopped."""
from __future__ import annotations

import copy
import json
import logging
import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from anatembed.language.vocabulary import Vocabulary
from anatembed.model.checkpoint import Checkpoint
from anatembed.model.config import EncoderConfig
from anatembed.output_file import written_whole
from torch import Tensor, distributed
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, IterableDataset

from research.training.losses import capacity
from research.training.model import TrainingModel
from research.training.objective import TERMS, Objective
from research.training.precision import training_precision
from research.training.processes import ALONE, Processes
from research.training.subject import Subject
from research.training.synthesis import CropGenerator, CropSource
from research.training.targets import Taxonomy
from research.training.warm_start import start_from

LOG = logging.getLogger(__name__)
PACE_EVERY = 50
RAMP = 0.05
"""Share of the steps over which a term that starts late reaches its weight."""


@dataclass
class TrainingConfig:
    """Everything that decides a run; read from a YAML file.

    weights: of the terms of `objective.TERMS`; a term of weight 0 or without weight is not computed.
    decay: share of the steps, the last ones, over which the learning rate falls to zero; before that it is constant, so
    that a run can be made longer, or ended early by fewer `steps`, without having been planned so.
    starts: share of the steps after which a term begins; without entry it is there from the start (joint training).
    minutes: a limit of time; `steps` then becomes what fits into it at the pace of this machine.
    """

    steps: int = 5000
    minutes: float | None = None
    batch: int = 2
    shapes: tuple[tuple[int, int, int], ...] = ((64, 96, 128), (96, 96, 96))
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    warm_up: float = 0.05
    decay: float = 1.0
    ema: float = 0.998
    voxels: int = 3000
    weights: dict[str, float] = field(
        default_factory=lambda: {"language": 1.0, "coordinate": 2.0, "reconstruction": 0.5, "kl": 0.01}
    )
    starts: dict[str, float] = field(default_factory=dict)
    capacity_nats: float = 24.0
    capacity_ramp: float = 0.8
    contralateral_weight: float = 4.0
    mask_share: float = 0.4
    gradients_every: int = 200
    seed: int = 1
    workers: int = 1
    source_weights: dict[str, float] = field(default_factory=dict)
    encoder: dict = field(default_factory=lambda: EncoderConfig().to_dict())

    def __post_init__(self):
        unknown = (self.weights.keys() | self.starts.keys()) - set(TERMS)
        if unknown:
            raise ValueError(f"expected loss terms among {', '.join(TERMS)}, got {', '.join(sorted(unknown))}")

    def weight(self, term: str, step: int) -> float:
        """Weight of a loss term at a step: 0 before its start, then a ramp to its full weight."""
        start = self.starts.get(term, 0.0)
        ramp = 1.0 if start == 0 else (step / self.steps - start) / RAMP
        return self.weights.get(term, 0.0) * min(1.0, max(0.0, ramp))


class CropStream(IterableDataset):
    """An endless stream of batches; each worker draws with its own seed."""

    def __init__(self, generator_of_seed, config: TrainingConfig, seed: int):
        self.generator_of_seed, self.config, self.seed = generator_of_seed, config, seed

    def __iter__(self):
        info = torch.utils.data.get_worker_info()
        if info:
            torch.set_num_threads(1)
        generator: CropGenerator = self.generator_of_seed(self.seed + 1000 * (info.id if info else 0))
        while True:
            shape = self.config.shapes[int(generator.random.integers(len(self.config.shapes)))]
            yield [generator.draw(shape) for _ in range(self.config.batch)]


class Trainer:
    """Trains on prepared subjects into `folder`; `run()` returns the last averaged losses."""

    def __init__(
        self, subjects: list[Subject], vocabulary: Vocabulary, config: TrainingConfig, folder: Path,
        processes: Processes = ALONE, begin_with: Checkpoint | None = None,
    ):
        self.config, self.folder, self.processes, self.device = config, folder, processes, processes.device
        concepts = {c for s in subjects for options in s.label_concepts for c in options}
        self.taxonomy = Taxonomy(concepts, vocabulary)
        # Crops are made where the network computes when that is a GPU, else by workers beside it.
        self.sources = [CropSource(subject, self.taxonomy, vocabulary, self.device) for subject in subjects]
        self.weights = source_shares(subjects, config.source_weights)
        self.focus = self._contralateral_focus(vocabulary)
        self.model = TrainingModel(EncoderConfig.from_dict(config.encoder), len(self.taxonomy.ids), config.seed)
        self.begun_with = begin_with and begin_with.encoder_id
        if begin_with is not None:
            start_from(self.model, begin_with, self.taxonomy.ids)
        self.model.to(self.device, memory_format=torch.channels_last_3d)
        self.teacher = copy.deepcopy(self.model).requires_grad_(False).eval()
        self.average = self.teacher.state_dict()  # the same tensors: averaging the weights moves the teacher
        targets = [torch.from_numpy(source.targets).to(self.device) for source in self.sources]
        self.precision = training_precision(self.device)
        self.objective = Objective(
            self.model, targets, self.focus, config.voxels, config.mask_share, self.precision
        )
        self.parallel = self.objective if processes.count == 1 else self._distributed()
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.step = 0
        self.random = torch.Generator().manual_seed(config.seed + 17 * processes.rank)

    def _distributed(self) -> DistributedDataParallel:
        """The objective with gradients averaged over processes; not every batch teaches every term."""
        if self.device != "cpu":
            torch.cuda.set_device(self.device)
            self.model.encoder = torch.nn.SyncBatchNorm.convert_sync_batchnorm(self.model.encoder)
        return DistributedDataParallel(self.objective, find_unused_parameters=True)

    def _contralateral_focus(self, vocabulary: Vocabulary) -> Tensor:
        """(K,K): weight of the pair (true concept, other concept); the other side of the same structure counts more."""
        ids = self.taxonomy.ids
        focus = torch.ones(len(ids), len(ids))
        for row, concept in enumerate(ids):
            if vocabulary[concept].pair in ids:
                focus[row, ids.index(vocabulary[concept].pair)] = self.config.contralateral_weight
        return focus.to(self.device)

    def learning_rate(self, step: int) -> float:
        """Linear warm-up, then constant, then a cosine to zero over the last part of the steps."""
        c = self.config
        warm = c.warm_up * c.steps
        if step < warm:
            return c.learning_rate * (step + 1) / warm
        falls_from = max(warm, (1 - c.decay) * c.steps)
        fallen = min(1.0, max(0.0, (step - falls_from) / (c.steps - falls_from)))
        return c.learning_rate * 0.5 * (1 + math.cos(math.pi * fallen))

    def losses(self, batch: list) -> tuple[dict[str, Tensor], Tensor]:
        """The loss terms of a batch of (person index, Crop) that count at this step, and the codes of the batch."""
        wanted = frozenset(term for term in TERMS if self.config.weight(term, self.step) > 0)
        teacher = self.teacher if "distillation" in wanted else None
        return self.parallel(batch, wanted, teacher, self.random)

    def weighted(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Each term as it enters the sum; KL is held at a capacity that rises (Burgess et al. 2018)."""
        nats = capacity(self.step, self.config.steps, self.config.capacity_nats, self.config.capacity_ramp)
        held = {name: (value - nats).abs() if name == "kl" else value for name, value in losses.items()}
        return {name: self.config.weight(name, self.step) * value for name, value in held.items()}

    def run(self, save_every_s: float = 120.0) -> dict[str, float]:
        """Train until `config.steps`; resumes from `folder`/state.pt."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._resume()
        loader = iter(self._loader())
        board = _tensorboard(self.folder) if self.processes.first else None
        self.model.train()
        running: dict[str, float] = {}
        saved = began = time.monotonic()
        first = self.step
        while self.step < self.config.steps:
            losses, codes = self.losses(next(loader))
            terms = self.weighted(losses)
            if self.step % self.config.gradients_every == 0:
                running |= gradient_norms(terms, codes)
            # A batch of people of whom nothing is known that the terms ask for teaches nothing, and is still a step.
            self._update(sum(terms.values(), 0.0 * codes.float().sum()))
            if self.config.minutes is not None and (self.step - first) % PACE_EVERY == 0:
                self.config.steps = self._steps_in_time(time.monotonic() - began, self.step - first)
            for name, value in losses.items():
                running[name] = 0.98 * running.get(name, value.item()) + 0.02 * value.item()
            if self.processes.first and (self.step % 25 == 0 or self.step == self.config.steps):
                self._log(running, (time.monotonic() - began) / (self.step - first), board)
            if self.processes.first and (time.monotonic() - saved > save_every_s or self.step == self.config.steps):
                self._save()
                saved = time.monotonic()
        if board:
            board.close()
        return running

    def _steps_in_time(self, seconds: float, done: int) -> int:
        """Number of steps at the end of the limit, after `done` steps in `seconds`; the same in all processes."""
        steps = torch.tensor(self.step + max(0, int((60 * self.config.minutes - seconds) * done / seconds)))
        if self.processes.count > 1:
            steps = steps.to(self.device)
            distributed.broadcast(steps, 0)
        return int(steps)

    def _loader(self) -> DataLoader:
        seed = self.config.seed + 100_000 * self.processes.rank + 7 * self.step
        workers = self.config.workers if self.device == "cpu" else 0
        stream = CropStream(lambda seed: CropGenerator(self.sources, self.weights, seed), self.config, seed)
        return DataLoader(stream, batch_size=None, num_workers=workers, prefetch_factor=3 if workers else None)

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

    def _log(self, running: dict[str, float], pace: float, board) -> None:
        left = (self.config.steps - self.step) * pace
        terms = "  ".join(f"{name} {value:.3f}" for name, value in running.items() if name in TERMS)
        LOG.info("step %d/%d  %s  %.2f s/step  %d min left", self.step, self.config.steps, terms, pace, left // 60)
        with open(self.folder / "log.jsonl", "a") as file:
            file.write(json.dumps({"step": self.step, **running, "seconds_per_step": pace}) + "\n")
        if board:
            for name, value in running.items():
                board.add_scalar(name, value, self.step)

    def _save(self) -> None:
        state = {
            "step": self.step,
            "model": self.model.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "random": self.random.get_state(),
            "concepts": self.taxonomy.ids,
            "begun_with": self.begun_with,
            "config": asdict(self.config),
        }
        with written_whole(self.folder / "state.pt") as temporary:
            torch.save(state, temporary)

    def _resume(self) -> None:
        path = self.folder / "state.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location="cpu", weights_only=True)
        known = tuple(state["concepts"])
        if not set(known) <= set(self.taxonomy.ids):
            raise ValueError(f"{path} was trained on other concepts than this training set has; use a new folder")
        if known != self.taxonomy.ids:
            self._make_room(state, known)
        self.model.load_state_dict(state["model"])
        self.teacher.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.random.set_state(state["random"])
        self.begun_with = state.get("begun_with")
        self.step = state["step"]


    def _make_room(self, state: dict, known: tuple[str, ...]) -> None:
        """Put the vectors of the concepts that a state knows where they belong now; new concepts begin at random."""
        rows = torch.tensor([self.taxonomy.ids.index(concept) for concept in known])
        fresh = self.model.concept_vectors.detach().cpu()
        for weights in (state["model"], state["average"]):
            weights["concept_vectors"] = fresh.index_copy(0, rows, weights["concept_vectors"])
        number = [name for name, _ in self.model.named_parameters()].index("concept_vectors")
        moments = state["optimizer"]["state"].get(number, {})
        for name in ("exp_avg", "exp_avg_sq"):
            if name in moments:
                moments[name] = torch.zeros_like(fresh).index_copy(0, rows, moments[name])
        LOG.info("%d concepts are new to this run", len(self.taxonomy.ids) - len(known))


def source_shares(subjects: list[Subject], source_weights: dict[str, float]) -> list[float]:
    """Weight of each person among the crops: its own by name, or an equal part of its source's."""
    totals = {s.source: sum(o.source == s.source for o in subjects) for s in subjects}
    return [source_weights.get(s.name, source_weights.get(s.source, 1.0) / totals[s.source]) for s in subjects]


def gradient_norms(terms: dict[str, Tensor], codes: Tensor) -> dict[str, float]:
    """Length of each weighted term's gradient at the codes: how hard it pulls at what all terms share."""
    norms = {}
    for name, value in terms.items():
        (gradient,) = torch.autograd.grad(value, codes, retain_graph=True, allow_unused=True)
        norms[f"gradient_{name}"] = 0.0 if gradient is None else float(gradient.float().norm())
    return norms


def _tensorboard(folder: Path):
    """A writer of TensorBoard logs into `folder`, or None where the package is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder))
