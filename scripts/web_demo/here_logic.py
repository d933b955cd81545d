"""The name of the place under the mouse, or where one clicks or taps."""

import slicer.util
from AnatomicalEmbeddingLib import VolumeBridge

from web_demo import words
from web_demo.plane import hu_at
from web_demo.section import Section


class HereLogic(Section):
    """Names places of the scan that the view under the mouse shows; the last name stays until there is another."""

    def __init__(self, demo) -> None:
        super().__init__(demo)
        self._followed = None
        self._clicked: tuple | None = None
        for name, value in {"here_name": "", "here_others": "", "here_place": "", "here_hu": "",
                            "follow_mouse": True}.items():
            self.state.setdefault(name, value)
        self.logic.cursorNamed.connect(self._show)
        self.demo.views.pointer.hovered = self.hover
        self.demo.views.pointer.clicked = self.click

    def hover(self, scan, position_ras) -> None:
        """Follow the mouse in the scan whose view it is over, and say the HU there."""
        self._show_hu(scan, position_ras)
        self._follow(scan)

    def _follow(self, scan) -> None:
        """In another scan's view names would be wrong."""
        wanted = scan if scan is not None and self.state.follow_mouse and self.logic.isEmbedded(scan) else None
        if wanted is not self._followed:
            self._followed = wanted
            self.logic.followCursor(wanted)

    def click(self, scan, position_ras) -> None:
        """Go to a place of a scan in its other views, put the cross-hair there, and name it."""
        self._show_hu(scan, position_ras)
        self.demo.views.jump(position_ras, second=scan is not self.scan())
        crosshair = self._crosshair()
        crosshair.SetCrosshairRAS(*(float(value) for value in position_ras))
        self._clicked = crosshair.GetCrosshairRAS(), scan
        if not self.logic.isEmbedded(scan):
            return
        try:
            description = self.logic.describe(scan, position_ras)
        except RuntimeError:  # beside the scan there is nothing to name
            return
        self._show(description, position_ras)

    def point(self, scan):
        """The place of the cross-hair (RAS mm) in a scan; RuntimeError when it was put there in another scan."""
        where = self._crosshair().GetCrosshairRAS()
        if self._clicked is not None and self._clicked == (where, self._clicked[1]) and self._clicked[1] is not scan:
            raise RuntimeError(f'Click a place in "{scan.GetName()}" first.')
        return where

    def refresh(self) -> None:
        if self._followed is not None and self._followed.GetScene() is None:
            self._followed = None
            self.logic.followCursor(None)

    def _show_hu(self, scan, position_ras) -> None:
        hu = None if scan is None else hu_at(
            slicer.util.arrayFromVolume(scan), VolumeBridge.ijkToWorld(scan), position_ras
        )
        with self.state:
            self.state.here_hu = "" if hu is None else f"{hu} HU"

    def _crosshair(self):
        return self.demo.scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")

    def _show(self, description, position_ras) -> None:
        if description is None:
            return
        name, others = _in_words(description)
        with self.state:
            self.state.here_name, self.state.here_others = name, others
            self.state.here_place = words.position(position_ras)


def _in_words(description) -> tuple[str, str]:
    """The name with its probability, and the next candidates."""
    if not description.inside_body:
        return "Outside the body", ""
    if not description.candidates:
        return "No known structure", ""
    first, *rest = description.candidates
    others = ", ".join(f"{one.name} {words.percent(one.probability)}" for one in rest if one.probability >= 0.01)
    return f"{words.capital(first.name)}, {words.nameConfidence(first.probability)}", others
