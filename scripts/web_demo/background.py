"""Work beside the page: what is polled from the event loop, and one embedding at a time for all visitors."""

import asyncio
import fcntl
from collections.abc import Callable
from pathlib import Path

from AnatomicalEmbeddingLib.Failure import Ending, cancelledFailure
from AnatomicalEmbeddingLib.Worker import Worker

WAITING = "Waiting for the scan of another visitor"
_SECONDS = 0.1


def every_tenth_of_a_second(callback: Callable) -> Callable:
    """Call a function from the running event loop until the function that is returned is called."""
    loop = asyncio.get_running_loop()
    ended = False

    def again() -> None:
        if not ended:
            loop.call_later(_SECONDS, again)
            callback()

    def end() -> None:
        nonlocal ended
        ended = True

    loop.call_later(_SECONDS, again)
    return end


class Slot:
    """A lock file that processes share; whoever ends, however, gives it back."""

    def __init__(self, path: Path) -> None:
        self._path, self._file = path, None

    def take(self) -> bool:
        """Whether it is ours now."""
        if self._file is None:
            file = self._path.open("w")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                return False
            self._file = file
        return True

    def give_back(self) -> None:
        """Without it, nothing happens."""
        if self._file is not None:
            self._file.close()
            self._file = None


class QueuedWorker:
    """A Worker for Logic that begins to embed once the slot is free; `every` as for Worker."""

    def __init__(self, onProgress, onEnded, slot: Slot, every: Callable = every_tenth_of_a_second, **options) -> None:
        self._on_progress, self._on_ended, self._slot, self._every = onProgress, onEnded, slot, every
        self._worker = Worker(onProgress, self._ended, every=every, **options)
        self._waiting: tuple | None = None
        self._stop_asking: Callable | None = None

    def embed(self, volume, **options) -> None:
        """As `Worker.embed`; returns at once also when it has to wait."""
        if self._slot.take():
            self._begin(volume, options)
            return
        self._waiting = volume, options
        self._on_progress(WAITING, 0.0, None)
        self._stop_asking = self._every(self._ask)

    def askDevice(self, *arguments, **options) -> None:  # the name that Logic knows
        self._worker.askDevice(*arguments, **options)

    def cancel(self) -> None:
        """As `Worker.cancel`, also while it waits."""
        if self._waiting is None:
            self._worker.cancel()
            return
        self._stop_waiting()
        self._on_ended(cancelledFailure(Ending(["embed"])), None)

    def _ask(self) -> None:
        if self._waiting is not None and self._slot.take():
            volume, options = self._waiting
            self._stop_waiting()
            self._begin(volume, options)

    def _stop_waiting(self) -> None:
        self._waiting = None
        self._stop_asking()

    def _begin(self, volume, options) -> None:
        try:
            self._worker.embed(volume, **options)
        except BaseException:
            self._slot.give_back()
            raise

    def _ended(self, failure, result) -> None:
        self._slot.give_back()
        self._on_ended(failure, result)
