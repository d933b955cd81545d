"""Draws the pictures in Resources/Screenshots from the bundled scan and model: python scripts/make_screenshots.py

The pictures show Slicer's slice views, drawn off screen through slicer-core; scripts/panel_pictures.py draws the panel.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "AnatomicalEmbedding"), str(ROOT / "scripts")]

from anatembed.scan.files import read_volume  # noqa: E402
from AnatomicalEmbeddingLib import VolumeBridge  # noqa: E402
from headless_logic import HeadlessLogic  # noqa: E402
from slice_window import SlicerScene, SliceWindow  # noqa: E402

VIEWS = (("Red", "Axial"), ("Green", "Coronal"), ("Yellow", "Sagittal"))
FILES = {"colours": "position_colours"}
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
    with tempfile.TemporaryDirectory() as folder:
        headless = HeadlessLogic(slicerScene.scene, folder)
        headless.embed(scan)
        logic = headless.logic
        answer = logic.locate(scan, arguments.structure)
        if not answer.places:
            sys.exit(f"no picture: {answer.reason}")
        draw(windows, arguments.folder / "find_anatomy.png")
        for mode in ("colours", "structures", "uncertainty"):
            logic.showOverlay(scan, mode, opacity=0.45)
            draw(windows, arguments.folder / f"{FILES.get(mode, mode)}.png")
        logic.showHeatMap(scan, arguments.structure)
        draw(windows, arguments.folder / "heat_map.png")
        logic.showBorder(scan, "liver", "kidney_right")
        draw(windows, arguments.folder / "border.png")
        logic.cleanUp()


if __name__ == "__main__":
    main()
