"""Every end of a child process is one plain sentence and details that can be copied."""

import errno
import signal
import sys
from types import SimpleNamespace

import pytest
from AnatomicalEmbeddingLib.Failure import Ending, Failure, cancelledFailure, failureBefore, failureOf

COMMAND = ["/opt/Slicer/bin/PythonSlicer", "-m", "anatembed", "embed", "a scan.npz"]


def ended(exitCode=1, error=None, tail=()) -> Failure:
    return failureOf(Ending(COMMAND, exitCode, error, tail, "auto", 3.21))


@pytest.mark.parametrize(
    ("exitCode", "error", "message"),
    [
        (5, {"reason": "memory", "device": "cuda"}, "The memory of the graphics card does not suffice for this scan."),
        (5, {"reason": "memory", "device": "cpu"}, "The memory of this computer does not suffice for this scan."),
        (5, {"reason": "memory"}, "The memory of this computer does not suffice for this scan."),
        (1, {"reason": "input", "error": "CUDA error: no kernel image"}, "The graphics card cannot be used"),
        (1, {"reason": "input", "error": "Torch not compiled with CUDA enabled"}, "The graphics card cannot be used"),
        (2, {"reason": "disk", "error": "cannot write"}, "The disk is full. Free some space and try again."),
        (2, {"reason": "package", "package": "torch"}, "PyTorch is missing or broken. Press Embed to install"),
        (2, {"reason": "package", "package": "nibabel"}, "The Python package nibabel is missing or broken."),
        (2, {"reason": "package", "package": ""}, "A Python package is missing or broken."),
        (2, {"reason": "input", "error": "chest: this is no CT"}, "Chest: this is no CT."),
        (2, {"reason": "input", "error": "chest: no CT (--force goes on all the same)"}, "Chest: no CT."),
        (2, {"reason": "input", "error": ""}, "The scan cannot be embedded."),
        (-signal.SIGKILL, None, "The system ended the embedding, most likely because memory ran out."),
        (-signal.SIGTERM, None, "The system ended the embedding"),
        (-signal.SIGSEGV, None, "The embedding crashed."),
        (0xC0000005, None, "The embedding crashed."),
        (-999, None, "The embedding crashed."),
        (1, None, "The embedding ended unexpectedly (exit code 1). The details say more."),
        (3, {"reason": "something new"}, "The embedding ended unexpectedly (exit code 3)."),
        (0, None, "The embedding ended without a result."),
        (None, None, "The embedding ended without a result."),
    ],
)
def test_each_end_has_its_sentence(exitCode, error, message):
    failure = ended(exitCode, error)
    assert failure.message.startswith(message)
    assert "\n" not in failure.message
    assert failure.message.endswith(".")
    assert not failure.cancelled


def test_a_card_that_fails_without_a_word_of_ours_is_known_by_the_last_lines():
    failure = ended(1, None, ["Traceback", "RuntimeError: cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"])
    assert failure.message.startswith("The graphics card cannot be used") and failure.offersCPU
    onCPU = failureOf(Ending(COMMAND, 1, None, ["cudnn"], "cpu", 1.0))
    assert not onCPU.offersCPU and onCPU.message.startswith("The embedding ended unexpectedly")


def test_a_warning_about_the_card_does_not_hide_what_is_wrong_with_the_scan():
    failure = ended(2, {"reason": "input", "error": "this is no CT"}, ["UserWarning: CUDA error in the driver"])
    assert failure.message == "This is no CT." and not failure.offersCPU


def test_a_crash_behind_a_launcher_is_known_by_its_last_words():
    assert ended(1, None, ["Fatal Python error: Segmentation fault"]).message.startswith("The embedding crashed.")


@pytest.mark.parametrize(("reason", "device", "offers"), [("memory", "cuda", True), ("memory", "mps", True),
                                                          ("memory", "cpu", False), ("input", "cuda", False)])
def test_the_cpu_is_offered_when_the_graphics_card_is_too_small(reason, device, offers):
    failure = ended(5, {"reason": reason, "device": device, "error": "x"})
    assert failure.offersCPU is offers
    assert f"Device: {device}" in failure.details


def test_a_cancelled_one_says_that_nothing_was_changed():
    failure = cancelledFailure(Ending(COMMAND))
    assert (failure.cancelled, failure.offersCPU) == (True, False)
    assert failure.message == "The embedding was stopped. Nothing was changed."


def test_the_details_have_what_a_developer_asks_for(monkeypatch):
    application = SimpleNamespace(applicationVersion="5.12.0-2026-01-01")
    monkeypatch.setitem(sys.modules, "slicer", SimpleNamespace(app=application))
    details = ended(-11, None, [f"line {n}" for n in range(100)]).details
    for part in (
        "The embedding crashed.", "anatembed embed 'a scan.npz'", "Exit code: -11 SIGSEGV", "Device: auto",
        "Time: 3.2 s", "Python 3.", "Slicer 5.12.0", "torch ", "line 60", "line 99",
    ):  # fmt: skip
        assert part in details
    assert "line 59" not in details


def test_a_package_that_is_missing_is_in_the_details(monkeypatch):
    from importlib import metadata

    def version(name):
        if name == "torch":
            raise metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(metadata, "version", version)
    assert "torch missing" in ended().details


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "The disk is full. Free some space and try again."),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), "Starting failed: No such file or directory."),
        (OSError("strange"), "Starting failed: strange."),
    ],
)
def test_what_fails_before_the_child_process_is_a_failure_too(error, message):
    failure = failureBefore(error, "Starting", Ending(COMMAND))
    assert failure.message == message
    assert repr(error) in failure.details
