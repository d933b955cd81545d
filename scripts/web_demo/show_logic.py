"""Which overlay lies over the scan, how strong, and what its colours mean."""

import asyncio
import base64

import numpy as np
import slicer.util
from anatembed.ask.structure_colours import palette
from anatembed.language.vocabulary import Vocabulary
from AnatomicalEmbeddingLib import VolumeBridge

from web_demo.legend import body_key, labels_in, scale_of, whole_of
from web_demo.section import Section, shown

NOTHING, LIKELIHOOD, POSITION, STRUCTURES, UNCERTAINTY = "nothing", "heat map", "colours", "structures", "uncertainty"
MODES = {NOTHING: "Nothing", POSITION: "Position", STRUCTURES: "Structures", LIKELIHOOD: "Likelihood",
         UNCERTAINTY: "Uncertainty"}
_NO_NAME = 0.9
"""Where the best name is less likely than one less this, no name covers the place: it is not unsure, it has none."""
_MEANING = {
    POSITION: "Every place of the body has its own colour, the same in every scan: where two scans have the same "
              "colour, it is the same place. The key is this scan from the front.",
    LIKELIHOOD: "The brighter, the more likely; below the first number nothing is painted.",
    UNCERTAINTY: "The yellower, the less sure the name of the place is. Places that no name covers are not painted.",
    "border": "Orange belongs to the first structure, blue to the second; where it is white, to either.",
}
_SCALED = (LIKELIHOOD, UNCERTAINTY, "border")
_SECONDS = 0.2
"""So long after the last movement of a plane the legend follows."""


class ShowLogic(Section):
    """Shows and hides the overlay of the chosen scan."""

    def __init__(self, demo) -> None:
        super().__init__(demo)
        self._vocabulary = Vocabulary.load()
        self._painted: tuple | None = None
        self._following: asyncio.TimerHandle | None = None
        start = {"overlay": NOTHING, "opacity": 0.5, "legend": [], "meaning": "", "wholes": False, "legend_all": False,
                 "scale": None, "position_key": ""}
        for name, value in start.items():
            self.state.setdefault(name, value)
        self.state.change("opacity")(self._on_opacity)
        self.state.change("wholes", "legend_all")(self._on_legend)
        demo.views.moved = self._follow

    @shown
    def show(self, mode: str) -> None:
        """Show a mode of MODES."""
        if mode == NOTHING:
            self.logic.hideOverlay()
        elif mode == LIKELIHOOD:
            self.demo.find.show_heat_map()
        else:
            self.logic.showOverlay(self.require_scan(), mode, self.state.opacity)
            self._painted = None
        if mode == UNCERTAINTY:
            self.demo.views.overlay_node().GetDisplayNode().SetThreshold(0.0, _NO_NAME)

    def refresh(self) -> None:
        scan, shown_now = self.embedded_scan(), self.logic.shownOverlay()
        self.state.overlay = shown_now or NOTHING
        self.demo.views.hide_scales()
        self.state.meaning = _MEANING.get(shown_now, "")
        node = self.demo.views.overlay_node()
        self.state.scale = scale_of(node) if shown_now in _SCALED and node is not None else None
        self.state.position_key = _picture(node) if shown_now == POSITION and node is not None else ""
        if shown_now == STRUCTURES and scan is not None and node is not None:
            self._paint(scan, node)
            self._list(scan)
        else:
            self._painted, self.state.legend = None, []

    def _paint(self, scan, node) -> None:
        """Parts or wholes; parts are there already."""
        wanted = scan.GetID(), self.state.wholes
        if wanted == self._painted or (self._painted is None and not self.state.wholes):
            self._painted = wanted
            return
        found = self.logic.structuresIn(scan)
        colours = self._colours(found.concept_ids)
        table = np.zeros((len(found.concept_ids) + 1, 4), np.uint8)
        table[1:, :3] = [colours[self._shown_as(one, found.concept_ids)] for one in found.concept_ids]
        table[1:, 3] = 255
        slicer.util.updateVolumeFromArray(node, table[found.labels_kji])
        self._painted = wanted

    def _list(self, scan) -> None:
        """What lies in the slices that are shown, or in the whole scan; every structure once."""
        found = self.logic.structuresIn(scan)
        labels = labels_in(found, self.demo.views.planes())
        if self.state.legend_all:
            counts = np.bincount(found.labels_kji.ravel(), minlength=len(found.concept_ids) + 1)
            labels = [int(label) for label in np.argsort(-counts[1:], kind="stable") + 1 if counts[label]]
        colours = self._colours(found.concept_ids)
        concepts = dict.fromkeys(self._shown_as(found.concept_ids[one - 1], found.concept_ids) for one in labels)
        self.state.legend = [
            {"name": self._vocabulary.name(one), "colour": f"#{bytes(colours[one]).hex()}"} for one in concepts
        ]

    def _shown_as(self, concept: str, learnt) -> str:
        return whole_of(concept, frozenset(learnt), self._vocabulary) if self.state.wholes else concept

    def _colours(self, _learnt) -> dict:
        if self.demo.colours is None:
            self.demo.colours = palette(self.demo.readout, self._vocabulary)
        return self.demo.colours

    def _follow(self) -> None:
        """The legend of these slices, once the planes stand still."""
        if self.state.overlay != STRUCTURES or self.state.legend_all:
            return
        if self._following is not None:
            self._following.cancel()
        self._following = asyncio.get_running_loop().call_later(_SECONDS, self._list_again)

    def _list_again(self) -> None:
        scan = self.embedded_scan()
        if scan is not None and self.logic.shownOverlay() == STRUCTURES:
            with self.state:
                self._list(scan)

    def _on_opacity(self, opacity, **_state) -> None:
        if self.demo.is_ready and self.logic.shownOverlay() is not None:
            self.logic.setOverlayOpacity(opacity)
            self.demo.views.draw()

    def _on_legend(self, **_state) -> None:
        if self.demo.is_ready:
            self.demo.refresh()


def _picture(node) -> str:
    png = body_key(slicer.util.arrayFromVolume(node), VolumeBridge.ijkToWorld(node))
    return "data:image/png;base64," + base64.b64encode(png).decode()
