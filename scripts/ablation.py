"""Train the loss terms alone, in pairs, together and in stages, on equal small budgets, and measure what codes hold.

python scripts/ablation.py PREPARED_FOLDER -o FOLDER [--steps N] [--only NAME ...] [--workers N] [--config FILE]

The configuration (scripts/configs/ablation.yaml) lists the variants and the person who is held out of all of them.
FOLDER gets one folder per variant with its run and result.json, and ablation.md and ablation.json of all results there
are. A variant with a result is skipped and an interrupted one goes on, so the command can be stopped and run again.
"""
from __future__ import annotations

import argparse
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import yaml
from anatembed.language.vocabulary import Vocabulary
from anatembed.model.encoder import EmbeddingEncoder, network_input
from anatembed.output_file import make_folder, replacing
from held_out_person import LayoutQuestions, Person
from research.evaluation.probes import Discriminant, Ridge, active_units, effective_rank, psnr
from research.people_split import read_split
from research.training.body_frame import UNIT_MM
from research.training.layout import HIDDEN_BEYOND
from research.training.losses import balanced_rows
from research.training.objective import octants
from research.training.subject import OUTSIDE, Subject, subject_files
from research.training.synthesis import AIR_HU, CropGenerator
from research.training.trainer import Trainer, TrainingConfig

CONFIGS = Path(__file__).parent / "configs"
LOG = logging.getLogger("ablation")
HU_PEAK, HU_UNIT = 2000.0, 500.0
"""Range of the canonical HU, and the unit of the decoder."""
NAMERS = {"language", "softmax"}
COLUMNS = (
    "own names top-1", "own names top-5", "own text AUROC", "own HU PSNR", "own place mm", "own layout right",
    "own layout Dice", "probe names top-1", "probe place mm", "probe HU PSNR", "effective rank", "active units",
    "gradient ratio", "s/step",
)
NO_MODEL = "(no model)"


@dataclass(frozen=True)
class Plan:
    """The configuration file: which person is held out, and what every variant shares and has of its own."""

    held_out: list[str]
    training: dict
    weights: dict[str, float]
    variants: dict[str, dict]
    probe: dict[str, int]
    layout: dict[str, int]

    def config(self, variant: str) -> TrainingConfig:
        own = self.variants[variant]
        weights = {term: self.weights[term] for term in own["terms"]}
        return TrainingConfig(**self.training, weights=weights, starts=own.get("starts", {}))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("prepared", type=Path)
    arguments.add_argument("-o", "--output", type=Path, required=True)
    arguments.add_argument("--config", type=Path, default=CONFIGS / "ablation.yaml")
    arguments.add_argument("--steps", type=int, help="instead of the configuration's number")
    arguments.add_argument("--workers", type=int, help="processes that make crops, likewise")
    arguments.add_argument("--only", nargs="+", metavar="NAME", help="train these variants only")
    options = arguments.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    plan = Plan(**yaml.safe_load(options.config.read_text()))
    given = {"steps": options.steps, "workers": options.workers}
    plan.training.update({key: value for key, value in given.items() if value is not None})
    try:
        ablate(options.prepared, make_folder(options.output), plan, options.only)
    except (FileNotFoundError, ValueError) as error:
        raise SystemExit(str(error)) from error


def ablate(prepared: Path, output: Path, plan: Plan, only: list[str] | None = None) -> None:
    """Train and measure what has no result yet, then write the table of all results."""
    if strangers := set(only or ()) - plan.variants.keys():
        raise ValueError(f"expected variants among {', '.join(plan.variants)}, got {', '.join(sorted(strangers))}")
    learners = people_to_train_on(prepared, plan.held_out)
    wanted = {name: settings(plan, name, learners) for name in plan.variants}
    done = {name for name in plan.variants if has_result(output / name, wanted[name])}
    missing = [name for name in plan.variants if name in (only or plan.variants) and name not in done]
    if missing:
        taught, asked = ([Subject.load(prepared / f"{n}.npz") for n in names] for names in (learners, plan.held_out))
        vocabulary, questions = Vocabulary.load(), None
        for name in missing:
            LOG.info("variant %s", name)
            folder = make_folder(output / name)
            write_json(folder / "settings.json", wanted[name])
            trainer = Trainer(taught, vocabulary, plan.config(name), folder)
            questions = questions or Questions(trainer, asked, plan)
            if trainer.config.weights:
                trainer.run()
            write_json(folder / "result.json", questions.result(trainer, plan.variants[name]["terms"]))
            done.add(name)
            del trainer  # before the next one is made: it holds all people
    results = {n: json.loads((output / n / "result.json").read_text()) for n in plan.variants if n in done}
    write_json(output / "ablation.json", {"plan": asdict(plan), "people": learners, "results": results})
    with replacing(output / "ablation.md") as temporary:
        temporary.write_text(table(results) + facts(plan, results, learners))


def people_to_train_on(prepared: Path, held_out: list[str]) -> list[str]:
    """Names of the prepared people without those held out; ValueError if somebody is for the final evaluation."""
    names = [path.stem for path in subject_files(prepared)]
    reserved = tuple(read_split()["evaluation"])
    if evaluation := [name for name in {*names, *held_out} if name.startswith(reserved)]:
        raise ValueError(f"{', '.join(evaluation)}: an evaluation subject, neither to be trained on nor to choose by")
    if missing := set(held_out) - set(names):
        raise FileNotFoundError(f"expected {', '.join(sorted(missing))} of scripts/prepare_data.py in {prepared}")
    if not (learners := [name for name in names if name not in held_out]):
        raise FileNotFoundError(f"expected more people in {prepared} than those held out ({', '.join(held_out)})")
    return learners


def settings(plan: Plan, variant: str, learners: list[str]) -> dict:
    """All that decides a result, as it comes back from JSON."""
    shared = {"held_out": plan.held_out, "probe": plan.probe, "layout": plan.layout, "people": learners}
    return json.loads(json.dumps(shared | {"training": asdict(plan.config(variant))}))


def has_result(folder: Path, wanted: dict) -> bool:
    """Whether the variant in `folder` is done; ValueError if it was begun with other settings."""
    path = folder / "settings.json"
    if not path.is_file():
        return False
    found = json.loads(path.read_text())
    changed = [key for key in wanted if found.get(key) != wanted[key]]
    if "training" in changed:
        changed += [key for key in wanted["training"] if found["training"].get(key) != wanted["training"][key]]
    if changed:
        raise ValueError(f"{folder} was begun with other settings ({', '.join(changed)}); use a new output folder")
    return (folder / "result.json").is_file()


class ProbeCrops:
    """Crops of training people and sampled rows of their codes: what the probes are fitted to.

    targets: (rows,K); places: (rows,3), NaN where unknown; octants: (rows,8) canonical HU, NaN where unknown.
    """

    def __init__(self, trainer: Trainer, crops: int, rows: int):
        seed = trainer.config.seed + 1_000_000
        generator, random = CropGenerator(trainer.sources, trainer.weights, seed), torch.Generator().manual_seed(seed)
        shapes = trainer.config.shapes
        self.images, self.index, targets, places, blocks = [], [], [], [], []
        for n in range(crops):
            which, crop = generator.draw(tuple(shapes[n % len(shapes)]))
            k, j, i = torch.randint(0, 2, (3,), generator=random)
            labels = crop.labels.cpu()[k::2, j::2, i::2].reshape(-1).long()
            index = balanced_rows(labels, rows, random)
            outside = (labels[index] == OUTSIDE)[:, None]
            centres = torch.nn.functional.avg_pool3d(crop.body_coordinates[None], 2)[0].reshape(3, -1).T.cpu()[index]
            eight = octants(crop.canonical_hu).reshape(8, -1).T.cpu()[index]
            self.images.append(crop.hu.cpu().numpy().clip(-1000, 1000))
            self.index.append(index.numpy())
            targets.append(generator.sources[which].targets[labels[index].numpy()])
            places.append(centres.masked_fill(outside | (not crop.has_coordinates), torch.nan).numpy())
            blocks.append(eight.masked_fill(outside | (not crop.has_canonical), torch.nan).numpy())
        self.targets, self.places, self.octants = (np.concatenate(a) for a in (targets, places, blocks))

    def codes(self, encoder: EmbeddingEncoder) -> np.ndarray:
        return np.concatenate([rows_of(encoder, hu)[index] for hu, index in zip(self.images, self.index, strict=True)])


def rows_of(encoder: EmbeddingEncoder, hu_kji: np.ndarray) -> np.ndarray:
    """Codes (rows,C) of a whole image in one pass, rows in KJI order.

    In float32 throughout: what nothing holds in bounds, as after a few steps, may exceed the range of float16.
    """
    device, stride = next(encoder.parameters()).device, encoder.config.total_stride
    behind = [(0, -n % stride) for n in hu_kji.shape]
    padded = torch.from_numpy(np.pad(hu_kji, behind, constant_values=AIR_HU))
    with torch.inference_mode():
        mean = encoder(network_input(padded[None].to(device)))[0][0]
    k, j, i = (-(-n // 2) for n in hu_kji.shape)
    return mean[:, :k, :j, :i].reshape(len(mean), -1).T.cpu().numpy()


class Questions:
    """The questions, the same for every variant, and the answers without a model."""

    def __init__(self, trainer: Trainer, asked: list[Subject], plan: Plan):
        self.people = [Person(subject, trainer.taxonomy) for subject in asked]
        self.layouts = [LayoutQuestions(person, trainer.sources, **plan.layout) for person in self.people]
        self.crops = ProbeCrops(trainer, **plan.probe)
        self.no_model = mean_of([self._no_model(*both) for both in zip(self.people, self.layouts, strict=True)])

    def _no_model(self, person: Person, layout: LayoutQuestions) -> dict[str, float]:
        """The mean atlas, names by chance, and place and HU as in the mean of the training people."""
        nothing = np.zeros((len(self.crops.targets), 1)), np.zeros((person.row_kji.max() + 1, 1))
        probed = self.probes(person, *nothing) | {"probe names top-1": 1 / len(person.columns)}
        return probed | {f"own {key}": value for key, value in layout.by_atlas().items()}

    def probes(self, person: Person, learnt: np.ndarray, codes: np.ndarray) -> dict[str, float]:
        """Read-outs fitted to codes of the training crops, `learnt`, and asked of the person's `codes` (rows,C)."""
        crops = self.crops
        names = Discriminant.fit(learnt, crops.targets[:, person.columns] == 1).scores(codes)
        placed, pictured = (~np.isnan(values[:, 0]) for values in (crops.places, crops.octants))
        places = Ridge.fit(learnt[placed], crops.places[placed]).predict(codes[person.body])
        pictures = Ridge.fit(learnt[pictured], crops.octants[pictured]).predict(codes[person.body])
        return {
            "probe names top-1": person.naming(names)["top-1"],
            "probe place mm": median_mm(places, person.places),
            "probe HU PSNR": psnr(pictures, person.octants, HU_PEAK),
        }

    def result(self, trainer: Trainer, terms: list[str]) -> dict:
        """Everything about a trained variant; what its terms did not train is None."""
        model = trainer.teacher
        learnt = self.crops.codes(model.encoder)
        each = []
        for person, layout in zip(self.people, self.layouts, strict=True):
            codes = rows_of(model.encoder, person.hu)
            inside = codes[person.body]
            spread = {"effective rank": effective_rank(inside), "active units": active_units(inside)}
            each.append(own_heads(model, set(terms), codes, person, layout)
                        | self.probes(person, learnt, codes) | spread)
        gradients, run = read_log(trainer.folder / "log.jsonl", terms)
        measures = dict.fromkeys(COLUMNS) | mean_of(each) | run
        names = [len(person.columns) for person in self.people]
        return {"terms": terms, "measures": measures, "gradients": gradients, "no model": self.no_model, "names": names}


def own_heads(model, terms: set[str], codes: np.ndarray, person: Person, layout: LayoutQuestions) -> dict[str, float]:
    """What the heads say that the terms have trained."""
    found = {}
    with torch.no_grad():
        rows = torch.from_numpy(codes).to(next(model.parameters()).device)
        inside = rows[person.body]
        if terms & NAMERS:
            scores = model.similarity(rows)[:, person.columns].cpu().numpy()
            found |= {f"own names {key}": value for key, value in person.naming(scores).items()}
            found["own text AUROC"] = person.text_auroc(scores)
        if "reconstruction" in terms:
            found["own HU PSNR"] = psnr(HU_UNIT * model.decoder(inside).cpu().numpy(), person.octants, HU_PEAK)
        if "coordinate" in terms:
            found["own place mm"] = median_mm(model.coordinates(inside).cpu().numpy(), person.places)
        if "structure" in terms:
            found |= {f"own {key}": value for key, value in layout.by_model(model, rows).items()}
    return found


def median_mm(found: np.ndarray, true: np.ndarray) -> float:
    """Median distance of body coordinates (N,3) in mm."""
    return float(np.median(np.linalg.norm(found - true, axis=1)) * UNIT_MM)


def mean_of(dictionaries: list[dict[str, float]]) -> dict[str, float | None]:
    """Mean of each value over all that have it; None where it is not a number."""
    means = {key: float(np.mean([one[key] for one in dictionaries])) for key in dictionaries[0]}
    return {key: value if np.isfinite(value) else None for key, value in means.items()}


def read_log(path: Path, terms: list[str]) -> tuple[dict[str, float], dict[str, float]]:
    """Median over the run of each term's gradient at the codes; the largest ratio of two of them, and the pace."""
    if not path.is_file():
        return {}, {}
    # A run that was stopped and resumed has logged some steps twice; the later line is of the run that went on.
    lines = {line["step"]: line for line in map(json.loads, path.read_text().splitlines())}.values()
    norms = {term: [line[f"gradient_{term}"] for line in lines if line.get(f"gradient_{term}")] for term in terms}
    medians = {term: float(np.median(values)) for term, values in norms.items() if values}
    ratio = max(medians.values()) / min(medians.values()) if len(medians) > 1 else None
    return medians, {"gradient ratio": ratio, "s/step": list(lines)[-1]["seconds_per_step"]}


def table(results: dict[str, dict]) -> str:
    """One row a variant, one column a measure."""
    rows = {name: result["measures"] for name, result in results.items()}
    if results:
        rows = {NO_MODEL: next(iter(results.values()))["no model"]} | rows
    lines = ["| variant | " + " | ".join((*COLUMNS, "gradient of each term")) + " |", "|---" * (len(COLUMNS) + 2) + "|"]
    for name, measures in rows.items():
        gradients = results.get(name, {}).get("gradients", {})
        cells = [cell(key, measures.get(key)) for key in COLUMNS]
        cells.append(", ".join(f"{term} {value:.2g}" for term, value in gradients.items()))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def cell(key: str, value: float | None) -> str:
    if value is None:
        return ""
    coarse = any(word in key for word in ("mm", "PSNR", "rank", "units", "ratio"))
    return f"{value:.1f}" if coarse else f"{value:.3f}"


def facts(plan: Plan, results: dict[str, dict], learners: list[str]) -> str:
    """What the table rests on, and what its columns are."""
    c = TrainingConfig(**plan.training)
    shapes = " and ".join("x".join(map(str, shape)) for shape in c.shapes)
    names = " and ".join(str(n) for n in next(iter(results.values()))["names"]) if results else "no"
    return f"""
Budget of every variant: {c.steps} steps of {c.batch} crops of {shapes} voxels (KJI, 3 mm) of {len(learners)} people,
the same crops; learning rate {c.learning_rate:g}; encoder {list(c.encoder["channels"])}, code {c.encoder["latent"]}.
Held out of all variants and asked: {", ".join(plan.held_out)} ({names} names); figures are the mean of them.
**One held-out person and one seed ({c.seed}): a small difference between two rows is no evidence.** A short run tells
how fast a term teaches, not where it ends.

- own: by the heads that the variant's terms train, empty where they train none. names: top-1 and top-5 among the names
  that the person is labelled with, every label counted alike. text AUROC: a name's voxels against all others of the
  body, mean over the names. HU PSNR: dB of the canonical HU of the body (peak {HU_PEAK:g} HU). place: median error of
  the body coordinate.
- own layout: from {plan.layout["patches"]} patches of the body, {plan.layout["draws"]} draws; share of the labelled
  places beyond {UNIT_MM * HIDDEN_BEYOND:g} mm of every patch that get the right name, and mean Dice over the structures
  there. {NO_MODEL}: the vote of the training people's labels at the same place about the body's origin.
- probe: linear read-outs fitted to {plan.probe["rows"]} codes of each of {plan.probe["crops"]} training crops, at the
  same places for all variants. {NO_MODEL}: chance, and the mean of the training people.
- effective rank, active units: of the codes of the body. Only the KL term fixes the scale on which units are active.
- gradient: median, over the steps at which a term counts, of the length of its weighted gradient at the codes; ratio:
  of the largest to the smallest of these. s/step: of the machine that trained, with its load.
"""


def write_json(path: Path, content) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1))


if __name__ == "__main__":
    main()
