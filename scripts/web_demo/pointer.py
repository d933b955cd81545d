"""The mouse, or a finger, in the slice views: where it is, where it clicks, and what it drags."""

from collections.abc import Callable

import slicer
import slicer.util

_CLICK_PIXELS = 4
_BEFORE_THE_VIEW = 10.0
"""Priority of observers that are asked before the view's own."""


class Pointer:
    """Positions are world RAS mm, of the scan that the view shows.

    A drag with the left button, or a finger, goes to `tool`: begin(view, scan, position_ras), drag(pixels_right,
    pixels_up, position_ras) and end(). With Shift or Ctrl it is the view's own.
    """

    def __init__(self, scan_in: Callable) -> None:
        self._scan_in = scan_in
        self.hovered: Callable = lambda scan, position_ras: None
        self.clicked: Callable = lambda scan, position_ras: None
        self.tool = None
        self._pressed: tuple | None = None
        self._dragging = False

    def watch(self, view) -> None:
        """Follow what happens in a view from now on."""
        events = {"MouseMoveEvent": self._on_move, "LeftButtonPressEvent": self._on_press,
                  "LeftButtonReleaseEvent": self._on_release}
        for event, method in events.items():
            view.interactor().AddObserver(event, _with(view, method), _BEFORE_THE_VIEW)

    def _on_move(self, view) -> None:
        if self._pressed is None or self._pressed[0] is not view:
            self.hovered(self._scan_in(view), _position(view))
            return
        x, y = view.interactor().GetEventPosition()
        right, up = x - self._pressed[1], y - self._pressed[2]
        if not self._dragging and max(abs(right), abs(up)) > _CLICK_PIXELS:
            self._dragging = True
            self.tool.begin(view, self._scan_in(view), self._pressed[3])
        if self._dragging:
            self.tool.drag(right, up, _position(view))

    def _on_press(self, view) -> None:
        interactor = view.interactor()
        if interactor.GetShiftKey() or interactor.GetControlKey() or self._scan_in(view) is None:
            return
        self._pressed, self._dragging = (view, *interactor.GetEventPosition(), _position(view)), False

    def _on_release(self, view) -> None:
        pressed, self._pressed = self._pressed, None
        if pressed is None or pressed[0] is not view:
            return
        if self._dragging:
            self.tool.end()
            return
        scan = self._scan_in(view)
        if scan is not None:
            self.clicked(scan, pressed[3])


def _position(view):
    x, y = view.interactor().GetEventPosition()
    return (slicer.util.arrayFromVTKMatrix(view.get_view_node().GetXYToRAS()) @ [x, y, 0.0, 1.0])[:3]


def _with(view, method: Callable) -> Callable:
    return lambda _caller, _event: method(view)
