"""The repository's files, for tests that check how it is built."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "AnatomicalEmbedding"


@cache
def _git_files(*options: str) -> tuple[Path, ...]:
    listing = subprocess.run(["git", "ls-files", "-z", *options], cwd=ROOT, capture_output=True, check=True).stdout
    paths = (ROOT / name for name in listing.decode().split("\0") if name)
    return tuple(path for path in paths if path.is_file())


def tracked_files() -> tuple[Path, ...]:
    """Every file under version control that exists on disk, as absolute paths."""
    return _git_files()


def files_below(folder: Path) -> set[str]:
    """Paths relative to `folder` of all its files on disk, new ones too, except those that git ignores."""
    paths = _git_files("--cached", "--others", "--exclude-standard")
    return {path.relative_to(folder).as_posix() for path in paths if path.is_relative_to(folder)}


def python_files(*folders: str) -> list[Path]:
    """Python files below folders of the repository, sorted."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
