"""Which overlay lies over the scan, how strong, and what its colours mean."""

from web_demo.section import Section, shown

NOTHING, LIKELIHOOD = "nothing", "heat map"
MODES = {NOTHING: "Nothing", "colours": "Position", "structures": "Structures", LIKELIHOOD: "Likelihood",
         "uncertainty": "Uncertainty"}
_MEANING = {
    "colours": "Every place of the body has its own colour, the same in every scan: where two scans have the same "
               "colour, it is the same place.",
    LIKELIHOOD: "The brighter, the more likely; the scale stands in the slice views.",
    "uncertainty": "The brighter, the less sure the name of the place is.",
    "border": "Orange belongs to the first structure, blue to the second; where it is white, to either.",
}


class ShowLogic(Section):
    """Shows and hides the overlay of the chosen scan."""

    def __init__(self, demo) -> None:
        super().__init__(demo)
        self._legend = None
        for name, value in {"overlay": NOTHING, "opacity": 0.5, "legend": [], "meaning": ""}.items():
            self.state.setdefault(name, value)
        self.state.change("opacity")(self._on_opacity)

    @shown
    def show(self, mode: str) -> None:
        """Show a mode of MODES."""
        if mode == NOTHING:
            self.logic.hideOverlay()
        elif mode == LIKELIHOOD:
            self.demo.find.show_heat_map()
        else:
            self.logic.showOverlay(self.require_scan(), mode, self.state.opacity)

    def refresh(self) -> None:
        scan, shown_now = self.embedded_scan(), self.logic.shownOverlay()
        self.state.overlay = shown_now or NOTHING
        self.demo.views.make_legends_small()
        self.state.meaning = _MEANING.get(shown_now, "")
        key = shown_now, scan.GetID() if scan is not None else None
        if key != self._legend:
            self._legend = key
            colours = self.logic.legend(scan) if shown_now == "structures" and scan is not None else []
            self.state.legend = [{"name": name, "colour": f"#{bytes(colour).hex()}"} for name, colour in colours]

    def _on_opacity(self, opacity, **_state) -> None:
        if self.demo.is_ready and self.logic.shownOverlay() is not None:
            self.logic.setOverlayOpacity(opacity)
            self.demo.views.draw()
