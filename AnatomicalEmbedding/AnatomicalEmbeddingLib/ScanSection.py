"""Section Scan: choose a CT, embed it, see how far it is, stop it."""

import slicer
from slicer.i18n import tr as _

from . import Words
from .Section import Section


class ScanSection(Section):
    """One button that embeds or cancels; what went wrong can be copied, and tried on the processor instead."""

    def __init__(self, ui, logic, parameters, tell, installLogic) -> None:
        super().__init__(ui, logic, parameters, tell)
        self._installLogic = installLogic
        self._failure = None
        self._asked = None
        self._installing = ""

    def connections(self) -> list[tuple]:
        return [
            (self.ui.embedButton, "clicked()", self.embedOrCancel),
            (self.ui.copyDetailsButton, "clicked()", self.copyDetails),
            (self.ui.useCpuButton, "clicked()", self.useCpu),
        ]

    def listeners(self) -> list[tuple]:
        return [(self.logic.progressChanged, self.showProgress), (self.logic.embeddingEnded, self.showEnd)]

    def embedOrCancel(self) -> None:
        """Start on the selected scan, or stop what runs."""
        if self.logic.isEmbedding():
            self.logic.cancelEmbedding()
        else:
            self.embedSelected()

    def embedSelected(self) -> None:
        """Start on the selected scan; RuntimeError while another one is being embedded."""
        if self.logic.isEmbedding():
            raise RuntimeError(_("Another scan is being embedded. Wait until it is done, or cancel it."))
        self.embed(self.requireScan())

    def embed(self, scan, device: str = "auto") -> None:
        """Install what is missing, with consent, and start; an embedded scan is embedded again."""
        if self._installing:
            raise RuntimeError(_("Python packages are being installed. Wait until that is done."))
        self._failure = None
        self.tell("")
        again = self.logic.isEmbedded(scan)
        self._install()
        if scan.GetScene() is None:  # Slicer goes on with its events while packages are installed
            raise RuntimeError(_("The scan is no longer in the scene."))
        self._asked = scan
        self.showProgress(_("Starting"), 0.0, None)
        self.logic.startEmbedding(scan, device=device, again=again)

    def _install(self) -> None:
        """Install what is missing, with the panel busy; RuntimeError when it was not installed."""
        if not self._installLogic.missing():
            return
        self._sayInstalling(_("Asking whether to install what is missing ..."))
        try:
            self._installLogic.ensureInstalled(self._sayInstalling)
        finally:
            self._installing = ""
        self.logic.askDeviceAgain()

    def _sayInstalling(self, text: str) -> None:
        self._installing = text
        self.refresh()
        slicer.app.processEvents()  # so that it is seen: nothing is painted while a package is installed

    def copyDetails(self) -> None:
        """The technical details of what went wrong, for an e-mail."""
        if self._failure is not None:
            self.copy(self._failure.details)
            self.tell(_("The details are on the clipboard."))

    def useCpu(self) -> None:
        """Embed the same scan again on the processor, without the graphics card."""
        if self._asked is None or self._asked.GetScene() is None:
            raise RuntimeError(_("The scan is no longer in the scene."))
        self.embed(self._asked, device="cpu")

    def showProgress(self, stage: str, fraction: float, secondsLeft: float | None) -> None:
        """Stage, fraction 0..1 and time left, in the bar and the line below it."""
        self.ui.progressBar.value = round(100 * fraction)
        self.ui.stageLabel.text = ", ".join(part for part in (stage, Words.timeLeft(secondsLeft)) if part)

    def showEnd(self, failure) -> None:
        """Say how an embedding ended; `failure` is None when it went well."""
        self._failure = None if failure is None or failure.cancelled else failure
        if failure is not None:
            self.tell(failure.message, problem=not failure.cancelled)
        else:
            name = self._asked.GetName() if self._asked is not None else _("The scan")
            self.tell(_("{name} is ready: type a structure in the section Find.").format(name=name))

    def refresh(self) -> None:
        scan, running = self.scan(), self.logic.isEmbedding()
        if self._asked is not None and self._asked.GetScene() is None:
            self._asked = self._failure = None
        busy = bool(self._installing)
        self.ui.embedButton.text = self._buttonText(scan, running)
        self.ui.embedButton.enabled = (running or scan is not None) and not busy
        self.ui.scanSelector.enabled = not busy
        self.ui.progressBar.maximum = 0 if busy else 100  # without an end it moves to and fro
        self.ui.progressBar.visible = running or busy
        self.ui.stageLabel.visible = running
        failed = self._failure is not None
        self.ui.copyDetailsButton.visible = failed
        self.ui.useCpuButton.visible = failed and self._failure.offersCPU and not busy
        self.ui.stateLabel.text = self._state(scan, running)
        self.ui.deviceCaption.visible = scan is not None
        self.ui.deviceLabel.text = self.logic.deviceLine(scan) if scan is not None else ""

    def _buttonText(self, scan, running: bool) -> str:
        if running:
            return _("Cancel")
        return _("Embed again") if scan is not None and self.logic.isEmbedded(scan) else _("Embed")

    def _state(self, scan, running: bool) -> str:
        if self._installing:
            return self._installing
        if running:
            name = self._asked.GetName() if self._asked is not None else ""
            return _("Embedding {name}. You can go on working.").format(name=name)
        if scan is None:
            return _("Choose a CT.")
        if self.logic.isEmbedded(scan):
            return _("Embedded: this scan can be searched.")
        if missing := self._installLogic.missing():
            names = _(" and ").join("PyTorch (2 GB)" if one == "torch" else one for one in missing)
            return _("Press Embed: {packages} is missing, and is installed then, after asking.").format(packages=names)
        return _("Not embedded yet. Press Embed once; then the scan can be searched.")
