"""Voxels that a header says lie in another file: not read unless the caller says so, and then only beside it."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

_ROOM_FOR_A_NAME = 255
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_regular(path: Path) -> BinaryIO:
    """`path` opened for reading; ValueError unless it is an ordinary file and no link, device or pipe.

    What is opened is what was checked: it is looked at through the open file.
    """
    if path.is_symlink():  # O_NOFOLLOW says the same where there is one, without a gap
        raise ValueError(f"expected an ordinary file, but {path.name} is a link")
    descriptor = os.open(path, _FLAGS)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ValueError(f"expected an ordinary file, but {path.name} is a device, a pipe or a folder")
    return os.fdopen(descriptor, "rb")


def open_detached(header: Path, name: str, beside: bool) -> BinaryIO:
    """The file `name` that the image header at `header` says has the voxels, opened for reading.

    ValueError unless `beside` allows it and it is an ordinary file in the same folder: a header from someone else may
    name any file of this machine, which would be shown as grey values.
    """
    shown = name[:100]
    if not beside:
        raise ValueError(
            f"expected the voxels in {header.name} itself, but it names another file, {shown!r}, which is not read "
            "here: save the scan as one file (.nii.gz, .nrrd or .mha)"
        )
    # A colon would name a drive or a second stream on Windows; lists and patterns name many files.
    if not name or name in (".", "..") or len(name) > _ROOM_FOR_A_NAME or any(sign in name for sign in '/\\:%\0'):
        raise ValueError(f"expected the voxels in one file beside {header.name}, but it names {shown!r}")
    try:
        return open_regular(header.parent / name)
    except ValueError as error:
        reason = str(error).rpartition(", but ")[2]
        raise ValueError(f"expected the voxels of {header.name} in an ordinary file, but {reason}") from error
    except OSError as error:
        raise ValueError(f"expected the voxels of {header.name} beside it, but {shown!r} cannot be opened") from error
