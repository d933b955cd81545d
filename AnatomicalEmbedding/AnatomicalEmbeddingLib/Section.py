"""What the sections of the panel have in common."""

from collections.abc import Callable

import qt
import slicer
from slicer.i18n import tr as _


class Section:
    """One collapsible part of the panel.

    It raises RuntimeError in the user's words and catches none: the Widget connects the slots and shows what they
    raise. `ui` has the widgets of the .ui file by name; `parameters()` is the scene's ParameterNode, None while a scene
    closes; `tell(text)` writes into the section's own message line, which it clears when the text is empty.
    """

    def __init__(self, ui, logic, parameters: Callable, tell: Callable) -> None:
        self.ui = ui
        self.logic = logic
        self.parameters = parameters
        self.tell = tell

    def connections(self) -> list[tuple]:
        """(widget, signal, slot) of what the user does here."""
        return []

    def listeners(self) -> list[tuple]:
        """(Signal of the Logic, slot) of what the section follows."""
        return []

    def refresh(self) -> None:
        """Make the controls say what is the case; called whenever something has changed."""

    def leave(self) -> None:
        """The panel is no longer shown, or its scene closes: stop what costs time or shows through."""

    def scan(self):
        """The selected scan, None without one."""
        parameters = self.parameters()
        return parameters.scan if parameters is not None else None

    def embeddedScan(self):
        """The selected scan if it can be asked, else None."""
        scan = self.scan()
        return scan if scan is not None and self.logic.isEmbedded(scan) else None

    def requireScan(self):
        """The selected scan; RuntimeError without one."""
        scan = self.scan()
        if scan is None:
            raise RuntimeError(_("No scan is selected. Choose a CT in the section Scan."))
        return scan

    def requireUnmoved(self, motion: tuple) -> None:
        """RuntimeError if the scan was moved since its `motionOf` was this: world positions from then are wrong."""
        if self.logic.motionOf(self.requireScan()) != motion:
            raise RuntimeError(_("The scan was moved since these places were found. Search again."))

    def crosshair(self) -> tuple[float, float, float]:
        """World position (mm) of the crosshair in the slice views of the scan's scene."""
        crosshairNode = self.requireScan().GetScene().GetFirstNodeByClass("vtkMRMLCrosshairNode")
        if crosshairNode is None:
            raise RuntimeError(_("There is no crosshair. Hold Shift and move the mouse over a slice."))
        return tuple(crosshairNode.GetCrosshairRAS())

    def copy(self, text: str) -> None:
        """Put a text on the clipboard."""
        slicer.app.clipboard().setText(text)


def write(control: qt.QCheckBox, value: bool) -> None:
    """Set the checked state of a control without its signals: the user did not press it."""
    was = control.blockSignals(True)
    control.checked = value
    control.blockSignals(was)
