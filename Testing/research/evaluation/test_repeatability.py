"""Differences between two ways to embed."""

import numpy as np
import pytest
import torch
from planted import planted_readout
from research.evaluation.repeatability import differences, lengthened, repeatability, threads

READOUT = planted_readout()


def test_equal_codes_do_not_differ():
    rows = np.random.default_rng(0).normal(size=(50, 10)).astype(np.float32)
    found = differences("again", rows, rows.copy(), READOUT)
    assert found["same bits, again"] == 1
    assert found["largest difference, again"] == found["names changed, again"] == 0
    assert found["lowest cosine, again"] == pytest.approx(1)


def test_every_kind_of_difference_is_seen():
    rows = np.zeros((4, 10), np.float32)
    rows[:, 3] = 1  # the first concept
    other = rows.copy()
    other[0, 3:5] = 0, 1  # the second concept in one of four voxels
    found = differences("x", rows, other, READOUT)
    assert found == {"same bits, x": 0, "largest difference, x": 1, "lowest cosine, x": 0, "names changed, x": 0.25}


def test_a_long_body_is_the_scan_and_its_mirror_image_in_turn(bench):
    prepared = bench.trunks[0].prepared
    planes = len(prepared.array_kji)
    long = lengthened(prepared, 2 * planes + 3)
    assert len(long.array_kji) == len(long.body_kji) == 2 * planes + 3
    np.testing.assert_array_equal(long.array_kji[planes : 2 * planes], prepared.array_kji[::-1])
    np.testing.assert_array_equal(long.body_kji[2 * planes :], prepared.body_kji[:3])


def test_threads_are_as_before_even_after_a_failure():
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError, match="stop"), threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise RuntimeError("stop")
    assert torch.get_num_threads() == before


def test_the_encoder_repeats_itself_and_half_precision_is_compared_with_single(bench):
    found = repeatability(bench).systems["embedding"]
    assert found["same bits, again"] == 1
    assert found["largest difference, blocks and one pass"] < 1e-3  # its reach is smaller than the margin
    assert 0 < found["largest difference, bfloat16"] < 0.2
    assert found["lowest cosine, bfloat16"] > 0.9
