"""Section Find: type a structure, go through the places where it is, keep one, see where it is likely."""

from html import escape

import qt
from slicer.i18n import tr as _

from . import Words
from .Section import Section
from .StructureField import StructureField


class FindSection(Section):
    """A search box with completion, a table of places that moves the views, and names to choose from.

    What has to be chosen has its places in the table too, but the views wait until one is chosen.
    """

    def __init__(self, ui, logic, parameters, tell) -> None:
        super().__init__(ui, logic, parameters, tell)
        self.field = StructureField(ui.queryEdit, logic.complete, logic.nameOf)
        self._hits = []
        self._lessLikelyFrom = 0
        self._asked = None
        self._motion = ()
        self._history = None

    def connections(self) -> list[tuple]:
        ui = self.ui
        return [
            *self.field.connections(chosen=self.findText),
            (ui.queryEdit, "returnPressed()", self.enterPressed),
            (ui.findButton, "clicked()", self.find),
            (ui.choicesLabel, "linkActivated(QString)", self.findText),
            (ui.hitsTable, "currentCellChanged(int,int,int,int)", self.jumpToRow),
            (ui.hitsTable, "cellDoubleClicked(int,int)", self.jumpToRow),
            (ui.keepButton, "clicked()", self.keep),
            (ui.heatButton, "clicked()", self.showHeatMap),
            (ui.windowButton, "clicked()", self.fitWindow),
            (ui.segmentButton, "clicked()", self.makeSegment),
            (ui.thresholdSlider, "valueChanged(double)", self.setThreshold),
            (ui.historyBox, "activated(int)", self.findEarlier),
        ]

    def enterPressed(self) -> None:
        """Ask, unless Enter was for the list of offers."""
        if not self.field.isChoosing():
            self.find()

    def find(self) -> None:
        """Ask for what stands in the search box."""
        text = self.field.text()
        if not text:
            raise RuntimeError(_("Type a structure first, for example: left kidney."))
        self._clear()
        answer = self.logic.locate(self.requireScan(), text)
        self._asked = self.requireScan().GetID()
        self._motion = self.logic.motionOf(self.requireScan())
        self._show(answer)

    def findText(self, text: str) -> None:
        """Ask for a text that was chosen instead of typed."""
        self.ui.queryEdit.text = text
        self.ui.queryEdit.text = self.field.text()
        self.find()

    def findEarlier(self, row: int) -> None:
        """Ask again; the first row only says what the list is."""
        if row > 0:
            self.findText(self.ui.historyBox.itemText(row))

    def jumpToRow(self, row: int, *_cells) -> None:
        """Move the views to the hit of a row of the table."""
        if 0 <= row < len(self._hits):
            self.requireUnmoved(self._motion)
            self.logic.jumpTo(self._hits[row].position_ras)

    def keep(self) -> None:
        """Make the selected hit a point that stays when the next search clears the others."""
        hit = self._selected()
        self.requireUnmoved(self._motion)
        self.logic.keepHit(self.requireScan(), hit)
        self.tell(_("Kept: {name}.").format(name=hit.label))

    def showHeatMap(self) -> None:
        """Colour the scan by how likely the structure of the search box is."""
        text = self.field.text()
        if not text:
            raise RuntimeError(_("Type a structure first; its likelihood is then shown over the scan."))
        threshold = self.ui.thresholdSlider.value
        answer = self.logic.showHeatMap(
            self.requireScan(), text, threshold=threshold or None, opacity=self.ui.opacitySlider.value
        )
        if not answer.places:
            self._show(answer)

    def fitWindow(self) -> None:
        """Grey values for the selected structure."""
        hit = self._selected()
        if not hit.concept_id:
            raise RuntimeError(_("These words are no known structure, so no grey values are known for them."))
        name, width, centre = self.logic.fitWindow(self.requireScan(), hit.concept_id)
        text = _("Grey values for {name}: width {width}, centre {centre} HU.")
        self.tell(text.format(name=name, width=width, centre=centre))

    def makeSegment(self) -> None:
        """A segment of the structure in the search box, for Segment Editor."""
        text = self.field.text()
        if not text:
            raise RuntimeError(_("Type a structure first; a segment is then made of it."))
        node = self.logic.makeSegment(self.requireScan(), text, self.ui.thresholdSlider.value or None)
        self.tell(_(
            "Made {name}. Check and correct it in Segment Editor, which paints only where it is possible."
        ).format(name=node.GetName()))

    def setThreshold(self, value: float) -> None:
        """Hide what is less likely; 0 leaves the choice to the Logic, which has to look at the map again."""
        if self.logic.shownOverlay() != "heat map":
            return
        if value > 0:
            self.logic.setHeatThreshold(value)
        else:
            self.showHeatMap()

    def refresh(self) -> None:
        scan = self.scan()
        embedded = self.embeddedScan() is not None
        if self._asked is not None and (not embedded or scan.GetID() != self._asked):
            self._clear()
            self.tell("")
        self.ui.queryEdit.enabled = embedded
        self.ui.findButton.enabled = embedded
        self.ui.heatButton.enabled = embedded
        self.ui.keepButton.enabled = bool(self._hits)
        self.ui.windowButton.enabled = bool(self._hits)
        self.ui.segmentButton.enabled = embedded
        self.ui.thresholdSlider.enabled = embedded and self.logic.shownOverlay() == "heat map"
        self.ui.queryEdit.toolTip = "" if embedded else _("Embed the scan first.")
        self._fillHistory(embedded)

    def _selected(self):
        row = self.ui.hitsTable.currentRow()
        if not 0 <= row < len(self._hits):
            raise RuntimeError(_("Select a place in the table first."))
        return self._hits[row]

    def _show(self, answer) -> None:
        options = [one.hit for one in answer.options if one.hit is not None]
        self._hits = [*answer.places, *options, *answer.less_likely]
        self._lessLikelyFrom = len(answer.places) + len(options)
        self._fillTable(chosen=0 if answer.places else -1)
        self.tell(answer.words, problem=bool(answer.caution))
        links = _links(answer)
        self.ui.choicesLabel.text = links
        self.ui.choicesLabel.visible = bool(links)

    def _fillTable(self, chosen: int = -1) -> None:
        table = self.ui.hitsTable
        was = table.blockSignals(True)  # the views have already moved to the first hit
        table.rowCount = len(self._hits)
        for row, hit in enumerate(self._hits):
            confidence, place = Words.placeConfidence(hit.confidence), Words.letters(hit.position_ras)
            name = Words.capital(hit.label)
            if row >= self._lessLikelyFrom:
                name = _("Less likely: {name}").format(name=hit.label)
                confidence = Words.percent(hit.confidence)  # that it is uncertain is said already
            for column, text in enumerate((name, confidence, place)):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(text)  # a narrow panel cuts it off
                table.setItem(row, column, item)
        table.resizeColumnsToContents()
        table.setCurrentCell(chosen, 0 if chosen >= 0 else -1)
        table.visible = bool(self._hits)
        table.blockSignals(was)

    def _clear(self) -> None:
        self._hits, self._asked = [], None
        self._fillTable()
        self.ui.choicesLabel.text = ""
        self.ui.choicesLabel.visible = False

    def _fillHistory(self, embedded: bool) -> None:
        history = self.logic.history()
        self.ui.historyBox.enabled = embedded and bool(history)
        if history == self._history:
            return
        self._history = list(history)
        self.ui.historyBox.clear()
        self.ui.historyBox.addItem(_("Search again for..."))
        for text in history:
            self.ui.historyBox.addItem(text)


def _links(answer) -> str:
    """What there is to choose as links, or near names of what was not understood; nothing for a clear answer."""
    names = [one.name for one in answer.options or answer.suggestions]
    if not names:
        return ""
    lead = _("Did you mean: {links}") if not answer.options else _("Choose one: {links}")
    if len(answer.options) == 1:
        lead = _("Is this meant? {links}")
    return lead.format(links=_linked(names))


def _linked(names) -> str:
    return ", ".join(f'<a href="{escape(name)}">{escape(name)}</a>' for name in names)
