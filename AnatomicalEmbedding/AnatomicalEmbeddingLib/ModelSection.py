"""Section Model: which model answers, its card and licence, another model, and what is kept on the disk."""

import slicer
import slicer.util
from slicer.i18n import tr as _

from . import Words
from .Failure import system, versions
from .Section import Section


class ModelSection(Section):
    """Reads the model's facts when it is first opened; nothing is removed without asking."""

    def __init__(self, ui, logic, parameters, tell) -> None:
        super().__init__(ui, logic, parameters, tell)
        self._read = False
        self._kept = 0

    def connections(self) -> list[tuple]:
        return [
            (self.ui.modelCollapsibleButton, "contentsCollapsed(bool)", self.readOnce),
            (self.ui.modelPathEdit, "currentPathChanged(QString)", self.pathChanged),
            (self.ui.importButton, "clicked()", self.importModel),
            (self.ui.shippedButton, "clicked()", self.useShipped),
            (self.ui.removeButton, "clicked()", self.removeCaches),
            (self.ui.factsButton, "clicked()", self.copyFacts),
        ]

    def listeners(self) -> list[tuple]:
        return [(self.logic.embeddingEnded, self.readCaches)]

    def readOnce(self, collapsed: bool) -> None:
        """Fill the section when it is opened for the first time: the card is long."""
        if not collapsed and not self._read:
            self.read()

    def read(self) -> None:
        """Write what the Logic knows about the model and its files."""
        facts = self.logic.modelFacts()
        self.ui.modelFacts.text = _("{name}, {concepts} structures\nLicence: {licence}\nModel number: {id}").format(
            name=facts["name"], concepts=facts["concepts"], licence=facts["licence"], id=facts["encoderId"]
        )
        self.ui.modelFacts.toolTip = str(facts["path"])
        self.ui.cardText.setMarkdown(facts["card"])
        self._read = True
        self.readCaches()

    def readCaches(self, *_failure) -> None:
        """Look how much is kept on the disk; only once the section has been opened."""
        if not self._read:
            return
        self._kept, taken = self.logic.downloadsAndCaches()
        self.ui.cacheLabel.text = _("{size} (files: {count})").format(count=self._kept, size=Words.size(taken))

    def pathChanged(self, path: str) -> None:
        """A model can be imported when a file is named."""
        self.ui.importButton.enabled = bool(path)

    def importModel(self) -> None:
        """Take another model file into use; its checksum is compared when one was given."""
        self.logic.importModel(self.ui.modelPathEdit.currentPath, self.ui.checksumEdit.text.strip())
        self.read()
        self.tell(_("The model is in use. Scans have to be embedded again with it."))

    def useShipped(self) -> None:
        """Go back to the model that came with the module."""
        self.logic.useShippedModel()
        self.read()
        self.tell(_("The shipped model is in use."))

    def removeCaches(self) -> None:
        """Remove kept embeddings and downloads, after asking."""
        count, _bytes = self.logic.downloadsAndCaches()
        question = _("Remove {count} kept embeddings and downloads? Scans then have to be embedded again.").format(
            count=count
        )
        if not slicer.util.confirmOkCancelDisplay(question, _("Anatomical Embedding")):
            return
        self.logic.removeCaches()
        self.readCaches()
        self.tell(_("Removed."))

    def copyFacts(self) -> None:
        """Put what a developer wants to know on the clipboard: the model, the packages, the system, the device."""
        facts, scan = self.logic.modelFacts(), self.scan()
        lines = [
            f"Model: {facts['name']}, number {facts['encoderId']}, {facts['concepts']} structures, {facts['path']}",
            f"Device: {self.logic.deviceLine(scan) if scan is not None else 'no scan is selected'}",
            f"System: {system()}",
            f"Versions: {', '.join(versions())}",
        ]
        self.copy("\n".join(lines))
        self.tell(_("The facts are on the clipboard."))

    def refresh(self) -> None:
        running = self.logic.isEmbedding()
        self.ui.importButton.enabled = bool(self.ui.modelPathEdit.currentPath) and not running
        self.ui.shippedButton.enabled = not running
        self.ui.removeButton.enabled = self._kept > 0 and not running
