"""The script and the test that run inside Slicer, here on stand-ins: what they would find, and what they let pass."""

import importlib
import importlib.util
import io
import runpy
import sys
import unittest
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import AnatomicalEmbeddingLib
import numpy as np
import pytest
import SimpleITK as sitk
from anatembed.ask import matching
from anatembed.ask.index import Hit
from anatembed.ask.locating import GO, Answer, Looked, Meaning
from anatembed.ask.matching import Match
from anatembed.language.vocabulary import Vocabulary
from explorer_double import ExplorerDouble
from scene_logic import logicOn
from slicer_module_doubles import installSubjectHierarchy, sampleData

SCRIPT = Path(__file__).parents[1] / "inside_slicer" / "run_in_slicer.py"
PLUGIN = "AnatomicalEmbeddingSubjectHierarchyPlugin"
HEADING = "[CRITICAL][Stream] 21.09.2023 16:45:03 [] (unknown:0) - "
OURS = (
    "Traceback (most recent call last):\n"
    '  File "/opt/Slicer/lib/Slicer-5.12/qt-scripted-modules/AnatomicalEmbeddingLib/Widget.py", line 9, in enter\n'
    "    self.x\n"
    "AttributeError: no x"
)
THEIRS = OURS.replace("AnatomicalEmbeddingLib", "SegmentEditor")


@pytest.fixture
def script():
    return SimpleNamespace(**runpy.run_path(str(SCRIPT)))


@pytest.mark.parametrize("heading", ["", HEADING])
def test_a_traceback_of_this_extension_is_found_in_a_log_and_no_other_one(script, heading):
    lines = ["Module loaded", *THEIRS.splitlines(), "More of it", *OURS.splitlines(), "Loading done"]
    (found,) = script.tracebacks("\n".join(heading + line for line in lines))
    assert found == OURS


def test_a_log_that_ends_in_the_middle_of_a_traceback_is_read_to_its_end(script):
    (found,) = script.tracebacks(OURS.rpartition("\n")[0])
    assert found.endswith("self.x")


class TwoOrgans(ExplorerDouble):
    """Knows the right kidney too, at the other side of the middle."""

    vocabulary, orientation = Vocabulary.load(), ""

    def locate(self, text: str, k: int = 5):
        if text != "right kidney":
            return super().locate(text, k)
        hit = Hit(self.middle_ras - (10, 0, 0), 0.9, "kidney_right", label="right kidney")
        meant = Meaning("kidney_right", "right kidney", "right", hit, "right kidney")
        return Answer(text, GO, "Right kidney: found.", places=(hit,), meant=(meant,))

    @property
    def locating(self) -> SimpleNamespace:
        def look_for(one, _place, _k) -> list[Looked]:
            answer = self.locate(one.name)
            meant = answer.meant[0] if answer.places else Meaning(one.id, one.name, None)
            return [Looked(meant, answer.places)]

        return SimpleNamespace(**vars(super().locating), look_for=look_for, likelihood_kji=self._likelihood_kji)

    def _likelihood_kji(self, _meanings, _place):
        return self._rightHalf().astype(np.float32)


def saveScene(scene, path) -> bool:
    """All nodes with their data, beside each other in a folder instead of an archive."""
    import slicer

    folder = Path(f"{path}.folder")
    folder.mkdir()
    applicationLogic = slicer.vtkSlicerApplicationLogic()
    applicationLogic.SetMRMLScene(scene)
    return applicationLogic.SaveSceneToSlicerDataBundleDirectory(str(folder))


def loadScene(scene, path) -> None:
    (sceneFile,) = Path(f"{path}.folder").glob("*.mrml")
    scene.SetURL(str(sceneFile))
    scene.Connect()  # whatever it says: the test looks at what has come back


@pytest.fixture
def application(slicerApplication, monkeypatch, floor3, scene, tmp_path):
    """Slicer as far as the module's test uses it: the real panel and Logic on a real scene with one slice view.

    Events let a running embedding end; what it finds is a double's, at the patient's right.
    """
    import slicer
    from AnatomicalEmbeddingLib import SampleScan

    sliceNode = slicer.vtkMRMLSliceNode()
    sliceNode.SetSingletonTag("Red")
    sliceNode.SetLayoutName("Red")
    composite = slicer.vtkMRMLSliceCompositeNode()
    composite.SetSingletonTag("Red")
    composite.SetLayoutName("Red")
    scene.RegisterNodeClass(slicer.vtkMRMLColorLegendDisplayNode())
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    markupsLogic = slicer.vtkSlicerMarkupsLogic()
    markupsLogic.SetMRMLScene(scene)  # registers what points are saved with
    scene.AddNode(sliceNode)
    scene.AddNode(composite)
    view = SimpleNamespace(mrmlSliceNode=lambda: sliceNode)

    def loadVolume(path, properties):
        image = sitk.ReadImage(path)
        node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", properties["name"])
        # Along the axes of the scanner, whose x and y point the other way than ours.
        node.SetIJKToRASDirections(-1, 0, 0, 0, -1, 0, 0, 0, 1)
        node.SetSpacing(*image.GetSpacing())
        node.SetOrigin(*np.multiply(image.GetOrigin(), (-1, -1, 1)))
        slicer.util.updateVolumeFromArray(node, sitk.GetArrayFromImage(image))
        return node

    made = []

    def makeLogic(_scene):
        made.append(logicOn(scene, tmp_path / str(len(made)), TwoOrgans))
        return made[-1]

    def processEvents() -> None:
        for logic in made:
            if logic.isEmbedding():
                logic.worker.finish()

    monkeypatch.setattr(floor3("Assembly"), "makeLogic", makeLogic)
    monkeypatch.setattr(slicer.util, "loadVolume", loadVolume, raising=False)
    monkeypatch.setattr(slicer.util, "saveScene", partial(saveScene, scene))
    monkeypatch.setattr(slicer.util, "loadScene", partial(loadScene, scene))
    monkeypatch.setattr(matching, "Matcher", lambda *_: lambda place: Match(place[None], np.ones(1), np.zeros(1)))
    monkeypatch.setattr(slicer.app, "processEvents", processEvents)
    layoutManager = SimpleNamespace(sliceWidget=lambda _name: view)
    monkeypatch.setattr(slicer.app, "layoutManager", lambda: layoutManager, raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: SimpleNamespace(name=name))
    sample = sampleData()
    monkeypatch.setitem(sys.modules, "SampleData", sample)
    for name in ("PluginHandler", "ScriptedPlugin", "AbstractPlugin"):
        monkeypatch.setattr(slicer, f"qSlicerSubjectHierarchy{name}", None, raising=False)
    installSubjectHierarchy(monkeypatch, tmp_path, slicer, {})
    monkeypatch.delitem(sys.modules, "AnatomicalEmbedding", raising=False)
    # Bound to the stand-ins of an earlier test, if one has read it.
    monkeypatch.delitem(sys.modules, f"AnatomicalEmbeddingLib.{PLUGIN}", raising=False)
    monkeypatch.delattr(AnatomicalEmbeddingLib, PLUGIN, raising=False)
    module = importlib.import_module("AnatomicalEmbedding")
    widget = module.AnatomicalEmbeddingWidget(slicerApplication.window)
    widget.setup()
    module.AnatomicalEmbedding(SimpleNamespace())
    slicer.app.connected["startupCompleted()"]()
    monkeypatch.setattr(slicer.util, "selectModule", lambda _name: widget.enter(), raising=False)
    monkeypatch.setattr(slicer.util, "getModuleWidget", lambda _name: widget, raising=False)
    yield SimpleNamespace(module=module, sample=sample, widget=widget, scan=SampleScan)
    widget.cleanup()
    markupsLogic.SetMRMLScene(None)
    for name in ("AnatomicalEmbedding", f"AnatomicalEmbeddingLib.{PLUGIN}"):
        sys.modules.pop(name, None)


def test_the_modules_own_test_passes(application):
    application.module.AnatomicalEmbeddingTest().runTest()


def outcome(application) -> unittest.TestResult:
    suite = unittest.TestLoader().loadTestsFromTestCase(application.module.AnatomicalEmbeddingTest)
    return unittest.TextTestRunner(io.StringIO()).run(suite)


def test_without_pytorch_the_search_is_skipped_with_the_reason_and_the_others_run(application, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else SimpleNamespace())
    result = outcome(application)
    assert result.testsRun == 8 and result.wasSuccessful()
    assert [reason for _test, reason in result.skipped] == ["PyTorch is not installed, so nothing can be embedded"] * 5
    with pytest.raises(unittest.SkipTest, match="PyTorch is not installed"):
        application.module.AnatomicalEmbeddingTest().runTest()


def noSampleData(application) -> None:
    application.sample.logic.entries.clear()


def noRightClick(_application) -> None:
    sys.modules["slicer"].qSlicerSubjectHierarchyPluginHandler.viewActions.pop()


def noSearch(application) -> None:
    application.widget.logic.locate = lambda *_: 1 / 0


def noBorder(application) -> None:
    application.widget.logic.showBorder = lambda *_: None


def noMemory(application) -> None:
    application.widget.logic._record.add = lambda *_: 1 / 0


def noTable(application) -> None:
    application.widget.logic.tableOfStructures = lambda *_: 1 / 0


def noName(application) -> None:
    application.widget.logic.describe = lambda *_: 1 / 0


def noSecondScan(application) -> None:
    application.widget.logic.findThere = lambda *_: 1 / 0


def test_the_verdict_says_in_a_table_what_works_and_why_the_rest_does_not(script, application, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else SimpleNamespace())
    noSampleData(application)
    text = script.verdict("Slicer 5.12.0 (revision 12345)", outcome(application), application.module, [OURS], 1)
    assert text.startswith("## Not good: Slicer 5.12.0 (revision 12345)")
    rows = dict(line.strip("| ").split(" | ", 1) for line in text.splitlines() if line.startswith("| "))
    assert rows["a right click offers both actions in the views"] == "works"
    assert rows["the bundled scan is offered as sample data"].startswith("does not work: AssertionError")
    said = "not tried: PyTorch is not installed, so nothing can be embedded"
    assert rows["a saved scene is searched again with the buttons"] == said and len(rows) == 1 + 8
    assert OURS in text


def test_a_good_verdict_says_so(script, application):
    text = script.verdict("Slicer 5.12.0", outcome(application), application.module, [], 0)
    assert text.startswith("## Good: Slicer 5.12.0") and text.count("| works |") == 8 and "Traceback" not in text


@pytest.mark.parametrize(("breaking", "test"), [
    (noSampleData, "sample_data"), (noRightClick, "right_click"), (noSearch, "with_the_buttons"),
    (noBorder, "a_border"), (noTable, "a_saved_scene"), (noName, "here_and_the_report"),
    (noSecondScan, "in_a_second_scan"), (noMemory, "with_the_buttons"),
])
def test_what_is_broken_in_slicer_is_seen(application, breaking, test):
    breaking(application)
    result = outcome(application)
    broken = [str(one) for one, _trace in (*result.failures, *result.errors)]
    assert broken and all(test in one for one in broken)
