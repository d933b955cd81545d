"""A patient of a few ellipsoids who lies in a scan in any position, on any voxel grid, as an embedding map."""

import dataclasses

import numpy as np
from anatembed.maps.embedding_map import EmbeddingMap
from phantoms import Geometry, rotation, voxel_positions
from planted import CONCEPTS, planted_checkpoint, planted_readout

STRUCTURES = {
    "kidney_right": ((60.0, -20.0, 0.0), (22.0, 24.0, 45.0)),
    "kidney_left": ((-60.0, -20.0, 0.0), (22.0, 24.0, 45.0)),
    "spleen": ((-60.0, -20.0, 62.0), (24.0, 24.0, 10.0)),
    "liver": ((50.0, 55.0, 10.0), (40.0, 30.0, 42.0)),
    "heart": ((-25.0, 60.0, -15.0), (18.0, 18.0, 18.0)),
}
"""Centre and half axes in mm of the patient's own right, anterior and superior."""
TURNED = rotation((2, 1, 3), 25)


def readout():
    """A read-out for which a structure may lie anywhere in the scan."""
    made = planted_readout()
    return dataclasses.replace(made, body_covariance=np.stack([4.0 * np.eye(3)] * len(CONCEPTS)))


def planted_patient(geometry: Geometry, turn=TURNED, structures=STRUCTURES) -> EmbeddingMap:
    """The map of a patient whose axes are the columns of `turn` (3,3), with the middle at the middle of the grid."""
    own_mm = to_patient(voxel_positions(geometry.shape_kji, geometry.ijk_to_ras), geometry, turn)
    latents = np.zeros((*geometry.shape_kji, 4 + len(CONCEPTS)), np.float32)
    latents[..., :3] = own_mm / 100
    latents[..., -1] = 1
    for concept, (centre, half) in structures.items():
        inside = (((own_mm - centre) / half) ** 2).sum(axis=-1) < 1
        latents[inside, 3:] = 0
        latents[inside, 3 + CONCEPTS.index(concept)] = 1
    body = np.ones(geometry.shape_kji, bool)
    features = np.moveaxis(latents, -1, 0).astype(np.float16)
    encoder_id = planted_checkpoint(readout()).encoder_id
    return EmbeddingMap(features, geometry.ijk_to_ras, encoder_id, body, {"name": "patient"})


def to_patient(positions_ras, geometry: Geometry, turn=TURNED) -> np.ndarray:
    """RAS positions (...,3) as mm of the patient's own right, anterior and superior."""
    return (np.asarray(positions_ras) - geometry.centre_ras) @ turn
