"""A folder in the published form of the TotalSegmentator data set, of people of a few thousand voxels."""

from pathlib import Path

import numpy as np
from anatembed.scan.files import write_volume
from anatembed.scan.volume import Volume
from little_people import CENTRES_RAS, HU, RADIUS_MM
from phantoms import Geometry, voxel_positions

CANONICAL = Geometry((34, 34, 46), np.diag([3.0, 3.0, 3.0]))
META_V1 = "image_id;age;gender;institute;study_type;split"
META_V2 = f"{META_V1};manufacturer;scanner_model;kvp;pathology;pathology_location"


def write_meta(root: Path, splits: dict[str, str], header: str = META_V2) -> Path:
    """meta.csv with the split of each person, as it is published: semicolons and a byte-order mark."""
    root.mkdir(exist_ok=True)
    columns = header.split(";")
    rows = [
        ";".join({"image_id": person, "split": split, "age": "60"}.get(column, "") for column in columns)
        for person, split in splits.items()
    ]
    (root / "meta.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8-sig")
    return root


def write_person(
    folder: Path, structures=tuple(CENTRES_RAS), *, empty: tuple[str, ...] = ("heart",), geometry: Geometry = CANONICAL
) -> Path:
    """ct.nii.gz and a mask per structure, each a ball about its place in `CENTRES_RAS`, and masks without a voxel."""
    (folder / "segmentations").mkdir(parents=True)
    positions = voxel_positions(geometry.shape_kji, geometry.ijk_to_ras) - geometry.centre_ras
    hu = np.where((positions[..., 0] / 60) ** 2 + (positions[..., 1] / 38) ** 2 < 1, -100, -1000)
    for name in structures:
        ball = np.linalg.norm(positions - CENTRES_RAS[name], axis=-1) < RADIUS_MM
        hu[ball] = HU[name]
        write_mask(folder, name, ball, geometry)
    for name in empty:
        write_mask(folder, name, np.zeros(geometry.shape_kji, bool), geometry)
    write_volume(Volume(hu.astype(np.int16), geometry.ijk_to_ras), folder / "ct.nii.gz")
    return folder


def write_mask(folder: Path, name: str, mask_kji: np.ndarray, geometry: Geometry = CANONICAL) -> None:
    volume = Volume(mask_kji.astype(np.uint8), geometry.ijk_to_ras)
    write_volume(volume, folder / "segmentations" / f"{name}.nii.gz")
