"""A scan from a file, a folder or an archive, and to a file."""

from pathlib import Path

from anatembed.scan.archive import ArchiveLimits, is_archive, unpacked
from anatembed.scan.dicom import read_dicom_file, read_dicom_folder
from anatembed.scan.dicom_slices import begins_as_dicom
from anatembed.scan.image_file import is_image_file, read_image_file, write_image_file
from anatembed.scan.volume import Volume
from anatembed.scan.volume_file import load_volume


def read_volume(path, limits: ArchiveLimits | None = None, *, beside: bool = False) -> Volume:
    """The scan in a NIfTI, NRRD, MetaImage or DICOM file, in a DICOM folder (the CT with most slices), in a ZIP archive
    of either, or in an .npz of volume_file.

    beside: whether files that lie beside the named one may be read with it: the voxels that a header names, the other
    slices of a DICOM slice's series. Only for who may read that folder, never for what was uploaded.
    FileNotFoundError if `path` does not exist, ValueError in one sentence if it does not hold one 3D scan whose place
    in the world is known, or if it is an archive of more than the limits.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"expected an image file, a DICOM folder or a ZIP, but there is nothing at {path}")
    if not (path.is_file() or path.is_dir()):
        raise ValueError(f"expected a file or a folder, but {path.name} is a device or a pipe")
    if path.suffix.lower() == ".npz" and path.is_file():
        return load_volume(path)
    if is_archive(path):
        with unpacked(path, limits) as inside:
            return _read(inside, path.name, beside=False)
    return _read(path, path.name, beside)


def _read(path: Path, name: str, beside: bool) -> Volume:
    array_kji, ijk_to_ras, modality, *notes = _contents(path, beside)
    try:
        return Volume(array_kji, ijk_to_ras, modality, name, *notes)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error


def _contents(path: Path, beside: bool) -> tuple:
    if path.is_dir():
        return read_dicom_folder(path)
    if path.stat().st_size and not is_image_file(path) and begins_as_dicom(path):
        return read_dicom_file(path, beside)
    return read_image_file(path, beside)


def write_volume(volume: Volume, path) -> None:
    """Writes `volume` as .nii, .nii.gz, .nrrd or .mha, whole or not at all; ValueError for another file type."""
    write_image_file(volume.array_kji, volume.ijk_to_ras, Path(path))
