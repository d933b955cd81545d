"""The pictures of the panel: one for people by default, every state on demand."""

import subprocess
import sys

from PIL import Image
from repository import ROOT

SCRIPT = ROOT / "scripts" / "panel_pictures.py"


def test_every_state_is_drawn_without_an_error(tmp_path):
    # In a process of its own: the script puts the stand-ins into Slicer's place for good.
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--all", str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    pictures = {path.stem: Image.open(path) for path in tmp_path.glob("*.png")}
    assert {"panel_found", "panel_failed", "panel_not_understood", "panel_model"} <= set(pictures)
    for name, picture in pictures.items():
        assert picture.width == 420 and picture.height > 200, name
        assert len(picture.convert("RGB").getcolors(100_000)) > 20, name


def test_no_label_of_a_state_is_cut_off(panel, slicerApplication):
    from PySide6 import QtWidgets

    raw = QtWidgets.QWidget
    for name in ("scan", "find", "report", "here", "compare", "border", "show", "take", "model"):
        getattr(panel.ui, f"{name}CollapsibleButton").collapsed = False
    raw.show(slicerApplication.window)
    root = panel.root
    for _ in range(3):
        raw.setFixedSize(root, 420, max(raw.layout(root).totalHeightForWidth(420), raw.minimumSizeHint(root).height()))
        QtWidgets.QApplication.processEvents()
    labels = [one for one in vars(panel.ui).values() if type(one).__name__ in ("QLabel", "QPushButton", "QCheckBox")]
    for label in labels:
        if raw.isVisible(label) and label.text:
            needed = raw.heightForWidth(label, raw.width(label)) if raw.hasHeightForWidth(label) else 0
            assert raw.height(label) >= needed, label.text
            assert needed or raw.width(label) >= raw.minimumSizeHint(label).width(), label.text
    raw.hide(slicerApplication.window)
