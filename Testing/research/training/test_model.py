"""The heads around the encoder in training."""

import pytest
import torch
from research.training.model import TrainingModel
from tiny_model import CONFIG


def test_similarity_is_the_cosine_of_the_projected_code_with_every_concept():
    model = TrainingModel(CONFIG, concepts=7)
    latent = torch.randn(4, CONFIG.latent, generator=torch.Generator().manual_seed(0))
    similarity = model.similarity(latent)
    assert similarity.shape == (4, 7)
    for row in range(4):
        for concept in range(7):
            expected = torch.cosine_similarity(model.language(latent[row]), model.concept_vectors[concept], dim=0)
            assert similarity[row, concept].item() == pytest.approx(expected.item(), abs=1e-5)


def test_the_seed_decides_where_training_begins():
    one, same, other = (TrainingModel(CONFIG, 7, seed).concept_vectors for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_the_heads_give_a_place_and_the_eight_voxels_below():
    model = TrainingModel(CONFIG, concepts=7)
    latent = torch.zeros(4, CONFIG.latent)
    assert model.coordinates(latent).shape == (4, 3)
    assert model.decoder(latent).shape == (4, 8)
    assert model.log_scale.exp().item() == pytest.approx(10)
