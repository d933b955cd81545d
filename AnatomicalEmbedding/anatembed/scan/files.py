"""A scan from a file, a folder or an archive, and to a file."""

from pathlib import Path

from anatembed.scan.archive import ArchiveLimits, is_archive, unpacked
from anatembed.scan.dicom import read_dicom_folder
from anatembed.scan.image_file import read_image_file, write_image_file
from anatembed.scan.volume import Volume
from anatembed.scan.volume_file import load_volume


def read_volume(path, limits: ArchiveLimits | None = None) -> Volume:
    """The scan in a NIfTI, NRRD, MetaImage or DICOM file, in a DICOM folder (the series with most slices), in a ZIP
    archive of either, or in an .npz of volume_file.

    FileNotFoundError if `path` does not exist, ValueError in one sentence if it does not hold one 3D scan whose
    place in the world is known, or if it is an archive of more than the limits.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"expected an image file, a DICOM folder or a ZIP, but there is nothing at {path}")
    if path.suffix.lower() == ".npz" and path.is_file():
        return load_volume(path)
    if is_archive(path):
        with unpacked(path, limits) as inside:
            return _read(inside, path.name)
    return _read(path, path.name)


def _read(path: Path, name: str) -> Volume:
    read = read_dicom_folder if path.is_dir() else read_image_file
    array_kji, ijk_to_ras, modality = read(path)
    try:
        return Volume(array_kji, ijk_to_ras, modality, name)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error


def write_volume(volume: Volume, path) -> None:
    """Writes `volume` as .nii, .nii.gz, .nrrd or .mha, whole or not at all; ValueError for another file type."""
    write_image_file(volume.array_kji, volume.ijk_to_ras, Path(path))
