"""Names for the air of the head in a CT whose mandible is labelled: maxillary sinuses and pharynx, by their place.

Nothing becomes annotated: sinuses may be full, and a scan may end below them.
"""
from __future__ import annotations

import numpy as np
from anatembed.geometry import transform_points
from scipy import ndimage

from research.training.subject import UNNAMED_AIR, Subject

AIR_HU = -400
MANDIBLE_MM = 60.0
"""A mandible that is less wide or less deep than this is cut, and then its ends say nothing."""
SINUS_ML = (1.5, 30.0)
SINUS_LATERAL_MM = (12.0, 45.0)
SINUS_ABOVE_MM = (20.0, 85.0)
"""Height of the middle of a maxillary sinus above the chin."""
SINUS_AHEAD_MM, SINUS_TO_MIDDLE_MM = 20.0, 3.0
"""How far before the back of the mandible its middle lies at least, and how near to the midline it may come."""
PHARYNX_HALF_MM, PHARYNX_AHEAD_MM = 18.0, (-15.0, 30.0)
LEAST_VOXELS = 20


def name_head_air(subject: Subject) -> list[str]:
    """Label the air in place; returns the names of what was found, none where the mandible is not whole."""
    jaw = positions(subject, np.isin(subject.labels_kji, labels_of(subject, "mandible")))
    if subject.ct_kji is None or not len(jaw) or (np.ptp(jaw, axis=0)[:2] < MANDIBLE_MM).any():
        return []
    front, back = np.percentile(jaw[:, 1], (98, 2))
    origin = np.array([np.median(jaw[:, 0]), back, jaw[:, 2].min()])  # in the middle, behind, at the chin
    size = np.array([0.0, front - back, np.ptp(jaw[:, 2])])
    inner = [i for i, name in enumerate(subject.label_names) if name in ("unnamed", UNNAMED_AIR)]
    air = (subject.ct_kji < AIR_HU) & np.isin(subject.labels_kji, inner)
    found = {"pharynx": throat(subject, air, origin, size)}
    parts, count = ndimage.label(ndimage.binary_opening(air))
    for part in range(1, count + 1):
        lateral = side_of_sinus(subject, parts == part, origin, size)
        if lateral:
            name = f"maxillary_sinus_{'right' if lateral > 0 else 'left'}"
            found[name] = found.get(name, False) | (parts == part)
    found = {name: here for name, here in found.items() if here.sum() >= LEAST_VOXELS}
    for name, here in found.items():
        subject.label_names.append(f"air of {name}")
        subject.label_concepts.append((name,))
        subject.labels_kji[here] = len(subject.label_names) - 1
    return list(found)


def throat(subject: Subject, air: np.ndarray, origin: np.ndarray, size: np.ndarray) -> np.ndarray:
    """The air (K,J,I) in the middle, from the chin to the joints of the jaw, between and behind its branches."""
    where = np.argwhere(air)
    right, ahead, height = (transform_points(subject.ijk_to_ras, where[:, ::-1]) - origin).T
    low, high = PHARYNX_AHEAD_MM
    inside = (np.abs(right) < PHARYNX_HALF_MM) & (ahead > low) & (ahead < high) & (height > 0) & (height < size[2])
    pharynx = np.zeros(air.shape, bool)
    pharynx[tuple(where[inside].T)] = True
    return ndimage.binary_opening(pharynx)


def side_of_sinus(subject: Subject, piece: np.ndarray, origin: np.ndarray, size: np.ndarray) -> float:
    """How far to the right (mm, negative to the left) a piece of air lies if it is a maxillary sinus, else 0."""
    places = positions(subject, piece) - origin
    lateral, ahead, height = places.mean(axis=0)
    volume_ml = len(places) * abs(np.linalg.det(subject.ijk_to_ras[:3, :3])) / 1000
    one_sided = np.abs(places[:, 0]).min() > SINUS_TO_MIDDLE_MM
    ranges = ((abs(lateral), SINUS_LATERAL_MM), (height, SINUS_ABOVE_MM), (volume_ml, SINUS_ML),
              (ahead, (SINUS_AHEAD_MM, size[1])))
    return float(lateral) if one_sided and all(low < value < high for value, (low, high) in ranges) else 0.0


def positions(subject: Subject, mask: np.ndarray) -> np.ndarray:
    """RAS positions (N,3) in mm of the voxels of a mask (K,J,I)."""
    return transform_points(subject.ijk_to_ras, np.argwhere(mask)[:, ::-1])


def labels_of(subject: Subject, concept: str) -> list[int]:
    """Indices of the labels that are surely this concept."""
    return [index for index, concepts in enumerate(subject.label_concepts) if concepts == (concept,)]
