"""A pytest plugin: of what is installed, only what Slicer has, what the panel installs and what tests need is found.

`python -m pytest -p import_fence FILES`: an import of anything else fails as it does in a fresh Slicer.
"""

import importlib.metadata
import re
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parents[2] / "AnatomicalEmbedding" / "Resources" / "requirements.txt"
IN_SLICER = {"numpy", "scipy", "SimpleITK", "vtk", "vtkmodules", "slicer", "slicer_core"}
FOR_TESTS = {"PySide6", "shiboken6", "pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments", "hypothesis"}
FOR_TESTS |= {"sortedcontainers", "attr", "attrs"}
INSTALLED_BY_THE_PANEL = {
    re.split(r"[<>=!~;\[ ]", line)[0] for line in REQUIREMENTS.read_text().splitlines() if line and line[0] != "#"
}
OURS = {"anatembed", "AnatomicalEmbeddingLib"}
BLOCKED = set(importlib.metadata.packages_distributions()) - IN_SLICER - FOR_TESTS - INSTALLED_BY_THE_PANEL - OURS


class Fence:
    """Refuses packages before anybody looks for them."""

    @staticmethod
    def find_spec(name, _path=None, _target=None):
        if name.split(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}: Slicer does not have it", name=name)


def put_up() -> None:
    """From now on, in this process."""
    sys.meta_path.insert(0, Fence)


def pytest_load_initial_conftests() -> None:
    """pytest calls this for a plugin that is named on its command line, before it reads any of our files."""
    put_up()
