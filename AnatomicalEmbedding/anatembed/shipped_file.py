"""The files that ship with the library: the model, the words, the bundled scan."""

from pathlib import Path

_FOLDER = Path(__file__).parent / "resources"


def shipped_file(name: str) -> Path:
    """The path of a file in `resources/`."""
    return _FOLDER / name
