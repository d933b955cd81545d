"""A program in a process group of its own: its output is read all the time, and the whole group can be ended."""

import json
import os
import signal
import subprocess
import threading
from collections import deque
from contextlib import suppress
from typing import IO

_TAIL_LINES, _LINE_CHARACTERS = 200, 2000
_OUTPUT_BYTES = 4_000_000
_GENTLE_SECONDS, _HARD_SECONDS = 0.3, 0.4
_WINDOWS = os.name == "nt"


class ChildProcess:
    """Runs `command`; OSError if it cannot be started. Whatever it has started ends with it.

    messages: JSON objects from standard error, one a line there, the newest thousand; take them from the left.
    tail: the last other lines of both outputs. output: the beginning of standard output.
    """

    def __init__(self, command: list[str], environment: dict[str, str], folder: str | os.PathLike) -> None:
        self.command = command
        self.messages: deque[dict] = deque(maxlen=1000)
        self.tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self.output = bytearray()
        self._changes, self._has_ended = 0, False
        self._changed = threading.Condition()
        self._group_lock, self._group_is_ours = threading.Lock(), True
        self._process = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, **own_group(_WINDOWS),
        )
        self._readers = [
            _thread(self._read, self._process.stdout, self._keep_output),
            _thread(self._read, self._process.stderr, self._sort),
        ]
        self._waiter = _thread(self._wait)

    @property
    def id(self) -> int:
        """The process id; on POSIX it is the id of the group too."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for a signal. All output is here when it is not None."""
        return self._process.returncode if self._has_ended else None

    def changes(self) -> int:
        """Grows with every message and at the end."""
        return self._changes

    def wait_for_change(self, since: int, seconds: float) -> bool:
        """Waits until `changes()` is more than `since`; False if that takes longer."""
        with self._changed:
            return self._changed.wait_for(lambda: self._changes > since, seconds)

    def end(self) -> None:
        """Ends the group within a second; does nothing after its end."""
        if not _WINDOWS:
            self._signal_group(signal.SIGTERM)
            self._waiter.join(_GENTLE_SECONDS)
            self._signal_group(signal.SIGKILL)
        elif not self._has_ended:
            command = ["taskkill", "/F", "/T", "/PID", str(self.id)]
            subprocess.run(command, capture_output=True, check=False, timeout=10, **own_group(_WINDOWS))
        self._waiter.join(_HARD_SECONDS)

    def _signal_group(self, number: int) -> None:
        with self._group_lock:
            if self._group_is_ours:
                _kill_group(self.id, number)

    def _wait(self) -> None:
        if hasattr(os, "waitid"):
            # Not reaped yet: until then no other group can get this id, and the rest of the group can be ended safely.
            # Suppressed: where the application reaps all its children, there is nothing to wait for.
            with suppress(ChildProcessError):
                os.waitid(os.P_PID, self.id, os.WEXITED | os.WNOWAIT)
        with self._group_lock:
            if not _WINDOWS:
                _kill_group(self.id, signal.SIGKILL)
            self._group_is_ours = False
        self._process.wait()
        for reader in self._readers:  # not for ever: someone who left the group may hold the pipes open
            reader.join(_HARD_SECONDS)
        self._has_ended = True
        self._tell()

    def _tell(self) -> None:
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    def _read(self, stream: IO[bytes], keep) -> None:
        with stream:
            # A length, so that garbage without an end of line does not fill the memory.
            while line := stream.readline(_OUTPUT_BYTES):
                keep(line)

    def _keep_output(self, line: bytes) -> None:
        if len(self.output) + len(line) <= _OUTPUT_BYTES:
            self.output += line
        self._keep(line)

    def _sort(self, line: bytes) -> None:
        message = json_object(line)
        if message is None:
            self._keep(line)
        else:
            self.messages.append(message)
            self._tell()

    def _keep(self, line: bytes) -> None:
        text = line[:_LINE_CHARACTERS].decode("utf-8", errors="replace").rstrip()
        if text:
            self.tail.append("".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text))


def json_object(text: bytes | bytearray) -> dict | None:
    """The object that is all of `text`, or None."""
    if not text.lstrip().startswith(b"{"):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def own_group(windows: bool) -> dict:
    """Options of Popen by which a program and what it starts can be ended together; no console window on Windows."""
    if not windows:
        return {"start_new_session": True}
    new_process_group, no_window = 0x200, 0x8000000  # subprocess has these names on Windows only
    return {"creationflags": new_process_group | no_window}


def _kill_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group that has ended
        return


def _thread(target, *arguments) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments, daemon=True)
    thread.start()
    return thread
