"""The slices that are worth a look: against a plain double loop, on planted maps, and at the limits."""

import numpy as np
import pytest
from anatembed.ask.explorer import Explorer
from anatembed.ask.key_slices import (
    APART_MM,
    AxialSlices,
    best_slices,
    key_slices,
    richness_scores,
    scan_slice,
    structure_scores,
)
from anatembed.geometry import transform_points
from hypothesis import given, settings
from hypothesis import strategies as some
from planted import CENTRES_RAS, planted_checkpoint, planted_map, whole_body_map

# Orders and signs of a map's axes: as it is made, upside down, with k across the body from left to right, tilted.
LINEARS = {
    "canonical": np.diag([6.0, 6.0, 6.0]),
    "upside down": np.diag([6.0, 6.0, -6.0]),
    "mirrored": np.diag([-6.0, 6.0, 6.0]),
    "height along i": np.array([[0, 0, 6.0], [0, 6.0, 0], [6.0, 0, 0]]),
    "height along j, downwards": np.array([[6.0, 0, 0], [0, 0, 6.0], [0, -6.0, 0]]),
    "tilted and flat": np.array([[6.0, 0, 0], [0, 5.8, 1.5], [0, -1.5, 5.8]]) @ np.diag([1, 1, 0.75]),
}


def explorer_of(embedding_map):
    return Explorer(embedding_map, planted_checkpoint())


@pytest.fixture(scope="module")
def explorer():
    return explorer_of(whole_body_map())


def slices_of(explorer, concepts, k, apart_mm=APART_MM):
    return key_slices(AxialSlices(explorer.map), structure_scores(explorer, concepts), k, apart_mm)


def heights(slices):
    return [one.position_ras[2] for one in slices]


def test_the_score_of_a_slice_is_the_mean_attention_in_it(explorer):
    attention = np.random.default_rng(0).random(explorer.map.shape_kji)
    scores = AxialSlices(explorer.map).scores(attention)
    for k in range(len(scores)):
        total = 0.0
        for row in attention[k]:
            for value in row:
                total += value
        assert scores[k] == pytest.approx(total / attention[k].size)


@pytest.mark.parametrize("linear", LINEARS.values(), ids=LINEARS)
def test_the_slice_through_a_structure_is_chosen_however_the_map_is_stored(linear):
    balls = [(["liver"], CENTRES_RAS["liver"])]
    explorer = explorer_of(planted_map(balls, linear=linear, shape_kji=(34, 34, 34)))
    (found,) = slices_of(explorer, ["liver"], 1)
    slices = AxialSlices(explorer.map)
    normal = explorer.map.ijk_to_ras[:3, 2 - slices.axis]
    assert abs(normal[2]) == np.abs(explorer.map.ijk_to_ras[2, :3]).max()
    along = (found.position_ras - CENTRES_RAS["liver"]) @ normal / np.linalg.norm(normal)
    assert abs(along) < 16 and found.shows == ("liver",)
    assert found.position_ras == pytest.approx(slices.middle_ras(found.index))


def test_each_structure_has_a_slice_of_its_own(explorer):
    (high,), (low,) = (slices_of(explorer, [one], 1) for one in ("heart", "kidney_left"))
    assert abs(high.position_ras[2] - 50) < 12 and abs(low.position_ras[2] + 30) < 12


def test_every_structure_counts_alike_and_what_is_shown_counts_less():
    scores = np.array([[0, 9, 9, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0.1, 0]])
    assert best_slices(scores, 2, 1) == [1, 5]
    assert best_slices(scores, 3, 1) == [1, 5, 2]
    assert best_slices(scores, 2, 1, weights=np.array([1.0, 5.0])) == [5, 1]


def test_chosen_slices_lie_apart(explorer):
    chosen = slices_of(explorer, ["liver", "spleen", "heart", "kidney_left", "kidney_right"], 6, apart_mm=20)
    assert len(chosen) > 2
    gaps = np.diff(sorted(heights(chosen)))
    assert (gaps >= 20 - 1e-6).all()


@pytest.mark.parametrize(("scores", "k", "apart", "expected"), [
    ([1, 1, 1, 1], 2, 1, [0, 1]),  # of equal ones the first
    ([1, 1, 1, 1], 2, 2, [0, 2]),
    ([0, 3, 2, 1, 0], 9, 1, [1, 2, 3]),  # more than there are; slices outside of the body are padding
    ([0, 0, 0], 2, 1, []),
    ([5], 3, 4, [0]),
    ([1, 2, 3], 0, 1, []),
])
def test_ties_padding_and_more_than_there_are(scores, k, apart, expected):
    assert best_slices(np.array(scores), k, apart) == expected


@pytest.mark.parametrize("scores", [[np.nan, 1], [-1, 1], [np.inf, 1], np.ones((2, 2, 2))])
def test_scores_that_are_none_are_refused(scores):
    with pytest.raises(ValueError, match="expected scores"):
        best_slices(np.array(scores), 1)


@settings(max_examples=200, deadline=None)
@given(
    some.lists(some.integers(0, 9), min_size=1, max_size=30), some.integers(0, 9), some.integers(1, 5), some.randoms()
)
def test_slices_are_apart_positive_and_do_not_depend_on_the_order_of_structures(scores, k, apart, random):
    table = np.array([scores, scores[::-1], [1] * len(scores)], float)
    chosen = best_slices(table, k, apart)
    assert len(chosen) <= k and len(set(chosen)) == len(chosen)
    assert all(abs(one - other) >= apart for one in chosen for other in chosen if one != other)
    order = random.sample(range(3), 3)
    assert best_slices(table[order], k, apart) == chosen


def test_rich_slices_show_most_of_what_the_model_knows(explorer):
    chosen = key_slices(AxialSlices(explorer.map), richness_scores(explorer), 3)
    shown = {name for one in chosen for name in one.shows}
    assert {"liver", "spleen", "heart"} <= shown and len(chosen) == 3
    assert set(richness_scores(explorer)) <= set(explorer.checkpoint.readout.concept_ids)


def test_a_scan_without_anything_known_gives_scores_without_error():
    explorer = explorer_of(planted_map([]))
    assert len(key_slices(AxialSlices(explorer.map), richness_scores(explorer), 2)) <= 2
    assert np.isfinite(structure_scores(explorer, ["liver"])["liver"]).all()


def test_weights_change_the_order(explorer):
    scores = structure_scores(explorer, ["heart", "kidney_left"])
    slices = AxialSlices(explorer.map)
    for first in ("heart", "kidney_left"):
        weights = {name: 1.0 + (name == first) for name in scores}
        assert first in key_slices(slices, scores, 2, weights=weights)[0].shows
    assert key_slices(slices, {}, 2) == []


@pytest.mark.parametrize("linear", LINEARS.values(), ids=LINEARS)
def test_the_slice_of_the_scan_is_the_one_that_holds_the_place(linear):
    ijk_to_ras = np.eye(4)
    ijk_to_ras[:3, :3], ijk_to_ras[:3, 3] = linear @ np.diag([0.5, 0.25, 0.75]), (3.0, -8.0, 12.0)
    shape_kji = (20, 30, 40)
    for ijk in ((3, 7, 11), (38, 2, 19)):
        axis, number = scan_slice(shape_kji, ijk_to_ras, transform_points(ijk_to_ras, ijk))
        assert number == ijk["ijk".index(axis)]
        assert np.argmax(np.abs(linear[2])) == "ijk".index(axis)
    far = transform_points(ijk_to_ras, (999, 999, 999))
    axis, number = scan_slice(shape_kji, ijk_to_ras, far)
    assert number == shape_kji["kji".index(axis)] - 1
