"""Training subjects of a few thousand voxels: balls with names in an oval body, at known places of the world."""

import numpy as np
from anatembed.language.vocabulary import Vocabulary
from phantoms import centred_affine, voxel_positions
from research.training.subject import Subject

VOCABULARY = Vocabulary.load()
CENTRES_RAS = {
    "liver": (36.0, 12.0, 6.0),
    "spleen": (-40.0, -6.0, 10.0),
    "kidney_left": (-30.0, -15.0, -26.0),
    "kidney_right": (30.0, -15.0, -26.0),
    "vertebrae_T12": (0.0, -25.0, 5.0),
    "vertebrae_L2": (0.0, -25.0, -30.0),
}
RADIUS_MM = 13.0
HU = {"liver": 60, "spleen": 50, "kidney_left": 35, "kidney_right": 35, "vertebrae_T12": 300, "vertebrae_L2": 300}


def little_person(
    name: str = "one",
    *,
    shape_kji=(32, 28, 44),
    centre_ras=(0.0, 0.0, 0.0),
    scale=(1.0, 1.0, 1.0),
    concepts=tuple(CENTRES_RAS),
    ct: bool = True,
    source: str = "little people",
    in_frame: bool = True,
) -> Subject:
    """A person on a 3 mm grid around `centre_ras`, as large as `scale` says; the frame's origin is the centre."""
    ijk_to_ras = centred_affine(shape_kji, np.diag([3.0, 3.0, 3.0]), centre_ras)
    positions = (voxel_positions(shape_kji, ijk_to_ras) - centre_ras) / scale
    labels = ((positions[..., 0] / 60) ** 2 + (positions[..., 1] / 38) ** 2 < 1).astype(np.uint16)
    hu = np.where(labels > 0, -100, -1000)
    for index, concept in enumerate(concepts, start=2):
        ball = np.linalg.norm(positions - CENTRES_RAS[concept], axis=-1) < RADIUS_MM
        labels[ball], hu[ball] = index, HU[concept]
    ras_to_body = np.diag([0.01 / s for s in scale] + [1.0])
    ras_to_body[:3, 3] = -ras_to_body[:3, :3] @ np.asarray(centre_ras)
    return Subject(
        name,
        source,
        labels,
        [(), (), *((concept,) for concept in concepts)],
        frozenset(concepts),
        ijk_to_ras,
        hu.astype(np.int16) if ct else None,
        ras_to_body if in_frame else None,
        ["outside", "unnamed", *concepts],
    )
