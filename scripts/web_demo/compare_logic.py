"""The same anatomical place in a second scan, once or always."""

import math

from anatembed.ask.matching import RELIABLE_MM

from web_demo import words
from web_demo.examples import EXAMPLES
from web_demo.section import Section, shown

_EXAMPLE = "example:"


class CompareLogic(Section):
    """Shows a second scan below the first, and lets the views of each follow the cursor in the other."""

    def __init__(self, demo) -> None:
        super().__init__(demo)
        self._shown = self._linked = None
        start = {"other_id": None, "others": [], "linked": False, "compare_line": "", "compare_ready": False,
                 "match": ""}
        for name, value in start.items():
            self.state.setdefault(name, value)
        self.state.change("other_id")(self._on_other)
        self.logic.linked.connect(self._show_match)

    def other(self):
        """The second scan, None without one."""
        other = self.demo.scans.find(self.state.other_id)
        return other if other is not self.scan() else None

    @shown
    def find_there(self) -> None:
        """Move the views of the second scan to the place that was clicked in the first."""
        scan = self.require_scan()
        self._show_match(self.logic.findThere(scan, self.demo.here.point(scan), self._require_other()))

    @shown
    def link(self, wanted: bool) -> None:
        """Let the views follow, or stop that."""
        if wanted:
            self.logic.link(self.require_scan(), self._require_other())
            self._linked = self._pair()
        else:
            self._unlink()
        self.state.match = "Move the mouse in one scan, the other follows." if wanted else ""

    def refresh(self) -> None:
        chosen = self.scan()
        others = [node for node in self.demo.scans.all() if node is not chosen]
        names = {node.GetName() for node in self.demo.scans.all()}
        self.state.others = [
            *({"title": node.GetName(), "value": node.GetID()} for node in others),
            *({"title": one.name, "value": _EXAMPLE + one.name} for one in EXAMPLES if one.name not in names),
        ]
        if self.state.other_id is not None and self.other() is None:
            self.state.other_id = None
        self._arrange()
        problem = self._problem()
        if self._linked is not None and (problem or self._pair() != self._linked):
            self._unlink()
            self.state.match = "The link has ended, because a scan has changed."
        self.state.compare_line, self.state.compare_ready = problem, not problem
        self.state.linked = self._linked is not None

    def _arrange(self) -> None:
        other = self.other()
        if other is self._shown:
            return
        self._shown = other
        self.demo.views.arrange(second_scan=other is not None)
        self.demo.views.show(other, second=True)

    def _show_match(self, match) -> None:
        with self.state:
            if match is None:
                self.state.match = "This place cannot be found in the other scan."
                return
            self.state.match = f"Same place in the other scan: {words.position(match.position_ras)}. {_way_back(match)}"

    def _unlink(self) -> None:
        if self._linked is not None:
            self._linked = None
            self.logic.unlink()

    def _pair(self) -> tuple:
        return tuple(node.GetID() if node is not None else None for node in (self.scan(), self.other()))

    def _require_other(self):
        problem = self._problem()
        if problem:
            raise RuntimeError(problem)
        return self.other()

    def _problem(self) -> str:
        """Why two scans cannot be compared, empty when they can."""
        if self.embedded_scan() is None:
            return "Choose and embed a scan first."
        if not self.state.others:
            return "Open a second scan, for example from Examples."
        if self.other() is None:
            return "Choose a scan for the second row of views."
        if not self.logic.isEmbedded(self.other()):
            return f"{self.other().GetName()} is being embedded; then the two can be compared."
        return ""

    def _on_other(self, **_state) -> None:
        if self.demo.is_ready:
            self._make_ready()

    @shown
    def _make_ready(self) -> None:
        """Open the example that was chosen, and embed the second scan if nothing else is being embedded."""
        chosen = self.state.other_id or ""
        if chosen.startswith(_EXAMPLE):
            self.state.other_id = self.demo.scans.open_beside(chosen.removeprefix(_EXAMPLE)).GetID()
        other = self.other()
        if other is not None and not self.logic.isEmbedded(other) and not self.logic.isEmbedding():
            self.demo.scans.embed(other)


def _way_back(match) -> str:
    """How far the way back ends from where it began, which is all that is known of how right a match is."""
    if match.confidence <= 0:
        return "The place is outside the body, or the way back ends far away: do not rely on it."
    away_mm = RELIABLE_MM * math.sqrt(-2 * math.log(min(match.confidence, 1.0)))
    verdict = "" if match.confidence >= words.SURE else ": uncertain"
    return f"The way back from there ends {away_mm:.0f} mm from where it began{verdict}."
