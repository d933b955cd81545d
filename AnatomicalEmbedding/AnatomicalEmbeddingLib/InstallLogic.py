"""Python packages inside Slicer: PyTorch through its extension, the small ones through pip, both with consent."""

import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import slicer
import slicer.util
from slicer.i18n import tr as _

CHECK_SECONDS = 120
# In a process of its own, as embedding is: a broken PyTorch must not take Slicer with it.
CHECK = """
import torch
ones = torch.ones(64, 64, device="cuda" if torch.cuda.is_available() else "cpu")
if float((ones @ ones).sum()) != 64**3:
    raise SystemExit("a product of matrices is wrong")
print(torch.__version__, torch.cuda.get_device_name() if ones.is_cuda else "", sep="|")
"""


class InstallLogic:
    """Installs what the requirements file names; RuntimeError in the user's words when the user or pip says no."""

    def __init__(self, requirementsPath: str, requester: str = "Anatomical Embedding") -> None:
        self._requirementsPath = requirementsPath
        self._requester = requester

    def ensureInstalled(self) -> str:
        """Ask, install what is missing and try it; what came out, empty when everything was there already."""
        torchIsMissing, missing = not _isInstalled("torch"), self._missing()
        if torchIsMissing:
            self._installTorch()
        if missing:
            self._installSmallOnes(missing)
        return self.check() if torchIsMissing or missing else ""

    def check(self) -> str:
        """Compute a little with PyTorch in another process; what works, in a sentence."""
        command = [shutil.which("PythonSlicer") or sys.executable, "-c", CHECK]
        # Without this flag Windows flashes a console window.
        flags = {"creationflags": subprocess.CREATE_NO_WINDOW} if os.name == "nt" else {}
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=CHECK_SECONDS, **flags)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RuntimeError(_("PyTorch is installed, but could not be tried: {why}").format(why=error)) from error
        if done.returncode != 0:
            why = (done.stderr.strip().splitlines() or [_("no reason was given")])[-1]
            raise RuntimeError(_("PyTorch is installed, but does not work: {why}").format(why=why))
        version, __, card = done.stdout.strip().splitlines()[-1].partition("|")
        if card:
            return _("Installed and tried: PyTorch {version} computes on {card}.").format(version=version, card=card)
        return _("Installed and tried: PyTorch {version} computes on the processor.").format(version=version)

    def requirements(self) -> list[str]:
        """The lines of the requirements file without remarks."""
        lines = Path(self._requirementsPath).read_text(encoding="utf-8").splitlines()
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]

    def _missing(self) -> list[str]:
        return [line for line in self.requirements() if not _isInstalled(packageOf(line))]

    def _installTorch(self) -> None:
        try:
            import PyTorchUtils
        except ImportError as error:
            raise RuntimeError(
                _("PyTorch is missing. Install the PyTorch extension in the Extensions Manager and restart Slicer.")
            ) from error
        if PyTorchUtils.PyTorchUtilsLogic().installTorch(askConfirmation=True) is None:
            raise RuntimeError(_("PyTorch was not installed. Press Embed again to install it."))

    def _installSmallOnes(self, missing: list[str]) -> None:
        packaging = _packaging()
        try:
            if packaging is not None:
                packaging.pip_ensure(packaging.load_requirements(self._requirementsPath), requester=self._requester)
            elif self._agreed(missing):
                slicer.util.pip_install(missing)
        # pip reports a failure as CalledProcessError or OSError, depending on Slicer.
        except (OSError, subprocess.SubprocessError) as error:
            raise RuntimeError(
                _("{packages} could not be installed: {why}").format(packages=", ".join(missing), why=error)
            ) from error
        except RuntimeError as error:
            # pip_ensure says so when the user declines.
            raise RuntimeError(_notInstalled(missing, f" ({error})")) from error
        importlib.invalidate_caches()
        # Slicer installs nothing in its testing mode, and does not say so.
        if left := self._missing():
            raise RuntimeError(_notInstalled(left))

    def _agreed(self, missing: list[str]) -> bool:
        question = _("{requester} needs to download and install: {packages}. Install now?").format(
            requester=self._requester, packages=", ".join(missing)
        )
        return slicer.util.confirmOkCancelDisplay(question, self._requester)


def packageOf(requirement: str) -> str:
    """Import name of a requirement line: every listed package is imported under the name it is installed by."""
    return re.split(r"[<>=!~;\[ ]", requirement, maxsplit=1)[0].replace("-", "_")


def _notInstalled(packages: list[str], why: str = "") -> str:
    text = _("{packages} was not installed{why}. Press Embed again to install it.")
    return text.format(packages=", ".join(packages), why=why)


def _isInstalled(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _packaging():
    """Slicer's own installer, None before Slicer 5.12."""
    try:
        return importlib.import_module("slicer.packaging")
    except ImportError:
        return None
