"""Small CTs that the shipped model can embed in seconds, cut out of the bundled one."""

from pathlib import Path

from anatembed.scan.files import read_volume, write_volume
from anatembed.scan.volume import Volume
from anatembed.shipped_file import shipped_file

KIDNEYS = slice(40, 88)
"""Slices of the bundled CT around the kidneys."""


def kidneys() -> Volume:
    whole = read_volume(shipped_file("cort_trunk_ct.nii.gz"))
    affine = whole.ijk_to_ras.copy()
    affine[:3, 3] += affine[:3, 2] * KIDNEYS.start
    return Volume(whole.array_kji[KIDNEYS].copy(), affine, "CT", "kidneys")


def write_kidneys(folder: Path, name: str = "kidneys.nii.gz") -> Path:
    write_volume(kidneys(), folder / name)
    return folder / name
