"""Pictures of the evaluation by matplotlib, where it is installed."""
from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from research.evaluation.section import Figure

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's palette, which survives the common colour blindnesses."""
DASHES = ("-", "--", ":")
"""So that the eighth line does not look like the first one."""


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def draw(figures: list[Figure], folder: Path) -> set[str]:
    """Write each figure as <name>.png into `folder`; returns the names, none without matplotlib."""
    if not can_draw():
        return set()
    for figure in figures:
        _save(figure, folder / f"{figure.name}.png")
    return {figure.name for figure in figures}


def _save(figure: Figure, path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    width = 8.0 if figure.kind == "line" else max(8.0, 1.5 + 0.32 * len(figure.x) * len(figure.series) ** 0.5)
    canvas = Canvas(figsize=(min(width, 16.0), 4.2), layout="constrained")
    FigureCanvasAgg(canvas)
    axes = canvas.add_subplot()
    (_lines if figure.kind == "line" else _bars)(axes, figure)
    axes.set(title=figure.title, xlabel=figure.x_label, ylabel=figure.y_label)
    axes.grid(axis="y", alpha=0.3)
    axes.legend(fontsize="small", frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    canvas.savefig(path, dpi=110)


def _lines(axes, figure: Figure) -> None:
    for n, ((name, values), colour) in enumerate(zip(figure.series.items(), _cycle(), strict=False)):
        axes.plot(figure.x, values, DASHES[n // len(COLOURS) % len(DASHES)], label=name, color=colour)


def _bars(axes, figure: Figure) -> None:
    width = 0.8 / len(figure.series)
    places = np.arange(len(figure.x))
    for n, ((name, values), colour) in enumerate(zip(figure.series.items(), _cycle(), strict=False)):
        axes.bar(places - 0.4 + (n + 0.5) * width, values, width, label=name, color=colour)
    slant = 0 if len(figure.x) <= 8 else 60
    axes.set_xticks(places, figure.x, rotation=slant, ha="right" if slant else "center", fontsize="small")


def _cycle():
    while True:
        yield from COLOURS
