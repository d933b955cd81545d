"""A run that begins with the weights of a checkpoint answers as the checkpoint does."""

import dataclasses

import numpy as np
import pytest
import torch
from research.training.model import TrainingModel
from research.training.warm_start import start_from
from tiny_model import CONFIG, tiny_checkpoint


def test_codes_places_and_similarities_are_those_of_the_checkpoint():
    checkpoint = tiny_checkpoint()
    head = ((np.ones((64, 5)), np.ones(64)), (np.ones((3, 64)), np.zeros(3)))
    checkpoint = dataclasses.replace(
        checkpoint, readout=dataclasses.replace(checkpoint.readout, coordinate_layers=head)
    )
    ids = ("kidney_left", "spleen", "kidney_right", "liver")
    model = TrainingModel(CONFIG, len(ids), seed=3).eval()
    assert start_from(model, checkpoint, ids) == 3
    for name, value in checkpoint.weights.items():
        np.testing.assert_allclose(model.encoder.state_dict()[name], value, rtol=1e-6)
    latents = torch.randn(6, CONFIG.latent)
    readout = checkpoint.readout
    with torch.no_grad():
        theirs = readout.logits(readout.unit_features(latents.numpy()))
        np.testing.assert_allclose(model.logits(model.similarity(latents))[:, [0, 2, 3]], theirs, atol=1e-4)
        np.testing.assert_allclose(model.coordinates(latents), readout.body_coordinates(latents.numpy()), atol=1e-4)


def test_a_network_of_another_shape_is_refused():
    other = dataclasses.replace(CONFIG, latent=7)
    with pytest.raises(ValueError, match="expected a checkpoint of the network .*'latent': 7.*got"):
        start_from(TrainingModel(other, 3), tiny_checkpoint(), ("liver", "spleen", "kidney_left"))
