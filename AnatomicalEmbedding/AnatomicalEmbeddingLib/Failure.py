"""Why a child process gave no result, in one sentence for the user and a report to copy."""

import errno
import platform
import re
import shlex
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata

_DISK_FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
_DISK = "The disk is full. Free some space and try again."
_COMPUTER = (
    "The memory of this computer does not suffice for this scan. Close other programs or crop the scan, and try again."
)
_GRAPHICS_CARD = (
    "The memory of the graphics card does not suffice for this scan. It can be embedded on the CPU, which takes longer."
)
_TORCH = "PyTorch is missing or broken. Install the PyTorch extension, restart Slicer and try again."
_KILLED = (
    "The system ended the embedding, most likely because memory ran out. "
    "Close other programs or crop the scan, and try again."
)
_CRASHED = "The embedding crashed. Try again; if it crashes again, the report helps to find out why."
_STOPPED = "The embedding was stopped. Nothing was changed."
_REPORTED_LINES = 40
_PACKAGES = ("torch", "numpy", "SimpleITK", "scipy")


@dataclass(frozen=True)
class Failure:
    """message: one plain sentence or two; report: long text to copy; cancelled: the user wanted it;
    offersCPU: the memory of the graphics card did not suffice."""

    message: str
    report: str
    cancelled: bool = False
    offersCPU: bool = False


@dataclass(frozen=True)
class Ending:
    """What is known of a child process that ended; error: its last word, {"reason", "error", ...}, or {}."""

    command: list[str]
    exitCode: int | None = None
    error: dict | None = None
    tail: Iterable[str] = ()
    device: str = "auto"
    seconds: float = 0.0


def cancelledFailure(ending: Ending) -> Failure:
    """The user stopped it."""
    return Failure(_STOPPED, reportOf(_STOPPED, ending), cancelled=True)


def failureOf(ending: Ending) -> Failure:
    """The failure of a child process that ended by itself without a result."""
    error = ending.error or {}
    message = _messageOf(ending, error)
    onGraphicsCard = error.get("reason") == "memory" and error.get("device") not in (None, "cpu")
    return Failure(message, reportOf(message, ending), offersCPU=onGraphicsCard)


def failureBefore(cause: OSError, doing: str, ending: Ending) -> Failure:
    """The failure of what comes before the child process; `doing` goes on with " failed"."""
    message = _DISK if cause.errno in _DISK_FULL else f"{doing} failed: {cause.strerror or cause}."
    return Failure(message, reportOf(f"{message}\n{cause!r}", ending))


def reportOf(message: str, ending: Ending) -> str:
    """What a developer wants to know, in lines."""
    lines = [
        message,
        f"Command: {shlex.join(ending.command)}",
        f"Exit code: {_named(ending.exitCode)}",
        f"Device: {(ending.error or {}).get('device', ending.device)}",
        f"Time: {ending.seconds:.1f} s",
        f"System: {platform.platform()}, Python {platform.python_version()}",
        f"Versions: {', '.join(_versions())}",
        "Last output:",
        *list(ending.tail)[-_REPORTED_LINES:],
    ]
    return "\n".join(lines)


def _messageOf(ending: Ending, error: dict) -> str:
    reason = error.get("reason")
    if reason == "memory":
        return _COMPUTER if error.get("device") in (None, "cpu") else _GRAPHICS_CARD
    if reason == "disk":
        return _DISK
    if reason == "package":
        return _missing(str(error.get("package", "")))
    if reason == "input":
        return _sentence(str(error.get("error", "")))
    if ending.exitCode == -signal.SIGTERM or _named(ending.exitCode).endswith("SIGKILL"):
        return _KILLED
    crashed = any(line.startswith("Fatal Python error") for line in ending.tail)
    if crashed or (ending.exitCode or 0) < 0 or (ending.exitCode or 0) > 0xC0000000:  # Windows' codes for crashes
        return _CRASHED
    if ending.exitCode:
        return f"The embedding ended unexpectedly (exit code {ending.exitCode}). The report says more."
    return "The embedding ended without a result. The report says more."


def _missing(package: str) -> str:
    if package == "torch":
        return _TORCH
    name = f"The Python package {package}" if package else "A Python package"
    return f"{name} is missing or broken. Press Embed again and agree to install what is missing."


def _sentence(text: str) -> str:
    # What the command line offers beside is of no use in a window.
    text = re.sub(r" \(--[^)]*\)", "", text).strip().rstrip(".") or "the scan cannot be embedded"
    return f"{text[0].upper()}{text[1:]}."


def _named(exitCode: int | None) -> str:
    if exitCode is None:
        return "none"
    try:
        return f"{exitCode} {signal.Signals(-exitCode).name}" if exitCode < 0 else str(exitCode)
    except ValueError:
        return str(exitCode)


def _versions() -> Iterable[str]:
    application = getattr(sys.modules.get("slicer"), "app", None)
    if application is not None:
        yield f"Slicer {application.applicationVersion}"
    for package in _PACKAGES:
        try:
            yield f"{package} {metadata.version(package)}"
        except metadata.PackageNotFoundError:
            yield f"{package} missing"
