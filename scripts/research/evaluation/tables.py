"""The evaluation as Markdown and JSON, and its figures as pictures."""
from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
from anatembed.output_file import replacing

from research.evaluation.section import Figure, Section

LENGTH = re.compile(r"(?<!\d )\bmm\b")
"""The measure is in mm, unless the mm belong to a number in its name ("within 10 mm")."""


def markdown(table: dict[str, dict[str, float]]) -> list[str]:
    """Measures down, systems across."""
    names = list(table)
    measures = list(dict.fromkeys(measure for column in table.values() for measure in column))
    lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for measure in measures:
        cells = [cell(measure, table[name].get(measure)) for name in names]
        lines.append(f"| {measure} | " + " | ".join(cells) + " |")
    return lines


def rows(table: list[dict]) -> list[str]:
    """One line a row, the keys of the first row as heads."""
    keys = list(table[0])
    body = ["| " + " | ".join(cell(key, row.get(key)) for key in keys) + " |" for row in table]
    return ["| " + " | ".join(keys) + " |", "|---" * len(keys) + "|", *body]


def cell(measure: str, value) -> str:
    """A number as people read it; nothing where there is none."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, str | int):
        return str(value)
    if abs(value) >= 10 and value == round(value):
        return f"{value:.0f}"
    if LENGTH.search(measure):
        return f"{value:.1f}"
    return f"{value:.2g}" if 0 < abs(value) < 0.1 else f"{value:.2f}"


def section_markdown(section: Section, pictures: set[str], with_rows: bool = True, folder: str = "") -> list[str]:
    """Title, what was measured, table, intervals of the first system, details, and those figures that are in
    `pictures`, with `folder` before their names."""
    lines = [f"### {section.title}", "", section.text, "", *markdown(_with_interval(section)), ""]
    for figure in section.figures:
        if figure.name in pictures:
            lines += [f"![{figure.title}]({folder}{figure.name}.png)", ""]
    return lines + ([*rows(section.rows), ""] if section.rows and with_rows else [])


def group_markdown(title: str, group: dict) -> list[str]:
    """The table of one group of people, as it is in evaluation.json, with the intervals of its main rates."""
    ranges = ", ".join(f"{name} {low:.2f} to {high:.2f}" for name, (low, high) in group["intervals"].items())
    return [f"### {title} ({group['people']} people)", "", *markdown(group["systems"]), "",
            f"95 % intervals over people: {ranges}", ""]


def evaluation_markdown(content: dict, pictures: set[str], folder: str = "") -> str:
    """Everything that is in evaluation.json, for people; `pictures` in `folder` are shown."""
    lines = [f"Model {content['encoder_id']}; {len(content['people'])} people, none of them trained on.", ""]
    if note := content.get("note"):
        lines += [note, ""]
    for title, group in content["groups"].items():
        lines += group_markdown(title, group)
    for section in content["sections"].values():
        lines += section_markdown(section_of(section), pictures, folder=folder)
    return "\n".join([*lines, "### Structures", "", *rows(content["structures"])]) + "\n"


def _with_interval(section: Section) -> dict[str, dict]:
    """The table with the intervals of the first system beside it."""
    first, *others = section.systems
    spans = section.intervals.get(first, {})
    written = {m: f"{cell(m, low)} to {cell(m, high)}" for m, (low, high) in spans.items() if low < high}
    columns = {first: section.systems[first]} | ({"95 % over people": written} if written else {})
    return columns | {name: section.systems[name] for name in others}


def section_content(section: Section) -> dict:
    """The section as plain values for JSON."""
    return asdict(section)


def section_of(content: dict) -> Section:
    """The section that `section_content` wrote."""
    return Section(**content | {"figures": [Figure(**figure) for figure in content["figures"]]})


def write_column(path: Path, name: str, encoder_id: str, sections: list[Section]) -> None:
    """Write what was measured of one model into a JSON file, beside the other models that are in it.

    The file: {"models": {name: encoder_id}, "sections": {section: {"title", "text", "systems", "intervals", "rows"}}},
    with rows by model. `sections` have one system, called `name`.
    """
    content = json.loads(path.read_text()) if path.is_file() else {"models": {}, "sections": {}}
    content["models"][name] = encoder_id
    for section in sections:
        kept = content["sections"].setdefault(section.name, {"systems": {}, "intervals": {}, "rows": {}})
        kept |= {"title": section.title, "text": section.text}
        kept["systems"][name] = section.systems[name]
        kept["intervals"][name] = section.intervals.get(name, {})
        kept["rows"][name] = [{key: _short(value) for key, value in row.items()} for row in section.rows]
    write_json(path, content)


def _short(value):
    return round(value, 3) if isinstance(value, float) else value


def write_json(path: Path, content: dict) -> None:
    """Write results for programs; what is no finite number becomes null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(without_nan(content), indent=1, ensure_ascii=False) + "\n")


def without_nan(value):
    """The same with None where there is no finite number: JSON has no NaN."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
