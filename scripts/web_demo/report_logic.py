"""A pasted report in which every structure is a link into the scan, and the slices worth a look."""

from anatembed.ask.locating import CHECK_SIDE

from web_demo import words
from web_demo.section import Section, shown

_PLAIN, _HERE, _NOT_HERE, _SIDE = "plain", "here", "not-here", "side"
"""What a part of a report is; the page's looks are named so."""


class ReportLogic(Section):
    """The report stays in this session's memory and is not kept. What is not in the scan is grey and says why."""

    def __init__(self, demo) -> None:
        super().__init__(demo)
        self._reading = None
        self._read_in: str | None = None
        start = {"report_text": "", "report_parts": [], "report_summary": "", "report_slices": [], "report_choices": [],
                 "report_answer": "", "report_mention": -1}
        for name, value in start.items():
            self.state.setdefault(name, value)
        self.state.client_only("report_text")

    @shown
    def read(self, text: str) -> None:
        """Read what was pasted."""
        if not (text or "").strip():
            raise RuntimeError("Paste a report first.")
        scan = self.require_scan()
        self._clear()
        self.tell("")
        self._reading = self.logic.readReport(scan, text)
        self._read_in = scan.GetID()
        self.state.report_parts = parts(self._reading)
        self.state.report_summary = summary(self._reading)
        self.state.report_slices = [
            {"place": words.position(one.position_ras).split(", ")[-1], "shows": ", ".join(one.shows)}
            for one in self._reading.slices
        ]

    @shown
    def follow(self, number: int) -> None:
        """Go to a mention, or ask which of its structures is meant."""
        if self._reading is None or not 0 <= number < len(self._reading.mentions):
            return
        one = self._reading.mentions[number]
        self.state.report_mention = number
        if one.answer.options:
            self.state.report_answer = one.answer.reason
            self.state.report_choices = [
                {"name": option.name, "here": option.hit is not None, "reason": option.reason}
                for option in one.answer.options
            ]
        elif one.found:
            self.state.report_choices = []
            self._go(one.found[0])

    @shown
    def choose(self, choice: int) -> None:
        """Go to one of the structures that the mention may mean."""
        if self._reading is None or not 0 <= self.state.report_mention < len(self._reading.mentions):
            return
        options = self._reading.mentions[self.state.report_mention].answer.options
        if 0 <= choice < len(options) and options[choice].hit is not None:
            self._go(options[choice])

    @shown
    def show_slice(self, row: int) -> None:
        """Move the views to a key slice."""
        if self._reading is not None and 0 <= row < len(self._reading.slices):
            self.logic.showSlice(self._reading.slices[row].position_ras)

    def refresh(self) -> None:
        scan = self.embedded_scan()
        if self._reading is not None and (scan is None or scan.GetID() != self._read_in):
            self._clear()

    def _go(self, meant) -> None:
        with self.demo.views.still():
            self.logic.showMention(self.require_scan(), meant)
        place, confidence = words.position(meant.hit.position_ras), words.placeConfidence(meant.hit.confidence)
        caution = f" {meant.caution}" if meant.caution else ""
        self.state.report_answer = f"{words.capital(meant.shown)}: {place}, confidence {confidence}.{caution}"

    def _clear(self) -> None:
        self._reading = self._read_in = None
        self.state.report_parts, self.state.report_slices, self.state.report_choices = [], [], []
        self.state.report_summary = self.state.report_answer = ""
        self.state.report_mention = -1


def parts(reading) -> list[dict]:
    """The whole report in pieces: plain text, and mentions with their number, their looks and their reason."""
    found, at = [], 0
    for number, one in enumerate(reading.mentions):
        found.append({"kind": _PLAIN, "text": reading.text[at : one.mention.start]})
        found.append({
            "kind": kind(one), "text": one.mention.text, "number": number, "why": _why(one),
            "ask": bool(one.answer.options),
        })
        at = one.mention.end
    found.append({"kind": _PLAIN, "text": reading.text[at:]})
    return [one for one in found if one["text"]]


def kind(one) -> str:
    """How a mention looks."""
    if one.answer.refusal == CHECK_SIDE:
        return _SIDE
    return _HERE if one.found else _NOT_HERE


def _why(one) -> str:
    if not one.found or one.answer.refusal == CHECK_SIDE:
        return one.answer.reason
    denied = " (denied in the report)" if one.mention.negated else ""
    return " / ".join(meant.shown for meant in one.found) + denied


def summary(reading) -> str:
    """How many structures are named, and what has become of them."""
    kinds = [kind(one) for one in reading.mentions]
    if not kinds:
        return "No structure is mentioned in this report."
    asked = sum(bool(one.answer.options) for one in reading.mentions)
    counts = (
        (kinds.count(_HERE), "in this scan (blue)"), (asked, "of them to be chosen (?)"),
        (kinds.count(_NOT_HERE), "not shown (grey)"), (kinds.count(_SIDE), "with a side to check (!)"),
    )
    return f"{len(kinds)} places named: " + ", ".join(f"{count} {text}" for count, text in counts if count) + "."
