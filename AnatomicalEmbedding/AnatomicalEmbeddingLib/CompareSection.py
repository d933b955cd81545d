"""Section Compare: the same anatomical place in a second scan, once or always."""

from slicer.i18n import tr as _

from . import Words
from .Section import Section, write


class CompareSection(Section):
    """Finds the place of the crosshair in the other scan, or links the crosshairs of both."""

    def __init__(self, ui, logic, parameters, tell) -> None:
        super().__init__(ui, logic, parameters, tell)
        self._linked = None

    def connections(self) -> list[tuple]:
        return [
            (self.ui.thereButton, "clicked()", self.findThere),
            (self.ui.linkBox, "toggled(bool)", self.link),
        ]

    def listeners(self) -> list[tuple]:
        return [(self.logic.linked, self.showMatch)]

    def otherScan(self):
        """The second scan, None without one."""
        parameters = self.parameters()
        return parameters.otherScan if parameters is not None else None

    def findThere(self) -> None:
        """Move the views of the other scan to the place of the crosshair."""
        self.findFrom(self.crosshair())

    def findFrom(self, position_ras) -> None:
        """Move the views of the other scan to the place of a world position (mm) in this one."""
        self.showMatch(self.logic.findThere(self.requireScan(), position_ras, self._requireOther()))

    def link(self, wanted: bool) -> None:
        """Let the crosshair of the other scan follow, or stop that."""
        if wanted:
            self.logic.link(self.requireScan(), self._requireOther())
            self._linked = self._pair()
            self.tell(_("Linked: move the crosshair with Shift in one scan, the other follows."))
        else:
            self._unlink()
            self.tell("")

    def showMatch(self, match) -> None:
        """Say where the place is in the other scan, and how sure that is; None where there is no such place."""
        if match is None:
            self.tell(_("This place cannot be found in the other scan."))
            return
        self.tell(
            _("Same place in the other scan: {position}; there and back agree by {confidence}.").format(
                position=Words.position(match.position_ras), confidence=Words.placeConfidence(match.confidence)
            )
        )

    def refresh(self) -> None:
        problem = self._problem()
        if self._linked is not None and (problem or self._pair() != self._linked):
            self._unlink()
            self.tell(_("The link has ended, because a scan has changed."))
        self.ui.compareState.text = problem or _("Both scans are ready.")
        self.ui.thereButton.enabled = not problem
        self.ui.linkBox.enabled = not problem
        write(self.ui.linkBox, self._linked is not None)

    def _unlink(self) -> None:
        if self._linked is not None:
            self._linked = None
            self.logic.unlink()

    def _pair(self) -> tuple:
        return tuple(node.GetID() if node is not None else None for node in (self.scan(), self.otherScan()))

    def _requireOther(self):
        problem = self._problem()
        if problem:
            raise RuntimeError(problem)
        return self.otherScan()

    def _problem(self) -> str:
        """Why two scans cannot be compared, empty when they can."""
        scan, other = self.scan(), self.otherScan()
        if scan is None or not self.logic.isEmbedded(scan):
            return _("Choose and embed a scan in the section Scan first.")
        if other is None:
            return _("Choose the second scan.")
        if other is scan:
            return _("Choose another scan than in the section Scan.")
        if not self.logic.isEmbedded(other):
            return _("{name} is not embedded yet: choose it in the section Scan and press Embed.").format(
                name=other.GetName()
            )
        return ""
