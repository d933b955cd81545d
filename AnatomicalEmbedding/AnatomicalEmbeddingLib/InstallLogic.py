"""Python packages inside Slicer: PyTorch through its extension, the small ones through pip, both with consent."""

import contextlib
import importlib
import importlib.util
import io
import logging
import platform
import re
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import slicer
import slicer.util
from slicer.i18n import tr as _

TORCH = "torch"
_LAST_CHARACTERS = 20_000
"""Of what an installer prints: its reason stands at the end."""


class InstallLogic:
    """Installs what the requirements file names; RuntimeError in the user's words when the user or pip says no."""

    def __init__(self, requirementsPath: str, requester: str = "Anatomical Embedding") -> None:
        self._requirementsPath = requirementsPath
        self._requester = requester

    def missing(self) -> list[str]:
        """What has to be installed before a scan can be embedded: "torch", and lines of the requirements file."""
        return [line for line in (TORCH, *self.requirements()) if not _isInstalled(packageOf(line))]

    def ensureInstalled(self, say: Callable[[str], None]) -> bool:
        """Ask, and install what is missing; False if nothing was. `say(text)` is called before each step.

        Slicer goes on with its events meanwhile: whoever calls has to see to it that this is not called again.
        """
        missing = self.missing()
        if TORCH in missing:
            self._installTorch(say)
        if small := [line for line in missing if line != TORCH]:
            self._installSmallOnes(small, say)
        return bool(missing)

    def requirements(self) -> list[str]:
        """The lines of the requirements file without remarks."""
        lines = Path(self._requirementsPath).read_text(encoding="utf-8").splitlines()
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]

    def _installTorch(self, say: Callable) -> None:
        try:
            import PyTorchUtils
        except ImportError as error:
            raise RuntimeError(
                _("PyTorch is missing. Install the PyTorch extension in the Extensions Manager, restart Slicer and "
                  "press Embed again. Without internet: download the extension on another computer, and take "
                  "“Install from file” in the Extensions Manager.")
            ) from error
        question = _("PyTorch is needed to embed a scan. It is about 2 GB to download, which takes minutes. "
                     "Slicer cannot be used meanwhile. Install it now?")
        if not slicer.util.confirmOkCancelDisplay(question, self._requester):
            raise RuntimeError(_notInstalled("PyTorch"))
        say(_("Installing PyTorch, about 2 GB, this takes minutes ..."))
        with _saidWhyNot("PyTorch"), slicer.util.WaitCursor():
            PyTorchUtils.PyTorchUtilsLogic().installTorch(askConfirmation=False)
        self._requireInstalled([TORCH])

    def _installSmallOnes(self, lines: list[str], say: Callable) -> None:
        packaging, names = _packaging(), ", ".join(lines)
        if packaging is None:
            question = _("{requester} needs to download and install: {packages}. Install now?").format(
                requester=self._requester, packages=names
            )
            if not slicer.util.confirmOkCancelDisplay(question, self._requester):
                raise RuntimeError(_notInstalled(names))
        say(_("Installing {packages} ...").format(packages=names))
        with _saidWhyNot(names):
            if packaging is None:
                with slicer.util.WaitCursor():
                    slicer.util.pip_install(lines)
            else:  # which asks, and shows how far it is
                packaging.pip_ensure(packaging.load_requirements(self._requirementsPath), requester=self._requester)
        self._requireInstalled(lines)

    def _requireInstalled(self, lines: list[str]) -> None:
        # Slicer installs nothing in its testing mode, and does not say so.
        importlib.invalidate_caches()
        if left := [line for line in self.missing() if line in lines]:
            raise RuntimeError(_notInstalled(", ".join("PyTorch" if line == TORCH else line for line in left)))


def packageOf(requirement: str) -> str:
    """Import name of a requirement line: every listed package is imported under the name it is installed by."""
    return re.split(r"[<>=!~;\[ ]", requirement, maxsplit=1)[0].replace("-", "_")


def adviceFor(said: str) -> str:
    """What to do, from what an installer printed; empty where it is not known."""
    advices = (
        (r"No space left|not enough space|Errno 28\b|Errno 122\b",
         _("The disk is full. Free several GB and press Embed again.")),
        (r"ProxyError|Cannot connect to proxy|Tunnel connection failed|\b407\b",
         _("The proxy does not let the download through. Set HTTPS_PROXY=http://user:password@proxy:port in the "
           "environment, start Slicer again and press Embed.")),
        (r"CERTIFICATE_VERIFY_FAILED|SSLError|certificate verify failed",
         _("The download server's certificate is not trusted, which a proxy that looks into connections causes. Set "
           "PIP_CERT in the environment to your institution's certificate file, start Slicer again and press Embed.")),
        (r"name resolution|getaddrinfo|NewConnectionError|ConnectTimeout|ReadTimeout|Network is unreachable"
         r"|Connection(?:Error| refused| aborted)|Max retries",
         _("The download server cannot be reached. Connect to the internet and press Embed again.") + _proxies()),
        (r"No matching distribution|Could not find a version",
         _("There is no version for this Slicer (Python {version}, {machine}). Install the newest Slicer.").format(
             version=platform.python_version(), machine=platform.machine())),
        (r"Permission denied|Access is denied|WinError (?:5|32)\b|Errno 13\b|being used by another process",
         _("Files are in use or protected. Close all windows of Slicer, start it again and press Embed first; where "
           "Slicer is installed for all users, it has to be started as administrator once.")),
    )
    return next((advice for marks, advice in advices if re.search(marks, said, re.IGNORECASE)), "")


def _proxies() -> str:
    """Which proxy the system names, as pip uses it; this looks at this computer's settings only."""
    proxy = urllib.request.getproxies().get("https")
    if not proxy:
        return " " + _("Where a proxy is in between, set HTTPS_PROXY=http://proxy:port and start Slicer again.")
    address = proxy.rpartition("@")[2]  # without a password
    return " " + _("The proxy {address} was used.").format(address=address)


@contextlib.contextmanager
def _saidWhyNot(packages: str):
    """Whatever goes wrong while packages are installed becomes a RuntimeError that says what to do."""
    console = _Overheard(sys.stdout)
    try:
        with contextlib.redirect_stdout(console):
            yield
    except Exception as error:
        # pip_ensure raises RuntimeError when the user declines, and what it prints then is nothing.
        if isinstance(error, RuntimeError) and "declined" in str(error):
            raise RuntimeError(_notInstalled(packages, f" ({error})")) from error
        logging.exception(f"Installing {packages} failed")
        said = " ".join(map(str, (error, getattr(error, "output", ""), getattr(error, "stderr", ""), console.said)))
        advice = adviceFor(said) or _("Slicer's Python console says more. Press Embed to try again.")
        text = _("{packages} could not be installed: {why}. {advice}")
        raise RuntimeError(text.format(packages=packages, why=str(error).rstrip("."), advice=advice)) from error


class _Overheard(io.TextIOBase):
    """Passes on what is printed, and keeps the end of it."""

    def __init__(self, stream) -> None:
        self._stream, self.said = stream, ""

    def write(self, text: str) -> int:
        self.said = (self.said + text)[-_LAST_CHARACTERS:]
        return self._stream.write(text) or len(text)

    def flush(self) -> None:
        self._stream.flush()


def _notInstalled(packages: str, why: str = "") -> str:
    return _("{packages} was not installed{why}. Press Embed again to install it.").format(packages=packages, why=why)


def _isInstalled(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _packaging():
    """Slicer's own installer, None before Slicer 5.12."""
    try:
        return importlib.import_module("slicer.packaging")
    except ImportError:
        return None
