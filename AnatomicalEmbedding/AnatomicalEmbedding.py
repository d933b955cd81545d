"""The Slicer module: what Slicer lists, the panel's start and end, and the module's own test."""

import slicer
import slicer.util
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)


class AnatomicalEmbedding(ScriptedLoadableModule):
    """What Slicer shows about the module, and what it adds to other modules once Slicer has started."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("Anatomical Embedding")
        parent.categories = ["Analysis"]
        parent.dependencies = []
        parent.contributors = ["The AnatomicalEmbedding contributors"]
        parent.helpText = self.tour()
        parent.acknowledgementText = _(
            "Built on 3D Slicer, VTK, SimpleITK and PyTorch. The names and identifiers of the structures follow "
            "TotalSegmentator and SNOMED CT."
        )
        slicer.app.connect("startupCompleted()", self.afterStartup)

    def tour(self):
        steps = (
            _("<b>Scan</b>: choose a CT and press <b>Embed</b> once. The computer reads the scan meanwhile."),
            _("<b>Find</b>: type a structure, for example <i>left kidney</i>, and press Enter. The views go there."),
            _("<b>Here</b>: move the mouse over a slice to read the name of what lies under it."),
        )
        keys = _("Keys: Ctrl+Shift+F search, Ctrl+Shift+N name the crosshair, Ctrl+Shift+O show or hide the colours.")
        return (
            f"<p>{_('Finds and names anatomy in a CT, in three steps:')}</p>"
            f"<ol>{''.join(f'<li>{step}</li>' for step in steps)}</ol><p>{keys}</p>"
            f"<p>{_('Nothing leaves this computer.')} <b>{_('Research use only, not for diagnosis.')}</b></p>"
        )

    def afterStartup(self):
        from AnatomicalEmbeddingLib import AnatomicalEmbeddingSubjectHierarchyPlugin, SampleScan

        SampleScan.register(self.resourcePath("Icons/AnatomicalEmbedding.png"))
        AnatomicalEmbeddingSubjectHierarchyPlugin.register()


class AnatomicalEmbeddingWidget(ScriptedLoadableModuleWidget):
    """Puts the panel into the module's layout."""

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        from AnatomicalEmbeddingLib.Assembly import makeLogic
        from AnatomicalEmbeddingLib.InstallLogic import InstallLogic
        from AnatomicalEmbeddingLib.Widget import Widget

        root = slicer.util.loadUI(self.resourcePath("UI/AnatomicalEmbedding.ui"))
        self.layout.addWidget(root)
        root.setMRMLScene(slicer.mrmlScene)
        self.logic = makeLogic(slicer.mrmlScene)
        self.panel = Widget(root, self.logic, InstallLogic(self.resourcePath("requirements.txt")), slicer.mrmlScene)
        self.layout.addStretch(1)

    def enter(self):
        self.panel.enter()

    def exit(self):
        self.panel.exit()

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
        from AnatomicalEmbeddingLib import SampleScan
        from AnatomicalEmbeddingLib.Assembly import makeLogic

        (scan,) = SampleScan.load()
        bounds_ras = [0.0] * 6
        scan.GetRASBounds(bounds_ras)
        logic, failures = makeLogic(slicer.mrmlScene), []
        logic.embeddingEnded.connect(failures.append)
        logic.startEmbedding(scan, again=True)
        while logic.isEmbedding():
            slicer.app.processEvents()
        self.assertEqual(failures, [None], failures[0] and failures[0].report)
        answer = logic.locate(scan, "liver")
        logic.showOverlay(scan, "colours")
        logic.cleanUp()
        self.assertTrue(answer.found, answer.reason)
        right, anterior, superior = answer.hits[0].position_ras
        self.assertGreater(right, (bounds_ras[0] + bounds_ras[1]) / 2)
        sliceNode = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
        self.assertAlmostEqual(sliceNode.GetSliceOffset(), superior, places=3)
        self.delayDisplay("The liver was found")

    def test_a_scan_that_is_not_embedded_says_what_to_do(self):
        from AnatomicalEmbeddingLib.Assembly import makeLogic

        scan = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Fresh")
        logic = makeLogic(slicer.mrmlScene)
        with self.assertRaisesRegex(RuntimeError, "Press Embed first"):
            logic.locate(scan, "liver")
        logic.cleanUp()
