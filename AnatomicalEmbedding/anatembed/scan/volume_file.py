"""A scan as one uncompressed .npz, so that one program can hand it to another as it is: type, shear and name kept."""

import json
from pathlib import Path

import numpy as np

from anatembed.npz_file import UNREADABLE, array_names, save_arrays
from anatembed.scan.volume import Volume

FORMAT = "anatembed-volume/1"
VOXELS = "voxels_kji"
"""Name of the array by which such a file is told from an embedding map."""


def save_volume(volume: Volume, path: Path | str) -> None:
    """Write `volume` whole or not at all; OSError leaves an existing file as it was."""
    facts = {"modality": volume.modality, "name": volume.name, "notes": list(volume.notes)}
    header = json.dumps({"format": FORMAT, **facts})
    save_arrays(path, header=np.array(header), ijk_to_ras=volume.ijk_to_ras, voxels_kji=volume.array_kji)


def load_volume(path: Path | str) -> Volume:
    """The scan of `save_volume`; FileNotFoundError if there is none, ValueError if it is damaged or something else."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"expected a scan at {path}, found none")
    try:
        with np.load(path, allow_pickle=False) as file:
            header = json.loads(str(file["header"]))
            if header.get("format") != FORMAT:
                raise ValueError(f"its format is {header.get('format')!r}, not {FORMAT}")
            notes = tuple(str(one) for one in header.get("notes", ()))
            return Volume(file[VOXELS], file["ijk_to_ras"], str(header["modality"]), str(header["name"]), notes)
    except UNREADABLE as cause:
        raise ValueError(f"expected a scan, {path.name} is damaged or something else: {cause}") from cause


def is_volume_file(path: Path | str) -> bool:
    """Whether a file is an archive with voxels, readable or not."""
    return VOXELS in array_names(path)
