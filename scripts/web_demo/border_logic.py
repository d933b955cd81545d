"""Where one structure ends and another begins, and how sure that is."""

from AnatomicalEmbeddingLib.Logic import NotOne

from web_demo.section import Section, shown
from web_demo.structure_box import StructureBox


class BorderLogic(Section):
    """Two structures, by name or as the likeliest ones where one has clicked."""

    def __init__(self, demo) -> None:
        super().__init__(demo)
        self.first, self.second = StructureBox(demo, "first"), StructureBox(demo, "second")
        self.state.setdefault("border_line", "")

    @shown
    def take_likeliest(self) -> None:
        """Write the two structures that are most likely where one has clicked into the fields."""
        scan = self.require_scan()
        for box, concept in zip(
            (self.first, self.second), self.logic.twoLikeliest(scan, self.demo.here.point(scan)), strict=True
        ):
            box.write(self.logic.nameOf(concept))

    @shown
    def show(self) -> None:
        """Show the border over the slices; what is refused does not stand beside the border of another pair."""
        self.tell("")
        if self.logic.shownOverlay() == "border":
            self.logic.hideOverlay()
        first, second = self._concept(self.first), self._concept(self.second)
        if first == second:
            raise RuntimeError("Choose two different structures.")
        self.logic.showBorder(self.require_scan(), first, second)
        names = self.logic.nameOf(first), self.logic.nameOf(second)
        self.state.border_line = (
            f"On the line {names[0]} and {names[1]} are equally likely; in the band either is possible."
        )

    def refresh(self) -> None:
        if self.logic.shownOverlay() != "border":
            self.state.border_line = ""

    def _concept(self, box: StructureBox) -> str:
        """Id of what a field means; the one name that it probably means is written into it, to be confirmed."""
        try:
            return self.logic.structureOf(self.require_scan(), box.text())
        except NotOne as question:
            if len(question.names) == 1:
                box.write(question.names[0])
            raise
