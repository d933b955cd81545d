"""What the tools for language models answer, as typed data; positions are RAS mm (right, anterior, superior positive).

Every result says its frame, so that a reader who sees nothing else does not take RAS for LPS or voxels for mm.
"""

from dataclasses import dataclass
from typing import Literal

Position = tuple[float, float, float]
Frame = Literal["RAS mm"]


@dataclass(frozen=True)
class Box:
    """An axis-aligned box: lowest and highest right, anterior and superior coordinate in mm."""

    low_ras_mm: Position
    high_ras_mm: Position


@dataclass(frozen=True)
class ScanFacts:
    """An open scan. shape_ijk and spacing_mm are along the voxel axes i, j, k; of a saved map, those of its grid."""

    scan_id: str
    path: str
    modality: str
    shape_ijk: tuple[int, int, int]
    spacing_mm: Position
    bounds: Box
    has_voxels: bool
    model: str
    structures_known: int
    can_be_asked: list[str]
    warnings: list[str]
    frame: Frame = "RAS mm"


@dataclass(frozen=True)
class OpenScanList:
    """All open scans, the one used last at the end; `at_most` are kept, then the least recently used is closed."""

    scans: list[ScanFacts]
    at_most: int


@dataclass(frozen=True)
class Closed:
    """A scan that was closed."""

    scan_id: str
    still_open: list[str]


@dataclass(frozen=True)
class FileEntry:
    """A file or folder that may be opened; size_mb of a file."""

    path: str
    kind: Literal["folder", "file"]
    size_mb: float | None


@dataclass(frozen=True)
class FileList:
    """What lies in a folder; `left_out` entries more are not listed."""

    entries: list[FileEntry]
    left_out: int


@dataclass(frozen=True)
class Choice:
    """A structure that may be meant; the side is that of the patient."""

    name: str
    structure_id: str
    side: Literal["left", "right"] | None


@dataclass(frozen=True)
class Place:
    """A place where something was found. confidence: that it lies within 10 mm of the structure; presence: that the
    structure is in the scan. Both are probabilities. in_words: the same position as directions from the origin."""

    label: str
    structure_id: str
    side: Literal["left", "right"] | None
    position_ras_mm: Position
    in_words: str
    confidence: float
    presence: float


@dataclass(frozen=True)
class Location:
    """outcome: accept (understood, see found and hits), confirm or ask (put `reason` and the choices to the user, then
    locate the chosen name), refuse (not understood; choices are near names). Without a choice of the user no side is
    taken, and there are no hits. Only words that are no known name and were compared with the image itself are to be
    confirmed and have hits at once."""

    text: str
    outcome: Literal["accept", "confirm", "ask", "refuse"]
    found: bool
    reason: str
    hits: list[Place]
    choices: list[Choice]
    presence: float | None
    frame: Frame = "RAS mm"


@dataclass(frozen=True)
class NameAtPoint:
    """A structure that a point may belong to, with its probability."""

    name: str
    structure_id: str
    side: Literal["left", "right"] | None
    probability: float


@dataclass(frozen=True)
class PointDescription:
    """What lies at a point, the best name first; none outside the body."""

    position_ras_mm: Position
    in_words: str
    inside_body: bool
    names: list[NameAtPoint]
    frame: Frame = "RAS mm"


@dataclass(frozen=True)
class StructureInView:
    """A structure that is in the scan, at its best place. bounds: the box around where it is likely, to about one voxel
    of the map; cut_off: it reaches the end of the scan, and may go on beyond. For the two probabilities see Place."""

    name: str
    structure_id: str
    side: Literal["left", "right"] | None
    position_ras_mm: Position
    bounds: Box
    cut_off: bool
    confidence: float
    presence: float


@dataclass(frozen=True)
class StructureList:
    """The structures in the field of view, from head to foot, with a presence of at least `least_presence`; in_view
    counts them all, also those that are not listed. What is not learnt (looked_for) is not seen."""

    structures: list[StructureInView]
    in_view: int
    looked_for: int
    least_presence: float
    frame: Frame = "RAS mm"


@dataclass(frozen=True)
class PatchFacts:
    """A patch around a point. of, note: what is in the middle, and how sure that is, if a structure was named.

    left_is, right_is, top_is, bottom_is: direction of the patient at that edge of the picture; png and nifti: where the
    files were written, if asked for.
    """

    centre_ras_mm: Position
    in_words: str
    of: str
    note: str
    size_mm: float
    plane: Literal["axial", "coronal", "sagittal"]
    level_hu: float
    width_hu: float
    pixel_mm: float
    left_is: str
    right_is: str
    top_is: str
    bottom_is: str
    convention: str
    png: str | None
    nifti: str | None
    nifti_shape_ijk: tuple[int, int, int] | None
    frame: Frame = "RAS mm"


@dataclass(frozen=True)
class PointMatch:
    """Where a point of one scan lies in another. confidence 0 to 1, from how far the way back misses the point."""

    scan_id: str
    position_ras_mm: Position
    other_scan_id: str
    other_position_ras_mm: Position
    in_words: str
    confidence: float
    way_back_misses_by_mm: float
    advice: str
    frame: Frame = "RAS mm"


@dataclass(frozen=True)
class ReportPlace:
    """What a mention in a report may mean, and where it is; shown: what lies there, if the structure itself is not
    known. No position if it was not found."""

    name: str
    structure_id: str
    side: Literal["left", "right"] | None
    found: bool
    shown: str
    position_ras_mm: Position | None
    confidence: float | None
    presence: float | None
    reason: str


@dataclass(frozen=True)
class ReportMention:
    """Anatomy in a report, text[start:end]. status: found, ambiguous (ask the user), not in this scan, or check the
    side. negated: what is said of it is denied."""

    start: int
    end: int
    text: str
    kind: str
    negated: bool
    status: str
    reason: str
    places: list[ReportPlace]


@dataclass(frozen=True)
class ScanSlice:
    """A slice of the scan's own voxels: number `index` (from 0) of `of` along the voxel axis i, j or k."""

    axis: str
    index: int
    of: int


@dataclass(frozen=True)
class KeySlice:
    """An axial slice worth a look: the point in its middle, what it shows, and the mentions (numbers from 0)."""

    position_ras_mm: Position
    shows: list[str]
    mentions: list[int]
    score: float
    scan_slice: ScanSlice | None


@dataclass(frozen=True)
class ReportOnScan:
    """A report read beside a scan: all mentions in order, and the key slices, the most worth a look first."""

    mentions: list[ReportMention]
    key_slices: list[KeySlice]
    frame: Frame = "RAS mm"


@dataclass(frozen=True)
class SavedFindings:
    """A markups file for 3D Slicer; in the file itself, positions are LPS mm, as its coordinateSystem says."""

    path: str
    findings: int
    frame_of_the_file: Literal["LPS mm"] = "LPS mm"
