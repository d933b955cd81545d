"""What is installed, when, and what is said when it is not; with stand-ins for pip and the PyTorch extension."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from AnatomicalEmbeddingLib import InstallLogic as installing
from AnatomicalEmbeddingLib.InstallLogic import InstallLogic, packageOf

SHIPPED = Path(installing.__file__).parents[1] / "Resources" / "requirements.txt"


@pytest.fixture
def slicerDouble(monkeypatch):
    """Installs nothing; `installed` is what was asked for, `agrees` what the user answers."""
    double = SimpleNamespace(installed=[], agrees=True, error=None)

    def pip_install(requirements):
        if double.error:
            raise double.error
        double.installed.append(requirements)

    util = SimpleNamespace(confirmOkCancelDisplay=lambda *_: double.agrees, pip_install=pip_install)
    monkeypatch.setattr(installing, "slicer", SimpleNamespace(util=util))
    return double


@pytest.fixture
def requirements(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text("# a remark\n\nnumpy>=1\nno-such-package-here>=2.1\n")
    return path


def test_only_missing_packages_are_installed(slicerDouble, requirements):
    InstallLogic(str(requirements)).ensureInstalled()
    assert slicerDouble.installed == [["no-such-package-here>=2.1"]]


def test_nothing_is_asked_when_everything_is_there(slicerDouble, requirements):
    requirements.write_text("numpy>=1\n")
    slicerDouble.agrees = False
    InstallLogic(str(requirements)).ensureInstalled()
    assert slicerDouble.installed == []


def test_a_no_of_the_user_is_an_error_in_words_and_installs_nothing(slicerDouble, requirements):
    slicerDouble.agrees = False
    with pytest.raises(RuntimeError, match="no-such-package-here>=2.1 was not installed. Press Embed again"):
        InstallLogic(str(requirements)).ensureInstalled()
    assert slicerDouble.installed == []


def test_a_failing_pip_is_said_in_words(slicerDouble, requirements):
    slicerDouble.error = OSError("no network")
    with pytest.raises(RuntimeError, match="could not be installed: no network"):
        InstallLogic(str(requirements)).ensureInstalled()


def test_without_the_pytorch_extension_the_user_is_told_to_install_it(slicerDouble, requirements, monkeypatch):
    monkeypatch.setattr(installing, "_isInstalled", lambda package: package != "torch")
    with pytest.raises(RuntimeError, match="Install the PyTorch extension"):
        InstallLogic(str(requirements)).ensureInstalled()


@pytest.mark.parametrize("torch", [None, object()], ids=["refused", "installed"])
def test_torch_is_installed_by_the_pytorch_extension(slicerDouble, requirements, monkeypatch, torch):
    logic = SimpleNamespace(installTorch=lambda askConfirmation: torch)
    monkeypatch.setitem(sys.modules, "PyTorchUtils", SimpleNamespace(PyTorchUtilsLogic=lambda: logic))
    monkeypatch.setattr(installing, "_isInstalled", lambda package: package != "torch")
    if torch is None:
        with pytest.raises(RuntimeError, match="PyTorch was not installed"):
            InstallLogic(str(requirements)).ensureInstalled()
    else:
        InstallLogic(str(requirements)).ensureInstalled()
    assert slicerDouble.installed == []


def test_the_shipped_requirements_leave_out_what_slicer_and_the_pytorch_extension_bring():
    listed = InstallLogic(str(SHIPPED)).requirements()
    assert listed and all(">=" in line and "==" not in line and "<" not in line for line in listed)
    assert not {packageOf(line).lower() for line in listed} & {"torch", "vtk", "simpleitk", "numpy", "scipy"}
