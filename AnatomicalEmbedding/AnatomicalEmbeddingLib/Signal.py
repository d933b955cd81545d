"""A plain-Python signal: `qt.Signal` declared in a scripted module crashes PythonQt."""

from collections.abc import Callable


class Signal:
    """Calls every connected slot, in the order of connection, with the arguments of `emit`."""

    def __init__(self) -> None:
        self._slots: list[Callable] = []

    def connect(self, slot: Callable) -> None:
        """Connecting the same slot twice calls it once."""
        if slot not in self._slots:
            self._slots.append(slot)

    def disconnect(self, slot: Callable) -> None:
        """ValueError when the slot is not connected."""
        if slot not in self._slots:
            raise ValueError(f"expected a connected slot, got {slot!r}")
        self._slots.remove(slot)

    def emit(self, *arguments) -> None:
        # A slot may disconnect itself or others while it runs: iterate over a copy.
        for slot in list(self._slots):
            slot(*arguments)
