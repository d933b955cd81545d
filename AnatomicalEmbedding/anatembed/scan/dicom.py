"""DICOM files to one scan: grouped into series, the CT chosen, its slices checked, ordered and rescaled."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from anatembed.geometry import ras_from_lps
from anatembed.scan.claimed_voxels import MOST_VOXEL_BYTES
from anatembed.scan.dicom_slices import Slice, UnplacedPicture, UnreadableDicom, begins_as_dicom, read_slices
from anatembed.scan.image_file import one_sentence, quiet_itk
from anatembed.scan.shape import check_shape

NO_SCANS = {".ds_store", "dicomdir", "thumbs.db", "desktop.ini", "lockfile", "version"}
"""Names of files, in small letters, that lie beside slices and are none."""
NO_SLICES = {
    ".txt", ".md", ".json", ".xml", ".csv", ".tsv", ".html", ".htm", ".pdf", ".jpg", ".jpeg", ".png", ".gif", ".bmp",
    ".log", ".ini", ".inf", ".exe", ".dll", ".sh", ".py", ".zip", ".gz", ".npz", ".nrrd", ".nii", ".mha",
}  # fmt: skip
SLICES = {".dcm", ".ima", ".dicom"}
_MOST_FILES = 100_000
_TOLERANCE_MM = 0.1
_TOLERANCE_OF_STEP = 0.05
_SAME_DIRECTION = 1e-3
_FEWEST_OF_A_SCAN = 4
"""Fewer slices are a scout, or pictures for orientation, where there is more."""
_MOST_NAMED = 4
_INT16 = np.iinfo(np.int16)

Scan = tuple[np.ndarray, np.ndarray, str, tuple[str, ...]]
"""`array_kji` (K,J,I) with the rescale applied (HU for CT), `ijk_to_ras` (4,4) mm, modality, notes on what was left."""


@dataclass
class _Found:
    """What lies in a folder: slices, files that should be slices and cannot be read, pictures without a place."""

    slices: list[Slice] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)
    unplaced: list[str] = field(default_factory=list)


@dataclass
class _Group:
    """Slices of one series that can make one scan."""

    slices: list[Slice]

    @property
    def picture(self):
        return self.slices[0].picture

    @property
    def name(self) -> str:
        one, picture = self.slices[0], self.picture
        called = f" {one.description!r}" if one.description else ""
        kind = " (scout)" if picture.is_scout else ""
        return f"{len(self.slices)} x {picture.modality}{called}{kind}, such as {one.pixels.path.name}"


def read_dicom_folder(folder: Path) -> Scan:
    """The CT with most slices in a folder, subfolders included; another modality only where there is no CT.

    The step between slices comes from their positions, so that a tilted gantry becomes a sheared matrix. ValueError
    for no series, for several that fit alike, for files that cannot be read beside its slices, for uneven, double or
    turned slices.
    """
    found = _read_all(_files_below(folder))
    if not found.slices:
        if found.unreadable:
            raise ValueError(_cannot_be_read(found.unreadable, folder.name))
        raise ValueError(f"expected a folder with a DICOM series, but {folder.name} has none")
    return _scan(found, _groups(found.slices), folder.name)


def read_dicom_file(path: Path, beside: bool = False) -> Scan:
    """The scan in one file of many frames; of one slice and `beside`, its series from the files in the same folder."""
    own = read_slices(path)
    if not own:
        raise ValueError(f"expected a DICOM picture, but {path.name} has none")
    found = _Found(own)
    if beside and len(own) == 1:
        found = _read_all(sorted(one for one in path.parent.iterdir() if one.is_file() and not one.is_symlink()))
    mine = [group for group in _groups(found.slices) if any(one.pixels.path == path for one in group.slices)]
    found.unplaced = []
    return _scan(found, mine, path.name)


def _files_below(folder: Path) -> Iterator[Path]:
    count = 0
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            count += 1
            if count > _MOST_FILES:
                raise ValueError(f"expected a DICOM folder, but {folder.name} holds more than {_MOST_FILES} files")
            yield Path(place) / name


def _read_all(paths: Iterable[Path]) -> _Found:
    found = _Found()
    seen: set[tuple[str, int]] = set()
    for path in paths:
        if path.name.lower() in NO_SCANS or path.suffix.lower() in NO_SLICES or not path.is_file():
            continue
        if not begins_as_dicom(path):
            if path.suffix.lower() in SLICES or path.stat().st_size == 0:
                found.unreadable.append(path)
            continue
        try:
            slices = read_slices(path)
        except UnreadableDicom:
            found.unreadable.append(path)
        except UnplacedPicture:
            found.unplaced.append(path.name)
        else:
            # The same slice may have been copied twice.
            new = [one for one in slices if not one.instance or (one.instance, one.frame) not in seen]
            seen.update((one.instance, one.frame) for one in new)
            found.slices.extend(new)
    return found


def _groups(slices: list[Slice]) -> list[_Group]:
    """Slices that are alike and parallel; the largest group first."""
    by_picture: dict = {}
    for one in slices:
        alike = by_picture.setdefault(one.picture, [])
        for group in alike:
            if _is_parallel(one, group.slices[0]):
                group.slices.append(one)
                break
        else:
            alike.append(_Group([one]))
    groups = [group for alike in by_picture.values() for group in alike]
    return sorted(groups, key=lambda group: -len(group.slices))


def _is_parallel(one: Slice, other: Slice) -> bool:
    turned = np.abs([*(one.row_lps - other.row_lps), *(one.column_lps - other.column_lps)]).max()
    return turned < _SAME_DIRECTION and np.allclose(one.spacing_ji, other.spacing_ji, rtol=1e-3)


def _scan(found: _Found, groups: list[_Group], name: str) -> Scan:
    chosen = _chosen(groups, name)
    others = [group for group in groups if group is not chosen]
    chosen, phases = _first_phase(chosen)
    _check_all_readable(found.unreadable, chosen, name)
    slices = sorted(chosen.slices, key=lambda one: one.along_normal_mm)
    check_shape((chosen.picture.columns, chosen.picture.rows, len(slices)), name)
    ijk_to_ras = ras_from_lps(_geometry_lps(slices, name))
    notes = [*_left_out(chosen, [*phases, *others], found, name), *_numbers_missing(chosen, phases, others, found)]
    return _values_kji(slices, name), ijk_to_ras, chosen.picture.modality, tuple(notes)


def _chosen(groups: list[_Group], name: str) -> _Group:
    fitting = [group for group in groups if group.picture.samples == 1 and not group.picture.is_scout]
    fitting = [group for group in fitting if group.picture.modality == "CT"] or fitting
    fitting = [group for group in fitting if len(group.slices) >= _FEWEST_OF_A_SCAN] or fitting
    if not fitting:
        return groups[0]
    for what in ("patient", "study"):
        if len({getattr(group.picture, what) for group in fitting}) > 1:
            raise ValueError(_several(fitting, name, f" of more than one {what}"))
    if len(fitting) > 1 and len(fitting[0].slices) == len(fitting[1].slices):
        raise ValueError(_several(fitting, name, ""))
    return fitting[0]


def _several(groups: list[_Group], name: str, of_what: str) -> str:
    names = "; ".join(group.name for group in groups[:_MOST_NAMED])
    return (
        f"expected one scan in {name}, it has {len(groups)}{of_what} that fit alike: {names} "
        "(give the folder of the one that you mean, or one of its files)"
    )


def _first_phase(group: _Group) -> tuple[_Group, list[_Group]]:
    """Where pictures lie at one place: those of the first phase that the headers tell apart, and the others."""
    if _is_one_a_place(group.slices):
        return group, []
    for field_number in range(max(len(one.phase) for one in group.slices)):
        phases: dict[str, list[Slice]] = {}
        for one in group.slices:
            phases.setdefault(one.phase[field_number], []).append(one)
        if len(phases) > 1 and all(map(_is_one_a_place, phases.values())):
            ordered = [_Group(phases[phase]) for phase in sorted(phases, key=lambda text: (len(text), text))]
            return ordered[0], ordered[1:]
    return group, []


def _is_one_a_place(slices: list[Slice]) -> bool:
    along = np.sort([one.along_normal_mm for one in slices])
    return bool((np.diff(along) > 1e-3).all())


def _check_all_readable(unreadable: list[Path], chosen: _Group, name: str) -> None:
    folders = {one.pixels.path.parent for one in chosen.slices}
    beside = [path for path in unreadable if path.parent in folders]
    if beside:
        raise ValueError(_cannot_be_read(beside, name, len({one.pixels.path for one in chosen.slices})))


def _cannot_be_read(unreadable: list[Path], name: str, readable: int = 0) -> str:
    names = ", ".join(path.name for path in unreadable[:_MOST_NAMED])
    more = ", ..." if len(unreadable) > _MOST_NAMED else ""
    return (
        f"expected a whole DICOM series in {name}, but {len(unreadable)} of {len(unreadable) + readable} files are "
        f"empty, cut off or damaged ({names}{more}): copy them again"
    )


def _left_out(chosen: _Group, others: list[_Group], found: _Found, name: str) -> list[str]:
    left = [group.name for group in others] + [f"{one} (without a place)" for one in found.unplaced]
    notes = []
    if left:
        more = f" and {len(left) - _MOST_NAMED} more" if len(left) > _MOST_NAMED else ""
        notes.append(f"{chosen.name} was read from {name}; left out: {'; '.join(left[:_MOST_NAMED])}{more}")
    if found.unreadable:
        notes.append(f"{len(found.unreadable)} files in other folders of {name} cannot be read")
    return notes


def _numbers_missing(chosen: _Group, phases: list[_Group], others: list[_Group], found: _Found) -> list[str]:
    """A note if the numbers of the slices have gaps that no other picture fills: an end may not have been copied."""
    numbers = {one.number for one in chosen.slices if one.number is not None}
    if len(numbers) < len(chosen.slices):  # some have none, or one that another slice has too
        return []
    filled = sum(len(one.slices) for one in (*phases, *others) if one.picture.series == chosen.picture.series)
    missing = max(numbers) - len(numbers) - filled - len(found.unplaced)
    # Where far more were missing, the numbers only begin somewhere else.
    if 0 < missing <= len(numbers) and min(numbers) > 1:
        return [f"the slices are numbered from {min(numbers)} to {max(numbers)}: {missing} may be missing at an end"]
    return []


def _values_kji(slices: list[Slice], name: str) -> np.ndarray:
    """The rescale of every slice applied, in a type that holds all."""
    without = sum(one.rescale is None for one in slices)
    if 0 < without < len(slices):
        raise ValueError(f"expected a rescale to HU in every slice of {name}, but {without} of {len(slices)} have none")
    shape = (len(slices), slices[0].picture.rows, slices[0].picture.columns)
    are_whole = all(one.rescale is None or _is_whole(*one.rescale) for one in slices)
    dtype = np.dtype(np.int16 if are_whole else np.float32)
    if int(np.prod(shape, dtype=object)) * dtype.itemsize > MOST_VOXEL_BYTES:
        raise ValueError(f"expected at most {MOST_VOXEL_BYTES:,} bytes of voxels in {name}, it has more")
    array_kji = np.empty(shape, dtype)
    for number, one in enumerate(slices):
        values = _values(one, shape[1:])
        if array_kji.dtype == np.int16 and (values.min() < _INT16.min or values.max() > _INT16.max):
            array_kji = array_kji.astype(np.int32 if values.dtype.kind == "i" else np.float32)
        if array_kji.dtype.kind == "i" and values.dtype.kind == "f":
            array_kji = array_kji.astype(np.float32)
        array_kji[number] = values
    return array_kji


def _is_whole(slope: float, intercept: float) -> bool:
    return slope == 1 and intercept == int(intercept)


def _values(one: Slice, shape_ji: tuple[int, int]) -> np.ndarray:
    if not one.pixels.code:
        return _unpacked(one, shape_ji)
    dtype = np.dtype(one.pixels.code)
    count = shape_ji[0] * shape_ji[1]
    with one.pixels.path.open("rb") as file:
        file.seek(one.pixels.offset + one.frame * count * dtype.itemsize)
        content = file.read(count * dtype.itemsize)
    if len(content) < count * dtype.itemsize:
        raise ValueError(f"expected a whole DICOM slice, but {one.pixels.path.name} has changed meanwhile")
    stored = np.frombuffer(content, dtype).reshape(shape_ji)
    if one.pixels.widened_bits:
        bits = one.pixels.widened_bits
        stored = stored.astype(dtype.newbyteorder("=")) << bits >> bits
    slope, intercept = one.rescale or (1.0, 0.0)
    # MONOCHROME1 says only that small numbers are to be shown bright: the values are HU all the same.
    if _is_whole(slope, intercept):
        return stored.astype(np.int64) + int(intercept)
    return (stored * slope + intercept).astype(np.float32)


def _unpacked(one: Slice, shape_ji: tuple[int, int]) -> np.ndarray:
    """The values of a packed picture, by GDCM, which applies the rescale; from a copy, whose name it can read."""
    path = one.pixels.path
    if one.pixels.is_inverted or one.pixels.frames > 1:
        what = "MONOCHROME1" if one.pixels.is_inverted else "many frames"
        raise ValueError(f"expected a packed DICOM picture to be a single MONOCHROME2 one, but {path.name} has {what}")
    with tempfile.TemporaryDirectory(prefix="anatembed-") as private:
        copy = Path(private) / "slice.dcm"
        with path.open("rb") as file:
            copy.write_bytes(file.read())
        try:
            with quiet_itk():
                values = sitk.GetArrayFromImage(sitk.ReadImage(str(copy)))
        except RuntimeError as error:
            raise ValueError(f"expected a readable DICOM slice, but {path.name}: {one_sentence(error)}") from error
    if values.size != shape_ji[0] * shape_ji[1]:
        raise ValueError(f"expected {shape_ji[0]} x {shape_ji[1]} pixels in {path.name}, got {values.shape}")
    return values.reshape(shape_ji) if values.dtype.kind == "f" else values.reshape(shape_ji).astype(np.int64)


def _geometry_lps(slices: list[Slice], name: str) -> np.ndarray:
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


def _check_steps(slices: list[Slice], name: str) -> None:
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
