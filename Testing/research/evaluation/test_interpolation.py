"""Codes that can be interpolated and codes that cannot."""

import numpy as np
import pytest
from anatembed.maps.embedding_map import EmbeddingMap
from phantoms import centred_affine, rotation
from planted import CANONICAL, planted_map, planted_readout
from research.evaluation.interpolation import interpolation, midpoint_error, rising

READOUT = planted_readout()


def map_of(features: np.ndarray) -> EmbeddingMap:
    shape = features.shape[1:]
    return EmbeddingMap(features.astype(np.float16), centred_affine(shape, CANONICAL), "x", np.ones(shape, bool))


def test_a_straight_code_has_its_middle_in_the_middle():
    k, j, i = np.indices((20, 20, 30)) / 100
    assert midpoint_error(map_of(np.stack([np.ones_like(k), k, j, i])), 12.0) < 0.02


def test_a_random_code_does_not():
    assert midpoint_error(map_of(np.random.default_rng(0).normal(size=(8, 20, 20, 30))), 12.0) > 0.5


def test_what_is_too_narrow_has_no_mid_points():
    assert np.isnan(midpoint_error(map_of(np.random.default_rng(0).normal(size=(8, 3, 3, 3))), 48.0))


@pytest.mark.parametrize("linear", [
    CANONICAL, np.diag([-6.0, 6.0, 6.0]), np.diag([6.0, -6.0, -6.0]), rotation((0, 0, 1), 30) @ CANONICAL,
])
def test_a_true_height_rises_everywhere_whatever_the_grid(linear):
    assert rising(planted_map([], linear=linear), READOUT)[0] == 1


def test_slices_rise_with_the_voxels_in_them():
    assert rising(planted_map([]), READOUT) == (1, 1)


def test_a_height_that_falls_never_rises():
    scan = planted_map([])
    falling = EmbeddingMap(-scan.features_ckji, scan.ijk_to_ras, "x", scan.body_kji)
    assert rising(falling, READOUT) == (0, 0)


def test_the_section_has_a_curve_a_system(bench):
    section = interpolation(bench)
    (figure,) = section.figures
    assert list(figure.series) == list(section.systems)
    assert all(len(values) == len(figure.x) for values in figure.series.values())
    assert section.systems["scanner position"]["rank correlation, whole body"] > 0.2
    assert abs(section.systems["random projection"]["rank correlation, whole body"]) <= 1
    assert np.isnan(section.systems["HU statistics"]["rising, single voxels"])
