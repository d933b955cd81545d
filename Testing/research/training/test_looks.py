"""A scan in several looks: every position must be found again, whatever the zoom, the part and the map's grid."""

from dataclasses import replace

import numpy as np
import pytest
from anatembed.geometry import transform_points
from anatembed.maps.embedding_map import EmbeddingMap
from little_chest import little_chest
from phantoms import rotation
from planted import CENTRES_RAS, planted_checkpoint, planted_map, whole_body_map
from research.training import looks
from research.training.looks import LOOKS, Look, View, agreement, look_at

PLACES = np.array([[30.0, -20.0, 40.0], [-50.0, 10.0, -35.0], [5.0, 25.0, 0.0]])
GRIDS = {
    "canonical": np.diag([6.0, 6.0, 6.0]),
    "flipped": np.diag([-6.0, -6.0, 6.0]),
    "anisotropic": np.diag([7.0, -8.0, 6.0]),
    "oblique": rotation((1, 2, 3), 20) @ np.diag([-6.0, 7.0, 6.5]),
}


@pytest.mark.parametrize("linear", GRIDS.values(), ids=GRIDS)
def test_coordinates_of_a_position_are_its_own_on_every_grid_and_after_a_zoom(linear):
    zoomed = np.diag([0.9, 0.9, 0.9, 1.0])
    zoomed[:3, 3] = 4, -3, 2
    for ras_to_view in (np.eye(4), zoomed):
        view = View(planted_map([], linear=linear), planted_checkpoint(), ras_to_view)
        found = np.stack([view.sample(field, PLACES) for field in view.coordinates_ckji], axis=1)
        np.testing.assert_allclose(found, transform_points(ras_to_view, PLACES) / 100, atol=0.01)
        assert view.covers(PLACES).all()
        assert not view.covers(PLACES + [500.0, 0, 0]).any()


def embed_hu(volume, checkpoint, *, device, force):
    """In place of a model: a map whose features are the HU."""
    body = np.ones(volume.array_kji.shape, bool)
    return EmbeddingMap(volume.array_kji[None], volume.ijk_to_ras, checkpoint.encoder_id, body)


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("look", [*LOOKS, Look(1.1, 0.0, (0.3, 0.8))], ids=str)
def test_every_look_gives_the_hu_of_the_scan_at_a_position(monkeypatch, look, axis):
    monkeypatch.setattr(looks, "embed", embed_hu)
    shift = np.eye(4)
    shift[:3, 3] = 150, -80, 900
    person = little_chest("one")
    person = replace(person, ijk_to_ras=shift @ person.ijk_to_ras)
    ramp = 3 * np.indices(person.ct_kji.shape)[2 - axis] - 60
    person = replace(person, ct_kji=ramp.astype(np.int16))
    view = look_at(person, planted_checkpoint(), replace(look, noise_hu=0.0), np.random.default_rng(0))
    ijk = np.array([[30.0, 20.0, 24.0], [20.0, 12.0, 22.0]])
    positions = transform_points(person.ijk_to_ras, ijk)
    np.testing.assert_allclose(view.sample(view.map.features_ckji[0], positions), 3 * ijk[:, axis] - 60, atol=0.1)


def test_noise_is_added_only_where_a_look_says_so(monkeypatch):
    monkeypatch.setattr(looks, "embed", embed_hu)
    person, random = little_chest("one"), np.random.default_rng(0)
    noisy = look_at(person, planted_checkpoint(), Look(noise_hu=20.0), random).map.features_ckji[0] - person.ct_kji
    assert 18 < noisy.std() < 22
    assert (look_at(person, planted_checkpoint(), Look(), random).map.features_ckji[0] == person.ct_kji).all()


def test_what_is_near_a_cut_is_not_judged(monkeypatch):
    monkeypatch.setattr(looks, "embed", embed_hu)
    view = look_at(little_chest("one"), planted_checkpoint(), Look(part=(0.0, 0.75)), np.random.default_rng(0))
    heights = np.array([[0.0, 0, z] for z in (-70, -15, 0, 50)])
    assert list(view.covers(heights)) == [True, True, False, False]


def test_views_agree_where_their_body_coordinates_do():
    one = View(whole_body_map(), planted_checkpoint())
    shifted = whole_body_map().features_ckji.copy()
    shifted[2, :12] += 0.4  # the lower half is taken for something 40 mm higher
    other = View(replace(whole_body_map(), features_ckji=shifted), planted_checkpoint())
    seen = np.ones((2, len(PLACES)), bool)
    assert list(agreement([one, other], PLACES, seen)) == [True, False, True]
    assert agreement([one, one], PLACES, seen).all()
    seen[1] = False
    assert not agreement([one, other], PLACES, seen).any()


def test_concepts_that_the_code_shows_nowhere_are_not_likely():
    view = View(whole_body_map(left_out=("spleen",)), planted_checkpoint())
    assert set(view.likely_concepts(0.5)) == set(CENTRES_RAS) - {"spleen"}
