"""Reading volumes at positions between voxels and beyond them, and smooth noise."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from research.training.sampling import AIR_HU, nearest, sample, smooth_noise, trilinear
from scipy import ndimage


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_interpolation_is_linear_inside_and_air_beyond(seed):
    random = np.random.default_rng(seed)
    volume = torch.from_numpy(random.integers(-1000, 1000, (6, 7, 8)).astype(np.int16))
    positions = torch.from_numpy(random.uniform(-4, 11, (3, 4, 5, 6)).astype(np.float32))
    sampled = trilinear(volume, positions)
    expected = ndimage.map_coordinates(
        np.pad(volume.numpy().astype(float), 6, constant_values=AIR_HU), positions.numpy() + 6, order=1
    )
    np.testing.assert_allclose(sampled, expected, atol=0.05)


def test_indices_are_looked_up_before_they_are_interpolated():
    indices = torch.tensor([0, 2, 1], dtype=torch.int16).reshape(3, 1, 1).expand(3, 2, 2).contiguous()
    values = torch.tensor([-1000.0, 300.0, 40.0])
    half = torch.tensor([0.5, 0.5, 0.5]).reshape(3, 1, 1, 1)
    assert trilinear(indices, half, values).item() == pytest.approx((-1000 + 40) / 2, abs=0.01)
    beyond = torch.tensor([30.0, 0.0, 0.0]).reshape(3, 1, 1, 1)
    assert trilinear(indices, beyond, values).item() == AIR_HU


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_the_nearest_voxel_is_read_and_nothing_beyond(seed):
    random = np.random.default_rng(seed)
    volume = random.integers(1, 99, (4, 5, 6)).astype(np.int16)
    positions = random.uniform(-2, 8, (3, 2, 3, 4)).astype(np.float32)
    index = np.rint(positions).astype(int)
    inside = np.all([(index[a] >= 0) & (index[a] < volume.shape[a]) for a in range(3)], axis=0)
    expected = np.where(inside, volume[tuple(np.where(inside, index, 0))], 0)
    np.testing.assert_array_equal(nearest(torch.from_numpy(volume), torch.from_numpy(positions)), expected)


def test_beyond_the_border_the_last_value_or_nothing_is_sampled():
    volume = torch.full((2, 3, 3, 3), 7.0)
    outside = torch.tensor([9.0, 1.0, 1.0]).reshape(3, 1, 1, 1)
    assert (sample(volume, outside, beyond="border") == 7).all()
    assert (sample(volume, outside) == 0).all()


def test_smooth_noise_is_smooth_and_of_unit_variance():
    noise = smooth_noise((32, 32, 32), (4, 4, 4), torch.Generator().manual_seed(0))
    assert noise.std().item() == pytest.approx(1, abs=0.01)
    assert (noise[1:] - noise[:-1]).std() < 0.3
