"""The panel: choose a scan, embed it, ask for a structure, read the answer. It shows errors; it computes nothing."""

import qt
import slicer


class Widget:
    """Connects a few Qt controls to the Logic; `root` is the QWidget to put into a layout.

    Embedding runs in Slicer's own process: the window answers between two stages only, and the controls are off.
    """

    def __init__(self, logic, installLogic, scene) -> None:
        self._logic = logic
        self._installLogic = installLogic
        self._build(scene)
        self._logic.embeddedChanged.connect(self._updateControls)
        self.scanSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._updateControls)
        self.embedButton.connect("clicked()", self._onEmbed)
        self.coloursBox.connect("toggled(bool)", self._onColoursToggled)
        self.queryEdit.connect("returnPressed()", self._onFind)
        self.findButton.connect("clicked()", self._onFind)
        self._updateControls()

    def cleanUp(self) -> None:
        """Stop listening to the Logic."""
        self._logic.embeddedChanged.disconnect(self._updateControls)

    def _build(self, scene) -> None:
        self.root = qt.QWidget()
        form = qt.QFormLayout(self.root)
        self.scanSelector = slicer.qMRMLNodeComboBox()
        self.scanSelector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
        # Label maps and the overlays are subclasses of scalar volumes.
        self.scanSelector.showChildNodeTypes = False
        self.scanSelector.addEnabled = False
        self.scanSelector.removeEnabled = False
        self.scanSelector.noneEnabled = True
        self.scanSelector.setMRMLScene(scene)
        self.embedButton = qt.QPushButton("Embed")
        self.coloursBox = qt.QCheckBox("Show position colours")
        self.queryEdit = qt.QLineEdit()
        self.queryEdit.placeholderText = "left kidney"
        self.findButton = qt.QPushButton("Find")
        self.statusLabel = qt.QLabel("Select a CT and press Embed.")
        self.statusLabel.wordWrap = True
        form.addRow("CT:", self.scanSelector)
        form.addRow(self.embedButton)
        form.addRow(self.coloursBox)
        form.addRow("Structure:", self.queryEdit)
        form.addRow(self.findButton)
        form.addRow(self.statusLabel)
        form.addRow(qt.QLabel("Research use only, not for diagnosis."))

    def _scan(self):
        return self.scanSelector.currentNode()

    def _updateControls(self, *_) -> None:
        embedded = self._logic.isEmbedded(self._scan())
        self.embedButton.enabled = self._scan() is not None
        self.coloursBox.enabled = embedded
        self.queryEdit.enabled = embedded
        self.findButton.enabled = embedded

    def _onEmbed(self) -> None:
        for control in (self.scanSelector, self.embedButton, self.coloursBox, self.queryEdit, self.findButton):
            control.enabled = False
        try:
            self._installLogic.ensureInstalled()
            self._logic.embed(self._scan(), progress=self._showProgress)
            self._say("Ready. Type a structure and press Find.")
        except RuntimeError as error:
            self._say(str(error))
        finally:
            self.scanSelector.enabled = True
            self._updateControls()

    def _onColoursToggled(self, shown: bool) -> None:
        try:
            if shown:
                self._logic.showColours(self._scan())
            else:
                self._logic.hideOverlay()
        except RuntimeError as error:
            self._say(str(error))

    def _onFind(self) -> None:
        try:
            answer = self._logic.locate(self._scan(), self.queryEdit.text)
        except RuntimeError as error:
            self._say(str(error))
            return
        place = f", best at {_inWords(answer.hits[0].position_ras)}" if answer.hits else ""
        self._say(f"{answer.reason}{place}.")

    def _showProgress(self, stage: str, fraction: float) -> None:
        self._say(f"{stage} ({fraction:.0%})")
        slicer.app.processEvents()

    def _say(self, text: str) -> None:
        self.statusLabel.text = text


def _inWords(position_ras) -> str:
    letters = (("R", "L"), ("A", "P"), ("S", "I"))
    return ", ".join(
        f"{abs(value):.0f} mm {positive if value >= 0 else negative}"
        for value, (positive, negative) in zip(position_ras, letters, strict=True)
    )
