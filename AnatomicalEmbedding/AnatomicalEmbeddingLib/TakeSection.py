"""Section Take along: kept places as a file, and the structures of a scan as a table."""

import slicer.util
from slicer.i18n import tr as _

from .Section import Section


class TakeSection(Section):
    """Writes and reads the places that were kept in the section Find, and makes the table of structures."""

    def connections(self) -> list[tuple]:
        ui = self.ui
        return [
            (ui.placesPathEdit, "currentPathChanged(QString)", self.refresh),
            (ui.writePlacesButton, "clicked()", self.write),
            (ui.readPlacesButton, "clicked()", self.read),
            (ui.tableButton, "clicked()", self.makeTable),
        ]

    def write(self) -> None:
        """Write the kept places of the scan into the file."""
        path = self.ui.placesPathEdit.currentPath
        count = self.logic.writeKept(self.requireScan(), path)
        self.tell(_("{count} places written to {path}.").format(count=count, path=path))

    def read(self) -> None:
        """Keep the points of the file with the scan."""
        count = self.logic.readKept(self.requireScan(), self.ui.placesPathEdit.currentPath)
        self.tell(_("{count} places read; they are kept with this scan.").format(count=count))

    def makeTable(self) -> None:
        """Make, or make again, the table of the scan's structures."""
        scan = self.requireScan()
        with slicer.util.WaitCursor():
            node = self.logic.tableOfStructures(scan)
        text = _("Made the table “{name}” with {count} structures. The module Tables shows it; Slicer saves it.")
        self.tell(text.format(name=node.GetName(), count=node.GetNumberOfRows()))

    def refresh(self, *_path) -> None:
        scan, named = self.scan(), bool(self.ui.placesPathEdit.currentPath.strip())
        kept = self.logic.keptPlaces(scan) if scan is not None else []
        names = ", ".join(dict.fromkeys(place.label for place in kept))
        self.ui.keptLabel.text = names or _("none yet: keep them in the section Find")
        self.ui.writePlacesButton.enabled = named and bool(kept)
        self.ui.readPlacesButton.enabled = named and scan is not None
        self.ui.tableButton.enabled = self.embeddedScan() is not None
