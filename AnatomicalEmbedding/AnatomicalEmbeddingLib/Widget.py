"""The panel: joins the sections of the .ui file, the Logic and the scene's parameters. It computes nothing."""

import logging
from functools import partial

import qt
import slicer
import slicer.util
import vtk
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from .BorderSection import BorderSection
from .CompareSection import CompareSection
from .Failure import inWords
from .FindSection import FindSection
from .HereSection import HereSection
from .ModelSection import ModelSection
from .ParameterNode import parameterNodeOf
from .ReportSection import ReportSection
from .ScanSection import ScanSection
from .ShowSection import ShowSection
from .TakeSection import TakeSection


class Widget(VTKObservationMixin):
    """The only place that catches errors and shows them, each in the section where the user was.

    `root` is the widget loaded from the .ui file, with its scene set; `enter` and `exit` follow the module's own.
    """

    def __init__(self, root, logic, installLogic, scene) -> None:
        VTKObservationMixin.__init__(self)
        self.root = root
        self.ui = slicer.util.childWidgetVariables(root)
        self._logic = logic
        self._scene = scene
        self._parameters = None
        self._guiTag = None
        self._entered = False
        self._refreshing = False
        self._shortcuts = []
        self._listening = []
        self._build(installLogic)
        self.addObserver(scene, scene.StartCloseEvent, self._onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self._onSceneReplaced)
        self.addObserver(scene, scene.EndImportEvent, self._onSceneReplaced)
        self.refresh()

    def enter(self) -> None:
        """The module is shown: connect the controls to the scene's parameters and take the keys."""
        self._entered = True
        self._attempt(self.scanSection, self._takeParameters)
        self._takeKeys()
        self.refresh()

    def exit(self) -> None:
        """Another module is shown: give the keys back and stop following the mouse."""
        self._entered = False
        self._giveKeysBack()
        self._leave()
        self._setParameters(None)

    def cleanUp(self) -> None:
        """Stop listening to the Logic and the scene, when the panel goes away."""
        self.exit()
        for signal, slot in self._listening:
            signal.disconnect(slot)
        self._listening.clear()
        self.removeObservers()

    def embedScan(self, volumeNode) -> None:
        """Select a scan and embed it, unless one is being embedded."""
        self.ui.scanCollapsibleButton.collapsed = False
        self.ui.scanSelector.setCurrentNode(volumeNode)
        self._guarded(self.scanSection, self.scanSection.embedSelected)()

    def nameAt(self, position_ras) -> None:
        """Name a world position (mm) in the section Here."""
        self.ui.hereCollapsibleButton.collapsed = False
        self._guarded(self.hereSection, self.hereSection.nameAt)(position_ras)

    def findInOther(self, position_ras) -> None:
        """Show the place of a world position (mm) in the second scan."""
        self.ui.compareCollapsibleButton.collapsed = False
        self._guarded(self.compareSection, self.compareSection.findFrom)(position_ras)

    def refresh(self, *_) -> None:
        """Make every section say what is the case."""
        if self._refreshing:
            return
        self._refreshing = True
        try:
            for section in self._sections:
                self._attempt(section, section.refresh)
        finally:
            self._refreshing = False

    def _build(self, installLogic) -> None:
        ui, logic = self.ui, self._logic

        def make(kind, message, *more):
            return kind(ui, logic, lambda: self._parameters, partial(_tell, message), *more)

        self.scanSection = make(ScanSection, ui.scanMessage, installLogic)
        self.findSection = make(FindSection, ui.findMessage)
        self.reportSection = make(ReportSection, ui.reportMessage)
        self.hereSection = make(HereSection, ui.hereMessage)
        self.compareSection = make(CompareSection, ui.compareMessage)
        self.borderSection = make(BorderSection, ui.borderMessage)
        self.showSection = make(ShowSection, ui.showMessage)
        self.takeSection = make(TakeSection, ui.takeMessage)
        self.modelSection = make(ModelSection, ui.modelMessage)
        self._sections = [
            self.scanSection, self.findSection, self.reportSection, self.hereSection, self.compareSection,
            self.borderSection, self.showSection, self.takeSection, self.modelSection,
        ]
        for section in self._sections:
            section.tell("")
            for widget, signal, slot in section.connections():
                widget.connect(signal, self._guarded(section, slot))
            for signal, slot in section.listeners():
                self._listen(signal, partial(self._attempt, section, slot))
        self._listen(logic.embeddedChanged, self.refresh)
        self._listen(logic.embeddingEnded, self.refresh)
        self._listen(logic.deviceChanged, self.refresh)

    def _listen(self, signal, slot) -> None:
        signal.connect(slot)
        self._listening.append((signal, slot))

    def _guarded(self, section, slot):
        """A slot that shows what goes wrong in its section, and then what is the case."""

        def call(*arguments) -> None:
            self._attempt(section, slot, *arguments)
            self.refresh()

        return call

    def _attempt(self, section, slot, *arguments) -> None:
        try:
            slot(*arguments)
        except RuntimeError as error:
            section.tell(str(error), problem=True)
        except Exception as error:  # Slicer would print it into a console that nobody has open
            logging.exception("Anatomical Embedding")
            section.tell(_("{why} Slicer's log says more.").format(why=inWords(error)), problem=True)

    def _setParameters(self, parameters) -> None:
        if self._parameters is not None:
            self._parameters.disconnectGui(self._guiTag)
            self.removeObserver(self._parameters, vtk.vtkCommand.ModifiedEvent, self.refresh)
        self._parameters = parameters
        self._guiTag = None
        if parameters is not None:
            self._guiTag = parameters.connectGui(self.ui)
            self.addObserver(parameters, vtk.vtkCommand.ModifiedEvent, self.refresh)

    def _takeParameters(self) -> None:
        self._setParameters(parameterNodeOf(self._scene))
        if self._parameters.scan is None and self.ui.scanSelector.nodeCount() > 0:
            self.ui.scanSelector.setCurrentNodeIndex(0)

    def _takeKeys(self) -> None:
        keys = (
            ("Ctrl+Shift+F", self.findSection, self._focusSearch),
            ("Ctrl+Shift+N", self.hereSection, self.hereSection.nameCrosshair),
            ("Ctrl+Shift+O", self.showSection, self.showSection.toggle),
        )
        for key, section, slot in keys:
            shortcut = qt.QShortcut(qt.QKeySequence(key), slicer.util.mainWindow() or self.root)
            shortcut.connect("activated()", self._guarded(section, slot))
            self._shortcuts.append(shortcut)

    def _giveKeysBack(self) -> None:
        for shortcut in self._shortcuts:
            shortcut.enabled = False
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._shortcuts.clear()

    def _focusSearch(self) -> None:
        self.ui.findCollapsibleButton.collapsed = False
        self.ui.queryEdit.setFocus()
        self.ui.queryEdit.selectAll()

    def _leave(self) -> None:
        for section in self._sections:
            self._attempt(section, section.leave)

    def _onSceneStartClose(self, _caller, _event) -> None:
        self._leave()
        for section in self._sections:
            section.tell("")
        self._setParameters(None)

    def _onSceneReplaced(self, _caller, _event) -> None:
        if self._entered:
            self._attempt(self.scanSection, lambda: self._setParameters(parameterNodeOf(self._scene)))
        self.refresh()


def _tell(label: qt.QLabel, text: str, problem: bool = False) -> None:
    label.text = f"⚠ {text}" if problem else text
    label.visible = bool(text)
