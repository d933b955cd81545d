"""The grey values in which a kind of structure is looked at."""
from __future__ import annotations

WINDOWS = {"soft tissue": (400, 40), "lung": (1500, -500), "bone": (1800, 400), "brain": (80, 40)}
"""Width and centre in HU."""
FITTING = {"lung": "lung", "airway": "lung", "bone": "bone", "spine": "bone", "joint": "bone", "brain": "brain"}
"""The window for a category of terms; the others are looked at in that of soft tissue."""


def fitting_window(category: str) -> str:
    """The name in WINDOWS for a category of the vocabulary."""
    return FITTING.get(category, "soft tissue")
