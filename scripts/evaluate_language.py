"""Evaluate how typed questions are read, and with --data how often they end at the right place of a scan.

python scripts/evaluate_language.py [QUESTIONS.jsonl ...] [--names] [--withhold] [--text-model NAME_OR_PATH]
    [--data DATA_FOLDER] [--mistakes N] [--write [FILE]]

QUESTIONS are files of scripts/questions by default; each is a table of its own. --names asks every name of the
vocabulary and names with one typing error. --withhold asks names in other languages with vocabularies that lack them.
--text-model compares with the cosine of a sentence encoder (transformers; a name or a folder, nothing is downloaded).
--data holds annotations/ and real_ct/ and needs torch. --write puts the tables into Resources/LANGUAGE.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from anatembed.ask.explorer import Explorer
from anatembed.language.query.resolver import Resolver
from anatembed.language.vocabulary import DEFAULT_PATH, Vocabulary
from anatembed.maps.inference import embed
from anatembed.model.checkpoint import load_checkpoint
from anatembed.output_file import replacing
from research.evaluation import question_systems as systems
from research.evaluation.harness import read_cases
from research.evaluation.question_places import ask_scan, places_table
from research.evaluation.question_tables import group_rows, mistakes, system_rows, target_rows, with_measured
from research.evaluation.question_targets import name_targets, question_targets, size_target
from research.evaluation.questions import ask_all, read_questions
from research.evaluation.tables import rows
from research.evaluation.vocabulary_names import name_questions, typo_questions, withheld_folds
from research.people_split import read_split

QUESTIONS = Path(__file__).parent / "questions"
DOCUMENT = Path(__file__).parents[1] / "Resources" / "LANGUAGE.md"
TYPOS = 4000
ANNOTATED = "annotated"


def main() -> None:
    options = _options()
    vocabulary = Vocabulary.load()
    resolver = Resolver(vocabulary)
    lines = target_rows([size_target(DEFAULT_PATH.parent)])
    lines += question_tables(options, vocabulary, resolver)
    if options.names or options.withhold:
        lines += names_table(options, vocabulary, resolver)
    if options.data:
        lines += places(options.data, vocabulary)
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    if options.write:
        document = with_measured(options.write.read_text(encoding="utf-8"), text)
        with replacing(options.write) as temporary:
            Path(temporary).write_text(document, encoding="utf-8")


def question_tables(options, vocabulary: Vocabulary, resolver: Resolver) -> list[str]:
    """Every file of questions: targets, systems side by side, the resolver by group."""
    others = systems.baselines(vocabulary)
    lines = []
    if options.text_model:
        table = systems.NameTable(vocabulary)
        encode = sentence_encoder(options.text_model)
        others["MiniLM cosine"] = systems.cosine_system(table, encode)
        others[f"MiniLM cosine from {systems.COSINE_LEVEL} on"] = systems.cosine_system(
            table, encode, systems.COSINE_LEVEL
        )
    else:
        lines = ["", "No --text-model was given: the cosine of a sentence encoder is not in the tables."]
    for path in options.questions:
        questions = read_questions(path, vocabulary)
        answers = {systems.RESOLVER: ask_all(questions, systems.resolver_system(resolver), vocabulary)}
        answers |= {name: ask_all(questions, system, vocabulary) for name, system in others.items()}
        own = answers[systems.RESOLVER]
        lines += [
            "",
            f"### {path.stem.replace('_', ' ')}: {len(questions)} questions",
            "",
            *target_rows(question_targets(own)),
        ]
        lines += [
            "",
            "Systems side by side:",
            "",
            *system_rows(answers),
            "",
            "The resolver by group:",
            "",
            *group_rows(own),
        ]
        sys.stderr.write("".join(f"{line}\n" for line in mistakes(own, options.mistakes)))
    return lines


def names_table(options, vocabulary: Vocabulary, resolver: Resolver) -> list[str]:
    """Every name of the vocabulary, typing errors in them, and names that were withheld."""
    own = systems.resolver_system(resolver)
    names = typos = withheld = []
    if options.names:
        names = ask_all(name_questions(vocabulary), own, vocabulary)
        typos = ask_all(typo_questions(vocabulary, TYPOS), own, vocabulary)
    if options.withhold:
        for reduced, questions in withheld_folds(vocabulary):
            withheld = withheld + ask_all(questions, systems.resolver_system(Resolver(reduced)), vocabulary)
    sys.stderr.write("".join(f"{line}\n" for line in mistakes([*names, *typos, *withheld], options.mistakes)))
    lines = ["", "### Names of the vocabulary", "", *target_rows(name_targets(names, typos, withheld))]
    for title, judged in (("by language", names), ("with one typing error", typos), ("withheld", withheld)):
        if judged:
            lines += ["", f"Names {title}:", "", *group_rows(judged)]
    return lines


def places(data: Path, vocabulary: Vocabulary) -> list[str]:
    """Every annotated structure of the real scans, asked by its names."""
    checkpoint, split = load_checkpoint(), read_split()
    asked = []
    for case in read_cases(data, split, vocabulary):
        if case.group == ANNOTATED:
            explorer = Explorer(embed(case.volume, checkpoint), checkpoint, vocabulary)
            asked += ask_scan(case, explorer.locate, vocabulary)
    people = len({one.person for one in asked})
    return ["", f"### From the question to the place ({people} annotated scans)", "", *rows(places_table(asked))]


def sentence_encoder(name: str) -> Callable:
    """Mean-pooled unit vectors of a transformers model that lies on this machine."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=True)
    model = AutoModel.from_pretrained(name, local_files_only=True).eval()

    def encode(texts: list[str]):
        vectors = []
        for start in range(0, len(texts), 128):
            batch = tokenizer(texts[start : start + 128], padding=True, truncation=True, return_tensors="pt")
            with torch.no_grad():
                states = model(**batch).last_hidden_state
            mask = batch["attention_mask"][..., None]
            pooled = (states * mask).sum(1) / mask.sum(1)
            vectors.append(torch.nn.functional.normalize(pooled, dim=1))
        return torch.cat(vectors).numpy()

    return encode


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("questions", type=Path, nargs="*", default=sorted(QUESTIONS.glob("*.jsonl")))
    arguments.add_argument("--names", action="store_true", help="every name of the vocabulary, and typing errors")
    arguments.add_argument("--withhold", action="store_true", help="names in other languages that were left out")
    arguments.add_argument("--text-model", metavar="NAME_OR_PATH", help="a sentence encoder to compare with")
    arguments.add_argument("--data", type=Path, help="folder of the annotated scans")
    arguments.add_argument("--mistakes", type=int, default=0, metavar="N", help="list up to N mistakes a table")
    arguments.add_argument("--write", type=Path, nargs="?", const=DOCUMENT, help="put the tables into this document")
    return arguments.parse_args()


if __name__ == "__main__":
    main()
