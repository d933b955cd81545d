"""A ZIP archive with a scan, unpacked into a private folder; what others have packed is not trusted."""

import errno
import re
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from anatembed.npz_file import begins_as_zip
from anatembed.scan.dicom import NO_SCANS, NO_SLICES, SLICES
from anatembed.scan.image_file import IMAGE_SUFFIXES

_DAMAGED = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error)
"""What zipfile raises for an archive that is damaged, packed in another way, or has a password."""
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class ArchiveLimits:
    """Most files in an archive, and most bytes that they may unpack to."""

    files: int = 20_000
    unpacked_bytes: int = 4_000_000_000


def is_archive(path: Path) -> bool:
    """Whether a file is, or is called, a ZIP archive; an .npz is one inside, but a file type of its own."""
    suffix = path.suffix.lower()
    return path.is_file() and suffix != ".npz" and (suffix == ".zip" or begins_as_zip(path))


@contextmanager
def unpacked(path: Path, limits: ArchiveLimits | None = None) -> Iterator[Path]:
    """The only image file of an archive, or a folder with its DICOM slices; both are gone after the block.

    ValueError in a sentence for an archive that is damaged, empty or larger than the limits, for several images, and
    for members that are links or lie outside of it. OSError if the disk has no room.
    """
    limits = limits or ArchiveLimits()
    with tempfile.TemporaryDirectory(prefix="anatembed-") as private:
        folder = Path(private) / "unpacked"
        folder.mkdir()
        with _opened(path) as archive:
            images = _unpack_all(archive, folder, limits, path.name)
        if len(images) > 1:
            names = ", ".join(sorted(PurePosixPath(name).name for name in images.values())[:3])
            raise ValueError(f"expected one scan in {path.name}, it has {len(images)} images: {names}")
        (one,) = images or (folder,)
        try:
            yield one
        except ValueError as error:
            # The names that files were unpacked to tell nobody anything.
            shown = f"{PurePosixPath(images[one]).name} in {path.name}" if images else path.name
            raise ValueError(str(error).replace(str(one), shown).replace(one.name, shown)) from error


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (*_DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # a full disk, and not a place before the file
            raise
        reason = f"expected a ZIP archive that can be unpacked, but {path.name} is damaged or has a password"
        raise ValueError(reason) from error


def _unpack_all(archive: zipfile.ZipFile, folder: Path, limits: ArchiveLimits, name: str) -> dict[Path, str]:
    """The images that were unpacked, with their names in the archive.

    Files get numbers as names: those in the archive are never used as paths.
    """
    members = [one for one in archive.infolist() if not one.is_dir()]
    for member in members:
        _check(member)
    members = [one for one in members if not _is_beside(one.filename)]
    if not members:
        raise ValueError(f"expected a scan in {name}, it is empty")
    if len(members) > limits.files:
        raise ValueError(f"expected at most {limits.files:,} files in {name}, it has {len(members):,}")
    images, left = {}, limits.unpacked_bytes
    for number, member in enumerate(members):
        suffix = _image_suffix(member.filename)
        target = folder / f"{number:06}{suffix or _other_suffix(member.filename)}"
        left -= _unpack(archive, member, target, left)
        if left < 0:
            raise ValueError(f"expected at most {limits.unpacked_bytes:,} bytes in {name}, it unpacks to more")
        if suffix:
            images[target] = member.filename
    return images


def _check(member: zipfile.ZipInfo) -> None:
    name = member.filename.replace("\\", "/")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in name.split("/"):
        raise ValueError(f"expected an archive whose files lie inside of it, but it names {name[:100]!r}")
    # The upper half of the attributes is the mode of a file on Unix, 0 from programs that do not know it.
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise ValueError(f"expected only files in the archive, but {name[:100]!r} is a link or a device")


def _is_beside(name: str) -> bool:
    """Whether a member is what operating systems put beside people's files."""
    path = PurePosixPath(name)
    return path.parts[:1] == ("__MACOSX",) or path.name.lower() in NO_SCANS or path.name.startswith("._")


def _image_suffix(name: str) -> str | None:
    name = name.lower()
    return max((suffix for suffix in IMAGE_SUFFIXES if name.endswith(suffix)), key=len, default=None)


def _other_suffix(name: str) -> str:
    """By what an empty or damaged DICOM slice is told from a file that is none."""
    suffix = PurePosixPath(name.lower()).suffix
    return suffix if suffix in NO_SLICES or suffix in SLICES else ""


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, most: int) -> int:
    """Bytes written; it ends as soon as they are more than `most`, whatever the archive says of itself."""
    written = 0
    with archive.open(member) as source, target.open("wb") as file:
        while written <= most and (block := source.read(_BLOCK_BYTES)):
            written += file.write(block)
    return written
