"""The scans that are there from the beginning, and their maps, which are made once."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from anatembed.scan.files import read_volume
from anatembed.scan.volume import Volume
from anatembed.shipped_file import shipped_file

FIRST, OTHER = "CT of the trunk", "CT of another person's chest"
_OTHER_FILE = Path(__file__).parent / "scans" / "cptac_chest_ct.nii.gz"


@dataclass(frozen=True)
class Example:
    """A scan that the page offers; `explanation` says what it is for."""

    name: str
    explanation: str


EXAMPLES = (
    Example(FIRST, "The CT that is bundled with the module"),
    Example(OTHER, "For Compare: lungs to upper kidneys, with contrast medium in the veins"),
)


def example_volume(name: str) -> Volume:
    """The voxels of an example; ValueError for another name."""
    files = {FIRST: shipped_file("cort_trunk_ct.nii.gz"), OTHER: _OTHER_FILE}
    if name not in files:
        raise ValueError(f"expected one of {[one.name for one in EXAMPLES]}, got {name!r}")
    volume = read_volume(files[name])
    return Volume(volume.array_kji, volume.ijk_to_ras, "CT", name)


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
