"""The soft border of two structures: a plane between two planted balls that touch."""

import dataclasses

import numpy as np
import pytest
from anatembed.ask.explorer import Explorer
from anatembed.geometry import transform_points
from anatembed.language.vocabulary import Vocabulary
from phantoms import rotation, voxel_positions
from planted import CANONICAL, CONCEPTS, planted_checkpoint, planted_map, planted_readout
from research.evaluation.erased_border import Problem, by_name
from scipy import ndimage

VOCABULARY = Vocabulary.load()
LIVER_RAS, KIDNEY_RAS, SPLEEN_RAS = (55.0, 5.0, 2.0), (55.0, 5.0, -30.0), (-65.0, -10.0, 10.0)
PLANE_S = -14.0
BALLS = ((["liver"], LIVER_RAS), (["kidney_right"], KIDNEY_RAS), (["spleen"], SPLEEN_RAS))
GEOMETRIES = {
    "canonical": CANONICAL,
    "flipped": np.diag([-6.0, -6.0, 6.0]),
    "oblique": rotation((1, 2, 3), 20) @ np.diag([-6.0, 6.0, 6.0]),
    "anisotropic": np.diag([5.0, 5.0, 8.0]),
}


def explorer_of(balls=BALLS, linear=CANONICAL, **readout) -> Explorer:
    """Structures exclude each other, except the heart and its ventricle; every place is as good as any."""
    compatible = np.eye(len(CONCEPTS))
    compatible[0, 1] = compatible[1, 0] = 1
    anywhere = np.stack([4.0 * np.eye(3)] * len(CONCEPTS))
    fields = {"compatible": compatible, "body_covariance": anywhere, **readout}
    planted = dataclasses.replace(planted_readout(), **fields)
    embedding_map = planted_map(list(balls), linear=linear, shape_kji=(28, 24, 36))
    return Explorer(embedding_map, planted_checkpoint(planted), VOCABULARY)


@pytest.fixture(scope="module")
def explorer():
    return explorer_of()


@pytest.fixture(scope="module")
def border(explorer):
    return explorer.border("liver", "kidney_right")


def at(border, field_kji, positions_ras) -> np.ndarray:
    kji = transform_points(np.linalg.inv(border.ijk_to_ras), positions_ras)[..., ::-1]
    return ndimage.map_coordinates(np.asarray(field_kji, np.float32), np.atleast_2d(kji).T, order=1, mode="nearest")


@pytest.mark.parametrize("linear", GEOMETRIES.values(), ids=GEOMETRIES)
def test_each_structure_is_on_its_own_side_in_every_geometry(linear):
    border = explorer_of(linear=linear).border("liver", "kidney_right")
    positions = voxel_positions(border.first_kji.shape, border.ijk_to_ras)
    for concept, centre in (("liver", LIVER_RAS), ("kidney_right", KIDNEY_RAS)):
        np.testing.assert_allclose(positions[border.masks[concept]].mean(axis=0), centre, atol=2.5)


def test_the_even_line_lies_between_the_structures(border):
    heights = np.linspace(-30, 2, 321)
    line = np.stack([np.full(321, 55.0), np.full(321, 5.0), heights], axis=1)
    first = at(border, border.first_kji, line)
    assert first[0] < 0.01 and first[-1] > 0.99
    assert heights[np.argmin(np.abs(first - 0.5))] == pytest.approx(PLANE_S, abs=2.5)
    assert (np.diff(first) > -1e-4).all()


def test_the_grid_is_fine_enough_for_a_segmentation(border):
    assert np.linalg.norm(border.ijk_to_ras[:3, :3], axis=0).max() <= 3
    assert border.first_kji.dtype == border.either_kji.dtype == np.float32
    assert border.first_kji.min() >= 0 and border.first_kji.max() <= 1


def test_what_is_neither_takes_no_part(border, explorer):
    both = explorer.border("liver", "spleen")
    assert not at(both, both.where_kji, [KIDNEY_RAS])[0]
    assert at(both, both.where_kji, [SPLEEN_RAS])[0]
    assert at(border, border.either_kji, [(55, 5, 24)])[0] < 0.1


def test_the_ambiguous_band_is_a_layer_around_the_even_line(explorer):
    soft = dataclasses.replace(explorer.checkpoint.readout, naming=np.array([6.0, 0.0]))
    border = Explorer(explorer.map, planted_checkpoint(soft), VOCABULARY).border("liver", "kidney_right")
    positions = voxel_positions(border.first_kji.shape, border.ijk_to_ras)[border.band_kji]
    assert len(positions) > 10
    assert np.abs(positions[:, 2] - PLANE_S).max() < 6
    assert not (border.band_kji & ~border.where_kji).any()


def test_the_masks_share_out_what_is_one_of_the_two(border):
    liver, kidney = border.masks["liver"], border.masks["kidney_right"]
    assert not (liver & kidney).any()
    np.testing.assert_array_equal(liver | kidney, border.where_kji)


def test_the_other_order_is_the_other_probability(border, explorer):
    swapped = explorer.border("kidney_right", "liver")
    np.testing.assert_allclose(swapped.first_kji, 1 - border.first_kji, atol=1e-5)


def test_it_agrees_with_the_names_that_the_evaluation_compares(border, explorer):
    inside = np.argwhere(border.either_kji > 0.9)[::7]
    positions = transform_points(border.ijk_to_ras, inside[:, ::-1])
    problem = Problem(("liver", "kidney_right"), positions, np.ones(len(positions), bool), border.where_kji)
    away = np.abs(positions[:, 2] - PLANE_S) > 4  # nearer, half a voxel decides
    first = border.first_kji[tuple(inside.T)] > 0.5
    np.testing.assert_array_equal(by_name(explorer, problem)[away], first[away])


def test_a_structure_at_the_wrong_place_is_left_out():
    """The left kidney's look-alike on the right is not a left kidney."""
    covariance = np.stack([0.15**2 * np.eye(3)] * len(CONCEPTS))
    covariance[CONCEPTS.index("liver")] = 4.0 * np.eye(3)
    balls = (*BALLS, (["kidney_left"], (-60.0, -20.0, -36.0)), (["kidney_left"], (60.0, -20.0, 50.0)))
    border = explorer_of(balls, body_covariance=covariance).border("kidney_left", "liver")
    positions = voxel_positions(border.first_kji.shape, border.ijk_to_ras)
    kidney = positions[border.masks["kidney_left"]]
    assert len(kidney) > 100 and kidney[:, 0].max() < -30


def test_structures_that_fill_the_scan_get_a_coarser_grid(explorer, monkeypatch):
    monkeypatch.setattr("anatembed.ask.border.MOST_VOXELS", 10_000)
    border = explorer.border("liver", "spleen")
    assert np.linalg.norm(border.ijk_to_ras[:3, 0]) > 2.5


def test_one_structure_alone_has_no_ambiguous_band():
    border = explorer_of(BALLS[:1]).border("liver", "kidney_right")
    assert border.masks["liver"].any() and not border.band_kji.any()


@pytest.mark.parametrize(("first", "second", "words"), [
    ("liver", "liver", "two different structures"),
    ("liver", "banana", "banana"),
    ("liver", "pancreas", "pancreas: understood, but this model has not learnt"),
    ("heart", "heart_ventricle_left", "left ventricle of heart is a part of heart"),
    ("heart_ventricle_left", "heart", "left ventricle of heart is a part of heart"),
    ("heart", "kidney_left", "neither heart nor left kidney is likely anywhere"),
])
def test_what_has_no_border_is_said(explorer, first, second, words):
    with pytest.raises(ValueError, match=words):
        explorer.border(first, second)


def test_structures_that_may_overlap_have_no_border():
    with pytest.raises(ValueError, match="overlap"):
        explorer_of(compatible=np.ones((6, 6))).border("liver", "spleen")


def test_the_two_likeliest_structures_at_a_place_exclude_each_other(explorer):
    assert explorer.likeliest_pair((55, 5, -10))[0] == "liver"
    assert explorer.likeliest_pair((55, 5, -18))[0] == "kidney_right"
    assert set(explorer.likeliest_pair((55, 5, PLANE_S))) == {"liver", "kidney_right"}


def test_outside_the_body_there_are_no_likeliest_structures(explorer):
    corner = transform_points(explorer.map.ijk_to_ras, [0, 0, 0])
    with pytest.raises(ValueError, match="outside the body"):
        explorer.likeliest_pair(corner)
