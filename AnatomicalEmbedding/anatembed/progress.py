"""Progress on a stream for errors: a bar for people, JSON lines for programs, or nothing."""

import json
import time
from collections.abc import Callable
from typing import TextIO

WIDTH = 28


class NoProgress:
    """Says nothing; keeps the warnings."""

    warnings: tuple[str, ...] = ()

    def __call__(self, stage: str, fraction: float) -> None:
        """Called between steps with what is being done and how much is (0..1)."""

    def warn(self, sentence: str) -> None:
        """Called with what somebody should know although the work goes on."""
        self.warnings = (*self.warnings, sentence)

    def failed(self, reason: str, sentence: str, **facts) -> None:
        """Called before `close` when an error ends the work; `reason` is one word for programs."""

    def close(self) -> None:
        """Called once at the end, also after an error."""


class JsonProgress(NoProgress):
    """One JSON object a line: {"stage", "fraction", "seconds"}, {"warning"}, or {"reason", "error", ...} at last."""

    def __init__(self, stream: TextIO):
        self.stream, self.began = stream, time.perf_counter()

    def __call__(self, stage: str, fraction: float) -> None:
        seconds = round(time.perf_counter() - self.began, 3)
        self._write({"stage": stage, "fraction": round(float(fraction), 4), "seconds": seconds})

    def warn(self, sentence: str) -> None:
        super().warn(sentence)
        self._write({"warning": sentence})

    def failed(self, reason: str, sentence: str, **facts) -> None:
        self._write({"reason": reason, "error": sentence, **facts})

    def _write(self, document: dict) -> None:
        self.stream.write(json.dumps(document) + "\n")
        self.stream.flush()


class Bar(NoProgress):
    """One line that is drawn again and again; a line per step where the stream is no terminal."""

    def __init__(self, stream: TextIO):
        self.stream, self.began = stream, time.perf_counter()
        self.in_place = stream.isatty()
        self.drawn = False

    def __call__(self, stage: str, fraction: float) -> None:
        full = round(WIDTH * min(1.0, max(0.0, fraction)))
        bar = "#" * full + "." * (WIDTH - full)
        line = f"[{bar}] {fraction:4.0%} {time.perf_counter() - self.began:5.1f} s  {stage}"
        self.stream.write(f"\r\x1b[K{line}" if self.in_place else line + "\n")
        self.stream.flush()
        self.drawn = True

    def close(self) -> None:
        if self.drawn and self.in_place:
            self.stream.write("\r\x1b[K")
            self.stream.flush()


def progress_on(stream: TextIO, kind: str | None) -> NoProgress:
    """Progress of a kind, "bar", "json" or "none"; None is a bar if `stream` is a terminal."""
    kind = kind or ("bar" if stream.isatty() else "none")
    return {"bar": Bar, "json": JsonProgress, "none": lambda _: NoProgress()}[kind](stream)


def part_of(progress: Callable[[str, float], None], start: float, stop: float):
    """A callback whose 0..1 fills start..stop of `progress`."""
    return lambda stage, fraction: progress(stage, start + (stop - start) * fraction)
