"""Section Find: type a structure, go through the places where it is, keep one, see where it is likely."""

from html import escape

import qt
from slicer.i18n import tr as _

from . import Words
from .Section import Section
from .StructureField import StructureField


class FindSection(Section):
    """A search box with completion, a table of hits that moves the views, and near matches to choose from."""

    def __init__(self, ui, logic, parameters, tell) -> None:
        super().__init__(ui, logic, parameters, tell)
        self.field = StructureField(ui.queryEdit, logic.complete, logic.nameOf)
        self._hits = []
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
        row = self.ui.hitsTable.currentRow()
        if not 0 <= row < len(self._hits):
            raise RuntimeError(_("Select a place in the table first."))
        self.requireUnmoved(self._motion)
        hit = self._hits[row]
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
        if not answer.found:
            self._show(answer)

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
        self.ui.thresholdSlider.enabled = embedded and self.logic.shownOverlay() == "heat map"
        self.ui.queryEdit.toolTip = "" if embedded else _("Embed the scan first.")
        self._fillHistory(embedded)

    def _show(self, answer) -> None:
        self._hits = list(answer.hits)
        self._fillTable()
        self.tell(self._inWords(answer))
        self._offerChoices(answer)

    def _inWords(self, answer) -> str:
        return Words.sentence(answer.reason)

    def _offerChoices(self, answer) -> None:
        links = self._links(answer)
        self.ui.choicesLabel.text = links
        self.ui.choicesLabel.visible = bool(links)

    def _links(self, answer) -> str:
        """A question with its choices as links; near names of what was not understood; nothing for a clear answer."""
        if not answer.question:
            shown = {hit.concept_id for hit in answer.hits} if len(answer.resolved) == 1 else set()
            pairs = zip(answer.resolved, answer.choices, strict=True)
            names = [name for one, name in pairs if one.id not in shown]
            names = [name for name in names if name.casefold() != answer.query.strip().casefold()]
            lead = _("Choose one:") if answer.found else _("Did you mean:")
            return f"{lead} {_linked(names)}" if names else ""
        first, *others = answer.choices
        if others and len({one.confidence for one in answer.resolved}) == 1:
            return _("Choose one: {links}").format(links=_linked(answer.choices))
        text = _("Is this meant? Yes: {links}").format(links=_linked([first]))
        return text + (_("; or: {links}").format(links=_linked(others)) if others else "")

    def _fillTable(self) -> None:
        table = self.ui.hitsTable
        was = table.blockSignals(True)  # the views have already moved to the first hit
        table.rowCount = len(self._hits)
        for row, hit in enumerate(self._hits):
            confidence, place = Words.placeConfidence(hit.confidence), Words.letters(hit.position_ras)
            for column, text in enumerate((Words.capital(hit.label), confidence, place)):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(text)  # a narrow panel cuts it off
                table.setItem(row, column, item)
        table.resizeColumnsToContents()
        if self._hits:
            table.setCurrentCell(0, 0)
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


def _linked(names) -> str:
    return ", ".join(f'<a href="{escape(name)}">{escape(name)}</a>' for name in names)
