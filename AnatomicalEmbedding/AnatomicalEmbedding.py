"""The Slicer module: what Slicer lists, the panel's start and end, and the module's own test."""

import slicer
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)


class AnatomicalEmbedding(ScriptedLoadableModule):
    """What Slicer shows about the module."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = "Anatomical Embedding"
        parent.categories = ["Analysis"]
        parent.dependencies = []
        parent.contributors = ["The AnatomicalEmbedding contributors"]
        parent.helpText = (
            "Select a CT, press <b>Embed</b> once, then type a structure, for example <i>left kidney</i>, and press "
            "<b>Find</b>: the slice views go there, and a point marks each place. What is not in the scan is said so. "
            "Everything is computed on this computer. "
            "<p><b>Research use only, not for diagnosis.</b></p>"
        )
        parent.acknowledgementText = (
            "Built on 3D Slicer, VTK, SimpleITK and PyTorch. The names and identifiers of the structures follow "
            "TotalSegmentator and SNOMED CT."
        )


class AnatomicalEmbeddingWidget(ScriptedLoadableModuleWidget):
    """Puts the panel into the module's layout."""

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        from AnatomicalEmbeddingLib.InstallLogic import InstallLogic
        from AnatomicalEmbeddingLib.Logic import Logic
        from AnatomicalEmbeddingLib.Widget import Widget

        self.logic = Logic(slicer.mrmlScene)
        installLogic = InstallLogic(self.resourcePath("requirements.txt"))
        self.panel = Widget(self.logic, installLogic, slicer.mrmlScene)
        self.layout.addWidget(self.panel.root)
        self.layout.addStretch(1)

    def cleanup(self):
        # Slicer may call cleanup without setup when loading the module failed.
        if getattr(self, "logic", None) is not None:
            self.panel.cleanUp()
            self.logic.cleanUp()
            self.logic = None


class AnatomicalEmbeddingTest(ScriptedLoadableModuleTest):
    """Runs inside Slicer, with the model and the CT that are installed with the module."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        self.setUp()
        self.test_the_liver_of_the_bundled_scan_is_found_on_the_right()
        self.setUp()
        self.test_a_scan_that_is_not_embedded_says_what_to_do()

    def test_the_liver_of_the_bundled_scan_is_found_on_the_right(self):
        from pathlib import Path

        import anatembed
        from AnatomicalEmbeddingLib.Logic import Logic

        scan = slicer.util.loadVolume(str(Path(anatembed.__file__).parent / "resources" / "cort_trunk_ct.nii.gz"))
        bounds_ras = [0.0] * 6
        scan.GetRASBounds(bounds_ras)
        logic = Logic(slicer.mrmlScene)
        logic.embed(scan)
        answer = logic.locate(scan, "liver")
        logic.showColours(scan)
        logic.cleanUp()
        self.assertTrue(answer.found, answer.reason)
        right, anterior, superior = answer.hits[0].position_ras
        self.assertGreater(right, (bounds_ras[0] + bounds_ras[1]) / 2)
        sliceNode = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
        self.assertAlmostEqual(sliceNode.GetSliceOffset(), superior, places=3)
        self.delayDisplay("The liver was found")

    def test_a_scan_that_is_not_embedded_says_what_to_do(self):
        from AnatomicalEmbeddingLib.Logic import Logic

        scan = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Fresh")
        logic = Logic(slicer.mrmlScene)
        with self.assertRaisesRegex(RuntimeError, "Press Embed first"):
            logic.locate(scan, "liver")
        logic.cleanUp()
