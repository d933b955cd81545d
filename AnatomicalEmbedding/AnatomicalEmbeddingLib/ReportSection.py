"""Section Report: a pasted report in which every structure is a link into the scan, and the slices worth a look."""

from html import escape

import qt
from slicer.i18n import tr as _

from . import Words
from .Section import Section

CHECK_SIDE = "check the side"
GREY, ORANGE = "#808080", "#b36b00"


class ReportSection(Section):
    """The report is shown as it was pasted; links move the views. What is not in the scan is grey, and orange where the
    report gives a structure a side that it does not have; both say why."""

    def __init__(self, ui, logic, parameters, tell) -> None:
        super().__init__(ui, logic, parameters, tell)
        self._reading = None
        self._readIn = None
        self._motion = ()

    def connections(self) -> list[tuple]:
        ui = self.ui
        return [
            (ui.readButton, "clicked()", self.read),
            (ui.reportText, "anchorClicked(QUrl)", self.follow),
            (ui.mentionLabel, "linkActivated(QString)", self.choose),
            (ui.slicesTable, "currentCellChanged(int,int,int,int)", self.jumpToSlice),
            (ui.slicesTable, "cellDoubleClicked(int,int)", self.jumpToSlice),
        ]

    def read(self) -> None:
        """Read what was pasted."""
        text = self.ui.reportEdit.plainText
        if not text.strip():
            raise RuntimeError(_("Paste a report first."))
        scan = self.requireScan()
        self._clear()
        self._reading = self.logic.readReport(scan, text)
        self._readIn = scan.GetID()
        self._motion = self.logic.motionOf(scan)
        caution = self._reading.caution
        self.tell(f"{self._summary()} {caution}".strip(), problem=bool(caution))
        if self._reading.mentions:
            self.ui.reportText.html = self._html()
            self.ui.reportText.visible = True
        self._fillTable()

    def follow(self, url: qt.QUrl) -> None:
        """Go to the mention of a link, or ask which of its structures is meant."""
        number = url.toString().removeprefix("#")
        mentions = self._reading.mentions if self._reading is not None else []
        if not number.isdecimal() or int(number) >= len(mentions):
            return
        one = mentions[int(number)]
        if one.answer.options:
            self._ask(int(number), one)
        else:
            self._go(one, one.found[0])

    def choose(self, link: str) -> None:
        """Go to one of the structures that a mention may mean; the link is "mention/choice"."""
        mention, _slash, choice = link.partition("/")
        if self._reading is None:
            return
        one = self._reading.mentions[int(mention)]
        self._go(one, one.answer.options[int(choice)], ask=False)

    def jumpToSlice(self, row: int, *_cells) -> None:
        """Move the views to the key slice of a row of the table."""
        if self._reading is not None and 0 <= row < len(self._reading.slices):
            self.requireUnmoved(self._motion)
            self.logic.showSlice(self._reading.slices[row].position_ras)

    def refresh(self) -> None:
        scan = self.embeddedScan()
        embedded = scan is not None
        if self._reading is not None and (not embedded or scan.GetID() != self._readIn):
            self._clear()
            self.tell("")
        self.ui.readButton.enabled = embedded
        self.ui.readButton.toolTip = (
            _("Find every structure that the report mentions. This can take some seconds.")
            if embedded
            else _("Embed the scan first.")
        )

    def _go(self, one, meant, ask: bool = True) -> None:
        self.requireUnmoved(self._motion)
        self.logic.showMention(self.requireScan(), meant)
        place = _("{name}: {position}, confidence {confidence}").format(
            name=Words.capital(meant.shown), position=Words.position(meant.hit.position_ras),
            confidence=Words.placeConfidence(meant.hit.confidence),
        )
        if meant.hit.basis:
            place += f", {meant.hit.basis}"
        doubts = " ".join(filter(None, (meant.caution, meant.hit.caution)))
        if doubts:
            place += f". ⚠ {doubts}"
        if ask:
            self._write(escape(place))
        else:
            self._write(f"{escape(place)}<br>{self._choices(self._reading.mentions.index(one), one)}")

    def _ask(self, number: int, one) -> None:
        self._write(f"{escape(one.answer.words)} {self._choices(number, one)}")

    def _choices(self, number: int, one) -> str:
        """Every structure that may be meant, as links; grey where it is not in the scan."""
        texts = []
        for place, option in enumerate(one.answer.options):
            name = escape(option.name)
            here = f'<a href="{number}/{place}">{name}</a>'
            texts.append(here if option.hit is not None else _coloured(name, option.reason))
        return ", ".join(texts)

    def _write(self, html: str) -> None:
        self.ui.mentionLabel.text = html
        self.ui.mentionLabel.visible = bool(html)

    def _html(self) -> str:
        """The report with a link for every mention; what the report holds is text, never markup."""
        text, parts, at = self._reading.text, [], 0
        for number, one in enumerate(self._reading.mentions):
            parts += [_plain(text[at : one.mention.start]), _marked(number, one)]
            at = one.mention.end
        return f'<div style="white-space: pre-wrap">{"".join(parts)}{_plain(text[at:])}</div>'

    def _summary(self) -> str:
        mentions = self._reading.mentions
        if not mentions:
            return _("No structure is mentioned in this report.")
        open_questions = sum(bool(one.answer.options) for one in mentions)
        sides = sum(one.answer.refusal == CHECK_SIDE for one in mentions)
        found = sum(bool(one.found) for one in mentions)
        grey = len(mentions) - found - sides
        text = _("{count} places named: {found} in this scan (blue)").format(count=len(mentions), found=found)
        if open_questions:
            text += _(", {count} of them to be chosen (?)").format(count=open_questions)
        if grey:
            text += _(", {count} not shown (grey)").format(count=grey)
        return text + (_(", {count} with a side to check (!).").format(count=sides) if sides else ".")

    def _fillTable(self) -> None:
        table, slices = self.ui.slicesTable, self._reading.slices if self._reading is not None else []
        was = table.blockSignals(True)
        table.rowCount = len(slices)
        for row, one in enumerate(slices):
            height = Words.position(one.position_ras).split(", ")[-1]
            for column, text in enumerate((height, ", ".join(one.shows))):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(text)  # a long list is cut off
                table.setItem(row, column, item)
        table.setCurrentCell(-1, -1)  # so that a click on the first row is a change
        table.visible = bool(slices)
        table.blockSignals(was)

    def _clear(self) -> None:
        self._reading = self._readIn = None
        self.ui.reportText.html = ""
        self.ui.reportText.visible = False
        self._write("")
        self._fillTable()


def _marked(number: int, one) -> str:
    words = _plain(one.mention.text)
    if one.answer.refusal == CHECK_SIDE:
        return f"{_coloured(words, one.answer.reason, ORANGE)}<sup>!</sup>"
    if not one.found:
        return _coloured(words, one.answer.reason)
    names = " / ".join(meant.shown for meant in one.found)
    denied = _(" (denied in the report)") if one.mention.negated else ""
    link = f'<a href="#{number}" title="{escape(names + denied)}">{words}</a>'
    return f"{link}<sup>?</sup>" if one.answer.options else link


def _coloured(words: str, reason: str, colour: str = GREY) -> str:
    return f'<span style="color: {colour}" title="{escape(reason)}">{words}</span>'


def _plain(text: str) -> str:
    return escape(text).replace("\r\n", "\n").replace("\n", "<br>")
