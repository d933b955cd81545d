"""Grey values of a visitor's scans: a window by name, one that fits what was found, or one that was dragged."""

from collections.abc import Callable

from anatembed.language import hu_window

WINDOWS = {name.capitalize(): window for name, window in hu_window.WINDOWS.items()}
"""Width and centre in HU, by the words on the buttons."""
USUAL = hu_window.fitting_window("").capitalize()
_NARROWEST, _WIDEST, _FARTHEST = 1.0, 5000.0, 4000.0
_SPEED = 1 / 300
"""A drag of 300 pixels doubles the width, or moves the centre by it."""


class Windowing:
    """One window for all scans. What the visitor chose stays, until they want windows that fit again."""

    def __init__(self, state, scans: Callable[[], list], draw: Callable) -> None:
        self._state, self._scans, self._draw = state, scans, draw
        self._start = (0.0, 0.0)
        for name, value in {"window": USUAL, "window_fits": True}.items():
            state.setdefault(name, value)
        state.setdefault("window_width", WINDOWS[USUAL][0])
        state.setdefault("window_centre", WINDOWS[USUAL][1])

    def choose(self, name: str) -> None:
        """A window of WINDOWS, from now on whatever is found."""
        self._state.window_fits = False
        self._named(name)

    def set_to(self, width: float, centre: float) -> None:
        """A window of its own, in HU, from now on whatever is found."""
        width, centre = dragged((min(max(width, _NARROWEST), _WIDEST), centre), 0, 0)
        names = [name for name, window in WINDOWS.items() if window == (width, centre)]
        self._state.window_fits, self._state.window = False, names[0] if names else ""
        self._set(width, centre)

    def fit_again(self) -> None:
        """From the next answer on, the window that fits."""
        self._state.window_fits = True

    def fit(self, category: str) -> None:
        """The window for a category of structures, unless the visitor chose one."""
        if self._state.window_fits:
            self._named(hu_window.fitting_window(category).capitalize())

    def put_on(self, scans: list) -> None:
        """The present window on scans."""
        for scan in scans:
            scan.GetDisplayNode().SetAutoWindowLevel(False)
            scan.GetDisplayNode().SetWindowLevel(self._state.window_width, self._state.window_centre)

    # As a tool of Pointer

    def begin(self, _view, _scan, _position_ras) -> None:
        self._start = self._state.window_width, self._state.window_centre

    def drag(self, pixels_right: float, pixels_up: float, _position_ras) -> None:
        """To the right widens, upwards darkens, as in other viewers."""
        width, centre = dragged(self._start, pixels_right, pixels_up)
        self._state.window_fits, self._state.window = False, ""
        self._set(width, centre)

    def end(self) -> None:
        pass

    def _named(self, name: str) -> None:
        self._state.window = name
        self._set(*WINDOWS[name])

    def _set(self, width: int, centre: int) -> None:
        self._state.window_width, self._state.window_centre = width, centre
        self.put_on(self._scans())
        self._draw()


def dragged(start: tuple[float, float], pixels_right: float, pixels_up: float) -> tuple[int, int]:
    """Width and centre in HU after a drag that began at `start`; whole numbers, because they are shown."""
    width, centre = start
    new_width = min(max(width * 2 ** (pixels_right * _SPEED), _NARROWEST), _WIDEST)
    new_centre = min(max(centre + pixels_up * _SPEED * max(width, 100.0), -_FARTHEST), _FARTHEST)
    return round(new_width), round(new_centre)
