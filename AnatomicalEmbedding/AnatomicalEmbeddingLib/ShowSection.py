"""Section Show: which overlay lies over the scan, how strong, and what its colours mean."""

from html import escape

from slicer.i18n import tr as _

from .ParameterNode import OverlayMode
from .Section import Section, write


class ShowSection(Section):
    """Shows and hides the overlay; what the views showed before comes back when it is hidden."""

    def __init__(self, ui, logic, parameters, tell) -> None:
        super().__init__(ui, logic, parameters, tell)
        self._legend = None
        self._seen = None

    def connections(self) -> list[tuple]:
        return [
            (self.ui.shownBox, "toggled(bool)", self.show),
            (self.ui.modeBox, "activated(int)", self.changeMode),
            (self.ui.opacitySlider, "valueChanged(double)", self.setOpacity),
        ]

    def show(self, wanted: bool) -> None:
        """Show the chosen overlay, or give the views back what they had."""
        if not wanted:
            self.logic.hideOverlay()
            return
        scan, parameters = self.requireScan(), self.parameters()
        if parameters.overlayMode is OverlayMode.LIKELIHOOD:
            self._showLikelihood(scan, parameters)
        else:
            self.logic.showOverlay(scan, parameters.overlayMode.value, parameters.opacity)

    def toggle(self) -> None:
        """For the key: hide what is shown, or show it again."""
        self.show(self.logic.shownOverlay() is None)

    def changeMode(self, *_row) -> None:
        """The user chose another mode: show it at once if an overlay is shown."""
        if self.logic.shownOverlay() is not None:
            self.show(True)

    def setOpacity(self, opacity: float) -> None:
        """0..1; without an overlay it is kept for the next one."""
        if self.logic.shownOverlay() is not None:
            self.logic.setOverlayOpacity(opacity)

    def refresh(self) -> None:
        scan, shown = self.embeddedScan(), self.logic.shownOverlay()
        self.ui.shownBox.enabled = scan is not None or shown is not None
        self.ui.modeBox.enabled = scan is not None
        self.ui.opacitySlider.enabled = scan is not None or shown is not None
        write(self.ui.shownBox, shown is not None)
        self._followShown(shown)
        self._fillLegend(scan, shown)

    def _showLikelihood(self, scan, parameters) -> None:
        if not parameters.question.strip():
            raise RuntimeError(_("Search for a structure in the section Find first."))
        answer = self.logic.showHeatMap(
            scan, parameters.question, threshold=parameters.threshold or None, opacity=parameters.opacity
        )
        self.tell("" if answer.places else answer.reason)

    def _followShown(self, shown: str | None) -> None:
        """Another section may have changed the overlay: the list of modes says what is seen.

        Only when it has changed: otherwise the user's choice of another mode would be taken back.
        """
        if shown == self._seen:
            return
        self._seen = shown
        parameters = self.parameters()
        mode = next((mode for mode in OverlayMode if mode.value == shown), None)
        if parameters is not None and mode is not None and parameters.overlayMode is not mode:
            parameters.overlayMode = mode

    def _fillLegend(self, scan, shown: str | None) -> None:
        key = (shown, scan.GetID() if scan is not None else None)
        if key == self._legend:
            return
        self._legend = key
        listed = shown == OverlayMode.STRUCTURES.value and scan is not None
        colours = self.logic.legend(scan) if listed else []
        self.ui.legendText.html = "<br>".join(_patch(colour, name) for name, colour in colours)
        self.ui.legendText.visible = bool(colours)
        self.ui.legendLabel.text = _meaningOf(shown)
        self.ui.legendLabel.visible = bool(_meaningOf(shown))


def _meaningOf(shown: str | None) -> str:
    """What the colours of an overlay mean, in a sentence; empty for those that have a list."""
    return {
        OverlayMode.POSITION.value: _(
            "Every place of the body has its own colour, the same in every scan: where two scans have the same "
            "colour, it is the same place."
        ),
        OverlayMode.LIKELIHOOD.value: _("The brighter, the more likely; the scale stands in the slice views."),
        OverlayMode.UNCERTAINTY.value: _("The brighter, the less sure the name of the place is."),
    }.get(shown, "")


def _patch(colour, name: str) -> str:
    """A patch of a colour (three numbers 0..255) and its name."""
    code = "".join(f"{part:02x}" for part in colour)
    return f'<span style="color:#{code}">&#9632;</span>&nbsp;{escape(name)}'
