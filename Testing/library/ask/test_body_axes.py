"""The patient's axes, read from body coordinates."""

import numpy as np
import pytest
from anatembed.ask.body_axes import body_axes
from hypothesis import given
from hypothesis import strategies as st
from phantoms import rotation

RANDOM = np.random.default_rng(5)
POSITIONS = RANDOM.uniform(-150, 150, (400, 3))


@given(st.tuples(*[st.integers(-9, 9)] * 3).filter(any), st.integers(-180, 180), st.floats(0.7, 1.4))
def test_the_axes_of_a_turned_patient_of_any_size_are_found(axis, degrees, size):
    turn = rotation(axis, degrees)
    axes = body_axes(POSITIONS + 500, POSITIONS @ turn * size / 100)
    np.testing.assert_allclose(axes.axes, turn.T, atol=1e-6)
    assert np.linalg.det(axes.axes) == pytest.approx(1)


def test_zero_for_right_is_the_midline():
    coordinates = (POSITIONS - (12.0, 0, 0)) / 100
    axes = body_axes(POSITIONS, coordinates)
    np.testing.assert_allclose(axes.positions_mm(np.array([[12.0, 3, 4]]))[0, 0], 0, atol=1e-6)


def test_noise_of_single_voxels_does_not_turn_the_axes():
    noisy = POSITIONS / 100 + RANDOM.normal(0, 0.1, POSITIONS.shape)
    assert np.degrees(np.arccos(body_axes(POSITIONS, noisy).axes.diagonal().min())) < 2


def test_near_a_structure_its_own_tilt_counts():
    tilted = np.where(POSITIONS[:, 2:] > 0, POSITIONS @ rotation((1, 0, 0), 40), POSITIONS)
    above = body_axes(POSITIONS, tilted / 100, np.array([0.0, 0, 130]))
    below = body_axes(POSITIONS, tilted / 100, np.array([0.0, 0, -130]))
    assert above.axes[1, 2] > 0.4 and abs(below.axes[1, 2]) < 0.15


def test_far_from_everything_the_nearest_voxels_count():
    axes = body_axes(POSITIONS, POSITIONS / 100, np.array([0.0, 0, 1e5]))
    assert np.isfinite(axes.axes).all()


def test_too_few_places_are_refused():
    with pytest.raises(ValueError, match="at least 4 places"):
        body_axes(POSITIONS[:3], POSITIONS[:3] / 100)
