"""Section Border: where one structure ends and another begins, and how sure that is."""

from slicer.i18n import tr as _

from .Logic import NotOne
from .Section import Section
from .StructureField import StructureField


class BorderSection(Section):
    """Two structures, by name or as the likeliest ones at the crosshair; their border as a map or as segments."""

    def __init__(self, ui, logic, parameters, tell) -> None:
        super().__init__(ui, logic, parameters, tell)
        self.first = StructureField(ui.firstEdit, logic.complete, logic.nameOf)
        self.second = StructureField(ui.secondEdit, logic.complete, logic.nameOf)

    def connections(self) -> list[tuple]:
        return [
            *self.first.connections(),
            *self.second.connections(),
            (self.ui.likeliestButton, "clicked()", self.takeLikeliest),
            (self.ui.borderButton, "clicked()", self.showBorder),
            (self.ui.segmentsButton, "clicked()", self.makeSegments),
        ]

    def takeLikeliest(self) -> None:
        """Write the two structures that are most likely at the crosshair into the fields."""
        first, second = self.logic.twoLikeliest(self.requireScan(), self.crosshair())
        self.ui.firstEdit.text = self.logic.nameOf(first)
        self.ui.secondEdit.text = self.logic.nameOf(second)

    def showBorder(self) -> None:
        """Show the border over the slices."""
        if self.logic.shownOverlay() == "border":
            self.logic.hideOverlay()  # what is refused now is not to stand beside the border of another pair
        first, second = self._chosen()
        self.logic.showBorder(self.requireScan(), first, second)
        text = _("The line is where {first} and {second} are equally likely; in the band either is possible.")
        self.tell(text.format(first=self.logic.nameOf(first), second=self.logic.nameOf(second)))

    def makeSegments(self) -> None:
        """Make a segmentation of both structures, to be edited in Segment Editor."""
        node = self.logic.makeSegments(self.requireScan(), *self._chosen())
        text = _("Made {name}. Check and edit it in Segment Editor, which moves their border only.")
        self.tell(text.format(name=node.GetName()))

    def refresh(self) -> None:
        embedded = self.embeddedScan() is not None
        self.ui.likeliestButton.enabled = embedded
        self.ui.firstEdit.enabled = embedded
        self.ui.secondEdit.enabled = embedded
        named = bool(self.ui.firstEdit.text.strip() and self.ui.secondEdit.text.strip())
        self.ui.borderButton.enabled = embedded and named
        self.ui.segmentsButton.enabled = embedded and named

    def _chosen(self) -> tuple[str, str]:
        """Ids of the two structures, understood as in Find; RuntimeError when a field means none, or both the same.

        The one name that a field probably means is written into it: pressing the button again confirms it.
        """
        concepts = []
        for field, edit in ((self.first, self.ui.firstEdit), (self.second, self.ui.secondEdit)):
            try:
                concepts.append(self.logic.structureOf(self.requireScan(), field.text()))
            except NotOne as question:
                if len(question.names) == 1:
                    edit.text = question.names[0]
                raise
        if concepts[0] == concepts[1]:
            raise RuntimeError(_("Choose two different structures."))
        return tuple(concepts)
