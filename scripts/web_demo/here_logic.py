"""The name of the place under the mouse, or where one clicks or taps."""

from web_demo import words
from web_demo.section import Section


class HereLogic(Section):
    """Names places of the scan that the view under the mouse shows; the last name stays until there is another."""

    def __init__(self, demo) -> None:
        super().__init__(demo)
        self._followed = None
        self._clicked: tuple | None = None
        for name, value in {"here_name": "", "here_others": "", "here_place": "", "follow_mouse": True}.items():
            self.state.setdefault(name, value)
        self.logic.cursorNamed.connect(self._show)
        self.demo.views.entered = self.enter
        self.demo.views.clicked = self.click

    def enter(self, scan) -> None:
        """Follow the mouse in the scan whose view it is over: in another scan's view names would be wrong."""
        wanted = scan if scan is not None and self.state.follow_mouse and self.logic.isEmbedded(scan) else None
        if wanted is not self._followed:
            self._followed = wanted
            self.logic.followCursor(wanted)

    def click(self, scan, position_ras) -> None:
        """Go to a place of a scan in its other views, put the cross-hair there, and name it."""
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
