"""On what a scan would be embedded and about how long that takes, asked in the background and remembered."""

import logging
import shutil
from collections.abc import Callable

import numpy as np

from . import VolumeBridge
from .Observing import weak
from .Signal import Signal

_LOOKING = "Looking for a graphics card ..."
_UNUSED_CARD = (
    "the NVIDIA card is not used, because this PyTorch is for the CPU or for another driver: to change that, uninstall "
    "PyTorch in the module PyTorch Utils, restart Slicer and press Embed"
)
_UNKNOWN = "CPU or graphics card: it will be seen when embedding starts"


class DeviceLine:
    """The line for each size of scan; `changed()` when an answer has come.

    `makeWorker(onProgress, onEnded)` returns a Worker, whose `askDevice(shape_kji, spacing_mm, model=)` leads to
    onEnded(failure or None, document of `anatembed device`).
    """

    def __init__(self, makeWorker: Callable, modelPath: Callable) -> None:
        self._modelPath = modelPath
        self._lines: dict[tuple, str] = {}
        self._asked: tuple | None = None
        self.changed = Signal()
        self._worker = makeWorker(_ignore, weak(self._onEnded))

    def text(self, volumeNode) -> str:
        """What is known now; asks once for each size of scan. Empty without a scan or its voxels."""
        if volumeNode is None or volumeNode.GetImageData() is None:
            return ""
        key = _size(volumeNode)
        if key not in self._lines:
            if self._asked is None:
                self._ask(key)
            return _LOOKING
        return self._lines[key]

    def forget(self) -> None:
        """Ask again, because PyTorch was installed."""
        self.cancel()
        self._lines.clear()
        self.changed.emit()

    def cancel(self) -> None:
        """Stop asking."""
        if self._asked is not None:
            self._worker.cancel()

    def _ask(self, key: tuple) -> None:
        self._asked = key
        try:
            self._worker.askDevice(*key, model=self._modelPath())
        except Exception:  # it is only a line: embedding says what is wrong
            logging.exception("What a scan would be computed on cannot be asked")
            self._onEnded(None, None)

    def _onEnded(self, failure, document) -> None:
        key, self._asked = self._asked, None
        if failure is not None and failure.cancelled:
            return
        self._lines[key] = _UNKNOWN if failure is not None or not document else inWords(document)
        self.changed.emit()


def inWords(document: dict) -> str:
    """A document of `anatembed device` in one line: "NVIDIA RTX 3060, 12 GB free, about 2 s" or "CPU, about 6 s"."""
    parts = [document["name"]]
    if document["kind"] != "cpu":
        parts.append(f"{document['free_bytes'] / 1e9:.0f} GB free")
    if document.get("seconds") is not None:
        parts.append(f"about {max(1, round(document['seconds']))} s")
    if not document["works"]:
        parts.append(f"does not work: {document['problem']}")
    elif document["kind"] == "cpu" and shutil.which("nvidia-smi"):
        parts.append(_UNUSED_CARD)
    return ", ".join(parts)


def _size(volumeNode) -> tuple:
    """Shape (K,J,I) and the lengths in mm of a voxel along i, j, k in world."""
    spacing_mm = np.linalg.norm(VolumeBridge.ijkToWorld(volumeNode)[:3, :3], axis=0)
    return tuple(volumeNode.GetImageData().GetDimensions())[::-1], tuple(round(float(mm), 3) for mm in spacing_mm)


def _ignore(*_progress) -> None:
    return None
