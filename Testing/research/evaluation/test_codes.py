"""Codes without training: what they see and what they do not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from research.evaluation.codes import (
    baseline_maps,
    hu_statistics,
    random_projection,
    scanner_position,
    unit_rows,
)

RANDOM = np.random.default_rng(0)
SCAN = RANDOM.normal(0, 100, (8, 10, 12)).astype(np.float32)
SHAPE = (4, 5, 6)


@settings(deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3))
def test_codes_have_unit_length(row):
    length = np.linalg.norm(unit_rows(np.array([row])))
    assert length == pytest.approx(1) or length == pytest.approx(np.linalg.norm(row) * 1e12, abs=1e-3)


def test_the_scanners_position_knows_the_box_and_nothing_else():
    code = scanner_position(SHAPE, 48)
    assert code.shape == (48, *SHAPE)
    rows = code.reshape(48, -1).T
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), np.sqrt(24))
    assert len(np.unique(rows.round(6), axis=0)) == len(rows)


def test_a_short_scanner_code_still_has_a_wave_for_each_axis():
    assert scanner_position(SHAPE, 5).shape == (6, *SHAPE)


def test_the_mean_of_a_cell_and_of_its_neighbours():
    code = hu_statistics(SCAN, SHAPE)
    cell = SCAN[2:4, 4:6, 6:8]
    np.testing.assert_allclose(code[1, 1, 2, 3], cell.mean() / 1000, rtol=1e-4)
    np.testing.assert_allclose(code[3, 1, 2, 3], 10 * cell.std() / 1000, rtol=1e-3)
    np.testing.assert_allclose(code[4, 1, 2, 3], code[1, 0, 2, 3])
    np.testing.assert_allclose(code[7, 1, 2, 3], code[1, 2, 2, 3])
    np.testing.assert_allclose(code[19, 1, 2, 3], code[1, 1, 2, 4])
    assert code.shape[0] == 22


def test_a_projection_is_linear_in_the_patch_and_the_same_every_time():
    code = random_projection(SCAN, SHAPE, 48)
    assert code.shape == (48, *SHAPE)
    assert (code == random_projection(SCAN, SHAPE, 48)).all()
    window = np.clip((SCAN - 40) / 200, -1, 1)
    weights = np.random.default_rng(0).normal(size=(47, 4, 4, 4)) / 8
    expected = (weights * window[1:5, 3:7, 5:9]).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(code[1:, 1, 2, 3], expected, rtol=1e-3, atol=1e-4)


def test_an_odd_scan_is_filled_with_its_last_voxels():
    odd = SCAN[:7, :9, :11]
    assert hu_statistics(odd, SHAPE).shape[1:] == SHAPE
    assert random_projection(odd, SHAPE, 8).shape == (8, *SHAPE)


def test_baselines_lie_on_the_models_grid_and_are_no_models_maps(bench):
    scan = bench.trunks[0]
    like = bench.map(scan)
    for name, found in baseline_maps(scan.prepared, like).items():
        assert found.shape_kji == like.shape_kji
        assert (found.ijk_to_ras == like.ijk_to_ras).all()
        assert found.encoder_id == name != like.encoder_id
