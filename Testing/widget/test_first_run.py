"""The first minutes of people whose computer is not ready: each way ends in a sentence that says what to do.

The panel and the installation are the real ones; pip, the PyTorch extension and the ends of child processes are not.
"""

import contextlib
import subprocess
import sys
from types import SimpleNamespace

import pytest
from AnatomicalEmbeddingLib.Failure import Ending, failureOf
from panel_double import click, isShown
from slicer_stand_ins import MODULE_FILE

REQUIREMENTS = MODULE_FILE.parent / "Resources" / "requirements.txt"
PIP_FAILED = subprocess.CalledProcessError(1, ["PythonSlicer", "-m", "pip"])


@pytest.fixture
def computer(monkeypatch, floor3):
    """A Slicer with the PyTorch extension and nothing installed yet; `printed` and `error` are what pip makes of it."""
    installing = floor3("InstallLogic")
    computer = SimpleNamespace(there=set(), printed="", error=None, agrees=True)

    def install(names) -> None:
        print(computer.printed)
        if computer.error is not None:
            raise computer.error
        computer.there |= {installing.packageOf(name) for name in names}

    torchLogic = SimpleNamespace(installTorch=lambda askConfirmation: install(["torch"]))
    monkeypatch.setitem(sys.modules, "PyTorchUtils", SimpleNamespace(PyTorchUtilsLogic=lambda: torchLogic))
    monkeypatch.setitem(sys.modules, "slicer.packaging", None)
    util = SimpleNamespace(
        confirmOkCancelDisplay=lambda *_: computer.agrees, pip_install=install, WaitCursor=contextlib.nullcontext,
    )
    monkeypatch.setattr(installing, "slicer", SimpleNamespace(util=util))
    monkeypatch.setattr(installing, "_isInstalled", lambda package: package in computer.there)
    monkeypatch.setattr(installing.urllib.request, "getproxies", dict)
    computer.installLogic = installing.InstallLogic(str(REQUIREMENTS))
    return computer


@pytest.fixture
def installLogic(computer):
    """The real one in the panel of conftest."""
    return computer.installLogic


def noExtension(computer, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "PyTorchUtils", None)


def says(text: str):
    def prepare(computer, _monkeypatch) -> None:
        computer.error, computer.printed = PIP_FAILED, text

    return prepare


def declines(computer, _monkeypatch) -> None:
    computer.agrees = False


BEFORE = {
    "no PyTorch extension": (noExtension, "Install the PyTorch extension in the Extensions Manager, restart Slicer"),
    "offline": (says("NewConnectionError: Temporary failure in name resolution"), "Connect to the internet and press"),
    "behind a proxy": (says("ProxyError: Tunnel connection failed: 407"), "Set HTTPS_PROXY=http://user:password@proxy"),
    "inspected": (says("SSLError(CERTIFICATE_VERIFY_FAILED)"), "Set PIP_CERT"),
    "full disk": (says("OSError: [Errno 28] No space left on device"), "Free several GB and press Embed again"),
    "no answer of pip": (says(""), "Slicer's Python console says more. Press Embed to try again."),
    "says no": (declines, "PyTorch was not installed. Press Embed again to install it."),
}


@pytest.mark.parametrize(("prepare", "advice"), BEFORE.values(), ids=BEFORE)
def test_who_cannot_install_is_told_what_to_do_and_may_try_again(panel, logic, computer, monkeypatch, prepare, advice):
    assert panel.ui.stateLabel.text.startswith("Press Embed: PyTorch (2 GB) and rapidfuzz")
    with monkeypatch.context() as patch:
        prepare(computer, patch)
        click(panel.ui.embedButton)
    assert panel.ui.scanMessage.text.startswith("⚠ ") and advice in panel.ui.scanMessage.text
    assert logic.calls == [] and panel.ui.embedButton.text == "Embed" and panel.ui.embedButton.enabled
    computer.error, computer.agrees = None, True
    click(panel.ui.embedButton)
    assert computer.there == {"torch", "rapidfuzz"}
    assert logic.calls[-1] == ("startEmbedding", "CT 1", "auto", False) and panel.ui.scanMessage.text == ""


AFTER = {
    "wrong CUDA build": (
        1, {"reason": "input", "error": "CUDA error: no kernel image is available for execution"}, True,
        "The graphics card cannot be used with this PyTorch or this driver. The scan can be embedded on the CPU",
    ),
    "small card": (5, {"reason": "memory", "device": "cuda"}, True, "It can be embedded on the CPU"),
    "4 GB of memory": (5, {"reason": "memory", "device": "cpu"}, False, "Close other programs or crop the scan"),
    "4 GB, ended by the system": (-9, None, False, "Close other programs or crop the scan"),
    "broken PyTorch": (2, {"reason": "package", "package": "torch"}, False, "uninstall it in the module PyTorch"),
    "broken package": (2, {"reason": "package", "package": "rapidfuzz"}, False, "Press Embed and agree"),
}


@pytest.mark.parametrize(("exitCode", "error", "onCPU", "advice"), AFTER.values(), ids=AFTER)
def test_who_cannot_embed_is_told_what_to_do_and_can_copy_details(panel, logic, exitCode, error, onCPU, advice):
    click(panel.ui.embedButton)
    failure = failureOf(Ending(["PythonSlicer"], exitCode, error, (), "auto", 1.0))
    logic.end(failure)
    assert advice in panel.ui.scanMessage.text and isShown(panel.ui.copyDetailsButton)
    assert isShown(panel.ui.useCpuButton) is onCPU
    assert "Versions: Slicer 5.12.0" in failure.details and "rapidfuzz" in failure.details
    if onCPU:
        click(panel.ui.useCpuButton)
        assert logic.calls[-1] == ("startEmbedding", "CT 1", "cpu", False)


def test_a_card_that_pytorch_does_not_use_is_said_beside_the_scan(panel, logic, floor3, monkeypatch):
    words = floor3("DeviceLine")
    monkeypatch.setattr(words.shutil, "which", lambda name: f"/usr/bin/{name}")
    cpu = {"name": "CPU", "kind": "cpu", "free_bytes": 8e9, "seconds": 6.0, "works": True, "problem": ""}
    logic.device = words.inWords(cpu)
    logic.deviceChanged.emit()
    assert "the NVIDIA card is not used" in panel.ui.deviceLabel.text and "PyTorch Utils" in panel.ui.deviceLabel.text
