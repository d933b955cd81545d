"""The script and the test that run inside Slicer, here on stand-ins: what they would find, and what they let pass."""

import importlib
import importlib.util
import io
import runpy
import sys
import unittest
from pathlib import Path
from types import SimpleNamespace

import AnatomicalEmbeddingLib
import numpy as np
import pytest
import SimpleITK as sitk
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
        made.append(logicOn(scene, tmp_path / str(len(made))))
        return made[-1]

    def processEvents() -> None:
        for logic in made:
            if logic.isEmbedding():
                logic.worker.finish()

    monkeypatch.setattr(floor3("Assembly"), "makeLogic", makeLogic)
    monkeypatch.setattr(slicer.util, "loadVolume", loadVolume, raising=False)
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
    assert result.testsRun == 4 and result.wasSuccessful()
    ((_test, reason),) = result.skipped
    assert reason == "PyTorch is not installed, so nothing can be embedded"
    with pytest.raises(unittest.SkipTest, match="PyTorch is not installed"):
        application.module.AnatomicalEmbeddingTest().runTest()


def noSampleData(application) -> None:
    application.sample.logic.entries.clear()


def noRightClick(_application) -> None:
    sys.modules["slicer"].qSlicerSubjectHierarchyPluginHandler.viewActions.pop()


def noSearch(application) -> None:
    application.widget.logic.locate = lambda *_: 1 / 0


@pytest.mark.parametrize(("breaking", "test"), [
    (noSampleData, "sample_data"), (noRightClick, "right_click"), (noSearch, "with_the_buttons"),
])
def test_what_is_broken_in_slicer_is_seen(application, breaking, test):
    breaking(application)
    result = outcome(application)
    assert [test in str(one) for one, _trace in (*result.failures, *result.errors)] == [True]
