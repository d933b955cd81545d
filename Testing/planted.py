"""An embedding map whose every latent is written down here: named balls at known places, and a read-out that reads it.

A latent is the body coordinate (3 numbers, units of 100 mm) and then one number per concept, and one for no concept.
"""

import numpy as np
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.model.checkpoint import Checkpoint
from anatembed.model.config import PreprocessingConfig
from anatembed.model.readout import Readout
from phantoms import centred_affine, voxel_positions

CONCEPTS = ("heart", "heart_ventricle_left", "kidney_left", "kidney_right", "liver", "spleen")
CENTRES_RAS = {
    "heart": (35.0, 20.0, 50.0),
    "heart_ventricle_left": (-10.0, 20.0, 50.0),
    "kidney_left": (-60.0, -20.0, -30.0),
    "kidney_right": (60.0, -20.0, -30.0),
    "liver": (55.0, 20.0, 0.0),
    "spleen": (-65.0, -10.0, 10.0),
}
PLACE_SD = 0.2
SHA256 = "cd" * 32
CANONICAL = np.diag([6.0, 6.0, 6.0])


def planted_readout(concepts=CONCEPTS, presence=(0.0, 1.0, 0.0, 0.0), threshold: float = 0.5) -> Readout:
    """Probability 0.9999 where a concept was planted, 0.0001 where not; presence is the best place's probability."""
    count = len(concepts)
    latent = 4 + count
    both_signs = np.zeros((6, latent))
    both_signs[:3, :3], both_signs[3:, :3] = np.eye(3), -np.eye(3)
    return Readout(
        concept_ids=tuple(concepts),
        language=np.eye(latent)[3:],
        vectors=np.eye(count + 1)[:count],
        scale=18.0,
        bias=-9.0,
        coordinate_layers=((both_signs, np.zeros(6)), (np.concatenate([np.eye(3), -np.eye(3)], axis=1), np.zeros(3))),
        body_mean=np.array([CENTRES_RAS[concept] for concept in concepts]) / 100,
        body_covariance=np.stack([PLACE_SD**2 * np.eye(3)] * count),
        compatible=np.ones((count, count)),
        typical_evidence=np.zeros((count, 2)),
        presence=np.array(presence),
        presence_threshold=threshold,
    )


def planted_checkpoint(readout: Readout | None = None) -> Checkpoint:
    return Checkpoint({}, {}, PreprocessingConfig(), readout or planted_readout(), {}, SHA256)


def planted_map(
    balls, *, concepts=CONCEPTS, linear=CANONICAL, shape_kji=(24, 20, 32), radius_mm: float = 16.0, encoder_id=None
) -> EmbeddingMap:
    """A map with `balls`: list of (names of the concepts in it, RAS centre); the outermost voxels are not body."""
    ijk_to_ras = centred_affine(shape_kji, linear)
    positions = voxel_positions(shape_kji, ijk_to_ras)
    latents = np.zeros((*shape_kji, 4 + len(concepts)))
    latents[..., :3] = positions / 100
    latents[..., -1] = 1
    for names, centre in balls:
        inside = np.linalg.norm(positions - np.asarray(centre), axis=-1) < radius_mm
        latents[inside, 3:] = 0
        for name in names:
            latents[inside, 3 + concepts.index(name)] = 1
    body = np.zeros(shape_kji, bool)
    body[1:-1, 1:-1, 1:-1] = True
    features = np.moveaxis(latents, -1, 0).astype(np.float16)
    return EmbeddingMap(features, ijk_to_ras, encoder_id or planted_checkpoint().encoder_id, body, {"name": "planted"})


def whole_body_map(left_out=()) -> EmbeddingMap:
    """Every concept at its usual place, except `left_out`."""
    return planted_map([([name], centre) for name, centre in CENTRES_RAS.items() if name not in left_out])
