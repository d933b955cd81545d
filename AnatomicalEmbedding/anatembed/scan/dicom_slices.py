"""The header of a DICOM file as slices: what each is a picture of, where it lies and how its numbers become HU.

DICOM PS3.3 C.7.6.2 (plane), C.7.6.16 (frames of enhanced images), C.11.1 (rescale).
"""

import os
import struct
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from anatembed.scan.claimed_voxels import MOST_VOXEL_BYTES

UNREADABLE = (
    OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, NotImplementedError, RecursionError,
    AssertionError, OverflowError, struct.error,
)  # fmt: skip
"""What pydicom raises for a damaged file."""
_PREAMBLE_BYTES = 128
_LITTLE, _EXPLICIT, _BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_UNPACKED = {_LITTLE: "<", _EXPLICIT: "<", _BIG: ">"}
"""Transfer syntaxes whose pixels are there as they are, by UID."""
_TAGS = (
    "ImageType", "SOPClassUID", "SOPInstanceUID", "Modality", "PatientID", "PatientName", "StudyInstanceUID",
    "SeriesInstanceUID",
    "SeriesNumber", "SeriesDescription", "AcquisitionNumber", "InstanceNumber", "TemporalPositionIdentifier",
    "TemporalPositionIndex", "ImagePositionPatient", "ImageOrientationPatient", "FrameOfReferenceUID",
    "SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames", "Rows", "Columns", "PixelSpacing",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "RescaleIntercept", "RescaleSlope",
    "ModalityLUTSequence", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "ImagesInAcquisition",
)  # fmt: skip
_PIXEL_DATA = b"\xe0\x7f\x10\x00"
_UNDEFINED_LENGTH = 0xFFFFFFFF
_MOST_FRAMES = 20_000
_MOST_TEXT = 64


@dataclass(frozen=True)
class Picture:
    """What slices of one series must have in common: a scout, a colour screen save or another size is no slice."""

    study: str
    series: str
    patient: str
    modality: str
    kind: tuple[str, ...]
    frame_of_reference: str
    rows: int
    columns: int
    samples: int

    @property
    def is_scout(self) -> bool:
        return "LOCALIZER" in self.kind


@dataclass(frozen=True)
class Pixels:
    """How the numbers of a file are stored from byte `offset` on: `code` as of NumPy, or "" where they are packed, and
    by how many bits a signed number is to be widened; frames: how many pictures there are."""

    path: Path
    code: str
    offset: int
    widened_bits: int
    frames: int
    is_inverted: bool


@dataclass(frozen=True)
class Slice:
    """One picture of a file, the `frame`-th; rescale is None where the file does not say it."""

    picture: Picture
    pixels: Pixels
    frame: int
    position_lps: np.ndarray
    row_lps: np.ndarray
    column_lps: np.ndarray
    spacing_ji: np.ndarray
    rescale: tuple[float, float] | None
    phase: tuple[str, ...] = ()
    number: int | None = None
    instance: str = ""
    description: str = field(default="", compare=False)

    @property
    def along_normal_mm(self) -> float:
        return float(np.cross(self.row_lps, self.column_lps) @ self.position_lps)


def begins_as_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM files do, with the preamble or, as old ones, without."""
    with path.open("rb") as file:
        begin = file.read(_PREAMBLE_BYTES + 4)
    old = begin[:2] == b"\x08\x00" and begin[3:4] == b"\x00" and begin[2:3] in b"\x00\x01\x05\x08\x16\x18"
    return begin[_PREAMBLE_BYTES:] == b"DICM" or (len(begin) > 8 and old)


def read_slices(path: Path) -> list[Slice]:
    """The slices in a DICOM file: one, or one a frame; none in a file without a picture, such as a report.

    ValueError in one sentence for a file that is cut off or damaged, or a picture whose place is not known.
    """
    import pydicom  # here, because few scans are DICOM, and a saved map needs none
    from pydicom.errors import BytesLengthException, InvalidDicomError

    try:
        with warnings.catch_warnings():  # what pydicom would say of odd headers is checked here
            warnings.simplefilter("ignore")
            return _read(pydicom, path)
    except (UnreadableDicom, UnplacedPicture):
        raise
    except (*UNREADABLE, BytesLengthException, InvalidDicomError) as error:
        raise UnreadableDicom(f"expected a readable DICOM file, but {path.name} is cut off or damaged") from error


def _read(pydicom: Any, path: Path) -> list[Slice]:
    syntax = _transfer_syntax(pydicom, path)
    with path.open("rb") as file:
        data = pydicom.dcmread(file, stop_before_pixels=True, force=True, specific_tags=list(_TAGS))
        if "Rows" not in data or "Columns" not in data:
            _check_has_no_picture(pydicom, data, path.name)
            return []
        reader = _Reader(data, path.name)
        code = reader.code(syntax)
        offset = _pixel_offset(file, syntax, code, reader.pixel_bytes(), path.name)
    is_inverted = str(data.get("PhotometricInterpretation", "")).strip() == "MONOCHROME1"
    pixels = Pixels(path, code, offset, reader.widened_bits(), reader.frames, is_inverted)
    return reader.slices(pixels)


class UnreadableDicom(ValueError):  # noqa: N818 - reads as what it is
    """A file that should be a slice and cannot be read; a sentence that names it."""


def _transfer_syntax(pydicom: Any, path: Path) -> str:
    meta = pydicom.filereader.read_file_meta_info(path) if _has_preamble(path) else {}
    syntax = str(meta.get("TransferSyntaxUID", _LITTLE)) if meta else _LITTLE
    if syntax == _DEFLATED:  # pydicom would unpack all of it at once, however much that is
        raise UnreadableDicom(f"expected a DICOM file that is not deflated as a whole, got {path.name}")
    return syntax


def _has_preamble(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(_PREAMBLE_BYTES + 4)[_PREAMBLE_BYTES:] == b"DICM"


def _check_has_no_picture(pydicom: Any, data: Any, name: str) -> None:
    """A report or a plan has none; the header of an image without its size is cut off."""
    kind = data.get("SOPClassUID") or getattr(data, "file_meta", {}).get("MediaStorageSOPClassUID") or ""
    known = pydicom.uid.UID(str(kind)).name
    if not known or "Image Storage" in known or known == kind:
        raise UnreadableDicom(f"expected a readable DICOM file, but {name} is cut off or damaged")


def _pixel_offset(file, syntax: str, code: str, expected: int, name: str) -> int:
    """Where the pixels begin in an open file that stands before them; they must all be there."""
    order = _UNPACKED.get(syntax, "<")
    tag = file.read(4)
    if tag != (_PIXEL_DATA if order == "<" else b"\x7f\xe0\x00\x10"):
        raise UnreadableDicom(f"expected a DICOM picture, but {name} has no pixels: it is cut off or damaged")
    if syntax == _LITTLE:
        (length,) = struct.unpack("<I", file.read(4))
    else:
        _vr, length = struct.unpack(f"{order}4sI", file.read(8))
    offset = file.tell()
    left = os.fstat(file.fileno()).st_size - offset
    if not code:
        if length != _UNDEFINED_LENGTH or left < 16:
            raise UnreadableDicom(f"expected packed pixels in {name}, but it is cut off or damaged")
        return offset
    if length < expected or left < expected:
        raise UnreadableDicom(
            f"expected {expected:,} bytes of pixels, as its header says, but {name} has {min(length, left):,}: "
            "it is cut off or damaged"
        )
    return offset


class _Reader:
    """The fields of one data set, with sentences for those that cannot be."""

    def __init__(self, data: Any, name: str) -> None:
        self.data, self.name = data, name
        self.frames = self._count("NumberOfFrames", 1, _MOST_FRAMES)
        self.rows, self.columns = (self._count(field, None, 65_535) for field in ("Rows", "Columns"))
        self.samples = self._count("SamplesPerPixel", 1, 4)

    def code(self, syntax: str) -> str:
        """NumPy's code of a stored number, byte order included, or "" where the pixels are packed."""
        if syntax not in _UNPACKED:
            return ""
        bits = self._count("BitsAllocated", None, 64)
        kind = "i" if self.data.get("PixelRepresentation") == 1 else "u"
        if bits not in (8, 16, 32):
            raise UnreadableDicom(f"expected 8, 16 or 32 bits a pixel, but {self.name} has {bits}")
        return f"{_UNPACKED[syntax]}{kind}{bits // 8}"

    def widened_bits(self) -> int:
        """How many of the highest bits of a signed number are not stored; those of an unsigned one are left alone."""
        allocated = self._count("BitsAllocated", None, 64)
        stored = self._count("BitsStored", allocated, allocated)
        if self._count("HighBit", stored - 1, allocated - 1) != stored - 1:
            raise UnreadableDicom(f"expected pixels in the lowest bits, but {self.name} has them in others")
        return allocated - stored if self.data.get("PixelRepresentation") == 1 else 0

    def pixel_bytes(self) -> int:
        """As the header claims them."""
        bits = self._count("BitsAllocated", None, 64)
        total = self.frames * self.rows * self.columns * self.samples * bits // 8
        if total > MOST_VOXEL_BYTES:
            raise UnreadableDicom(f"expected at most {MOST_VOXEL_BYTES:,} bytes of pixels, but {self.name} claims more")
        return total

    def slices(self, pixels: Pixels) -> list[Slice]:
        if self.data.get("ModalityLUTSequence"):
            raise UnreadableDicom(f"expected a rescale to HU, but {self.name} has a table of values in its place")
        per_frame = self.data.get("PerFrameFunctionalGroupsSequence") or []
        if self.frames > 1 and len(per_frame) != self.frames:
            raise UnreadableDicom(
                f"expected a place for each of the {self.frames} frames, but {self.name} has {len(per_frame)}: "
                "how they lie is not known"
            )
        shared = (self.data.get("SharedFunctionalGroupsSequence") or [None])[0]
        if not per_frame:
            return [self._slice(pixels, 0, [self.data])]
        return [self._slice(pixels, number, [frame, shared, self.data]) for number, frame in enumerate(per_frame)]

    def _slice(self, pixels: Pixels, frame: int, places: list) -> Slice:
        orientation = self._numbers(places, "PlaneOrientationSequence", "ImageOrientationPatient", 6)
        return Slice(
            picture=self._picture(places),
            pixels=pixels,
            frame=frame,
            position_lps=self._numbers(places, "PlanePositionSequence", "ImagePositionPatient", 3),
            row_lps=orientation[:3],
            column_lps=orientation[3:],
            spacing_ji=self._numbers(places, "PixelMeasuresSequence", "PixelSpacing", 2),
            rescale=self._rescale(places),
            phase=self._phase(places),
            number=self._number(),
            instance=self._text("SOPInstanceUID"),
            description=self._text("SeriesDescription"),
        )

    def _picture(self, places: list) -> Picture:
        kind = self._found(places, "CTImageFrameTypeSequence", "FrameType") or self.data.get("ImageType") or ()
        kind = (kind,) if isinstance(kind, str) else tuple(kind)
        return Picture(
            study=self._text("StudyInstanceUID"), series=self._text("SeriesInstanceUID"),
            patient=f"{self._text('PatientID')} {self._text('PatientName')}".strip(),
            modality=self._text("Modality") or "unknown", kind=tuple(str(one)[:_MOST_TEXT].upper() for one in kind),
            frame_of_reference=self._text("FrameOfReferenceUID"), rows=self.rows, columns=self.columns,
            samples=self.samples,
        )  # fmt: skip

    def _rescale(self, places: list) -> tuple[float, float] | None:
        slope, intercept = (
            self._found(places, "PixelValueTransformationSequence", field)
            for field in ("RescaleSlope", "RescaleIntercept")
        )
        if slope in (None, "") and intercept in (None, ""):
            return None
        given = ((slope, 1), (intercept, 0))
        values = [float(usual if value in (None, "") else value) for value, usual in given]
        if not np.isfinite(values).all() or values[0] == 0:
            raise UnreadableDicom(f"expected a rescale to HU, but {self.name} has the slope {values[0]:g}")
        return values[0], values[1]

    def _phase(self, places: list) -> tuple[str, ...]:
        """What tells two pictures at one place from each other."""
        found = [
            self._found(places, "FrameContentSequence", one)
            for one in ("TemporalPositionIndex", "FrameAcquisitionNumber", "AcquisitionNumber", "StackID")
        ]
        found.append(self.data.get("TemporalPositionIdentifier"))
        return tuple(str(one)[:_MOST_TEXT] if one not in (None, "") else "" for one in found)

    def _found(self, places: list, sequence: str, field: str) -> Any:
        """The first value of a field, in a functional group of a frame, in the shared one, or in the file itself."""
        for place in places:
            if place is None:
                continue
            group = place.get(sequence)
            for inside in (*(group[:1] if group else ()), place):
                value = inside.get(field)
                if value is not None:
                    return value
        return None

    def _numbers(self, places: list, sequence: str, field: str, count: int) -> np.ndarray:
        value = self._found(places, sequence, field)
        try:
            numbers = np.array([float(one) for one in value], np.float64)
        except (TypeError, ValueError):
            numbers = np.empty(0)
        if numbers.size != count or not np.isfinite(numbers).all():
            shown = "" if value is None else str(value)[:60]
            raise UnplacedPicture(f"expected {count} numbers as {field} of {self.name}, got {shown!r}")
        return numbers

    def _count(self, field: str, default: int | None, most: int) -> int:
        value = self.data.get(field)
        value = default if value in (None, "") else int(value)
        if value is None or not 1 <= value <= most:
            raise UnreadableDicom(f"expected 1 to {most} as {field}, but {self.name} has {value}")
        return value

    def _number(self) -> int | None:
        value = self.data.get("InstanceNumber")
        return None if value in (None, "") else int(value)

    def _text(self, field: str) -> str:
        value = self.data.get(field)
        text = "" if value is None else str(value)
        return "".join(one for one in text if one.isprintable()).strip()[:_MOST_TEXT]


class UnplacedPicture(ValueError):  # noqa: N818 - reads as what it is
    """A picture that does not say where it lies, such as a screen save."""
