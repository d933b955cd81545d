"""Python packages inside Slicer: PyTorch through its extension, the small ones through pip, both with consent."""

import importlib
import importlib.util
import re
from pathlib import Path

import slicer
import slicer.util


class InstallLogic:
    """Installs what the requirements file names; RuntimeError in the user's words when the user or pip says no."""

    def __init__(self, requirementsPath: str, requester: str = "Anatomical Embedding") -> None:
        self._requirementsPath = requirementsPath
        self._requester = requester

    def ensureInstalled(self) -> None:
        """Ask and install what is missing; returns at once when everything is there."""
        if not _isInstalled("torch"):
            self._installTorch()
        missing = [line for line in self.requirements() if not _isInstalled(packageOf(line))]
        if missing:
            self._installWithPip(missing)

    def requirements(self) -> list[str]:
        """The lines of the requirements file without remarks."""
        lines = Path(self._requirementsPath).read_text(encoding="utf-8").splitlines()
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]

    def _installTorch(self) -> None:
        try:
            import PyTorchUtils
        except ImportError as error:
            raise RuntimeError(
                "PyTorch is missing. Install the PyTorch extension (Extensions Manager), restart Slicer and try again."
            ) from error
        if PyTorchUtils.PyTorchUtilsLogic().installTorch(askConfirmation=True) is None:
            raise RuntimeError("PyTorch was not installed. Press Embed again to install it.")

    def _installWithPip(self, missing: list[str]) -> None:
        question = f"{self._requester} needs to download and install: {', '.join(missing)}. Install now?"
        if not slicer.util.confirmOkCancelDisplay(question, self._requester):
            raise RuntimeError(f"{', '.join(missing)} was not installed. Press Embed again to install it.")
        try:
            slicer.util.pip_install(missing)
        except Exception as error:  # pip reports a failure as CalledProcessError or OSError, depending on Slicer
            raise RuntimeError(f"{', '.join(missing)} could not be installed: {error}") from error
        importlib.invalidate_caches()


def packageOf(requirement: str) -> str:
    """Import name of a requirement line: every listed package is imported under the name it is installed by."""
    return re.split(r"[<>=!~;\[ ]", requirement, maxsplit=1)[0].replace("-", "_")


def _isInstalled(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
