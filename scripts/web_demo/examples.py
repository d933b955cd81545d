"""The scans that are there from the beginning, and their maps, which are made once."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from anatembed.scan.files import read_volume
from anatembed.scan.volume import Volume
from anatembed.shipped_file import shipped_file

FIRST, MOVED = "CT of the trunk", "The same CT, turned and cut off"
_TURN_DEGREES, _SHIFT_MM, _CUT = 12.0, (35.0, -20.0, 60.0), 0.2


@dataclass(frozen=True)
class Example:
    """A scan that the page offers; `explanation` says what it is for."""

    name: str
    explanation: str


EXAMPLES = (
    Example(FIRST, "The CT that is bundled with the module"),
    Example(MOVED, "A second scan for Compare: the same voxels, turned, moved, without the lowest part"),
)


def example_volume(name: str) -> Volume:
    """The voxels of an example; ValueError for another name."""
    path = shipped_file("cort_trunk_ct.nii.gz")
    first = read_volume(path)
    if name == FIRST:
        return Volume(first.array_kji, first.ijk_to_ras, "CT", FIRST)
    if name != MOVED:
        raise ValueError(f"expected one of {[one.name for one in EXAMPLES]}, got {name!r}")
    cut = round(_CUT * len(first.array_kji))
    lowest_first = first.ijk_to_ras[2, 2] > 0
    array_kji = first.array_kji[cut:] if lowest_first else first.array_kji[: len(first.array_kji) - cut]
    offset = np.eye(4)
    offset[2, 3] = cut if lowest_first else 0
    return Volume(array_kji.copy(), _motion() @ first.ijk_to_ras @ offset, "CT", MOVED)


def _motion() -> np.ndarray:
    angle = np.deg2rad(_TURN_DEGREES)
    motion = np.eye(4)
    motion[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    motion[:3, 3] = _SHIFT_MM
    return motion


def make_example_maps(folder: Path) -> None:
    """Embed the examples that have no map in `folder` yet; waits for it."""
    import slicer
    from AnatomicalEmbeddingLib import VolumeBridge
    from headless_logic import HeadlessLogic

    scene = slicer.vtkMRMLScene()
    headless = HeadlessLogic(scene, folder)
    for example in EXAMPLES:
        volume = example_volume(example.name)
        node = VolumeBridge.addScalarVolume(scene, volume.array_kji, volume.ijk_to_ras, example.name)
        node.SetAttribute("DICOM.Modality", volume.modality)
        headless.embed(node)
        scene.RemoveNode(node)
    headless.logic.cleanUp()


def give_maps(source: Path, target: Path) -> None:
    """Put the maps of the examples into a session's own folder, without a second copy where the disk allows it."""
    target.mkdir(parents=True, exist_ok=True)
    for path in (source / "maps").glob("*.npz"):
        try:
            (target / path.name).hardlink_to(path)
        except OSError:
            shutil.copy(path, target / path.name)


if __name__ == "__main__":
    import sys

    make_example_maps(Path(sys.argv[1]))
