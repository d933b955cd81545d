"""What is installed, when, and what is said when it is not; with stand-ins for pip and the PyTorch extension."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from AnatomicalEmbeddingLib import InstallLogic as installing
from AnatomicalEmbeddingLib.InstallLogic import InstallLogic, packageOf

SHIPPED = Path(installing.__file__).parents[1] / "Resources" / "requirements.txt"
PACKAGE = "no-such-package-here>=2.1"


@pytest.fixture
def machine(monkeypatch):
    """Packages that are there, what was asked for, what the user answers; installing adds to what is there."""
    machine = SimpleNamespace(there={"torch", "numpy"}, installed=[], agrees=True, error=None, questions=[], checks=[])

    def install(requirements) -> None:
        if machine.error:
            raise machine.error
        machine.installed.append(list(requirements))
        machine.there |= {packageOf(one) for one in machine.installed[-1]}

    def run(command, **options):
        machine.checks.append(command)
        return SimpleNamespace(returncode=0, stdout="2.4.1|\n", stderr="")

    machine.install = install
    util = SimpleNamespace(
        confirmOkCancelDisplay=lambda *question: (machine.questions.append(question), machine.agrees)[1],
        pip_install=install,
    )
    monkeypatch.setattr(installing, "slicer", SimpleNamespace(util=util))
    monkeypatch.setattr(installing, "_isInstalled", lambda package: package in machine.there)
    monkeypatch.setattr(installing.subprocess, "run", run)
    monkeypatch.setitem(sys.modules, "slicer.packaging", None)
    return machine


@pytest.fixture
def newSlicer(machine, monkeypatch):
    """Slicer 5.12 and later: it asks and installs by itself."""

    def pip_ensure(requirements, requester) -> None:
        machine.questions.append((requester,))
        if not machine.agrees:
            raise RuntimeError("User declined package installation")
        machine.install(one for one in requirements if packageOf(one) not in machine.there)

    def load_requirements(path) -> list:
        return [line for line in Path(path).read_text().splitlines() if line and not line.startswith("#")]

    packaging = SimpleNamespace(pip_ensure=pip_ensure, load_requirements=load_requirements)
    monkeypatch.setitem(sys.modules, "slicer.packaging", packaging)
    return machine


@pytest.fixture(params=["machine", "newSlicer"], ids=["before 5.12", "from 5.12"])
def slicerDouble(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def requirements(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text(f"# a remark\n\nnumpy>=1\n{PACKAGE}\n")
    return path


def test_only_missing_packages_are_installed_after_asking(slicerDouble, requirements):
    InstallLogic(str(requirements)).ensureInstalled()
    assert slicerDouble.installed == [[PACKAGE]] and len(slicerDouble.questions) == 1
    assert "Anatomical Embedding" in slicerDouble.questions[0]


def test_nothing_is_asked_or_tried_when_everything_is_there(slicerDouble, requirements):
    requirements.write_text("numpy>=1\n")
    assert InstallLogic(str(requirements)).ensureInstalled() == ""
    assert slicerDouble.installed == slicerDouble.questions == slicerDouble.checks == []


def test_a_no_of_the_user_is_an_error_in_words_and_installs_nothing(slicerDouble, requirements):
    slicerDouble.agrees = False
    with pytest.raises(RuntimeError, match="no-such-package-here>=2.1 was not installed.*Press Embed again"):
        InstallLogic(str(requirements)).ensureInstalled()
    assert slicerDouble.installed == []


@pytest.mark.parametrize("error", [OSError("no network"), subprocess.CalledProcessError(1, "pip: no network")])
def test_a_failing_pip_is_said_in_words(slicerDouble, requirements, error):
    slicerDouble.error = error
    with pytest.raises(RuntimeError, match="could not be installed: .*no network"):
        InstallLogic(str(requirements)).ensureInstalled()


def test_an_installation_that_silently_did_nothing_is_noticed(slicerDouble, requirements, monkeypatch):
    monkeypatch.setattr(installing, "_isInstalled", lambda package: package in ("torch", "numpy"))
    with pytest.raises(RuntimeError, match="no-such-package-here>=2.1 was not installed"):
        InstallLogic(str(requirements)).ensureInstalled()


def test_slicers_own_installer_is_preferred(newSlicer, requirements):
    installing.slicer.util.pip_install = lambda _: pytest.fail("the old way was used")
    InstallLogic(str(requirements), requester="Us").ensureInstalled()
    assert newSlicer.questions == [("Us",)]


def test_without_the_pytorch_extension_the_user_is_told_to_install_it(slicerDouble, requirements, monkeypatch):
    slicerDouble.there.discard("torch")
    monkeypatch.setitem(sys.modules, "PyTorchUtils", None)
    with pytest.raises(RuntimeError, match="Install the PyTorch extension"):
        InstallLogic(str(requirements)).ensureInstalled()


@pytest.mark.parametrize("torch", [None, object()], ids=["refused", "installed"])
def test_torch_is_installed_by_the_pytorch_extension(slicerDouble, requirements, monkeypatch, torch):
    requirements.write_text("numpy>=1\n")
    slicerDouble.there.discard("torch")
    logic = SimpleNamespace(installTorch=lambda askConfirmation: torch)
    monkeypatch.setitem(sys.modules, "PyTorchUtils", SimpleNamespace(PyTorchUtilsLogic=lambda: logic))
    if torch is None:
        with pytest.raises(RuntimeError, match="PyTorch was not installed"):
            InstallLogic(str(requirements)).ensureInstalled()
    else:
        assert "PyTorch 2.4.1" in InstallLogic(str(requirements)).ensureInstalled()
    assert slicerDouble.installed == []


def test_what_was_installed_is_tried_and_the_outcome_is_a_sentence(slicerDouble, requirements):
    outcome = InstallLogic(str(requirements)).ensureInstalled()
    assert outcome == "Installed and tried: PyTorch 2.4.1 computes on the processor."
    assert len(slicerDouble.checks) == 1


@pytest.mark.parametrize(
    "done, text",
    [
        (SimpleNamespace(returncode=0, stdout="noise\n2.4.1|NVIDIA RTX 3060\n", stderr=""), "on NVIDIA RTX 3060."),
        (SimpleNamespace(returncode=1, stdout="", stderr="Traceback\nImportError: no DLL"), "ImportError: no DLL"),
        (SimpleNamespace(returncode=-9, stdout="", stderr=""), "does not work: no reason was given"),
        (OSError("no such program"), "could not be tried: no such program"),
        (subprocess.TimeoutExpired("python", 120), "could not be tried"),
    ],
    ids=["card", "broken", "killed", "no program", "too slow"],
)
def test_how_a_trial_ends_is_said(machine, requirements, monkeypatch, done, text):
    def run(*_, **__):
        if isinstance(done, Exception):
            raise done
        return done

    monkeypatch.setattr(installing.subprocess, "run", run)
    if getattr(done, "returncode", 1) == 0:
        assert InstallLogic(str(requirements)).check().endswith(text)
    else:
        with pytest.raises(RuntimeError, match=text):
            InstallLogic(str(requirements)).check()


def test_the_trial_is_valid_python_that_computes():
    compile(installing.CHECK, "check", "exec")
    assert "@" in installing.CHECK and "cuda" in installing.CHECK


def test_the_shipped_requirements_leave_out_what_slicer_and_the_pytorch_extension_bring():
    listed = InstallLogic(str(SHIPPED)).requirements()
    assert listed and all(">=" in line and "==" not in line and "<" not in line for line in listed)
    assert not {packageOf(line).lower() for line in listed} & {"torch", "vtk", "simpleitk", "numpy", "scipy"}
