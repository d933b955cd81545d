"""Pictures where matplotlib is installed, and none where it is not."""

import numpy as np
import pytest
from PIL import Image
from research.evaluation import plots
from research.evaluation.section import Figure

LINES = Figure("lines", "Lines", "mm", "share", "line", [0, 1, 2], {"embedding": [0, 0.5, 1], "lookup": [0, 0, 1]})
BARS = Figure("bars", "Bars", "", "Dice", "bar", ["liver", "spleen"], {"a": [0.5, float("nan")], "b": [0.1, 0.2]})


@pytest.mark.parametrize("figure", [LINES, BARS], ids=["lines", "bars"])
def test_a_figure_is_a_picture_with_something_in_it(tmp_path, figure):
    pytest.importorskip("matplotlib")
    assert plots.draw([figure], tmp_path) == {figure.name}
    pixels = np.asarray(Image.open(tmp_path / f"{figure.name}.png").convert("RGB")).reshape(-1, 3)
    shown = {tuple(pixel) for pixel in np.unique(pixels, axis=0)}
    for colour in plots.COLOURS[: len(figure.series)]:
        assert tuple(int(colour[n : n + 2], 16) for n in (1, 3, 5)) in shown


def test_without_matplotlib_nothing_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(plots, "can_draw", lambda: False)
    assert plots.draw([LINES], tmp_path) == set()
    assert list(tmp_path.iterdir()) == []
