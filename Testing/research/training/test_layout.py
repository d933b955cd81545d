"""Where the rest of the person lies: the places that are asked, their labels, and the decoder that answers."""

import numpy as np
import pytest
import torch
from anatembed.geometry import transform_points
from little_people import CENTRES_RAS, VOCABULARY, little_person
from research.training.layout import HIDDEN_BEYOND, QUERIES, LayoutDecoder, LayoutSampler, ask, decoder_of, hidden
from research.training.subject import OUTSIDE
from research.training.synthesis import CropGenerator, CropSource, Variation
from research.training.targets import Taxonomy

TAXONOMY = Taxonomy(set(CENTRES_RAS), VOCABULARY)
NAMES = ["outside", "unnamed", *CENTRES_RAS]
RIGID = Variation(elastic=0.0, cut_field_of_view=0.0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("centre_ras", [(0.0, 0.0, 0.0), (120.0, -80.0, -700.0)])
def test_places_in_the_crop_have_the_label_that_the_crop_shows_there(seed, centre_ras):
    """Also the side: a place in the left kidney is where the crop has the left kidney."""
    person = little_person(ct=False, centre_ras=centre_ras)
    shape = (32, 32, 48)
    crop = CropGenerator([CropSource(person, TAXONOMY, VOCABULARY)], [1.0], seed, RIGID).draw(shape)[1]
    layout = crop.layout
    ijk = ((layout.positions - layout.middle) / layout.voxel + (torch.tensor(shape[::-1]) - 1) / 2).round().long()
    inside = ((ijk >= 0) & (ijk < torch.tensor(shape[::-1]))).all(dim=1)
    i, j, k = ijk[inside].T
    assert inside.sum() > 50
    assert (crop.labels[k, j, i] == layout.labels[inside]).float().mean() > 0.9


def test_places_are_millimetres_about_the_origin_of_the_body_frame():
    person = little_person(centre_ras=(50.0, 20.0, -300.0))
    sampler = LayoutSampler(person)
    layout = sampler.draw(person.labels_kji, np.eye(3), np.zeros(3), np.random.default_rng(0))
    named = layout.labels > 1
    for label, place in zip(layout.labels[named], layout.positions[named].numpy(), strict=True):
        assert np.linalg.norm(place * 100 - CENTRES_RAS[NAMES[label]]) < 16
    assert layout.positions.shape == (QUERIES, 3)


def test_the_place_of_a_voxel_of_the_crop_follows_from_the_place_of_its_middle():
    person = little_person()
    matrix, centre = np.diag([1.0, 1.2, 0.9]), np.array([10.0, 12.0, 20.0])
    layout = LayoutSampler(person).draw(person.labels_kji, matrix, centre, np.random.default_rng(0))
    shape, ijk = (16, 18, 20), torch.tensor([[0.0, 0.0, 0.0], [19.0, 17.0, 15.0], [3.0, 8.0, 1.0]])
    kji = ijk.flip(1).numpy() - (np.array(shape) - 1) / 2
    voxels = kji @ matrix.T + centre
    body_ras = transform_points(person.ras_to_body @ person.ijk_to_ras, voxels[:, ::-1])
    expected = body_ras / np.diag(matrix)[::-1]
    np.testing.assert_allclose(layout.places_of(ijk, shape), expected, atol=1e-5)


def test_beside_the_body_is_air_and_beyond_its_ends_nothing_is_asked():
    person = little_person()
    layout = LayoutSampler(person).draw(person.labels_kji, np.eye(3), np.zeros(3), np.random.default_rng(0))
    voxels = transform_points(np.linalg.inv(person.ras_to_body @ person.ijk_to_ras), layout.positions.numpy())
    assert voxels[:, 2].min() > -0.51 and voxels[:, 2].max() < person.labels_kji.shape[0] - 0.49
    beside = (voxels[:, 0] < -0.5) | (voxels[:, 0] > person.labels_kji.shape[2] - 0.5)
    assert beside.any()
    assert (layout.labels[torch.from_numpy(beside)] == OUTSIDE).all()


def test_only_places_away_from_every_visible_patch_are_hidden():
    visible = torch.tensor([[0.0, 0.0, 0.0], [3.0, 0.0, 0.0]])
    near, far = HIDDEN_BEYOND - 0.01, HIDDEN_BEYOND + 0.01
    places = torch.tensor([[near, 0, 0], [far, 0, 0], [3 - near, 0, 0], [1.5, 0, 0], [3, far, 0]])
    assert hidden(places, visible).tolist() == [False, True, False, True, True]


@pytest.mark.parametrize("patches", [1, 2, 16])
def test_codes_are_a_set_and_every_place_is_answered_for_itself(patches):
    torch.manual_seed(0)
    decoder = LayoutDecoder(latent=8, width=16).eval()
    codes, places = torch.randn(patches, 8), torch.randn(9, 3)
    answer = decoder(codes, places)
    assert answer.shape == (9, 8)
    torch.testing.assert_close(decoder(codes.flip(0), places), answer)
    torch.testing.assert_close(decoder(codes, places[3:5]), answer[3:5])
    assert not torch.allclose(decoder(codes + 1, places), answer)


def test_a_saved_decoder_answers_as_before_with_unit_vectors():
    torch.manual_seed(1)
    decoder = LayoutDecoder(latent=8).eval()
    weights = {name: value.numpy() for name, value in decoder.state_dict().items()}
    codes, places = np.random.default_rng(0).normal(size=(4, 8)), np.random.default_rng(1).normal(size=(9000, 3))
    answer = ask(decoder_of(weights, 8), codes, places)
    np.testing.assert_allclose(np.linalg.norm(answer, axis=1), 1, rtol=1e-5)
    with torch.no_grad():
        expected = decoder(torch.from_numpy(codes).float(), torch.from_numpy(places[-3:]).float())
    np.testing.assert_allclose(answer[-3:], torch.nn.functional.normalize(expected, dim=1), atol=1e-5)
