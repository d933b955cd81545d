"""What a visitor takes away: kept places, the table of structures, a figure of the views, and a link to a view."""

import math

from anatembed.language.vocabulary import Vocabulary

from web_demo import words
from web_demo.figure import figure_png
from web_demo.kept import KeptPlace, extents, places_csv, places_markups, structures_csv, structures_markups
from web_demo.section import Section, shown
from web_demo.show_logic import MODES

_FOOT = "research software, not for diagnosis"


class TakeLogic(Section):
    """Keeps places in the order in which they were kept, for as long as their scans are open."""

    def __init__(self, demo) -> None:
        super().__init__(demo)
        self._kept: list[tuple[str, KeptPlace]] = []
        self._vocabulary = Vocabulary.load()
        self.state.setdefault("kept", [])

    def add(self, scan, place: KeptPlace) -> None:
        """Keep a place of a scan; one that is kept already stays one."""
        if (scan.GetID(), place) not in self._kept:
            self._kept.append((scan.GetID(), place))

    @shown
    def remove(self, row: int) -> None:
        """Keep the place of a row no longer."""
        if 0 <= row < len(self._kept):
            scan_id, place = self._kept.pop(row)
            self.logic.forgetKept(self.demo.scene.GetNodeByID(scan_id), place.name, place.position_ras)

    @shown
    def go(self, row: int) -> None:
        """Show the place of a row, in its scan."""
        if 0 <= row < len(self._kept):
            scan_id, place = self._kept[row]
            if scan_id != self.state.scan_id:
                self.demo.scans.choose(self.demo.scans.find(scan_id))
            with self.demo.views.still():
                self.logic.jumpTo(place.position_ras)

    def kept_csv(self) -> str:
        return places_csv(self._places())

    def kept_markups(self) -> str:
        return places_markups(self._places())

    def structures_csv(self) -> str:
        return structures_csv(self.require_scan().GetName(), self._extents())

    def structures_markups(self) -> str:
        return structures_markups(self.require_scan().GetName(), self._extents())

    def figure(self):
        """The slice views as PNG."""
        scan = self.require_scan()
        key = [(one["name"], one["colour"]) for one in self.state.legend]
        window = f"width {self.state.window_width}, centre {self.state.window_centre} HU"
        overlay = MODES.get(self.state.overlay, self.state.overlay) if self.state.overlay != "nothing" else ""
        subtitle = "   |   ".join(part for part in (self.state.answer, overlay) if part)
        png = figure_png(self.demo.views.tiles(), scan.GetName(), subtitle, f"{window}   |   {_FOOT}", key)
        return self.demo.server.protocol.addAttachment(png)

    def here(self) -> dict[str, str]:
        """Where the views are, for an address that leads back to it."""
        crosshair = self.demo.scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        return {
            "scan": self.state.scan_id or "", "at": ",".join(f"{value:.1f}" for value in crosshair.GetCrosshairRAS()),
            "window": f"{self.state.window_width},{self.state.window_centre}", "find": self.demo.find.box.text(),
        }

    @shown
    def go_to(self, place: dict) -> None:
        """Go where an address of `here` leads; what in it cannot be read is left out."""
        scan = self.demo.scans.find(place.get("scan"))
        if scan is not None and scan is not self.scan():
            self.demo.scans.choose(scan)
        window, position = _numbers(place.get("window"), 2), _numbers(place.get("at"), 3)
        if place.get("find") and self.embedded_scan() is not None:
            self.demo.find.find(str(place["find"]))
        if window is not None:
            self.demo.windowing.set_to(*window)
        if position is not None:
            with self.demo.views.still():
                self.logic.jumpTo(position)

    def refresh(self) -> None:
        open_scans = {scan.GetID() for scan in self.demo.scans.all()}
        self._kept = [one for one in self._kept if one[0] in open_scans]
        self.state.kept = [
            {"name": words.capital(place.name), "place": words.position(place.position_ras), "scan": place.scan}
            for place in self._places()
        ]

    def _places(self) -> list[KeptPlace]:
        return [place for _scan_id, place in self._kept]

    def _extents(self):
        return extents(self.logic.structuresIn(self.require_scan()), self._vocabulary)


def _numbers(text, count: int) -> list[float] | None:
    try:
        values = [float(one) for one in str(text).split(",")]
    except ValueError:
        return None
    return values if len(values) == count and all(map(math.isfinite, values)) else None
