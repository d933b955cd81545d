"""A person whom an ablation holds out of training: what is asked of codes of the CT, and what is right.

A row is a code of the map, rows in KJI order; a code covers 2x2x2 voxels of the person's grid.
"""
from __future__ import annotations

import numpy as np
import torch
from anatembed.geometry import transform_points
from research.evaluation.metrics import auroc
from research.evaluation.probes import mean_dice, name_ranks
from research.training.body_frame import UNIT_MM, body_positions
from research.training.layout import LayoutSampler, hidden
from research.training.objective import octants
from research.training.subject import OUTSIDE, Subject
from research.training.synthesis import CropSource
from research.training.targets import Taxonomy

MIN_VOXELS = 30
"""A label with fewer voxels is no fair question."""
CELL = 4
"""Voxels between the places that the layout is asked about."""
BLUR_MM = 15.0


class Person:
    """A CT and its labels.

    columns: of the taxonomy, the names that the person is labelled with; truth: (labels,columns) in {-1, 0, 1};
    names: the column (index into `columns`) of each label that is one of them.
    """

    def __init__(self, subject: Subject, taxonomy: Taxonomy):
        if subject.ct_kji is None or subject.ras_to_body is None:
            raise ValueError(f"expected a CT with a place in the body frame to be held out, got {subject.name}")
        self.subject = subject
        whole = tuple(slice(n // 2 * 2) for n in subject.labels_kji.shape)
        self.labels = subject.labels_kji[whole].astype(np.int64)
        self.hu = subject.ct_kji[whole].clip(-1000, 1000).astype(np.float32)
        counts = np.bincount(self.labels.ravel(), minlength=len(subject.label_concepts))
        certain = {label: taxonomy.ids.index(concepts[0]) for label, concepts in enumerate(subject.label_concepts)
                   if len(concepts) == 1 and concepts[0] in taxonomy.ids and counts[label] >= MIN_VOXELS}
        self.columns = np.unique(list(certain.values()))
        self.names = {label: int(np.searchsorted(self.columns, column)) for label, column in certain.items()}
        self.truth = taxonomy.target_table(subject)[:, self.columns]
        shape = [n // 2 for n in self.labels.shape]
        self.row_kji = np.arange(np.prod(shape)).reshape(shape).repeat(2, 0).repeat(2, 1).repeat(2, 2)
        body = octants(torch.from_numpy(self.labels > OUTSIDE)).float().mean(dim=0).numpy() >= 0.5
        self.body = np.flatnonzero(body)
        self.body_ijk = 2.0 * np.argwhere(body)[:, ::-1] + 0.5
        self.octants = octants(torch.from_numpy(self.hu)).reshape(8, -1).T.numpy()[self.body]
        self.places = body_positions(subject, transform_points(subject.ijk_to_ras, self.body_ijk))

    def naming(self, scores: np.ndarray) -> dict[str, float]:
        """Of scores (rows,columns): share named rightly at once and among five, every label counted alike."""
        ranks = [name_ranks(scores[self.row_kji[self.labels == label]], self.truth[label]) for label in self.names]
        return {"top-1": float(np.mean([np.mean(r == 0) for r in ranks])),
                "top-5": float(np.mean([np.mean(r < 5) for r in ranks]))}

    def text_auroc(self, scores: np.ndarray) -> float:
        """How well each name tells its voxels from all others of the body, mean over the names."""
        inside = self.labels > OUTSIDE
        rows, truth = self.row_kji[inside], self.truth[self.labels[inside]]
        columns = [(scores[rows[known], c], truth[known, c] == 1) for c, known in enumerate((truth != 0).T)]
        return float(np.nanmean([auroc(one, right) for one, right in columns]))


class LayoutQuestions:
    """Which structure lies at hidden places of a person, asked of a few patches; the same draws for every variant."""

    def __init__(self, person: Person, sources: list[CropSource], patches: int, draws: int):
        self.person = person
        subject, random = person.subject, np.random.default_rng(0)
        shape = subject.labels_kji.shape
        upright = np.eye(3), (np.array(shape) - 1) / 2
        layout = LayoutSampler(subject).draw(subject.labels_kji, *upright, random)
        lattice = np.argwhere(np.ones([-(-n // CELL) for n in person.labels.shape])) * CELL
        labels = person.labels[tuple(lattice.T)]
        named = np.isin(labels, list(person.names))
        self.labels = labels[named]
        self.own = np.array([person.names[label] for label in self.labels], int)
        self.places = layout.places_of(torch.from_numpy(lattice[named][:, ::-1].astype(np.float32)), shape)
        body_places = layout.places_of(torch.from_numpy(person.body_ijk.astype(np.float32)), shape)
        chosen = random.integers(len(person.body), size=(draws, patches))
        self.visible = person.body[chosen]
        self.asked = [hidden(self.places, body_places[draw]).numpy() for draw in chosen]
        self.atlas = atlas_scores(self.places.numpy(), sources)[:, person.columns]

    def judge(self, scores: list[np.ndarray]) -> dict[str, float]:
        """Of scores (asked places,columns) of each draw: share of right names, and mean Dice over the structures."""
        found, true = [], []
        for asked, own_scores in zip(self.asked, scores, strict=True):
            truth, own = self.person.truth[self.labels[asked]], self.own[asked]
            best = np.where(truth == 0, -np.inf, own_scores).argmax(axis=1)
            right = np.take_along_axis(truth, best[:, None], axis=1)[:, 0] == 1
            found.append(np.where(right, own, best))
            true.append(own)
        found, true = np.concatenate(found), np.concatenate(true)
        right = float(np.mean(found == true)) if len(true) else float("nan")
        return {"layout right": right, "layout Dice": mean_dice(found, true)}

    def by_atlas(self) -> dict[str, float]:
        return self.judge([self.atlas[asked] for asked in self.asked])

    def by_model(self, model, codes: torch.Tensor) -> dict[str, float]:
        """By the layout decoder of a model, from codes (rows,C)."""
        vectors = [model.layout(codes[rows], self.places[asked].to(codes.device))
                   for rows, asked in zip(self.visible, self.asked, strict=True)]
        return self.judge([model.compare(one)[:, self.person.columns].cpu().numpy() for one in vectors])


def atlas_scores(places: np.ndarray, sources: list[CropSource]) -> np.ndarray:
    """(N,K): the share of the training people who have a concept at a place (RAS about the body's origin, units of
    100 mm) among those of whom it is known, blurred by BLUR_MM: what can be said of a place without a scan."""
    steps = 1.2 * BLUR_MM * np.stack(np.meshgrid(*[(-1, 0, 1)] * 3), axis=-1).reshape(-1, 3)
    shares = np.exp(-0.5 * np.square(steps / BLUR_MM).sum(axis=1))
    votes = known = np.zeros((len(places), sources[0].targets.shape[1]))
    for source in sources:
        if source.layout is None:
            continue
        seen = np.zeros((len(places), len(source.targets)))
        for step, share in zip(steps, shares, strict=True):
            voxels = (places * UNIT_MM + step)[:, ::-1] / source.layout.spacing_mm + source.layout.origin_kji
            index = np.rint(voxels).astype(int)
            inside = np.flatnonzero(((index >= 0) & (index < source.layout.shape)).all(axis=1))
            seen[inside, source.labels[tuple(index[inside].T)]] += share
        votes, known = votes + seen @ (source.targets == 1), known + seen @ (source.targets != 0)
    return votes / np.maximum(known, 1e-9)
