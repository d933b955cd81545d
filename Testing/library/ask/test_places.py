"""Regions of places, in patients who lie in any position, on every kind of voxel grid."""

from functools import cache

import numpy as np
import pytest
from anatembed.ask.index import QueryIndex
from anatembed.ask.places import Places, part_position
from anatembed.language.query.place_phrase import PlacePhrase
from hypothesis import given
from hypothesis import strategies as st
from phantoms import GEOMETRIES, voxel_positions
from planted_patient import STRUCTURES, planted_patient, readout, to_patient

GRIDS = [name for name in GEOMETRIES if name != "thin slices"]
SOME_GRIDS = ["flipped left-right", "anisotropic", "off origin", "oblique", "gantry tilt"]


@cache
def places_in(name: str) -> Places:
    embedding_map = planted_patient(GEOMETRIES[name])
    return Places(QueryIndex(embedding_map, readout(), embedding_map.encoder_id))


def own_positions(name: str, region_kji) -> np.ndarray:
    """Where the voxels of a region lie in the patient, mm."""
    geometry = GEOMETRIES[name]
    return to_patient(voxel_positions(geometry.shape_kji, geometry.ijk_to_ras)[region_kji > 0], geometry)


def part(*directions, share="third") -> PlacePhrase:
    return PlacePhrase("part", directions, share, (), "")


BESIDE = {
    "superior": (2, 1), "inferior": (2, -1), "anterior": (1, 1), "posterior": (1, -1), "medial": (0, -1),
    "lateral": (0, 1),
}


@pytest.mark.parametrize("grid", GRIDS)
def test_a_third_lies_in_that_third_of_the_structure(grid):
    places = places_in(grid)
    for concept, side in (("kidney_right", 1), ("kidney_left", -1)):
        centre, half = (np.array(one) for one in STRUCTURES[concept])
        for direction, (axis, sign) in BESIDE.items():
            sign *= side if axis == 0 else 1
            own = own_positions(grid, places.region_kji(concept, part(direction), []))
            along = sign * (own - centre)[:, axis] / half[axis]
            assert len(own) and along.mean() > 1 / 3, (concept, direction)
            # Voxels are up to 7 mm long and the score is smoothed over them.
            assert along.min() > 1 / 3 - 9 / half[axis], (concept, direction)
        middle = own_positions(grid, places.region_kji(concept, part("middle"), []))
        assert np.abs(middle - centre)[:, 2].max() < half[2] / 3 + 9
        assert np.abs((middle - centre).mean(axis=0)).max() < 6


@pytest.mark.parametrize(("share", "least"), [("half", 0.0), ("third", 1 / 3), ("pole", 1 / 3), ("tip", 0.6)])
def test_a_smaller_share_lies_farther_out(share, least):
    region = places_in("canonical").region_kji("kidney_left", part("superior", share=share), [])
    own = own_positions("canonical", region)
    assert own[:, 2].min() / 45 == pytest.approx(least, abs=0.2)


def test_two_directions_are_a_corner():
    own = own_positions("oblique", places_in("oblique").region_kji("liver", part("anterior", "inferior"), []))
    (_, a, s), _ = STRUCTURES["liver"]
    assert own[:, 1].mean() > a + 8 and own[:, 2].mean() < s - 8


def test_left_and_right_are_those_of_the_patient():
    places = places_in("flipped left-right")
    for direction, sign in (("left", -1), ("right", 1)):
        own = own_positions("flipped left-right", places.region_kji("liver", part(direction), []))
        assert sign * (own[:, 0].mean() - STRUCTURES["liver"][0][0]) > 15


@pytest.mark.parametrize("grid", GRIDS)
def test_a_corner_on_one_side_is_on_that_side_of_the_patient(grid):
    for direction, sign in (("left", -1), ("right", 1)):
        own = own_positions(grid, places_in(grid).region_kji("liver", part(direction, "superior"), []))
        assert len(own) and (sign * (own[:, 0] - STRUCTURES["liver"][0][0])).min() > -7


@pytest.mark.parametrize("grid", SOME_GRIDS)
def test_a_level_is_the_height_of_the_other_structure(grid):
    level = PlacePhrase("level", (), "", (), "")
    own = own_positions(grid, places_in(grid).region_kji("liver", level, ["heart"]))
    assert len(own)
    assert own[:, 2].min() > -15 - 18 - 7 and own[:, 2].max() < -15 + 18 + 7


def test_a_structure_that_does_not_reach_the_level_has_no_region():
    level = PlacePhrase("level", (), "", (), "")
    assert not places_in("canonical").region_kji("heart", level, ["spleen"]).any()


@pytest.mark.parametrize("grid", SOME_GRIDS)
def test_between_is_the_middle_of_the_shortest_way(grid):
    places = places_in(grid)
    region = places.region_kji("kidney_left", PlacePhrase("between", (), "", (), ""), ["kidney_right"])
    own = own_positions(grid, np.where(region > 0.8 * region.max(), region, 0))
    assert np.abs(own.mean(axis=0) - (0, -20, 0)).max() < 8
    same = places.region_kji("kidney_right", PlacePhrase("between", (), "", (), ""), ["kidney_left"])
    np.testing.assert_allclose(region, same, atol=1e-6)


@pytest.mark.parametrize("grid", SOME_GRIDS)
def test_beside_is_outside_the_structure_in_that_direction(grid):
    places = places_in(grid)
    inside = places.region_kji("kidney_right", part("superior", share="half"), []) > 0
    centre, half = (np.array(one) for one in STRUCTURES["kidney_right"])
    for direction, (axis, sign) in BESIDE.items():
        region = places.region_kji("kidney_right", PlacePhrase("beside", (direction,), "", (), ""), [])
        assert not region[inside].any()
        own = own_positions(grid, np.where(region > 0.5 * region.max(), region, 0))
        assert sign * (own - centre)[:, axis].mean() > 0.8 * half[axis], direction


def test_the_best_place_beside_is_straight_on_from_the_middle():
    region = places_in("oblique").region_kji("liver", PlacePhrase("beside", ("posterior",), "", (), ""), [])
    own = own_positions("oblique", np.where(region == region.max(), region, 0))[0]
    (r, a, s), (_, half, _) = STRUCTURES["liver"]
    assert abs(own[0] - r) < 12 and abs(own[2] - s) < 12
    assert a - half - 25 < own[1] < a - half


def test_around_is_on_all_sides():
    places = places_in("canonical")
    region = places.region_kji("kidney_right", PlacePhrase("beside", (), "", (), ""), [])
    own = own_positions("canonical", np.where(region > 0.5, region, 0)) - STRUCTURES["kidney_right"][0]
    assert (own.min(axis=0) < -20).all() and (own.max(axis=0) > 20).all()


def test_a_few_voxels_far_away_do_not_move_a_third():
    along = np.concatenate([np.linspace(0, 90, 1000), [900.0, 901, 902]])
    positions = np.zeros((len(along), 3))
    positions[:, 2] = along
    upper = along[part_position(positions, np.ones(len(along)), ("superior",)) >= 2 / 3]
    assert upper.min() == pytest.approx(60, abs=2)


@given(seed=st.integers(0, 2**32 - 1), side=st.sampled_from(["left", "right"]),
       other=st.sampled_from(["superior", "inferior", "anterior", "posterior"]))
def test_a_part_on_one_side_never_reaches_into_the_other_half(seed, side, other):
    rng = np.random.default_rng(seed)
    positions = rng.uniform(-1, 1, (300, 3)) * rng.uniform(5, 80, 3) @ np.linalg.qr(rng.normal(size=(3, 3)))[0]
    chosen = positions[part_position(positions, np.ones(300), (side, other)) >= 2 / 3, 0]
    low, high = np.quantile(positions[:, 0], (0.01, 0.99), method="inverted_cdf")
    assert len(chosen)
    sign = 1 if side == "right" else -1
    assert (sign * (chosen - (low + high) / 2)).min() > -0.1 * (high - low)


def test_a_half_is_a_half():
    positions = np.zeros((101, 3))
    positions[:, 0] = np.linspace(-50, 50, 101)
    assert (part_position(positions, np.ones(101), ("left",)) >= 0.5).sum() == 51


def test_lateral_of_what_lies_on_the_midline_is_away_from_it_on_both_sides():
    positions = np.zeros((101, 3))
    positions[:, 0] = np.linspace(-50, 50, 101)
    lateral = positions[part_position(positions, np.ones(101), ("lateral",)) >= 2 / 3, 0]
    assert lateral.min() == -50 and lateral.max() == 50 and np.abs(lateral).min() > 30
