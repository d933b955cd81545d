"""A person with two lungs and the organs of the planted maps at their places, on a 3 mm grid that suits such a map."""

import numpy as np
from anatembed.language.vocabulary import Vocabulary
from phantoms import centred_affine, voxel_positions
from planted import CENTRES_RAS
from research.training.subject import Subject

VOCABULARY = Vocabulary.load()
SHAPE_KJI = (48, 40, 64)
RADIUS_MM = 16.0
LUNG_CENTRE_RAS = (48.0, 0.0, 46.0)
LUNG_HALF_RAS = (24.0, 32.0, 16.0)
LUNG_HU, ORGAN_HU, FAT_HU = -800, 45, -100
ORGANS = ("heart", "liver", "spleen", "kidney_left", "kidney_right")


def little_chest(
    name: str, *, organs=ORGANS, lungs=("left", "right"), source: str = "chest CT", annotated=()
) -> Subject:
    """Lungs and `organs` are in the CT always, and labelled only if asked for; RAS mm are 100 times the body frame."""
    ijk_to_ras = centred_affine(SHAPE_KJI, np.diag([3.0, 3.0, 3.0]))
    positions = voxel_positions(SHAPE_KJI, ijk_to_ras)
    labels = np.ones(SHAPE_KJI, np.uint8)
    hu = np.full(SHAPE_KJI, FAT_HU, np.int16)
    concepts = []

    def paint(concept, mask, value, labelled):
        hu[mask] = value
        if labelled:
            concepts.append(concept)
            labels[mask] = len(concepts) + 1

    for side, sign in (("left", -1), ("right", 1)):
        offset = (positions - np.multiply(LUNG_CENTRE_RAS, (sign, 1, 1))) / LUNG_HALF_RAS
        paint(f"lung_{side}", np.linalg.norm(offset, axis=-1) < 1, LUNG_HU, side in lungs)
    for organ in ORGANS:
        ball = np.linalg.norm(positions - CENTRES_RAS[organ], axis=-1) < RADIUS_MM
        paint(organ, ball & (hu > LUNG_HU), ORGAN_HU, organ in organs)
    return Subject(
        name, source, labels, [(), (), *((c,) for c in concepts)], frozenset(annotated), ijk_to_ras, hu,
        np.diag([0.01, 0.01, 0.01, 1.0]), ["outside", "unnamed", *concepts],
    )
