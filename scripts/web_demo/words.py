"""The panel's words for numbers; slicer-core has no translations, so that they stay English here."""

import importlib.util
import sys
from types import ModuleType

if "slicer.i18n" not in sys.modules and importlib.util.find_spec("slicer.i18n") is None:
    _english = ModuleType("slicer.i18n")
    _english.tr = lambda text: text
    sys.modules["slicer.i18n"] = _english

from AnatomicalEmbeddingLib.Words import (  # noqa: E402
    SURE,
    capital,
    nameConfidence,
    percent,
    placeConfidence,
    position,
    sentence,
    size,
    timeLeft,
)

__all__ = [
    "SURE", "axis_letter", "capital", "nameConfidence", "percent", "placeConfidence", "position", "sentence", "size",
    "timeLeft",
]


def axis_letter(direction_ras) -> str:
    """The letter of the patient's side to which a direction points most: one of R L A P S I."""
    axis = max(range(3), key=lambda one: abs(direction_ras[one]))
    return ("RL", "AP", "SI")[axis][0 if direction_ras[axis] > 0 else 1]
