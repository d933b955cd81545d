"""Train the small text encoder that ships, against the frozen image model and with a large text model as teacher.

python scripts/train_text.py PREPARED_FOLDER --text-model NAME_OR_FOLDER -o text_encoder.npz
python scripts/train_text.py PREPARED_FOLDER --text-model NAME_OR_FOLDER --without-fold 0/5 -o withheld.npz

PREPARED_FOLDER is the one of scripts/prepare_data.py, whose people took no part in the evaluation. The second form
withholds names and structures and measures how the encoder, its teacher and a comparison of spellings find them;
figures go to OUTPUT with the ending .json. Needs the package `transformers`; with HF_HUB_OFFLINE=1 nothing is loaded
from the network.
"""
from __future__ import annotations

import argparse
import itertools
import json
import logging
import time
from pathlib import Path

import yaml
from anatembed.language.query.knowledge import GUARD_PATH
from anatembed.language.vocabulary import Vocabulary
from anatembed.model.checkpoint import load_checkpoint
from anatembed.output_file import write_text
from research.training.subject import Subject, subject_files
from research.training.targets import Taxonomy
from research.training.text_calibration import NAMES, sure_by_language
from research.training.text_folds import BY
from research.training.text_run import Limits, TextRun
from research.training.text_teacher import TransformerTeacher
from research.training.text_training import TextConfig
from research.training.text_words import read_words
from research.training.voxel_sample import crop_generator, draw_views, sample_voxels

LOG = logging.getLogger("train_text")
CONFIGS = Path(__file__).parent / "configs"


def main(arguments: list[str] | None = None, teacher=None) -> None:
    options = parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    config = yaml.safe_load(options.config.read_text())
    began = time.perf_counter()
    checkpoint, vocabulary = load_checkpoint(options.model), Vocabulary.load()
    people = read_people(options.prepared)
    taxonomy = Taxonomy({c for person in people for labels in person.label_concepts for c in labels}, vocabulary)
    if taxonomy.ids != checkpoint.readout.concept_ids:
        raise SystemExit("expected the people that the image model was trained on: the concepts differ")
    generator = crop_generator(people, taxonomy, vocabulary, checkpoint)
    shapes = [tuple(shape) for shape in config["shapes"]]
    views = draw_views(checkpoint, generator, taxonomy, config["views"] + config["calibration_views"], shapes)
    voxels = sample_voxels(itertools.islice(views, config["views"]), checkpoint)
    LOG.info("%d voxels of %d views", len(voxels.features), voxels.view.max() + 1)
    run = TextRun(
        checkpoint, vocabulary, teacher or TransformerTeacher(options.text_model), voxels, list(views),
        yaml.safe_load(options.strangers.read_text()), GUARD_PATH.read_text(encoding="utf-8").split(),
        TextConfig.from_dict(config["training"]), read_words(options.words),
    )  # fmt: skip
    limits = Limits(**config["limits"])
    teacher_record = {"teacher": config["source"], "licence": config["licence"]}
    if options.without_fold:
        trainer, levels, figures = measured(run, *options.without_fold, options.withhold, limits)
    else:
        levels, figures = run.levels(config["folds"], config["folds_used"], limits)
        trainer = run.train(run.phrases)
    figures["minutes"] = round((time.perf_counter() - began) / 60, 1)
    encoder = trainer.encoder(levels, teacher_record | {"figures": figures})
    sha256 = encoder.save(options.output)
    write_text(options.output.with_suffix(".json"), json.dumps(figures, indent=1, ensure_ascii=False))
    LOG.info("%s", json.dumps(figures, indent=1, ensure_ascii=False))
    LOG.info("%s  %.1f MB  SHA-256 %s", options.output, options.output.stat().st_size / 1e6, sha256)


def measured(run: TextRun, number: int, folds: int, by: str, limits: Limits):
    """Training with a fold withheld: the trainer, its levels and its figures."""
    trainer, withheld = run.fold(number, folds, by)
    encoder = trainer.encoder({}, {})
    rows = run.suggestion_rows(encoder, withheld)
    levels, figures = limits.fit(rows, run.free_text_rows(encoder, withheld))
    figures["suggestions"]["sure_by_language"] = sure_by_language(
        rows[NAMES], withheld.names, levels["suggestions"]
    )
    figures |= {"withheld": f"fold {number} of {folds}, {by}", "names": run.rankings(trainer, withheld)}
    return trainer, levels, figures


def read_people(folder: Path) -> list[Subject]:
    """The prepared people; SystemExit if there are none."""
    paths = subject_files(folder)
    if not paths:
        raise SystemExit(f"expected subjects (*.npz) of scripts/prepare_data.py in {folder}, found none")
    return [Subject.load(path) for path in paths]


def fold_argument(text: str) -> tuple[int, int]:
    number, folds = map(int, text.split("/"))
    return number, folds


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prepared", type=Path)
    parser.add_argument("--text-model", required=True, help="name or folder of the teacher")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--model", type=Path, help="image model (default: the one that ships)")
    parser.add_argument("--config", type=Path, default=CONFIGS / "text.yaml")
    parser.add_argument("--strangers", type=Path, default=CONFIGS / "text_strangers.yaml")
    parser.add_argument("--words", type=Path, default=CONFIGS / "text_words.csv", help="dictionary of single words")
    parser.add_argument("--without-fold", type=fold_argument, metavar="I/N", help="withhold this fold and measure")
    parser.add_argument("--withhold", choices=BY, default=BY[0], help="what a fold is made of (%(default)s)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
