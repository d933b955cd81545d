"""A colour per structure, on planted maps, and the palette of the shipped model as the colour-blind see it."""

import dataclasses

import numpy as np
import pytest
from anatembed.ask.colour_vision import lab_of, least_distance
from anatembed.ask.explorer import PART_SHARE, Explorer
from anatembed.ask.structure_colours import nearness, palette, structure_colours
from anatembed.geometry import transform_points
from anatembed.language.vocabulary import Vocabulary
from anatembed.model.checkpoint import load_checkpoint
from phantoms import rotation, voxel_positions
from planted import CANONICAL, CENTRES_RAS, CONCEPTS, planted_checkpoint, planted_map, planted_readout

VOCABULARY = Vocabulary.load()
CLEARLY = 30.0
"""CIELAB distance (1976) that large neighbours keep for every eye: twelve times a just noticeable difference."""
VISIBLY = 9.0
"""What any two large structures that touch in people keep."""
LARGE_NEIGHBOURS = (
    ("liver", "kidney_right"), ("liver", "stomach"), ("liver", "heart"), ("spleen", "kidney_left"),
    ("spleen", "stomach"), ("liver_right_lobe", "liver_left_lobe"), ("liver_right_lobe", "lung_lower_lobe_right"),
    ("heart_ventricle_left", "heart_ventricle_right"), ("lung_lower_lobe_right", "lung_upper_lobe_right"),
    ("lung_lower_lobe_left", "lung_upper_lobe_left"), ("vertebrae_L1", "vertebrae_L2"),
    ("vertebrae_L3", "vertebrae_L4"), ("psoas_major_left", "kidney_left"), ("rib_left_5", "rib_left_6"),
    ("aorta", "inferior_vena_cava"), ("urinary_bladder", "prostate"), ("pancreas", "duodenum"),
)


def explorer_of(balls, linear=CANONICAL) -> Explorer:
    """Structures exclude each other, except the heart and its ventricle."""
    compatible = np.eye(len(CONCEPTS))
    compatible[0, 1] = compatible[1, 0] = 1
    readout = dataclasses.replace(planted_readout(), compatible=compatible)
    return Explorer(planted_map(balls, linear=linear), planted_checkpoint(readout), VOCABULARY)


def at(picture, position_ras):
    i, j, k = np.rint(transform_points(np.linalg.inv(picture.ijk_to_ras), position_ras)).astype(int)
    return picture.rgba_kji[k, j, i]


@pytest.fixture(scope="module")
def readout():
    return load_checkpoint().readout


@pytest.fixture(scope="module")
def colours(readout):
    return palette(readout, VOCABULARY)


GEOMETRIES = {"flipped": np.diag([-6.0, -6.0, 6.0]), "oblique": rotation((1, 2, 3), 20) @ CANONICAL}


@pytest.mark.parametrize("linear", GEOMETRIES.values(), ids=GEOMETRIES)
def test_a_place_has_the_colour_of_its_structure_in_every_geometry(linear):
    organs = ("liver", "spleen", "kidney_left", "kidney_right")
    picture = explorer_of([([one], CENTRES_RAS[one]) for one in organs], linear).structures()
    colour_of = dict(picture.legend)
    for one in organs:
        assert at(picture, CENTRES_RAS[one]).tolist() == [*colour_of[VOCABULARY.name(one)], 255]


def test_where_nothing_is_likely_nothing_is_painted():
    picture = explorer_of([(["liver"], CENTRES_RAS["liver"])]).structures()
    assert at(picture, CENTRES_RAS["spleen"])[3] == 0
    painted = voxel_positions(picture.labels_kji.shape, picture.ijk_to_ras)[picture.rgba_kji[..., 3] > 0]
    assert np.linalg.norm(painted - CENTRES_RAS["liver"], axis=-1).max() < 20
    np.testing.assert_array_equal(picture.labels_kji > 0, picture.rgba_kji[..., 3] > 0)


def test_the_legend_names_what_is_there_the_largest_first():
    balls = [(["spleen"], CENTRES_RAS["spleen"]), (["liver"], CENTRES_RAS["liver"]), (["liver"], (30.0, 20.0, 0.0))]
    legend = explorer_of(balls).structures().legend
    assert [name for name, _ in legend] == ["liver", "spleen"]


def test_an_empty_scan_has_an_empty_legend():
    picture = explorer_of([]).structures()
    assert picture.legend == [] and not picture.rgba_kji[..., 3].any()


def test_a_part_is_painted_rather_than_its_whole():
    place = CENTRES_RAS["heart_ventricle_left"]
    balls = [(["heart", "heart_ventricle_left"], place), (["heart"], (30.0, 20.0, 50.0))]
    picture = explorer_of(balls).structures()
    names = {colour: name for name, colour in picture.legend}
    assert names[tuple(at(picture, place)[:3].tolist())] == "left ventricle of heart"
    assert names[tuple(at(picture, (30, 20, 50))[:3].tolist())] == "heart"


def test_every_voxel_has_the_name_that_the_explorer_gives_it():
    explorer = explorer_of([(["heart", "heart_ventricle_left"], (0.0, 20.0, 50.0)), (["liver"], CENTRES_RAS["liver"])])
    picture = structure_colours(explorer.index, VOCABULARY, PART_SHARE)
    for position in ((0, 20, 50), CENTRES_RAS["liver"]):
        i, j, k = np.rint(transform_points(np.linalg.inv(picture.ijk_to_ras), position)).astype(int)
        named = explorer.describe(position).candidates[0].id
        assert picture.concept_ids[picture.labels_kji[k, j, i] - 1] == named


def test_a_structure_has_the_same_colour_in_every_scan():
    both = explorer_of([(["liver"], CENTRES_RAS["liver"]), (["spleen"], CENTRES_RAS["spleen"])]).structures()
    alone = explorer_of([(["spleen"], CENTRES_RAS["spleen"])]).structures()
    assert dict(both.legend)["spleen"] == dict(alone.legend)["spleen"]


@pytest.mark.parametrize(("one", "other"), LARGE_NEIGHBOURS)
def test_large_neighbours_are_clearly_apart_for_the_colour_blind_too(colours, one, other):
    assert least_distance(colours[one], colours[other]) > CLEARLY


def test_large_structures_that_touch_in_people_are_visibly_apart_for_everyone(readout, colours):
    ids, near = readout.concept_ids, nearness(readout)
    wholes = {whole for one in ids for whole in VOCABULARY.ancestors(one)}
    order = np.argsort(-np.linalg.det(readout.body_covariance))
    large = [n for n in order if ids[n] not in wholes][:40]
    pairs = [
        (ids[a], ids[b]) for a in large for b in large
        if a < b and near[a, b] > np.exp(-10 / 6) and VOCABULARY[ids[a]].pair != ids[b]
    ]
    assert len(pairs) > 100
    close = [pair for pair in pairs if least_distance(colours[pair[0]], colours[pair[1]]) < VISIBLY]
    assert close == []


def test_both_sides_of_a_pair_share_a_hue_and_the_left_is_lighter(readout, colours):
    pairs = [one for one in readout.concept_ids if VOCABULARY[one].side_policy == "paired" and one.endswith("_left")]
    assert len(pairs) > 30
    for left in pairs:
        one, other = lab_of(colours[left]), lab_of(colours[VOCABULARY[left].pair])
        assert 5 < one[0] - other[0] < 15
        assert np.linalg.norm((one - other)[1:]) < 3


def test_every_structure_of_the_model_has_a_colour_that_is_seen_on_a_dark_scan(readout, colours):
    assert set(colours) == set(readout.concept_ids)
    assert min(lab_of(colour)[0] for colour in colours.values()) > 25


def test_the_position_colours_tell_right_from_left_and_up_from_down_for_everyone():
    """Front and back are the weak axis, on purpose: there the eye has the scan to go by."""
    readout = planted_readout()

    def colour(coordinate):
        latent = np.zeros((1, 4 + len(CONCEPTS)), np.float32)
        latent[0, :3] = coordinate
        return readout.colours(latent)[0]

    ends = [colour(one) for one in ((1.5, 0, 0), (-1.5, 0, 0), (0, 0, 4), (0, 0, -4))]
    distances = [least_distance(a, b) for n, a in enumerate(ends) for b in ends[n + 1 :]]
    assert min(distances) > 50
    assert least_distance(colour((0, 1, 0)), colour((0, -1, 0))) > 12
