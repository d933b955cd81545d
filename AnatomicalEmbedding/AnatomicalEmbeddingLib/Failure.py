"""What went wrong, in one sentence for the user and details to copy: in a child process, or in this one."""

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
_TORCH = (
    "PyTorch is missing or broken. Press Embed to install it. If it is installed already: uninstall it in the module "
    "PyTorch Utils, restart Slicer and press Embed."
)
_CARD = (
    "The graphics card cannot be used with this PyTorch or this driver. The scan can be embedded on the CPU, which "
    "takes longer; to use the card, uninstall PyTorch in the module PyTorch Utils, restart Slicer and press Embed."
)
_CARD_MARKS = re.compile(
    r"CUDA error|CUDA driver|no kernel image|not compiled with CUDA|cudnn|cublas|NVRTC|HIP error|MPS backend", re.I
)
_KILLED = (
    "The system ended the embedding, most likely because memory ran out. "
    "Close other programs or crop the scan, and try again."
)
_CRASHED = "The embedding crashed. Try again; if it crashes again, the details help to find out why."
_STOPPED = "The embedding was stopped. Nothing was changed."
_REPORTED_LINES = 40
_PACKAGES = ("torch", "numpy", "SimpleITK", "scipy", "rapidfuzz")


@dataclass(frozen=True)
class Failure:
    """message: one plain sentence or two; details: long text to copy; cancelled: the user wanted it;
    offersCPU: the memory of the graphics card did not suffice."""

    message: str
    details: str
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
    return Failure(_STOPPED, detailsOf(_STOPPED, ending), cancelled=True)


def failureOf(ending: Ending) -> Failure:
    """The failure of a child process that ended by itself without a result."""
    error = ending.error or {}
    message = _messageOf(ending, error)
    return Failure(message, detailsOf(message, ending), offersCPU=message in (_GRAPHICS_CARD, _CARD))


def missing(package: str) -> str:
    """What to do about a Python package (import name, "" where it is not known) that is missing or broken."""
    if package == "torch":
        return _TORCH
    name = f"The Python package {package}" if package else "A Python package"
    return f"{name} is missing or broken. Press Embed and agree to install what is missing."


def inWords(error: BaseException) -> str:
    """What went wrong in this process: the words of an error where it has some, and what to do where that is known."""
    if isinstance(error, ImportError):
        return missing((error.name or "").split(".")[0])
    if isinstance(error, MemoryError):
        return _COMPUTER
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
        return _DISK
    return _sentence(str(error)) if str(error).strip() else f"{type(error).__name__}, without a reason."


def failureBefore(cause: Exception, doing: str, ending: Ending) -> Failure:
    """The failure of what comes before the child process; `doing` goes on with " failed"."""
    number, why = getattr(cause, "errno", None), getattr(cause, "strerror", None)
    message = _DISK if number in _DISK_FULL else f"{doing} failed: {why or cause or type(cause).__name__}."
    return Failure(message, detailsOf(f"{message}\n{cause!r}", ending))


def detailsOf(message: str, ending: Ending) -> str:
    """What a developer wants to know, in lines."""
    lines = [
        message,
        f"Command: {shlex.join(ending.command)}",
        f"Exit code: {_named(ending.exitCode)}",
        f"Device: {(ending.error or {}).get('device', ending.device)}",
        f"Time: {ending.seconds:.1f} s",
        f"System: {system()}",
        f"Versions: {', '.join(versions())}",
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
        return missing(str(error.get("package", "")))
    said = str(error.get("error", "")) if reason else " ".join(ending.tail)
    if ending.device != "cpu" and _CARD_MARKS.search(said):
        return _CARD
    if reason == "input":
        return _sentence(str(error.get("error", "")))
    if ending.exitCode == -signal.SIGTERM or _named(ending.exitCode).endswith("SIGKILL"):
        return _KILLED
    crashed = any(line.startswith("Fatal Python error") for line in ending.tail)
    if crashed or (ending.exitCode or 0) < 0 or (ending.exitCode or 0) > 0xC0000000:  # Windows' codes for crashes
        return _CRASHED
    if ending.exitCode:
        return f"The embedding ended unexpectedly (exit code {ending.exitCode}). The details say more."
    return "The embedding ended without a result. The details say more."


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


def system() -> str:
    """The operating system and Python."""
    return f"{platform.platform()}, Python {platform.python_version()}"


def versions() -> Iterable[str]:
    """Slicer and the packages that a computation depends on, each with its version, or that it is missing."""
    application = getattr(sys.modules.get("slicer"), "app", None)
    if application is not None:
        yield f"Slicer {application.applicationVersion}"
    for package in _PACKAGES:
        try:
            yield f"{package} {metadata.version(package)}"
        except metadata.PackageNotFoundError:
            yield f"{package} missing"
