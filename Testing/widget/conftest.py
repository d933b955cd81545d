"""The panel on stand-ins for Slicer's application, with a real MRML scene; this is not a test inside Slicer."""

import ctypes
import importlib
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).parent
for folder in (HERE, HERE.parent / "house", HERE.parent / "mrml"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
# Floor 3 translates its texts; slicer-core has no translation.
translation = ModuleType("slicer.i18n")
translation.tr = lambda text: text
sys.modules.setdefault("slicer.i18n", translation)
# PySide6 6.12 gives None back once too often in calls such as processEvents(); before Python 3.12 None can run out of
# references that way, which ends the process. These millions last for all tests, and for the end of the process.
NONES = [None] * 4_000_000
ctypes.pythonapi.Py_IncRef(ctypes.py_object(NONES))


@pytest.fixture
def problems(monkeypatch):
    """Errors in slots and observers, which Qt and VTK print and forget."""
    found = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: found.append(error))
    yield found
    assert found == []


@pytest.fixture
def scene():
    import slicer

    scene = slicer.vtkMRMLScene()
    crosshairNode = slicer.vtkMRMLCrosshairNode()
    crosshairNode.SetCrosshairName("default")
    scene.AddNode(crosshairNode)
    return scene


@pytest.fixture
def slicerApplication(scene, monkeypatch, problems):
    """The stand-ins in the place of Slicer's application; `window` is its main window."""
    import slicer_stand_ins
    from qt_stand_ins import application

    application()
    window = slicer_stand_ins.makeWindow()
    slicer_stand_ins.install(monkeypatch, scene, window)
    yield SimpleNamespace(window=window, scene=scene, answers=_answers(monkeypatch))


def _answers(monkeypatch) -> SimpleNamespace:
    import slicer.util

    asked = SimpleNamespace(questions=[], agrees=True)
    monkeypatch.setattr(
        slicer.util, "confirmOkCancelDisplay", lambda text, title: (asked.questions.append(text), asked.agrees)[1]
    )
    return asked


@pytest.fixture
def logic():
    from logic_double import LogicDouble

    return LogicDouble()


@pytest.fixture
def installLogic():
    """`lacking` is what is missing; installing says `steps`, then raises `error` or finds nothing missing any more.

    `meanwhile()` is what Slicer does with events while a package is installed.
    """
    double = SimpleNamespace(lacking=[], steps=["Installing PyTorch ..."], error=None, asked=0)
    double.meanwhile = lambda: None

    def ensureInstalled(say) -> bool:
        double.asked += 1
        for step in double.steps:
            say(step)
        double.meanwhile()
        if double.error is not None:
            raise double.error
        double.lacking = []
        return True

    double.missing, double.ensureInstalled = lambda: double.lacking, ensureInstalled
    return double


@pytest.fixture
def addScan(scene):
    def add(name: str, kind: str = "vtkMRMLScalarVolumeNode"):
        return scene.AddNewNodeByClass(kind, name)

    return add


@pytest.fixture
def scan(addScan):
    return addScan("CT 1")


@pytest.fixture
def makePanel(slicerApplication, logic, installLogic, scene):
    """Makes the panel as the module does, not yet shown."""
    from panel_double import makePanel

    made = []

    def make():
        made.append(makePanel(logic, installLogic, scene, slicerApplication.window))
        return made[-1]

    yield make
    for panel in made:
        panel.cleanUp()


@pytest.fixture
def panel(makePanel, scan, logic):
    """The panel as a user sees it who has one scan, not embedded."""
    panel = makePanel()
    panel.enter()
    logic.calls.clear()
    return panel


@pytest.fixture
def ready(panel, scan, logic):
    """The panel with the scan embedded."""
    logic.embedded.add(scan.GetID())
    logic.embeddedChanged.emit()
    logic.calls.clear()
    return panel


@pytest.fixture
def floor3(slicerApplication):
    """Imports a file of the panel under the stand-ins."""
    return lambda name: importlib.import_module(f"AnatomicalEmbeddingLib.{name}")
