"""Reads an uploaded file in a process of its own: what is damaged or far too large ends that process only.

python -m web_demo.open_file FILE RESULT.npz LIMITS_AS_JSON
"""

import json
import resource
import sys
from dataclasses import asdict, replace
from pathlib import Path

from anatembed.child_process import ChildProcess, json_object
from anatembed.scan.archive import ArchiveLimits
from anatembed.scan.files import read_volume
from anatembed.scan.volume import Volume
from anatembed.scan.volume_file import load_volume, save_volume

from web_demo.limits import Limits

KINDS = (".nii", ".nii.gz", ".nrrd", ".mha", ".dcm", ".zip")
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
    volume = read_volume(path, ArchiveLimits(limits.archive_files, limits.unpacked_bytes))
    if volume.array_kji.size > limits.voxels:
        raise ValueError(f"{_TOO_LARGE}: it has {volume.array_kji.size:,} voxels, the limit is {limits.voxels:,}")
    return volume


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
