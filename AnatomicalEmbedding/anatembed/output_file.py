"""Writing a result whole or not at all, and saying why it cannot be written."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".writing-"
"""How the names of temporary files begin, which a program that was killed may leave behind."""


def check_output(path, suffixes: tuple[str, ...] = (), inputs: tuple = ()) -> Path:
    """`path` as Path if a file may be written there; ValueError or FileNotFoundError before any work is done.

    It must end in one of `suffixes` (any without them), lie in an existing folder, and be none of the `inputs`.
    """
    path = Path(path)
    if suffixes and not path.name.lower().endswith(suffixes):
        raise ValueError(f"expected an output name that ends in {' or '.join(suffixes)}, got {path.name}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"expected an existing folder for the output, but there is no {path.parent}")
    if path.exists() and not path.is_file():
        raise ValueError(f"expected a file as output, but {path} is a folder or a device")
    if any(path.exists() and Path(one).exists() and path.samefile(one) for one in inputs):
        raise ValueError(f"the output {path.name} is the input itself, choose another name")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise ValueError(f"expected a folder that can be written to, but {path.parent} cannot")
    return path


def make_folder(path) -> Path:
    """The folder `path`, made if it is missing; ValueError if it cannot be."""
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        raise ValueError(f"cannot make the folder {path}: {cause.strerror}") from cause
    return path


@contextmanager
def explained(path) -> Iterator[None]:
    """Turns an OSError while writing `path` into a ValueError in one sentence."""
    try:
        yield
    except OSError as cause:
        kept = "; what was there is unchanged" if Path(path).exists() else ""
        raise ValueError(f"cannot write {path}: {cause.strerror or cause}{kept}") from cause


@contextmanager
def written_whole(path) -> Iterator[Path]:
    """A temporary file beside `path` with the same suffixes; it takes the place of `path` if the block succeeds, and
    is gone if it does not. OSError if that cannot be; then what was there is unchanged."""
    path = Path(path)
    handle, name = tempfile.mkstemp(prefix=UNFINISHED, suffix="".join(path.suffixes[-2:]), dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        # mkstemp makes files that only their owner may read.
        temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing(path) -> Iterator[Path]:
    """As `written_whole`, for what a user asked for: a ValueError in one sentence in place of an OSError."""
    with explained(path), written_whole(path) as temporary:
        yield temporary


def write_text(path, text: str) -> None:
    """Text as UTF-8, whole or not at all; ValueError in one sentence if it cannot be written."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
