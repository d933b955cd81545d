"""Beginning a run from the weights of a finished checkpoint instead of from random ones."""
from __future__ import annotations

import logging

import numpy as np
import torch
from anatembed.model.checkpoint import Checkpoint
from anatembed.model.config import EncoderConfig

from research.training.model import TrainingModel

LOG = logging.getLogger(__name__)


def start_from(model: TrainingModel, checkpoint: Checkpoint, concept_ids: tuple[str, ...]) -> int:
    """Copy encoder, heads and the vectors of shared concepts into `model`; returns how many concepts were shared.

    New concepts and what the checkpoint does not hold (the decoder of the image) keep their random start. ValueError if
    the checkpoint's network has another shape.
    """
    if EncoderConfig.from_dict(checkpoint.encoder_config) != model.encoder.config:
        raise ValueError(
            f"expected a checkpoint of the network {model.encoder.config.to_dict()}, got {checkpoint.encoder_config}"
        )
    readout = checkpoint.readout
    state = {f"encoder.{name}": value for name, value in checkpoint.weights.items()}
    state |= {f"layout.{name}": value for name, value in checkpoint.layout.items()}
    state["language.weight"] = readout.language
    state |= {f"coordinates.{n}.{kind}": value
              for n, layer in zip((0, 2), readout.coordinate_layers, strict=True)
              for kind, value in zip(("weight", "bias"), layer, strict=True)}
    state |= {"log_scale": np.log(readout.scale), "bias": readout.bias}
    tensors = {name: torch.as_tensor(np.asarray(value, np.float32)) for name, value in state.items()}
    missing = model.load_state_dict(tensors, strict=False).unexpected_keys
    if missing:
        raise ValueError(f"the checkpoint holds weights that the network has not: {missing[:3]}")
    shared = [concept for concept in concept_ids if concept in readout.concept_ids]
    length = float(model.concept_vectors.detach().norm(dim=1).mean())
    with torch.no_grad():
        for concept in shared:
            vector = torch.from_numpy(np.asarray(readout.vectors[readout.index(concept)], np.float32))
            model.concept_vectors[concept_ids.index(concept)] = vector * length
    LOG.info("started from %s: %d of %d concepts known", checkpoint.encoder_id, len(shared), len(concept_ids))
    return len(shared)
