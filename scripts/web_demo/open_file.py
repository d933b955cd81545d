"""Reads an uploaded file in a process of its own: what is damaged or far too large ends that process only.

python -m web_demo.open_file FILE RESULT.npz LIMITS_AS_JSON
"""

import json
import resource
import sys
import tempfile
import zipfile
from dataclasses import asdict, replace
from pathlib import Path

from anatembed.child_process import ChildProcess, json_object
from anatembed.scan.files import read_volume
from anatembed.scan.volume import Volume
from anatembed.scan.volume_file import load_volume, save_volume

from web_demo.limits import Limits

_IMAGES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
KINDS = (*_IMAGES[:3], ".mha", ".dcm", ".zip")
"""Endings of the names of files that can be opened."""
_TOO_LARGE = "it is too large for this page"


def suffix_of(name: str) -> str | None:
    """The ending of a file name by which it is opened; None for another kind of file."""
    name = name.lower()
    return next((suffix for suffix in sorted(KINDS, key=len, reverse=True) if name.endswith(suffix)), None)


class Opening:
    """A file that is being read; `poll` until it returns True, then `volume`."""

    def __init__(self, path: Path, limits: Limits, environment: dict[str, str]) -> None:
        self._result = path.with_name(f"{path.name}.opened.npz")
        command = [sys.executable, "-m", "web_demo.open_file", str(path), str(self._result), json.dumps(asdict(limits))]
        self._child = ChildProcess(command, environment, path.parent)

    def has_ended(self) -> bool:
        return self._child.exit_code is not None

    def volume(self) -> Volume:
        """The scan; ValueError in a sentence without its beginning when it cannot be read."""
        answer = json_object(self._child.output) or {}
        if self._child.exit_code == 0 and self._result.is_file():
            return load_volume(self._result)
        raise ValueError(answer.get("error") or "it is damaged, or too large for this page")

    def end(self) -> None:
        """No process and no result is left."""
        self._child.end()
        self._result.unlink(missing_ok=True)


def read_upload(path: Path, limits: Limits) -> Volume:
    """The scan in a file or an archive; ValueError in a sentence when there is none, or more than the limits allow."""
    if path.name.lower().endswith(".zip"):
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            volume = read_volume(_unpacked(path, Path(folder), limits))
    else:
        volume = read_volume(path)
    if volume.array_kji.size > limits.voxels:
        raise ValueError(f"{_TOO_LARGE}: it has {volume.array_kji.size:,} voxels, the limit is {limits.voxels:,}")
    return volume


def _unpacked(path: Path, folder: Path, limits: Limits) -> Path:
    """The folder with an archive's files under numbers, or its only image file; names in it are never used as paths."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir() and member.file_size]
            members = [member for member in members if not _is_rubbish(member.filename)]
            if len(members) > limits.archive_files:
                raise ValueError(f"{_TOO_LARGE}: the archive has {len(members)} files")
            left = limits.unpacked_bytes
            for number, member in enumerate(members):
                left -= _unpack(archive, member, folder / _new_name(number, member.filename), left)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise ValueError("expected a ZIP archive that can be unpacked, it is damaged or has a password") from error
    if not members:
        raise ValueError("expected an archive with a scan, it is empty")
    images = [name for name in folder.iterdir() if name.suffix != ".dcm"]
    return images[0] if len(images) == 1 else folder


def _is_rubbish(name: str) -> bool:
    return name.startswith("__MACOSX/") or Path(name).name.lower() in (".ds_store", "dicomdir", "thumbs.db")


def _new_name(number: int, name: str) -> str:
    suffix = suffix_of(name)
    return f"{number:05}{suffix if suffix in _IMAGES else '.dcm'}"


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, left: int) -> int:
    """Bytes written; ValueError as soon as they are more than `left`, whatever the archive says of itself."""
    written = 0
    with archive.open(member) as source, target.open("wb") as file:
        while block := source.read(1 << 20):
            written += len(block)
            if written > left:
                raise ValueError(f"{_TOO_LARGE} when it is unpacked")
            file.write(block)
    return written


def main(path: str, result: str, limits: str) -> int:
    """Write the scan, or its reason as JSON on standard output and 1."""
    bounds = Limits(**json.loads(limits))
    resource.setrlimit(resource.RLIMIT_AS, (bounds.memory_bytes, bounds.memory_bytes))
    try:
        volume = read_upload(Path(path), bounds)
        save_volume(replace(volume, name=""), result)
    except (ValueError, OSError, MemoryError) as error:
        reason = _TOO_LARGE if isinstance(error, MemoryError) else str(error)
        print(json.dumps({"error": reason.replace(Path(path).name, "the file")}))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
