"""Runs every system over every evaluation scan and sums up one table."""
from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from anatembed.ask.explorer import Explorer
from anatembed.language.vocabulary import Vocabulary
from anatembed.model.checkpoint import Checkpoint
from anatembed.output_file import replacing

from research.evaluation import plots
from research.evaluation.asking import asked_for, shown_for
from research.evaluation.baselines import Lookup
from research.evaluation.bench import Bench, body_positions
from research.evaluation.label_maps import labelled_scans
from research.evaluation.metrics import auroc, bootstrap_interval
from research.evaluation.section import Section
from research.evaluation.tables import evaluation_markdown, section_content, without_nan, write_json
from research.evaluation.truth import (
    DENSE,
    TOLERANCE_MM,
    Case,
    Structure,
    annotated_case,
    distance_mm,
    labelled_case,
)

LOG = logging.getLogger(__name__)
CHANCE_PLACES = 500


@dataclass
class Located:
    """One typed structure that is in the scan: where the first hit lay."""

    concept: str
    is_box: bool
    to_box_mm: float
    to_centre_mm: float
    found: bool
    wrong_side: bool
    sided: bool

    @property
    def hit(self) -> bool:
        return self.to_box_mm <= TOLERANCE_MM


@dataclass
class Named:
    """One annotated point: rank of the true name among the answers (0 is first, None is absent)."""

    concept: str
    rank: int | None
    wrong_side: bool
    sided: bool


@dataclass
class Report:
    """Everything one system said about one case."""

    person: str
    group: str
    located: list[Located] = field(default_factory=list)
    named: list[Named] = field(default_factory=list)
    presence: list[tuple[str, bool, float, bool]] = field(default_factory=list)  # concept, truth, score, found
    chance_hit: list[float] = field(default_factory=list)
    not_learnt: list[str] = field(default_factory=list)
    seconds: float = 0.0


def read_cases(data: Path, split: dict, vocabulary: Vocabulary) -> Iterator[Case]:
    """The annotated scans, then labelled ones that are on the evaluation list of `split`."""
    yield from read_annotated(data, split, vocabulary)
    for one in labelled_scans(data, split):
        yield labelled_case(one.scan, one.labels, one.names, one.group, vocabulary)


def read_annotated(data: Path, split: dict, vocabulary: Vocabulary) -> Iterator[Case]:
    """The annotated scans; ValueError for one that is not on the evaluation list of `split`."""
    doubts = split.get("level_doubt", {})
    for table in sorted((data / "annotations").glob("*.tsv")):
        if not table.name.startswith(tuple(split["evaluation"])):
            raise ValueError(f"{table.name} is annotated but not on the evaluation list")
        if not table.stem.endswith(DENSE):
            doubt = next((levels for person, levels in doubts.items() if table.stem.startswith(person)), 0)
            yield annotated_case(data / "real_ct" / f"{table.stem}.nii.gz", table, vocabulary, doubt)


class ModelSystem:
    """The embedding: names through the search that users have, points through the naming."""

    def __init__(self, explorer: Explorer, name: str = "embedding"):
        self.name, self.explorer = name, explorer

    def locate(self, concept: str) -> tuple[np.ndarray | None, bool, float] | None:
        """First hit, whether it counts as found, and presence; None if the concept was not learnt.

        A refusal shows no place: then the best place of the concept, or of its likelier side, is judged.
        """
        shown = asked_for(self.explorer, concept)
        if shown is None:
            return None
        if shown.hit:
            return shown.hit.position_ras, True, shown.presence
        targets = self.explorer.locating.targets(shown_for(self.explorer, concept), None)
        searches = [self.explorer.index.search(one.learnt, 1) for one in targets]
        best = max(searches, key=lambda search: search.presence)
        return (best.hits[0].position_ras if best.hits else None), False, shown.presence

    def names(self, position: np.ndarray) -> list[str]:
        probabilities = self.explorer.index.name_probabilities(position[None])[0]
        return [c.id for c in self.explorer.specific(probabilities, 5)]


class LookupSystem:
    """A baseline that looks places up in the reference; it has no notion of absence and gives one name a point."""

    def __init__(self, name: str, lookup: Lookup):
        self.name, self.lookup = name, lookup

    def locate(self, concept: str) -> tuple[np.ndarray | None, bool, float] | None:
        place = self.lookup.locate(concept)
        return None if place is None else (place, True, 1.0)

    def names(self, position: np.ndarray) -> list[str]:
        name = self.lookup.name(position)
        return [name] if name else []


def evaluate_case(case: Case, system, vocabulary: Vocabulary, random_ras: np.ndarray) -> Report:
    """Ask `system` about everything that is known of the case; `random_ras` (N,3): places of its body, for chance."""
    report = Report(case.person, case.group)
    by_concept = {structure.concept: structure for structure in case.present}
    for structure in case.present:
        answer = system.locate(structure.concept)
        pair = by_concept.get(vocabulary[structure.concept].pair)
        if answer is None:
            report.not_learnt.append(structure.concept)
        else:
            position, found, presence = answer
            report.located.append(judge_location(structure, pair, position, found))
            report.presence.append((structure.concept, True, presence, found))
            report.chance_hit.append(_mean([distance_mm(place, structure) <= TOLERANCE_MM for place in random_ras]))
        report.named.append(judge_name(structure, system.names(structure.inside), vocabulary))
    for concept in case.absent:
        answer = system.locate(concept)
        if answer is not None:
            report.presence.append((concept, False, answer[2], answer[1]))
    return report


def judge_location(structure: Structure, pair: Structure | None, position, found: bool) -> Located:
    """Distances of the first hit; the side is wrong when the hit is nearer to the other side's structure."""
    if position is None:
        return Located(structure.concept, structure.is_box, np.inf, np.inf, False, False, pair is not None)
    own, centre = distance_mm(position, structure), float(np.linalg.norm(position - structure.centre))
    wrong = pair is not None and np.linalg.norm(position - pair.centre) < centre
    return Located(structure.concept, structure.is_box, own, centre, found, bool(wrong), pair is not None)


def judge_name(structure: Structure, names: list[str], vocabulary: Vocabulary) -> Named:
    """A part of the true structure is the true structure: 'left ventricle' names a point of the heart rightly."""
    right = [name == structure.concept or structure.concept in vocabulary.ancestors(name) for name in names]
    pair = vocabulary[structure.concept].pair
    wrong = bool(names) and pair is not None and (names[0] == pair or pair in vocabulary.ancestors(names[0]))
    return Named(structure.concept, right.index(True) if True in right else None, wrong, pair is not None)


def run(bench: Bench) -> dict[str, list[Report]]:
    """Reports of the model and, with the first model, of the lookups; the embedded scans are left in the bench."""
    for scan in bench.scans:
        model = ModelSystem(bench.explore(scan.case.volume), bench.name)
        bench.explorers[scan.person] = model.explorer
        random_ras = body_positions(model.explorer.map, CHANCE_PLACES)
        lookups = [LookupSystem(name, lookup) for name, lookup in scan.lookups.items()]
        for system in [model, *(lookups if bench.with_baselines else [])]:
            report = evaluate_case(scan.case, system, bench.vocabulary, random_ras)
            bench.reports.setdefault(system.name, []).append(report)
        summary = summarise([bench.reports[bench.name][-1]])
        LOG.info("%s: hit@1 %.2f, naming top-1 %.2f", scan.person, summary["hit@1"], summary["naming top-1"])
    return bench.reports


def summarise(reports: list[Report]) -> dict[str, float]:
    """The figures of one system over some cases."""
    located = [x for r in reports for x in r.located]
    named = [x for r in reports for x in r.named]
    presence = [x for r in reports for x in r.presence]
    distances = np.array([x.to_box_mm for x in located])
    present = [x for x in presence if x[1]]
    absent = [x for x in presence if not x[1]]
    finite = np.isfinite(distances)
    return {
        "structures": len(located),
        "not learnt": sum(len(r.not_learnt) for r in reports),
        "hit@1": _mean([x.hit for x in located]),
        "hit@1 of boxes": _mean([x.hit for x in located if x.is_box]),
        "hit@1 of points": _mean([x.hit for x in located if not x.is_box]),
        "hit@1 as shipped": _mean([x.hit and x.found for x in located]),
        "median mm to box": float(np.median(distances[finite])) if finite.any() else float("nan"),
        "median mm to centre": _median([x.to_centre_mm for x in located]),
        "wrong side, located": _mean([x.wrong_side for x in located if x.sided]),
        "points": len(named),
        "naming top-1": _mean([x.rank == 0 for x in named]),
        "naming top-5": _mean([x.rank is not None for x in named]),
        "wrong side, named": _mean([x.wrong_side for x in named if x.sided]),
        "absent asked": len(absent),
        "absent AUROC": auroc(np.array([x[2] for x in presence]), np.array([x[1] for x in presence])),
        "absent refused": _mean([not x[3] for x in absent]),
        "present kept": _mean([x[3] for x in present]),
    }


def common_hits(reports: dict[str, list[Report]]) -> dict[str, float]:
    """hit@1 of each system over the structures that every system has an answer for."""
    located = {n: {(r.person, x.concept): x.hit for r in rs for x in r.located} for n, rs in reports.items()}
    shared = set.intersection(*(set(hits) for hits in located.values()))
    return {name: _mean([hits[key] for key in shared]) for name, hits in located.items()}


def chance(reports: list[Report], concepts: int) -> dict[str, float]:
    """What a random voxel of the body and a random name would score."""
    return {
        "hit@1": _mean([x for r in reports for x in r.chance_hit]),
        "naming top-1": 1 / concepts,
        "naming top-5": 5 / concepts,
        "absent AUROC": 0.5,
    }


def intervals(reports: list[Report]) -> dict[str, tuple[float, float]]:
    """95 % bootstrap intervals over people of the main rates."""
    hits = {r.person: [float(x.hit) for x in r.located] for r in reports}
    names = {r.person: [float(x.rank == 0) for x in r.named] for r in reports}
    return {"hit@1": bootstrap_interval(hits, np.mean), "naming top-1": bootstrap_interval(names, np.mean)}


def structure_table(reports: list[Report]) -> list[dict]:
    """One row a structure: how often and how near it was found and named."""
    concepts = sorted({x.concept for r in reports for x in r.named})
    rows = []
    for concept in concepts:
        located = [x for r in reports for x in r.located if x.concept == concept]
        named = [x for r in reports for x in r.named if x.concept == concept]
        rows.append({
            "structure": concept,
            "scans": len(named),
            "hit@1": _mean([x.hit for x in located]),
            "mm to box": _median([x.to_box_mm for x in located]),
            "mm to centre": _median([x.to_centre_mm for x in located]),
            "named first": _mean([x.rank == 0 for x in named]),
            "named in five": _mean([x.rank is not None for x in named]),
        })
    return rows


def write(
    reports: dict[str, list[Report]], checkpoint: Checkpoint, output: Path, sections: Sequence[Section] = (),
    keep: bool = False,
) -> str:
    """Write evaluation.json, evaluation.md and the figures into `output`; returns the Markdown.

    reports: by system, the model's first; sections: what else was measured, see `suite`. keep: other sections that are
    in the file stay; ValueError if they are of another model.
    """
    output.mkdir(parents=True, exist_ok=True)
    path = output / "evaluation.json"
    content = tables_of(reports, checkpoint)
    content["sections"] = _kept_sections(path, checkpoint.encoder_id) if keep and path.is_file() else {}
    content["sections"] |= {section.name: section_content(section) for section in sections}
    plots.draw([figure for section in sections for figure in section.figures], output)
    content = without_nan(content)
    text = evaluation_markdown(content, {picture.stem for picture in output.glob("*.png")})
    write_json(path, content)
    with replacing(output / "evaluation.md") as temporary:
        temporary.write_text(text)
    return text


def _kept_sections(path: Path, encoder_id: str) -> dict:
    known = json.loads(path.read_text())
    if known["encoder_id"] != encoder_id:
        raise ValueError(f"expected results of {encoder_id} in {path} to add to, they are of {known['encoder_id']}")
    return known["sections"]


def tables_of(reports: dict[str, list[Report]], checkpoint: Checkpoint) -> dict:
    """The tables of search, naming and refusal by group of people, and of the structures one by one."""
    model = next(iter(reports.values()))
    groups = {"all": lambda r: True, "annotated trunk scans": lambda r: r.group == "annotated",
              "labelled scans": lambda r: r.group != "annotated"}
    content = {"encoder_id": checkpoint.encoder_id, "people": [r.person for r in model], "groups": {}}
    for title, chosen in groups.items():
        if not any(map(chosen, model)):
            continue
        table = {name: summarise([r for r in rs if chosen(r)]) for name, rs in reports.items()}
        for name, rate in common_hits({name: [r for r in rs if chosen(r)] for name, rs in reports.items()}).items():
            table[name]["hit@1, known to all"] = rate
        table["chance"] = chance([r for r in model if chosen(r)], len(checkpoint.readout.concept_ids))
        spans = intervals([r for r in model if chosen(r)])
        content["groups"][title] = {"people": sum(map(chosen, model)), "systems": table, "intervals": spans}
    content["structures"] = structure_table(model)
    return content


def _mean(values: list) -> float:
    return float(np.mean(values)) if values else float("nan")


def _median(values: list[float]) -> float:
    return float(np.median(values)) if values else float("nan")
