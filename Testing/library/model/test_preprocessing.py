import tracemalloc

import numpy as np
import pytest
from anatembed.geometry import transform_points
from anatembed.model.config import PreprocessingConfig
from anatembed.model.preprocessing import prepare, resample_to_grid
from anatembed.scan.volume import Volume
from hypothesis import given, settings
from hypothesis import strategies as st
from phantoms import (
    GEOMETRIES,
    LEFT,
    LUNG,
    RIGHT,
    SPINE,
    Geometry,
    centre_of_values,
    centred_affine,
    proper_affines,
    rotation,
    torso,
    voxel_positions,
)

CONFIG = PreprocessingConfig()
RANGES_HU = {RIGHT: (100, 200), LEFT: (330, 460)}


@pytest.mark.parametrize("name", GEOMETRIES)
def test_every_structure_keeps_its_side_and_place_in_every_geometry(name):
    phantom = torso(name)
    prepared = prepare(phantom.volume)
    for label, (low, high) in RANGES_HU.items():
        ball = np.linalg.norm(offsets(prepared, phantom.centre_of(label)), axis=-1) < 40
        array = np.where(ball, prepared.array_kji, -1000)
        found = centre_of_values(array, prepared.ijk_to_ras, low, high)
        np.testing.assert_allclose(found, phantom.centre_of(label), atol=2.5)
    for label, hu in ((RIGHT, 150), (LEFT, 400), (SPINE, 800), (LUNG, -800)):
        inside = np.linalg.norm(offsets(prepared, phantom.centre_of(label)), axis=-1) < 10
        assert abs(prepared.array_kji[inside].mean() - hu) < 5


def offsets(prepared, position_ras):
    return voxel_positions(prepared.array_kji.shape, prepared.ijk_to_ras) - position_ras


@pytest.mark.parametrize("name", GEOMETRIES)
def test_the_grid_is_isotropic_and_canonical_and_the_types_are_fixed(name):
    prepared = prepare(torso(name).volume)
    np.testing.assert_array_equal(prepared.ijk_to_ras[:3, :3], np.eye(3) * 3)
    assert prepared.array_kji.dtype == np.float32
    assert prepared.body_kji.dtype == bool
    assert prepared.body_kji.shape == prepared.array_kji.shape


@settings(max_examples=40, deadline=None)
@given(
    proper_affines(min_spacing=0.8),
    st.tuples(*[st.integers(24, 45)] * 3),
    st.tuples(*[st.floats(-2, 2)] * 3),
)
def test_values_that_grow_evenly_in_the_world_grow_evenly_on_the_grid(ijk_to_ras, shape_kji, slope):
    """Block averages and linear interpolation keep a linear function exactly, so every voxel tells its position."""
    ijk_to_ras = centred_affine(shape_kji, ijk_to_ras[:3, :3], ijk_to_ras[:3, 3])
    centre = ijk_to_ras[:3, 3] + ijk_to_ras[:3, :3] @ ((np.array(shape_kji)[::-1] - 1) / 2)
    values = (voxel_positions(shape_kji, ijk_to_ras) - centre) @ slope
    array, grid_to_ras = resample_to_grid(Volume(values, ijk_to_ras), PreprocessingConfig(hu_min=-5000, hu_max=5000))
    positions = voxel_positions(array.shape, grid_to_ras)
    index = transform_points(np.linalg.inv(ijk_to_ras), positions)
    rim = 3 * np.maximum(1, 3 / np.linalg.norm(ijk_to_ras[:3, :3], axis=0))
    inner = ((index > rim) & (index < np.array(shape_kji)[::-1] - 1 - rim)).all(axis=-1)
    expected = (positions - centre) @ slope
    np.testing.assert_allclose(array[inner], expected[inner], atol=0.05)


def test_a_scan_that_is_already_on_the_grid_does_not_change():
    hu = np.random.default_rng(0).integers(-1000, 1000, (20, 21, 22)).astype(np.int16)
    ijk_to_ras = centred_affine(hu.shape, np.diag([3.0, 3.0, 3.0]), (7, 8, 9))
    array, grid_to_ras = resample_to_grid(Volume(hu, ijk_to_ras), CONFIG)
    np.testing.assert_allclose(grid_to_ras, ijk_to_ras)
    np.testing.assert_allclose(array, hu, atol=0.1)


@pytest.mark.parametrize("spacing", [0.4, 0.7, 1.0, 1.25, 1.5, 1.6, 2.0])
def test_a_pattern_finer_than_the_grid_is_averaged_away_and_not_aliased(spacing):
    count = int(180 / spacing)
    hu = np.where(np.arange(count) % 2, 500, -500)[:, None, None] * np.ones((1, 20, 20))
    array, _ = resample_to_grid(Volume(hu, np.diag([3, 3, spacing, 1])), CONFIG)
    assert np.abs(array[3:-3]).max() < {2.0: 300}.get(spacing, 175)


def test_noise_goes_down_when_fine_voxels_are_averaged():
    noise = np.random.default_rng(0).normal(0, 100, (96, 96, 96))
    array, _ = resample_to_grid(Volume(noise, np.eye(4)), CONFIG)
    np.testing.assert_allclose(array.std(), 100 / np.sqrt(27), rtol=0.03)


def test_thick_slices_are_interpolated_linearly():
    hu = np.arange(10.0)[:, None, None] * 100 * np.ones((1, 12, 12)) - 500
    array, grid_to_ras = resample_to_grid(Volume(hu, np.diag([3, 3, 9.0, 1])), CONFIG)
    heights = voxel_positions(array.shape, grid_to_ras)[..., 2]
    inner = (heights > 0) & (heights < 81)
    np.testing.assert_allclose(array[inner], heights[inner] / 9 * 100 - 500, atol=0.01)


def test_values_are_clipped_before_averaging_so_that_padding_does_not_bleed():
    hu = np.full((60, 60, 60), 40, np.int16)
    hu[:, :30] = -3024
    hu[50:] = 3071
    array, _ = resample_to_grid(Volume(hu, np.eye(4)), CONFIG)
    assert array.min() == -1000
    assert array.max() == 1000
    mixed = array[5, 5:15, 5]
    assert ((mixed == -1000) | (mixed == 40)).all()


def test_outside_a_turned_scan_there_is_air():
    array, _ = resample_to_grid(torso("oblique").volume, PreprocessingConfig(hu_min=-900, hu_max=500))
    assert array[0, 0, 0] == -900
    assert array.max() == 500


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64, ">i2", bool])
def test_every_number_type_is_prepared(dtype):
    hu = np.zeros((20, 20, 20), dtype=dtype)
    hu[10:] = 1
    array, _ = resample_to_grid(Volume(hu, np.diag([2, 2, 2, 1.0])), CONFIG)
    assert array.dtype == np.float32
    assert (array.min(), array.max()) == (0, 1)


def test_the_last_incomplete_block_repeats_the_rim():
    hu = np.full((41, 43, 47), 100, np.int16)
    array, _ = resample_to_grid(Volume(hu, np.eye(4)), CONFIG)
    assert array.shape == (14, 15, 16)
    np.testing.assert_array_equal(array[1:-1, 1:-1, 1:-1], 100)


def test_preparing_leaves_the_volume_alone_and_is_repeatable():
    volume = torso("oblique").volume
    before = volume.content_hash
    first, second = prepare(volume), prepare(volume)
    assert volume.content_hash == before
    np.testing.assert_array_equal(first.array_kji, second.array_kji)
    np.testing.assert_array_equal(first.body_kji, second.body_kji)


def test_a_scan_that_is_too_small_is_refused_with_its_size():
    small = torso(Geometry((30, 50, 6), np.diag([5.0, 5.0, 5.0]))).volume
    with pytest.raises(ValueError, match="at least 32 mm along every axis, got 30 x 250 x 150 mm"):
        prepare(small)


def test_a_scan_longer_than_a_person_is_refused_with_its_size():
    with pytest.raises(ValueError, match="at most 3000 mm along every axis, got 400 x 400 x 4000 mm"):
        prepare(Volume(np.zeros((400, 40, 40)), np.diag([10, 10, 10, 1])), force=True)


@pytest.mark.parametrize("spacing", [(46, 46, 46), (2, 2, 100), (21, 2, 2)])
def test_a_scan_with_few_voxels_far_apart_is_refused(spacing):
    with pytest.raises(ValueError, match="voxels of at most 20 mm along every axis, got"):
        prepare(Volume(np.zeros((20, 20, 20)), np.diag([*spacing, 1])), force=True)


def test_a_grid_larger_than_any_person_is_refused_before_memory_is_taken_for_it():
    turned = np.eye(4)
    turned[:3, :3] = rotation((1, 1, 1), 40) * 20
    volume = Volume(np.zeros((80, 80, 80), np.int8), turned)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="at most 64,000,000 voxels of 3 mm, got"):
            resample_to_grid(volume, CONFIG)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_an_mr_is_refused_unless_forced():
    scan = torso(modality="MR").volume
    with pytest.raises(ValueError, match="modality MR"):
        prepare(scan)
    assert prepare(scan, force=True).body_kji.any()


def test_the_configuration_returns_from_its_dictionary():
    config = PreprocessingConfig(spacing_mm=2.0, hu_min=-900, hu_max=1500, min_extent_mm=48)
    assert PreprocessingConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"spacing_mm": 0}, "positive spacing_mm, got 0"),
        ({"spacing_mm": float("nan")}, "finite number as spacing_mm"),
        ({"hu_min": 100, "hu_max": 100}, "hu_min below hu_max"),
        ({"min_extent_mm": -1}, "min_extent_mm of 0 or more"),
        ({"hu_max": "high"}, "number as hu_max"),
        ({"spacing": 3.0}, "got also \\['spacing'\\]"),
    ],
)
def test_an_impossible_configuration_is_refused(values, reason):
    with pytest.raises(ValueError, match=reason):
        PreprocessingConfig.from_dict(values)
