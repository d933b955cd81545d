"""What is installed, when, and what is said when it is not; with doubles of pip and the PyTorch extension."""

import contextlib
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from AnatomicalEmbeddingLib import InstallLogic as installing
from AnatomicalEmbeddingLib.InstallLogic import InstallLogic, adviceFor, packageOf

SHIPPED = Path(installing.__file__).parents[1] / "Resources" / "requirements.txt"
PACKAGE = "no-such-package-here>=2.1"
# What pip, run by Slicer, leaves of a failure: the reason is printed, the error has only the exit code.
FAILED = subprocess.CalledProcessError(1, ["PythonSlicer", "-m", "pip"])


@pytest.fixture
def machine(monkeypatch):
    """Packages that are there, what was asked for, what the user answers; installing adds to what is there.

    `printed` is what an installer prints before it raises `error`; `cursor` counts wait cursors.
    """
    machine = SimpleNamespace(
        there={"torch", "numpy"}, installed=[], agrees=True, error=None, printed="", questions=[], cursor=0, said=[],
    )

    def install(requirements) -> None:
        print(machine.printed)
        if machine.error is not None:
            raise machine.error
        machine.installed.append(list(requirements))
        machine.there |= {packageOf(one) for one in machine.installed[-1]}

    @contextlib.contextmanager
    def waitCursor():
        machine.cursor += 1
        yield
        machine.cursor += 100

    def installTorch(askConfirmation=False, forceComputationBackend=None, torchVersionRequirement=None):
        install(["torch"])
        return object()

    machine.install = install
    util = SimpleNamespace(
        confirmOkCancelDisplay=lambda *question: (machine.questions.append(question), machine.agrees)[1],
        pip_install=install, WaitCursor=waitCursor,
    )
    monkeypatch.setattr(installing, "slicer", SimpleNamespace(util=util))
    monkeypatch.setattr(installing, "_isInstalled", lambda package: package in machine.there)
    monkeypatch.setattr(installing.urllib.request, "getproxies", dict)
    monkeypatch.setitem(sys.modules, "slicer.packaging", None)
    torchLogic = SimpleNamespace(installTorch=installTorch)
    monkeypatch.setitem(sys.modules, "PyTorchUtils", SimpleNamespace(PyTorchUtilsLogic=lambda: torchLogic))
    return machine


@pytest.fixture
def newSlicer(machine, monkeypatch):
    """Slicer 5.12 and later: it asks and installs small packages by itself."""

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


@pytest.fixture
def ensure(machine, requirements):
    """Installs what is missing; what is said meanwhile is in `machine.said`."""
    return lambda: InstallLogic(str(requirements)).ensureInstalled(machine.said.append)


def test_only_missing_packages_are_installed_after_asking(slicerDouble, ensure):
    assert ensure()
    assert slicerDouble.installed == [[PACKAGE]] and len(slicerDouble.questions) == 1
    assert "Anatomical Embedding" in slicerDouble.questions[0]
    assert slicerDouble.said == [f"Installing {PACKAGE} ..."]


def test_nothing_is_asked_or_said_when_everything_is_there(slicerDouble, ensure, requirements):
    requirements.write_text("numpy>=1\n")
    assert InstallLogic(str(requirements)).missing() == [] and not ensure()
    assert slicerDouble.installed == slicerDouble.questions == slicerDouble.said == []


def test_pytorch_comes_first_and_its_size_and_time_are_said_before(slicerDouble, ensure, requirements):
    slicerDouble.there.discard("torch")
    assert InstallLogic(str(requirements)).missing() == ["torch", PACKAGE]
    ensure()
    assert slicerDouble.installed == [["torch"], [PACKAGE]]
    assert "about 2 GB" in slicerDouble.questions[0][0] and "minutes" in slicerDouble.questions[0][0]
    assert slicerDouble.said[0] == "Installing PyTorch, about 2 GB, this takes minutes ..."
    assert slicerDouble.cursor in (101, 202)  # shown while something is installed without a window, and gone again


def test_a_no_of_the_user_is_an_error_in_words_and_installs_nothing(slicerDouble, ensure):
    slicerDouble.agrees = False
    with pytest.raises(RuntimeError, match="no-such-package-here>=2.1 was not installed.*Press Embed again"):
        ensure()
    slicerDouble.there.discard("torch")
    with pytest.raises(RuntimeError, match="PyTorch was not installed. Press Embed again"):
        ensure()
    assert slicerDouble.installed == [] and slicerDouble.cursor == 0


REASONS = {
    "offline": ("[Errno -3] Temporary failure in name resolution", "cannot be reached. Connect to the internet"),
    "no answer": ("ReadTimeoutError: HTTPSConnectionPool", "Where a proxy is in between, set HTTPS_PROXY"),
    "proxy": ("ProxyError('Cannot connect to proxy.', OSError('407 Proxy'))", "Set HTTPS_PROXY=http://user:password@"),
    "inspected": ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "Set PIP_CERT"),
    "full disk": ("ERROR: [Errno 28] No space left on device", "The disk is full. Free several GB"),
    "no version": ("ERROR: No matching distribution found for torch", "There is no version for this Slicer (Python 3"),
    "in use": ("PermissionError: [WinError 32] used by another process", "Close all windows of Slicer"),
    "unknown": ("ERROR: metadata is broken", "Slicer's Python console says more. Press Embed to try again."),
}
ERRORS = [FAILED, ImportError("DLL load failed"), MemoryError(), OSError("no program"), RuntimeError("pip is running")]


@pytest.mark.parametrize("package", ["torch", "small"])
@pytest.mark.parametrize(("printed", "advice"), REASONS.values(), ids=REASONS)
def test_what_pip_prints_decides_what_to_do(slicerDouble, ensure, capsys, package, printed, advice):
    slicerDouble.error, slicerDouble.printed = FAILED, f"Collecting\n{printed}\n"
    if package == "torch":
        slicerDouble.there.discard("torch")
    with pytest.raises(RuntimeError) as caught:
        ensure()
    assert advice in str(caught.value) and "could not be installed" in str(caught.value)
    assert printed in capsys.readouterr().out  # it still arrives in Slicer's console


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("package", ["torch", "small"])
def test_whatever_an_installer_raises_is_a_sentence_and_in_the_log(slicerDouble, ensure, caplog, package, error):
    slicerDouble.error = error
    if package == "torch":
        slicerDouble.there.discard("torch")
    with pytest.raises(RuntimeError, match="could not be installed: .*Press Embed") as caught:
        ensure()
    assert caught.value.__cause__ is error and "Traceback" in caplog.text


def test_an_interruption_is_not_swallowed(slicerDouble, ensure):
    slicerDouble.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        ensure()
    assert sys.stdout.__class__.__name__ != "_Overheard"


def test_the_output_that_an_error_carries_is_read_too(slicerDouble, ensure):
    slicerDouble.error = subprocess.CalledProcessError(1, "pip", output=b"", stderr="No space left on device")
    with pytest.raises(RuntimeError, match="The disk is full"):
        ensure()


def test_the_proxy_that_was_used_is_named_without_its_password(machine, monkeypatch):
    monkeypatch.setattr(installing.urllib.request, "getproxies", lambda: {"https": "http://me:secret@proxy.here:3128"})
    advice = adviceFor("NewConnectionError")
    assert "The proxy proxy.here:3128 was used." in advice and "secret" not in advice


def test_nothing_is_advised_where_nothing_is_known():
    assert adviceFor("Successfully installed") == ""


def test_an_installation_that_silently_did_nothing_is_noticed(slicerDouble, ensure, monkeypatch):
    monkeypatch.setattr(installing, "_isInstalled", lambda package: package in ("torch", "numpy"))
    with pytest.raises(RuntimeError, match="no-such-package-here>=2.1 was not installed"):
        ensure()
    monkeypatch.setattr(installing, "_isInstalled", lambda package: package == "numpy")
    with pytest.raises(RuntimeError, match="PyTorch was not installed"):
        ensure()


def test_slicers_own_installer_is_preferred(newSlicer, requirements):
    installing.slicer.util.pip_install = lambda _: pytest.fail("the old way was used")
    InstallLogic(str(requirements), requester="Us").ensureInstalled(newSlicer.said.append)
    assert newSlicer.questions == [("Us",)]


def test_without_the_pytorch_extension_the_user_is_told_to_install_it(slicerDouble, ensure, monkeypatch):
    slicerDouble.there.discard("torch")
    monkeypatch.setitem(sys.modules, "PyTorchUtils", None)
    with pytest.raises(RuntimeError, match="Install the PyTorch extension.*Install from file"):
        ensure()
    assert slicerDouble.installed == [] and slicerDouble.questions == []


def test_the_shipped_requirements_leave_out_what_slicer_and_the_pytorch_extension_bring():
    listed = InstallLogic(str(SHIPPED)).requirements()
    assert listed and all(">=" in line and "==" not in line and "<" not in line for line in listed)
    assert not {packageOf(line).lower() for line in listed} & {"torch", "vtk", "simpleitk", "numpy", "scipy"}
