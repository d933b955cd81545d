"""A folder of DICOM slices to voxels, geometry and modality."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from anatembed.geometry import ras_from_lps
from anatembed.scan.image_file import one_sentence, quiet_itk
from anatembed.scan.shape import check_shape

_MODALITY, _POSITION, _ORIENTATION, _PIXEL_SPACING = "0008|0060", "0020|0032", "0020|0037", "0028|0030"
_TOLERANCE_MM = 0.1
_TOLERANCE_OF_STEP = 0.05


@dataclass(frozen=True)
class _Slice:
    path: str
    position_lps: np.ndarray
    row_lps: np.ndarray
    column_lps: np.ndarray
    spacing_ji: np.ndarray
    modality: str

    @property
    def along_normal_mm(self) -> float:
        return float(np.cross(self.row_lps, self.column_lps) @ self.position_lps)


def read_dicom_folder(folder: Path) -> tuple[np.ndarray, np.ndarray, str]:
    """`array_kji` (K,J,I) with the rescale applied (HU for CT), `ijk_to_ras` (4,4) mm, modality.

    Takes the series with most slices, subfolders included. The step between slices comes from their positions, so
    that a tilted gantry becomes a sheared matrix. ValueError for no series, or for uneven, double or turned slices.
    """
    names = _largest_series(folder)
    if len(names) == 1:
        return read_dicom_file(Path(names[0]))
    slices = sorted((_read_header(name) for name in names), key=lambda one: one.along_normal_mm)
    ijk_to_ras = ras_from_lps(_geometry_lps(slices, folder.name))
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([one.path for one in slices])
    try:
        with quiet_itk():
            array_kji = sitk.GetArrayFromImage(reader.Execute())
    except RuntimeError as error:
        raise ValueError(f"expected a readable DICOM series in {folder.name}, but: {one_sentence(error)}") from error
    return array_kji, ijk_to_ras, slices[0].modality


def is_dicom(path: Path) -> bool:
    """Whether a file begins as a DICOM file."""
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def read_dicom_file(path: Path) -> tuple[np.ndarray, np.ndarray, str]:
    """As `read_dicom_folder`, of one file."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        with quiet_itk():
            reader.ReadImageInformation()
            check_shape(reader.GetSize(), path.name)
            image = reader.Execute()
    except RuntimeError as error:
        raise ValueError(f"expected a readable image, but {path.name} fails: {one_sentence(error)}") from error
    ijk_to_lps = np.eye(4)
    ijk_to_lps[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    ijk_to_lps[:3, 3] = image.GetOrigin()
    modality = reader.GetMetaData(_MODALITY).strip() if reader.HasMetaDataKey(_MODALITY) else "unknown"
    return sitk.GetArrayFromImage(image), ras_from_lps(ijk_to_lps), modality or "unknown"


def _largest_series(folder: Path) -> tuple[str, ...]:
    largest: tuple[str, ...] = ()
    with quiet_itk():
        for place in sorted({folder, *(path for path in folder.rglob("*") if path.is_dir())}):
            # Series details also separate slices of other size or thickness, such as a scout, within one series.
            for series in sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(place), True):
                names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(place), series, True)
                largest = max(largest, names, key=len)
    if not largest:
        raise ValueError(f"expected a folder with a DICOM series, but {folder.name} has none")
    return largest


def _read_header(name: str) -> _Slice:
    reader = sitk.ImageFileReader()
    reader.SetFileName(name)
    try:
        with quiet_itk():
            reader.ReadImageInformation()
        orientation = _numbers(reader, _ORIENTATION, 6)
        return _Slice(
            path=name,
            position_lps=_numbers(reader, _POSITION, 3),
            row_lps=orientation[:3],
            column_lps=orientation[3:],
            spacing_ji=_numbers(reader, _PIXEL_SPACING, 2),
            modality=reader.GetMetaData(_MODALITY).strip() if reader.HasMetaDataKey(_MODALITY) else "unknown",
        )
    except RuntimeError as error:
        raise ValueError(f"expected a readable DICOM slice, but {Path(name).name}: {one_sentence(error)}") from error


def _numbers(reader: sitk.ImageFileReader, tag: str, count: int) -> np.ndarray:
    text = reader.GetMetaData(tag) if reader.HasMetaDataKey(tag) else ""
    try:
        values = np.array([float(part) for part in text.split("\\")])
    except ValueError:
        values = np.empty(0)
    if values.size != count:
        name = Path(reader.GetFileName()).name
        raise ValueError(f"expected {count} numbers in DICOM tag ({tag.replace('|', ',')}) of {name}, got '{text}'")
    return values


def _geometry_lps(slices: list[_Slice], name: str) -> np.ndarray:
    """`ijk_to_lps` (4,4) of sorted slices; DICOM PS3.3 C.7.6.2.1.1 for the plane, slice positions for the step."""
    first = slices[0]
    for one in slices[1:]:
        if not np.allclose([*one.row_lps, *one.column_lps], [*first.row_lps, *first.column_lps], atol=1e-3):
            raise ValueError(f"expected parallel slices in {name}, got slices that are turned against each other")
        if not np.allclose(one.spacing_ji, first.spacing_ji, rtol=1e-3):
            raise ValueError(f"expected one pixel spacing in {name}, got {first.spacing_ji} and {one.spacing_ji} mm")
    _check_steps(slices, name)
    positions = np.array([one.position_lps for one in slices])
    step = (positions[-1] - positions[0]) / (len(slices) - 1)
    _check_on_a_line(positions, step, name)
    ijk_to_lps = np.eye(4)
    # The second number of PixelSpacing is the distance between columns, along the row.
    ijk_to_lps[:3, 0] = first.row_lps * first.spacing_ji[1]
    ijk_to_lps[:3, 1] = first.column_lps * first.spacing_ji[0]
    ijk_to_lps[:3, 2] = step
    ijk_to_lps[:3, 3] = positions[0]
    return ijk_to_lps


def _check_steps(slices: list[_Slice], name: str) -> None:
    steps = np.diff([one.along_normal_mm for one in slices])
    usual = float(np.median(steps))
    if steps.min() < 1e-3:
        raise ValueError(f"expected one slice per position in {name}, got several at one place (several phases?)")
    if np.abs(steps - usual).max() > max(_TOLERANCE_MM, _TOLERANCE_OF_STEP * usual):
        worst = int(np.argmax(np.abs(steps - usual)))
        raise ValueError(
            f"expected even slice spacing in {name}, got steps from {steps.min():.2f} to {steps.max():.2f} mm "
            f"(usually {usual:.2f}); a slice seems to be missing or damaged after slice {worst + 1} of {len(slices)}"
        )


def _check_on_a_line(positions_lps: np.ndarray, step_lps: np.ndarray, name: str) -> None:
    expected = positions_lps[0] + np.arange(len(positions_lps))[:, None] * step_lps
    off_mm = np.linalg.norm(positions_lps - expected, axis=1).max()
    allowed_mm = max(_TOLERANCE_MM, _TOLERANCE_OF_STEP * np.linalg.norm(step_lps))
    if off_mm > allowed_mm:
        raise ValueError(f"expected slices on one line in {name}, got one that lies {off_mm:.2f} mm beside it")
