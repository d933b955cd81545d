"""Runs the library's command line in a child process, so that the window stays usable."""

import os
import shutil
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .Failure import Ending, Failure, cancelledFailure, failureBefore, failureOf

LIBRARY_FOLDER = Path(__file__).resolve().parents[1]
"""Holds the package anatembed."""
_FOLDER_PREFIX = "anatembed-"
_RELIABLE_SECONDS, _RELIABLE_FRACTION = 1.0, 0.3
"""From here on the pace says how long the rest will take."""


_GIVE_UP_SECONDS = 0.2
_WRITING = "Writing the scan for the embedding"
_TURN_SECONDS = 0.02
"""For so long a poll waits while the scan is written: Slicer lets another thread run only while its own one waits."""


class Worker:
    """One job at a time in a child process of its own; several workers run side by side.

    onProgress(stage, fraction, secondsLeft or None) and onEnded(failure or None, result) are called from `poll`, and
    onEnded from `cancel`. Files of a job lie in a temporary folder below `folder()`, which is asked for when a job
    begins, and are gone after onEnded.
    `every(callback)` makes `callback` be called regularly and returns what ends that; default: a Qt timer. A worker
    that is dropped, and the end of the interpreter, end the child process and remove its files.
    """

    def __init__(
        self,
        onProgress: Callable[[str, float, float | None], Any],
        onEnded: Callable[[Any, Any], Any],
        *,
        interpreter: str | None = None,
        environment: Mapping[str, str] | None = None,
        every: Callable[[Callable], Callable] | None = None,
        folder: Callable[[], str | os.PathLike] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._onProgress, self._onEnded = onProgress, onEnded
        self._interpreter, self._environment = interpreter, environment
        self._every, self._parent, self._clock = every or everyTenthOfASecond, folder, clock
        self._job: _Job | None = None

    def embed(self, volume, *, device: str = "auto", force: bool = False, model: str | os.PathLike | None = None):
        """Begin to embed a Volume of the library; the result is the path of its map, to be moved away in onEnded."""
        options = ["--device", device, *(["--force"] if force else []), *(["--model", str(model)] if model else [])]
        # Who asked keeps the map; the command line's own cache is for who works without this program.
        arguments = ["embed", "scan.npz", "-o", "map.npz", "--no-cache", "--progress", "json", "--json", *options]
        self._start(_Job(arguments, device, {"scan.npz": volume}, "map.npz"))

    def askDevice(self, shape_kji=None, spacing_mm=None, *, device: str = "auto", model=None) -> None:
        """Begin to try the device; the result is the document of `anatembed device`, with seconds for such a scan."""
        scan = [] if shape_kji is None else ["--shape", *map(str, shape_kji), "--spacing", *map(str, spacing_mm)]
        arguments = ["device", "--device", device, *scan, "--progress", "json", "--json"]
        self._start(_Job([*arguments, *(["--model", str(model)] if model else [])], device))

    def isRunning(self) -> bool:
        """From the beginning of a job until onEnded."""
        return self._job is not None

    def poll(self) -> None:
        """Deliver what has happened since the last time; the timer calls this."""
        job = self._job
        if job is None:
            return
        for step in job.news(self._clock()):
            self._onProgress(*step)
            if self._job is not job:  # cancelled by who was told
                return
        if job.hasEnded():
            try:
                outcome = job.outcome(self._clock())
            except Exception as error:  # what comes next must not depend on its details: the timer would ask for ever
                outcome = Failure(f"The embedding ended; its details cannot be written: {error}.", repr(error)), None
            self._finish(*outcome)

    def wait(self, seconds: float) -> bool:
        """Wait until there is news or `seconds` are over, then poll; whether a job is still running."""
        if self._job is not None:
            self._job.wait(seconds)
        self.poll()
        return self.isRunning()

    def cancel(self) -> None:
        """End the job, all its processes and files within a second; onEnded gets a cancelled failure."""
        if self._job is not None:
            self._job.end()
            self._finish(cancelledFailure(self._job.ending(self._clock())), None)

    def _start(self, job: "_Job") -> None:
        if self._job is not None:
            raise RuntimeError("An embedding is already running. Wait for it or cancel it.")
        job.start(self._interpreter or findInterpreter(), self._childEnvironment(), self._parent, self._clock())
        self._job = job
        poll = weakref.WeakMethod(self.poll)

        def pollIfAlive() -> None:  # the timer must not keep the worker alive
            method = poll()
            if method is not None:
                method()

        self._release = weakref.finalize(self, _release, job, self._every(pollIfAlive))

    def _childEnvironment(self) -> dict[str, str]:
        environment = dict(os.environ if self._environment is None else self._environment)
        path = [str(LIBRARY_FOLDER), *filter(None, [environment.get("PYTHONPATH")])]
        # The fault handler writes where it crashed; without a buffer progress arrives when it is made.
        switches = {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"}
        return {**environment, **switches, "PYTHONPATH": os.pathsep.join(path)}

    def _finish(self, failure, result) -> None:
        self._job, release = None, self._release
        try:
            self._onEnded(failure, result)  # which may begin the next job
        finally:
            release()


class _Job:
    """A command, its folder and its child process; knows nothing of the worker, so that it can outlive it."""

    def __init__(self, arguments: list[str], device: str, volumes: Mapping | None = None, result: str = "") -> None:
        self._arguments, self._device, self._volumes, self._result = arguments, device, volumes or {}, result
        self._command: list[str] = []
        self._child = self._folder = self._failure = self._error = None
        self._writer: threading.Thread | None = None
        self._lock, self._isOver = threading.Lock(), False
        self._changes = 0
        self._began = 0.0
        self._pace = Pace()

    def start(self, interpreter: str, environment: dict[str, str], parent, now: float) -> None:
        """Write the files and start the child, a scan in a thread: the window answers meanwhile. What goes wrong is
        told as its outcome."""
        self._command, self._began = [interpreter, "-m", "anatembed", *self._arguments], now
        try:
            self._folder = Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX, dir=parent() if parent else None))
        except OSError as cause:
            self._failure = failureBefore(cause, _WRITING, self.ending(now))
            return
        if self._volumes:
            self._writer = threading.Thread(target=self._begin, args=(environment, now), daemon=True)
            self._writer.start()
        else:
            self._begin(environment, now)

    def _begin(self, environment: dict[str, str], now: float) -> None:
        from anatembed.child_process import ChildProcess
        from anatembed.scan.volume_file import save_volume

        doing = _WRITING
        try:
            for name, volume in self._volumes.items():
                save_volume(volume, self._folder / name)
            doing = f"Starting Python ({self._command[0]})"
            with self._lock:
                if not self._isOver:
                    self._child = ChildProcess(self._command, environment, self._folder)
        except Exception as cause:  # in a thread nobody else would hear of it
            self._failure = failureBefore(cause, doing, self.ending(now))
        self._volumes = {}
        if self._isOver:  # ended while it was written
            shutil.rmtree(self._folder, ignore_errors=True)

    def news(self, now: float):
        """The steps (stage, fraction, secondsLeft) since the last time."""
        if self._isWriting():
            self._writer.join(_TURN_SECONDS)
        while self._child is not None and self._child.messages:
            message = self._child.messages.popleft()
            if "error" in message:
                self._error = message
            elif isinstance(message.get("fraction"), int | float):
                yield self._pace.step(str(message.get("stage", "")), float(message["fraction"]), now - self._began)
        again = self._pace.countdown(now - self._began)
        if again is not None:
            yield again

    def _isWriting(self) -> bool:
        return self._writer is not None and self._writer.is_alive()

    def wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        if self._isWriting():
            self._writer.join(seconds)
            seconds = max(0.0, until - time.monotonic())
        if self._child is not None and self._child.wait_for_change(self._changes, seconds):
            self._changes = self._child.changes()

    def hasEnded(self) -> bool:
        if self._isWriting():
            return False
        return self._child is None or (self._child.exit_code is not None and not self._child.messages)

    def outcome(self, now: float) -> tuple:
        """(failure or None, result or None) of a job that has ended."""
        if self._failure is not None:
            return self._failure, None
        result = self._resultOf(self._child)
        return (None, result) if result is not None else (failureOf(self.ending(now)), None)

    def _resultOf(self, child):
        from anatembed.child_process import json_object

        if not self._result:
            return json_object(child.output)
        path = self._folder / self._result
        return path if child.exit_code == 0 and path.is_file() else None

    def ending(self, now: float) -> Ending:
        """What is known of it by now."""
        child = self._child
        exitCode, tail = (child.exit_code, list(child.tail)) if child is not None else (None, [])
        return Ending(self._command, exitCode, self._error, tail, self._device, now - self._began)

    def end(self) -> None:
        """No process and no file is left; a scan that is still being written goes when it is."""
        with self._lock:
            self._isOver = True
        if self._isWriting():
            self._writer.join(_GIVE_UP_SECONDS)
        if self._child is not None:
            self._child.end()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


class Pace:
    """How long the rest takes, from how long a part took."""

    def __init__(self) -> None:
        self._last: tuple | None = None
        self._end: float | None = None

    def step(self, stage: str, fraction: float, elapsed: float) -> tuple[str, float, float | None]:
        """(stage, fraction, seconds left or None) when a message comes `elapsed` seconds after the beginning."""
        if elapsed >= _RELIABLE_SECONDS and fraction >= _RELIABLE_FRACTION:
            self._end = elapsed / min(fraction, 1.0)
        self._last = (stage, fraction, None if self._end is None else max(0.0, self._end - elapsed))
        return self._last

    def countdown(self, elapsed: float) -> tuple[str, float, float | None] | None:
        """The last step with fewer seconds left, when they are another whole number; None left when they are over."""
        if self._last is None or self._end is None:
            return None
        left = self._end - elapsed if self._end > elapsed else None
        shown = self._last[2]
        if shown is None or (left is not None and round(left) == round(shown)):
            return None
        self._last = (*self._last[:2], left)
        return self._last


def findInterpreter() -> str:
    """Slicer's own Python, found as Slicer finds it; outside Slicer the running one."""
    return shutil.which("PythonSlicer") or sys.executable or "PythonSlicer"


def everyTenthOfASecond(callback: Callable) -> Callable:
    """Calls `callback` from Qt's event loop until the function that is returned is called."""
    import qt  # here, so that this file works without Qt when a timer is given

    timer = qt.QTimer()
    timer.setInterval(100)
    timer.connect("timeout()", callback)
    timer.start()
    return timer.stop


def _release(job: _Job, stopPolling: Callable) -> None:
    stopPolling()
    job.end()
