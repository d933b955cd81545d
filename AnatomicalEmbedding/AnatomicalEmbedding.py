"""The Slicer module: what Slicer lists, the panel's start and end, and the module's own test.

Python 3.9, which Slicer 5.8 has, can read this file, so that an older Slicer says which one is needed. What is imported
in the methods is written for the Python of Slicer 5.10 and later.
"""

import logging
import unittest

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

    oldestSlicer = (5, 10)

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("Anatomical Embedding")
        parent.categories = ["Analysis"]
        parent.dependencies = []
        parent.contributors = ["The AnatomicalEmbedding contributors"]
        parent.helpText = self.tooOld() or self.tour()
        parent.acknowledgementText = _(
            "Built on 3D Slicer, VTK, SimpleITK and PyTorch. The names and identifiers of the structures follow "
            "TotalSegmentator and SNOMED CT."
        )
        if not self.tooOld():
            slicer.app.connect("startupCompleted()", self.afterStartup)

    @classmethod
    def tooOld(cls):
        """Which Slicer is needed, empty where this one will do."""
        if (slicer.app.majorVersion, slicer.app.minorVersion) >= cls.oldestSlicer:
            return ""
        return _("Anatomical Embedding needs Slicer {needed} or newer, and this is Slicer {here}.").format(
            needed=".".join(map(str, cls.oldestSlicer)), here=slicer.app.applicationVersion
        )

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
        for register in (self.registerSampleScan, self.registerRightClicks):
            try:
                register()
            except Exception:  # the other one must not depend on it, and Slicer would only print it
                logging.exception(f"Anatomical Embedding: {register.__name__} failed")

    def registerSampleScan(self):
        from AnatomicalEmbeddingLib import SampleScan

        SampleScan.register(self.resourcePath("Icons/AnatomicalEmbedding.png"))

    def registerRightClicks(self):
        from AnatomicalEmbeddingLib import AnatomicalEmbeddingSubjectHierarchyPlugin

        AnatomicalEmbeddingSubjectHierarchyPlugin.register()


class AnatomicalEmbeddingWidget(ScriptedLoadableModuleWidget):
    """Puts the panel into the module's layout, or says why there is none."""

    logic = panel = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        problem = AnatomicalEmbedding.tooOld()
        try:
            if not problem:
                self.makePanel()
        except Exception as error:  # a blank panel would tell nobody anything
            logging.exception("The panel of Anatomical Embedding cannot be shown")
            problem = _("The panel cannot be shown: {why}. Slicer's log says more.").format(why=error)
        if problem:
            self.say(problem)
        self.layout.addStretch(1)
        # Slicer enters a module after its set-up, but not one that is shown while it is reloaded.
        if getattr(self.parent, "isEntered", False):
            self.enter()

    def makePanel(self):
        from AnatomicalEmbeddingLib.Assembly import makeLogic
        from AnatomicalEmbeddingLib.InstallLogic import InstallLogic
        from AnatomicalEmbeddingLib.Widget import Widget

        root = slicer.util.loadUI(self.resourcePath("UI/AnatomicalEmbedding.ui"))
        root.setMRMLScene(slicer.mrmlScene)
        self.logic = makeLogic(slicer.mrmlScene)
        self.panel = Widget(root, self.logic, InstallLogic(self.resourcePath("requirements.txt")), slicer.mrmlScene)
        self.layout.addWidget(root)

    def say(self, text):
        import qt

        label = qt.QLabel(text)
        label.wordWrap = True
        self.layout.addWidget(label)

    def enter(self):
        if self.panel is not None:
            self.panel.enter()

    def exit(self):
        if self.panel is not None:
            self.panel.exit()

    def cleanup(self):
        # Slicer may call cleanup without setup when loading the module failed.
        panel, logic, self.panel, self.logic = self.panel, self.logic, None, None
        if panel is not None:
            panel.cleanUp()
        if logic is not None:
            logic.cleanUp()


class AnatomicalEmbeddingTest(ScriptedLoadableModuleTest):
    """Runs inside Slicer, with the model and the CT that are installed with the module."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        skipped = []
        for name in unittest.TestLoader().getTestCaseNames(type(self)):
            self.setUp()
            try:
                getattr(self, name)()
            except unittest.SkipTest as reason:
                skipped.append(f"{name}: {reason}")
        if skipped:
            self.skipTest("; ".join(skipped))

    def test_the_bundled_scan_is_offered_as_sample_data(self):
        import SampleData
        from AnatomicalEmbeddingLib import SampleScan

        entries = SampleData.SampleDataLogic.sampleDataSourcesByCategory(SampleScan.CATEGORY)
        self.assertEqual([entry.sampleName for entry in entries], [SampleScan.NAME])
        (scan,) = SampleData.SampleDataLogic().downloadSamples(SampleScan.NAME)
        self.assertEqual(scan.GetAttribute("DICOM.Modality"), "CT")

    def test_a_right_click_offers_both_actions_in_the_views(self):
        pluginLogic = slicer.qSlicerSubjectHierarchyPluginHandler.instance().pluginLogic()
        offered = set(pluginLogic.availableViewMenuActionNames())
        self.assertLessEqual({"AnatomicalEmbeddingNameAction", "AnatomicalEmbeddingFindAction"}, offered)

    def test_a_scan_that_is_not_embedded_says_what_to_do(self):
        from AnatomicalEmbeddingLib.Assembly import makeLogic

        scan = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Fresh")
        logic = makeLogic(slicer.mrmlScene)
        with self.assertRaisesRegex(RuntimeError, "Press Embed first"):
            logic.locate(scan, "liver")
        logic.cleanUp()

    def test_the_liver_of_the_bundled_scan_is_found_on_the_right_with_the_buttons(self):
        module, ui, scan = self.embedded()
        self.find(ui, "liver")
        ui.shownBox.click()
        self.assertEqual(module.logic.shownOverlay(), "colours", ui.showMessage.text)
        bounds_ras, found_ras = [0.0] * 6, self.foundPlace()
        scan.GetRASBounds(bounds_ras)
        self.assertGreater(found_ras[0], (bounds_ras[0] + bounds_ras[1]) / 2)
        sliceNode = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
        self.assertAlmostEqual(sliceNode.GetSliceOffset(), found_ras[2], places=3)

    def test_here_and_the_report_name_what_find_found_with_the_buttons(self):
        module, ui, scan = self.embedded()
        self.find(ui, "liver")
        ui.hereButton.click()
        self.assertIn("iver", ui.hereName.text, ui.hereMessage.text)
        ui.reportEdit.plainText = "The liver is normal."
        ui.readButton.click()
        self.assertIn("1 in this scan", ui.reportMessage.text)

    def test_the_same_place_is_found_in_a_second_scan_with_the_buttons(self):
        from AnatomicalEmbeddingLib import SampleScan

        module, ui, scan = self.embedded()
        (other,) = SampleScan.load()
        self.embed(module, other)
        ui.scanSelector.setCurrentNode(scan)
        ui.otherSelector.setCurrentNode(other)
        self.find(ui, "liver")
        ui.thereButton.click()
        self.assertIn("Same place in the other scan", ui.compareMessage.text)

    def test_a_border_and_segments_are_made_with_the_buttons(self):
        module, ui, scan = self.embedded()
        self.find(ui, "liver")
        ui.firstEdit.text, ui.secondEdit.text = "liver", "right kidney"
        module.panel.refresh()
        ui.borderButton.click()
        self.assertEqual(module.logic.shownOverlay(), "border", ui.borderMessage.text)
        ui.segmentsButton.click()
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode"), 2, ui.borderMessage.text)
        ui.segmentButton.click()
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode"), 3, ui.findMessage.text)

    def test_a_saved_scene_is_searched_again_with_the_buttons(self):
        import os
        import tempfile

        module, ui, scan = self.embedded()
        name = scan.GetName()
        self.find(ui, "liver")
        ui.keepButton.click()
        ui.tableButton.click()
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLTableNode"), 1, ui.takeMessage.text)
        before_ras = self.foundPlace()
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "saved.mrb")
            self.assertTrue(slicer.util.saveScene(path))
            slicer.mrmlScene.Clear()
            slicer.util.loadScene(path)
        scan = slicer.util.getNode(name)
        ui.scanSelector.setCurrentNode(scan)
        self.assertTrue(module.logic.isEmbedded(scan), ui.stateLabel.text)
        self.find(ui, "liver")
        for before, after in zip(before_ras, self.foundPlace()):  # noqa: B905 (Python 3.9 reads this file)
            self.assertAlmostEqual(before, after, places=2)
        self.assertEqual([one.label.lower() for one in module.logic.keptPlaces(scan)], ["liver"])

    def embedded(self):
        """The module's widget, its controls, and the bundled scan, which is embedded with the button."""
        import importlib.util

        from AnatomicalEmbeddingLib import SampleScan

        if importlib.util.find_spec("torch") is None:
            self.skipTest("PyTorch is not installed, so nothing can be embedded")
        slicer.util.selectModule("AnatomicalEmbedding")
        module = slicer.util.getModuleWidget("AnatomicalEmbedding")
        (scan,) = SampleScan.load()
        self.embed(module, scan)
        return module, module.panel.ui, scan

    def embed(self, module, scan):
        ui = module.panel.ui
        ui.scanSelector.setCurrentNode(scan)
        ui.embedButton.click()
        while module.logic.isEmbedding():
            slicer.app.processEvents()
        self.assertTrue(module.logic.isEmbedded(scan), ui.scanMessage.text)

    def find(self, ui, text):
        ui.queryEdit.text = text
        ui.findButton.click()
        self.assertGreater(ui.hitsTable.rowCount, 0, ui.findMessage.text)

    def foundPlace(self):
        """World position of the point that Find has put into the scene."""
        found_ras = [0.0] * 3
        points = slicer.util.getNode("Found anatomy")
        points.GetNthControlPointPositionWorld(0, found_ras)
        return found_ras
