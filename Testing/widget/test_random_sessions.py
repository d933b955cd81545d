"""The real panel on the real Logic, used in any order: no error but in words, and nothing of the user's is lost."""

import tempfile
from pathlib import Path

import pytest
import slicer.util
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from panel_double import click, makePanel, processEvents
from placements import addScan, affine
from PySide6 import QtCore
from scene_logic import logicOn

BUTTONS = (
    "embedButton", "copyDetailsButton", "useCpuButton", "findButton", "keepButton", "heatButton", "followBox",
    "hereButton", "copyButton", "thereButton", "linkBox", "likeliestButton", "borderButton", "segmentsButton",
    "shownBox", "readButton", "windowButton", "segmentButton", "tableButton", "writePlacesButton", "readPlacesButton",
)
TEXTS = ("liver", "unicorn", "")
OTHERS = (
    "load", "remove", "edit", "finish", "fail", "progress", "close", "leave", "come back", "row", "earlier", "mode",
    "opacity", "threshold", "choose", "choose other", "mouse", "border", "paste", "follow", "slice",
)
STEP = some.tuples(some.sampled_from([*BUTTONS, *OTHERS, "find", "find"]), some.integers(0, 2))
EMBED_ONE = (("load", 0), ("embedButton", 0), ("finish", 0))
EMBED_OTHER = (("load", 1), ("choose", 1), ("embedButton", 0), ("finish", 0), ("choose", 0), ("choose other", 1))
EMBED_TWO = (*EMBED_ONE, *EMBED_OTHER)


class Session:
    """A user at the panel; every step does something that a user, or the time, can do."""

    def __init__(self, scene, window, installLogic, folder: Path) -> None:
        self.scene, self.scans, self.own = scene, [], []
        self.logic = logicOn(scene, folder)
        self.panel = makePanel(self.logic, installLogic, scene, window)
        self.ui = self.panel.ui
        self.panel.enter()

    def end(self) -> None:
        self.panel.cleanUp()
        self.logic.cleanUp()
        self.panel.root.setMRMLScene(None)  # else the lists of all panels so far follow the next one's scene

    def do(self, step: str, n: int) -> None:
        if step in BUTTONS:
            click(getattr(self.ui, step))
        else:
            getattr(self, f"_{step.replace(' ', '_')}")(n)
        processEvents()

    def _load(self, n: int) -> None:
        if len(self.scans) < 2:
            self.scans.append(addScan(self.scene, affine(origin_ras=(-47 + n, -39, -34.5)), name=f"CT {n}"))
            self.own.append(self.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "Own"))
            (self.ui.otherSelector if len(self.scans) > 1 else self.ui.scanSelector).setCurrentNode(self.scans[-1])

    def _one(self, n: int):
        return self.scans[n % len(self.scans)] if self.scans else None

    def _paste(self, n: int) -> None:
        self.ui.reportEdit.plainText = ("Cyst in the liver, spleen and both kidneys.", "Normal.", "")[n]

    def _follow(self, n: int) -> None:
        self.ui.reportText._signal("anchorClicked(QUrl)").emit(QtCore.QUrl(f"#{n}"))
        self.ui.mentionLabel._signal("linkActivated(QString)").emit(f"{n}/0")

    def _slice(self, n: int) -> None:
        self.ui.slicesTable.setCurrentCell(n, 0)

    def _remove(self, n: int) -> None:
        if scan := self._one(n):
            self.scans.remove(scan)
            self.scene.RemoveNode(scan)

    def _edit(self, n: int) -> None:
        if scan := self._one(n):
            slicer.util.arrayFromVolume(scan)[0, 0, 0] += 1
            slicer.util.arrayFromVolumeModified(scan)

    def _finish(self, _n: int) -> None:
        if self.logic.isEmbedding():
            self.logic.worker.finish()

    def _fail(self, n: int) -> None:
        if self.logic.isEmbedding():
            self.logic.worker.fail(offersCPU=bool(n))

    def _progress(self, n: int) -> None:
        if self.logic.isEmbedding():
            self.logic.worker.onProgress("Embedding", n / 2, None if n == 0 else 10.0 * n)

    def _close(self, _n: int) -> None:
        self.scene.Clear(False)
        self.scans, self.own = [], []

    def _leave(self, _n: int) -> None:
        self.panel.exit()

    def _come_back(self, _n: int) -> None:
        self.panel.exit()
        self.panel.enter()

    def _find(self, n: int) -> None:
        self.ui.queryEdit.text = TEXTS[n]
        click(self.ui.findButton)

    def _row(self, n: int) -> None:
        if n < self.ui.hitsTable.rowCount:
            self.ui.hitsTable.setCurrentCell(n, 0)

    def _earlier(self, n: int) -> None:
        self.panel._guarded(self.panel.findSection, self.panel.findSection.findEarlier)(n)

    def _mode(self, n: int) -> None:
        self.ui.modeBox.currentIndex = n

    def _opacity(self, n: int) -> None:
        self.ui.opacitySlider.value = n / 2

    def _threshold(self, n: int) -> None:
        self.ui.thresholdSlider.value = n / 2

    def _choose(self, n: int) -> None:
        self.ui.scanSelector.setCurrentNode(self._one(n))

    def _choose_other(self, n: int) -> None:
        self.ui.otherSelector.setCurrentNode(self._one(n))

    def _mouse(self, n: int) -> None:
        crosshairNode = self.scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        if crosshairNode is not None:
            crosshairNode.SetCursorPositionRAS((20.0 * n, 0.0, 0.0))

    def _border(self, n: int) -> None:
        self.ui.firstEdit.text, self.ui.secondEdit.text = ("liver", "right kidney", "nonsense")[n], "right kidney"
        click(self.ui.borderButton)


@pytest.fixture
def begin(scene, slicerApplication, installLogic):
    scene.RegisterNodeClass(slicer.vtkMRMLColorLegendDisplayNode())

    def begin(folder: str) -> Session:
        scene.Clear(False)
        return Session(scene, slicerApplication.window, installLogic, Path(folder))

    return begin


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=some.sampled_from([(), EMBED_ONE, EMBED_TWO]), steps=some.lists(STEP, min_size=3, max_size=7))
def test_no_order_of_clicks_breaks_the_panel_or_loses_what_the_user_has(begin, problems, first, steps):
    with tempfile.TemporaryDirectory() as folder:
        session = begin(folder)
        try:
            for step, n in [*first, *steps]:
                session.do(step, n)
                assert problems == [], (step, problems)
                assert all(session.scene.GetNodeByID(node.GetID()) is node for node in session.scans + session.own)
        finally:
            problems.clear()
            session.end()
