"""Pictures of the panel: python scripts/panel_pictures.py [--out FILE] [--all FOLDER]

The panel is the shipped one, on the stand-ins of Testing/widget instead of Slicer, whose own widgets look a little
different. The one picture without --all shows what the model says about the bundled scan; the states of --all have
made-up answers.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 420
SECTIONS = ("scan", "find", "report", "here", "compare", "border", "show", "take", "model")
PICTURE = ROOT / "Resources" / "Screenshots" / "panel.png"


class Forever:
    """Sets what pytest's monkeypatch sets, and never takes it back."""

    def setitem(self, mapping, key, value) -> None:
        mapping[key] = value

    def setattr(self, target, name, value, raising=True) -> None:
        setattr(target, name, value)


class Stage:
    """A scene, the panel, and a Logic: one that answers from a list, or what `makeLogic(scene)` returns."""

    def __init__(self, makeLogic=None) -> None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        sys.path[:0] = [str(ROOT / "Testing" / "widget"), str(ROOT / "AnatomicalEmbedding")]
        import slicer
        import slicer_stand_ins
        from qt_stand_ins import application

        self.application = application()
        self.scene = slicer.vtkMRMLScene()
        self.scene.AddNewNodeByClass("vtkMRMLCrosshairNode")
        self.window = slicer_stand_ins.makeWindow()
        slicer_stand_ins.install(Forever(), self.scene, self.window)
        import logic_double
        import panel_double

        self.doubles = logic_double
        self.logic = logic_double.LogicDouble() if makeLogic is None else makeLogic(self.scene)
        self.panel = panel_double.makePanel(
            self.logic, SimpleNamespace(missing=list), self.scene, self.window
        )
        self.ui = self.panel.ui

    def scans(self, embedded: int) -> None:
        """Two scans, of which the first ones are embedded."""
        nodes = [
            self.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
            for name in ("CT chest abdomen 2024-03-11", "CT abdomen 2025-01-20")
        ]
        self.logic.embedded |= {node.GetID() for node in nodes[:embedded]}
        self.panel.enter()
        self.ui.otherSelector.setCurrentNode(nodes[1])

    def find(self, text: str) -> None:
        self.ui.queryEdit.text = text
        self.panel.findSection.find()
        self.panel.refresh()

    def link(self, address: str):
        """A link of a text as Qt hands it over."""
        from PySide6 import QtCore

        return QtCore.QUrl(address)

    def save(self, path: Path, *opened: str) -> None:
        """Render with these sections open."""
        from PySide6 import QtWidgets

        for name in SECTIONS:
            getattr(self.ui, f"{name}CollapsibleButton").collapsed = name not in opened
        raw, root = QtWidgets.QWidget, self.panel.root
        raw.show(self.window)
        for _ in range(3):  # wrapped labels take a few rounds to find their height
            height = max(raw.layout(root).totalHeightForWidth(WIDTH), raw.minimumSizeHint(root).height())
            raw.setFixedSize(root, WIDTH, height)
            raw.setFixedSize(self.window, WIDTH, height)
            self.application.processEvents()
        path.parent.mkdir(parents=True, exist_ok=True)
        if not raw.grab(root).save(str(path)):
            raise OSError(f"cannot write {path}")


def no_scan(stage) -> tuple:
    stage.panel.enter()
    return "scan", "find", "here"


def chosen(stage) -> tuple:
    stage.scans(0)
    return "scan", "find", "here"


def embedding(stage) -> tuple:
    stage.scans(0)
    stage.panel.scanSection.embedOrCancel()
    stage.logic.progressChanged.emit("Embedding", 0.42, 37.0)
    stage.panel.refresh()
    return "scan",


def failed(stage) -> tuple:
    embedding(stage)
    message = (
        "The memory of the graphics card does not suffice for this scan. "
        "It can be embedded on the CPU, which takes longer."
    )
    stage.logic.end(stage.doubles.Failure(message, offersCPU=True))
    return "scan",


def found(stage) -> tuple:
    stage.scans(1)
    stage.find("liver")
    stage.logic.cursorNamed.emit(stage.logic.there, (62.4, -8.2, -20.6))
    return "scan", "find", "here"


def both_sides(stage) -> tuple:
    stage.scans(1)
    stage.find("kidney")
    return "find",


def not_in_this_scan(stage) -> tuple:
    stage.scans(1)
    stage.find("spleen")
    return "find",


def not_understood(stage) -> tuple:
    stage.scans(1)
    stage.find("adrenla")
    return "find",


def heat_map(stage) -> tuple:
    found(stage)
    stage.panel.findSection.showHeatMap()
    stage.panel.refresh()
    return "find", "show"


REPORT = """LIVER: No focal lesion in the liver. Kidneys are normal in size; the ureters are not dilated.

IMPRESSION: 1.2 x 0.8 cm cyst of the pancreatic tail. Spleen < 12 cm. Atelectasis of the right lingula."""


def report(stage) -> tuple:
    stage.scans(1)
    stage.ui.reportEdit.plainText = REPORT
    stage.panel.reportSection.read()
    stage.panel.reportSection.follow(stage.link("#1"))
    stage.panel.refresh()
    return "report",


def report_not_read(stage) -> tuple:
    stage.scans(1)
    return "report",


def outside(stage) -> tuple:
    stage.scans(1)
    stage.logic.cursorNamed.emit(stage.doubles.description(inside=False), (180.0, 8.2, -20.6))
    return "here",


def compare(stage) -> tuple:
    stage.scans(2)
    stage.panel.compareSection.findThere()
    return "compare",


def compare_not_ready(stage) -> tuple:
    stage.scans(1)
    return "compare",


def border(stage) -> tuple:
    stage.scans(1)
    stage.panel.borderSection.takeLikeliest()
    stage.panel.borderSection.showBorder()
    return "border",


def border_error(stage) -> tuple:
    stage.scans(1)
    stage.ui.firstEdit.text, stage.ui.secondEdit.text = "liver", "lung tumour"
    stage.panel._guarded(stage.panel.borderSection, stage.panel.borderSection.showBorder)()
    return "border",


def structures(stage) -> tuple:
    stage.scans(1)
    stage.logic.overlay = "structures"
    stage.panel.refresh()
    return "show",


def level(stage) -> tuple:
    from anatembed.ask.explorer import Description, NamedProbability

    stage.scans(1)
    names = [NamedProbability("vertebrae_T12", "T12 vertebra", 0.85, "counted from the sacrum"),
             NamedProbability("vertebrae_T11", "T11 vertebra", 0.14)]  # fmt: skip
    caution = "This person seems to have 13 thoracic vertebrae."
    stage.logic.cursorNamed.emit(Description(True, names, caution), (2.4, -8.2, -20.6))
    return "here",


def upside_down(stage) -> tuple:
    from dataclasses import replace

    from anatembed.ask.orientation import UNUSUAL

    for name in ("kidney", "liver"):
        stage.doubles.ANSWERS[name] = replace(stage.doubles.ANSWERS[name], caution=UNUSUAL)
    stage.scans(1)
    stage.find("kidney")
    stage.logic.cursorNamed.emit(replace(stage.logic.there, caution=UNUSUAL), (62.4, -8.2, -20.6))
    return "find", "here"


def segment(stage) -> tuple:
    stage.scans(1)
    stage.find("liver")
    stage.panel.findSection.makeSegment()
    return "find",


def take(stage) -> tuple:
    stage.scans(1)
    stage.ui.placesPathEdit.currentPath = "/home/somebody/kept places of March.mrk.json"
    stage.logic.readKept(stage.panel.takeSection.scan(), "")
    stage.panel.takeSection.makeTable()
    stage.panel.refresh()
    return "take",


def take_nothing(stage) -> tuple:
    stage.scans(0)
    return "take",


def model(stage) -> tuple:
    stage.scans(1)
    stage.panel.modelSection.read()
    return "model",


STATES = (
    no_scan, chosen, embedding, failed, found, both_sides, not_in_this_scan, not_understood, heat_map, report,
    report_not_read, outside, compare, compare_not_ready, border, border_error, structures, level, segment, take,
    take_nothing, model, upside_down,
)


def draw_bundled(path: Path) -> None:
    """The bundled scan after a search, as the shipped model answers."""
    sys.path.append(str(ROOT / "scripts"))
    with tempfile.TemporaryDirectory() as folder:
        made = []

        def makeLogic(scene):
            from headless_logic import HeadlessLogic

            made.append(HeadlessLogic(scene, folder))
            return made[0].logic

        stage = Stage(makeLogic)
        made[0].embed(bundled_scan(stage.scene))
        stage.panel.enter()
        made[0].wait_for_device()
        stage.find("right kidney")
        stage.panel.nameAt(stage.panel.findSection._hits[0].position_ras)
        stage.save(path, "scan", "find", "here")
        stage.panel.cleanUp()
        stage.logic.cleanUp()


def bundled_scan(scene):
    from anatembed.scan.files import read_volume
    from AnatomicalEmbeddingLib import SampleScan, VolumeBridge

    volume = read_volume(SampleScan.path())
    node = VolumeBridge.addScalarVolume(scene, volume.array_kji, volume.ijk_to_ras, SampleScan.TITLE)
    node.SetAttribute("DICOM.Modality", "CT")
    return node


def draw(state, path: Path) -> None:
    """One state in a scene of its own."""
    stage = Stage()
    stage.save(path, *state(stage))
    stage.panel.cleanUp()


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=PICTURE, help="the picture of the bundled scan")
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="write every state into a folder instead")
    options = parser.parse_args(arguments)
    if options.all is None:
        draw_bundled(options.out)
        return
    for state in STATES:
        draw(state, options.all / f"panel_{state.__name__}.png")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # Python and Qt free what they share in any order, which now and then crashes when all is done
