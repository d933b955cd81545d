"""Puts the figures of Resources/Evaluation/*.json into README.md and the model card.

python scripts/write_figures.py [--check]

What stands between <!-- figures: NAME --> and <!-- /figures --> is replaced by the tables that belong to NAME (see
TABLES), or by scripts/figure_texts/NAME.md with its fields filled in. A field is {{FILE > KEY > KEY | FORM}}: the value
at these keys of FILE.json, written as FORM says: % (whole percent), .2f and the like, or a condition such as
>= 0.80, which becomes "met" or "missed". --check changes nothing and fails where a text is not what the files say.
"""
from __future__ import annotations

import argparse
import json
import operator
import re
import sys
from collections.abc import Callable
from pathlib import Path

from research.evaluation.section import Section
from research.evaluation.tables import evaluation_markdown, section_markdown

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "Resources" / "Evaluation"
TEXTS = Path(__file__).parent / "figure_texts"
PAGES = (ROOT / "README.md", ROOT / "Resources" / "MODEL_CARD.md")
BLOCK = re.compile(r"(<!-- figures: (?P<name>[\w ]+) -->\n)(?P<text>.*?)(<!-- /figures -->)", re.DOTALL)
FIELD = re.compile(r"\{\{(?P<path>[^{}|]+)\|(?P<form>[^{}|]+)\}\}")
CONDITIONS: dict[str, Callable] = {">=": operator.ge, "<=": operator.le}


def results(name: str) -> dict:
    """The content of a file of results; FileNotFoundError says which is missing."""
    path = RESULTS / f"{name}.json"
    if not path.is_file():
        raise FileNotFoundError(f"expected results at {path}, found none")
    return json.loads(path.read_text())


def evaluation() -> str:
    """Everything that `evaluate.py` wrote, with its pictures."""
    return evaluation_markdown(results("evaluation"), {path.stem for path in RESULTS.glob("*.png")}, "Evaluation/")


def columns(name: str) -> Callable[[], str]:
    """The tables of a file that has a column for each model."""

    def written() -> str:
        content, lines = results(name), []
        for key, section in content["sections"].items():
            parts = {part: section[part] for part in ("title", "text", "systems", "intervals")}
            lines += section_markdown(Section(key, **parts), set())
        return "\n".join(lines)

    return written


TABLES: dict[str, Callable[[], str]] = {
    "evaluation": evaluation, "levels": columns("levels"), "absence": columns("absence"),
}


def filled(text: str) -> str:
    """A text with its fields replaced; ValueError names the one that cannot be."""
    return FIELD.sub(lambda field: _written(field["path"], field["form"].strip()), text)


def _written(path: str, form: str) -> str:
    file, *keys = (part.strip() for part in path.split(">"))
    value = results(file)
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            raise ValueError(f"expected {key!r} on the way {path.strip()!r}, {file}.json has none there")
        value = value[key]
    if not isinstance(value, int | float):
        raise ValueError(f"expected a number at {path.strip()!r}, got {value!r}")
    sign, _, limit = form.partition(" ")
    if sign in CONDITIONS:
        return "met" if CONDITIONS[sign](value, float(limit)) else "missed"
    return f"{100 * value:.0f} %" if form == "%" else format(value, form)


def block(name: str) -> str:
    """What belongs between the marks of this name; ValueError for an unknown one."""
    if name in TABLES:
        return TABLES[name]().strip() + "\n"
    path = TEXTS / f"{name}.md"
    if not path.is_file():
        raise ValueError(f"expected one of {', '.join(TABLES)} or a text at {path}, got the name {name!r}")
    return filled(path.read_text()).strip() + "\n"


def page(text: str) -> str:
    """A page with all its blocks as the files of results say now."""
    opened, closed = text.count("<!-- figures:"), text.count("<!-- /figures -->")
    if not opened == closed == len(BLOCK.findall(text)):
        raise ValueError(f"expected every <!-- figures: NAME --> to be closed, got {opened} opened and {closed} closed")
    return BLOCK.sub(lambda found: found[1] + block(found["name"]) + found[4], text)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--check", action="store_true", help="change nothing; fail where something would change")
    options = arguments.parse_args()
    changed = [path for path in PAGES if page(path.read_text()) != path.read_text()]
    for path in changed:
        if not options.check:
            path.write_text(page(path.read_text()))
        sys.stdout.write(f"{'differs' if options.check else 'written'}: {path.relative_to(ROOT)}\n")
    sys.exit(bool(changed and options.check))


if __name__ == "__main__":
    main()
