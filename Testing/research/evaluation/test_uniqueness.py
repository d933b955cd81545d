"""Codes that are unique and codes that are not."""

import numpy as np
from anatembed.maps.embedding_map import EmbeddingMap
from phantoms import centred_affine
from planted import CANONICAL, planted_map, whole_body_map
from research.evaluation.bench import body_positions
from research.evaluation.uniqueness import aliasing, same_places, uniqueness


def map_of(features: np.ndarray, linear=CANONICAL) -> EmbeddingMap:
    shape = features.shape[1:]
    return EmbeddingMap(features.astype(np.float16), centred_affine(shape, linear), "x", np.ones(shape, bool))


def test_the_same_scan_is_found_again_at_the_very_place():
    scan = whole_body_map()
    cosine, distance = same_places(scan, scan, body_positions(scan, 200))
    np.testing.assert_allclose(cosine, 1, atol=1e-3)
    assert distance.max() == 0


def test_another_grid_is_found_again_within_a_stride():
    positions = body_positions(whole_body_map(), 200)
    flipped = planted_map([], linear=np.diag([-6.0, -6.0, -6.0]), shape_kji=(27, 23, 35))
    cosine, distance = same_places(planted_map([]), flipped, positions)
    assert cosine.min() > 0.99
    assert np.quantile(distance, 0.9) <= 6


def test_a_code_that_says_nothing_is_found_anywhere_and_aliased_everywhere():
    scan = map_of(np.ones((3, 10, 12, 30)))
    cosine, distance = same_places(scan, scan, body_positions(scan, 100))
    np.testing.assert_allclose(cosine, 1, atol=1e-3)
    assert np.median(distance) > 30
    assert aliasing(scan)[1] == 1


def test_a_code_of_the_position_has_no_aliases_and_one_that_repeats_has():
    k, j, i = np.indices((10, 12, 30)) * 0.05
    assert aliasing(map_of(np.stack([np.ones_like(k), k, j, i])))[1] == 0
    turn = 2 * np.pi / 0.5  # ten voxels: 60 mm
    waves = map_of(np.concatenate([[np.cos(turn * x), np.sin(turn * x)] for x in (k, j, i)]))
    assert aliasing(waves)[1] > 0.001


def test_the_section_has_the_model_and_the_baselines(bench):
    section = uniqueness(bench)
    assert list(section.systems) == ["embedding", "scanner position", "HU statistics", "random projection"]
    cosine = "cosine, mean (field of view)"
    # The scanner's code moves with the field of view, a network that sees little around it does not.
    assert section.systems["scanner position"][cosine] < section.systems["embedding"][cosine] <= 1.0001
    assert all(0 <= row["aliasing (pairs over 30 mm apart)"] <= 1 for row in section.systems.values())


def test_a_compared_model_brings_no_baselines(second_model):
    assert list(uniqueness(second_model).systems) == ["embedding"]
