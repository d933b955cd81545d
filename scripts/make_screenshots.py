"""Draws the pictures in Resources/Screenshots from the bundled scan and model: python scripts/make_screenshots.py

The pictures show Slicer's slice views, drawn off screen through slicer-core; the panel is not on them.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "AnatomicalEmbedding"), str(ROOT / "scripts")]

from anatembed.volume import read_volume  # noqa: E402
from AnatomicalEmbeddingLib import VolumeBridge  # noqa: E402
from AnatomicalEmbeddingLib.Logic import Logic  # noqa: E402
from slice_window import SlicerScene, SliceWindow  # noqa: E402

VIEWS = (("Red", "Axial"), ("Green", "Coronal"), ("Yellow", "Sagittal"))
BUNDLED = ROOT / "AnatomicalEmbedding/anatembed/resources/cort_trunk_ct.nii.gz"


def load(scene, path: Path):
    volume = read_volume(path)
    node = VolumeBridge.addScalarVolume(scene, volume.array_kji, volume.ijk_to_ras, volume.name or path.stem)
    node.GetDisplayNode().SetAutoWindowLevel(False)
    node.GetDisplayNode().SetWindowLevel(400, 40)
    return node


def draw(windows, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.hstack([window.picture() for window in windows])).save(path, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scan", type=Path, default=BUNDLED)
    parser.add_argument("--structure", default="right kidney")
    parser.add_argument("--folder", type=Path, default=ROOT / "Resources/Screenshots")
    arguments = parser.parse_args()

    slicerScene = SlicerScene()
    windows = [SliceWindow(slicerScene, name, orientation) for name, orientation in VIEWS]
    scan = load(slicerScene.scene, arguments.scan)
    for window in windows:
        window.show(scan)
        window.zoom(0.75)
    logic = Logic(slicerScene.scene)
    logic.embed(scan)
    answer = logic.locate(scan, arguments.structure)
    if not answer.found:
        sys.exit(f"no picture: {answer.reason}")
    draw(windows, arguments.folder / "find_anatomy.png")
    logic.showColours(scan, opacity=0.45)
    draw(windows, arguments.folder / "position_colours.png")
    logic.showHeatMap(scan, arguments.structure)
    draw(windows, arguments.folder / "heat_map.png")


if __name__ == "__main__":
    main()
