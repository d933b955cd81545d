"""Places that a visitor keeps, and the structures of a scan, as files that other programs read."""

import csv
import io
import json
from dataclasses import dataclass

import numpy as np
from anatembed.ask.structure_colours import StructureColours
from anatembed.geometry import transform_points
from anatembed.language.vocabulary import Vocabulary
from anatembed.serve.documents import side_of
from anatembed.serve.markups import Finding, document
from scipy import ndimage

_PLACE_COLUMNS = ("scan", "structure", "id", "side", "right_mm", "anterior_mm", "superior_mm", "confidence")
_STRUCTURE_COLUMNS = ("scan", "structure", "id", "side", "right_mm", "anterior_mm", "superior_mm", "volume_ml")
_MM3_IN_ML = 1000.0
# A cell that begins so is a formula for a spreadsheet; the name of a scan is whatever somebody called a file.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class KeptPlace:
    """A named place of a scan; world RAS mm."""

    scan: str
    name: str
    concept_id: str
    side: str | None
    position_ras: tuple[float, float, float]
    confidence: float


@dataclass(frozen=True)
class Extent:
    """What a scan shows of a structure: a voxel of it near its middle (RAS mm), and its volume."""

    concept_id: str
    name: str
    side: str | None
    middle_ras: tuple[float, float, float]
    volume_ml: float


def extents(structures: StructureColours, vocabulary: Vocabulary) -> list[Extent]:
    """Every structure of a scan, wholes with all their parts, the largest first, from the voxels that the picture of
    structures paints."""
    ids = structures.concept_ids
    voxels_kji = {
        ids[label - 1]: np.argwhere(structures.labels_kji[box] == label) + [part.start for part in box]
        for label, box in enumerate(ndimage.find_objects(structures.labels_kji), 1) if box is not None
    }
    voxel_ml = abs(np.linalg.det(structures.ijk_to_ras[:3, :3])) / _MM3_IN_ML
    found = []
    for concept in ids:
        own = [voxels_kji[one] for one in (concept, *vocabulary.descendants(concept)) if one in voxels_kji]
        if own:
            kji = np.concatenate(own)
            nearest = np.linalg.norm(kji - kji.mean(0), axis=1).argmin()  # the middle of a ring is outside it
            middle = transform_points(structures.ijk_to_ras, kji[nearest][::-1])
            found.append(Extent(
                concept, vocabulary.name(concept), side_of(concept, vocabulary), tuple(map(float, middle)),
                len(kji) * voxel_ml,
            ))
    return sorted(found, key=lambda one: -one.volume_ml)


def places_csv(places: list[KeptPlace]) -> str:
    """One line for every place, with a head."""
    rows = [
        (one.scan, one.name, one.concept_id, one.side or "", *_tenths(one.position_ras), f"{one.confidence:.4f}")
        for one in places
    ]
    return _csv(_PLACE_COLUMNS, rows)


def places_markups(places: list[KeptPlace]) -> str:
    """A list of points for 3D Slicer."""
    notes = (f"{one.scan}, confidence {one.confidence:.0%}" for one in places)
    return _markups(Finding(one.name, one.position_ras, note) for one, note in zip(places, notes, strict=True))


def structures_csv(scan: str, found: list[Extent]) -> str:
    """One line for every structure, with a head."""
    rows = [
        (scan, one.name, one.concept_id, one.side or "", *_tenths(one.middle_ras), f"{one.volume_ml:.2f}")
        for one in found
    ]
    return _csv(_STRUCTURE_COLUMNS, rows)


def structures_markups(scan: str, found: list[Extent]) -> str:
    """The middles as a list of points for 3D Slicer."""
    return _markups(Finding(one.name, one.middle_ras, f"{scan}, {one.volume_ml:.1f} ml") for one in found)


def _markups(findings) -> str:
    return json.dumps(document(list(findings)), ensure_ascii=False, indent=2) + "\n"


def _csv(head, rows) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    for name, *rest in rows:
        writer.writerow([f"'{name}" if name.startswith(_FORMULA) else name, *rest])
    return text.getvalue()


def _tenths(position_ras) -> list[str]:
    return [f"{value + 0.0:.1f}" for value in np.round(position_ras, 1)]
