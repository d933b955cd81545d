"""The same place in another scan: in any geometry, never on the other side, and honest about what is not there."""

import numpy as np
import pytest
from anatembed.ask.matching import ANCHORS, KINDS, Matcher, codes, expected_place, refined, reliability
from anatembed.maps.embedding_map import EmbeddingMap
from hypothesis import given, settings
from hypothesis import strategies as st
from phantoms import centred_affine, rotation
from planted import CANONICAL, CENTRES_RAS, planted_map, planted_readout, whole_body_map

READOUT = planted_readout()
PLACES = np.array(list(CENTRES_RAS.values()))
BALLS = [([name], centre) for name, centre in CENTRES_RAS.items()]
LINEAR = {
    "canonical": CANONICAL,
    "flipped left-right": np.diag([-6.0, 6.0, 6.0]),
    "upside down": np.diag([6.0, 6.0, -6.0]),
    "anisotropic": np.diag([5.0, -7.0, 8.0]),
    "oblique": rotation((1, 2, 3), 14) @ np.diag([-6.0, 6.0, 6.0]),
}


def match(query_map, positions_ras, target_map, readout, **options):
    return Matcher(query_map, target_map, readout, **options)(positions_ras)


@pytest.fixture(scope="module")
def whole():
    return whole_body_map()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("linear", LINEAR.values(), ids=LINEAR)
def test_a_place_is_found_where_it_is_whatever_the_grid_of_the_other_scan(whole, linear, kind):
    other = planted_map(BALLS, linear=linear, shape_kji=(26, 26, 34))
    found = match(whole, PLACES, other, READOUT, kind=kind)
    assert np.linalg.norm(found.positions_ras - PLACES, axis=1).max() < 8
    assert (found.confidence > 0.8).all()


def test_a_place_is_found_off_the_origin(whole):
    shift = np.array([310.0, -220.0, -1400.0])
    to_ras = whole.ijk_to_ras.copy()
    to_ras[:3, 3] += shift
    moved = EmbeddingMap(whole.features_ckji, to_ras, whole.encoder_id, whole.body_kji)
    found = match(whole, PLACES, moved, READOUT)
    assert np.linalg.norm(found.positions_ras - PLACES - shift, axis=1).max() < 8


def test_a_left_place_never_lands_on_the_right(whole):
    sided = np.array([CENTRES_RAS["kidney_left"], CENTRES_RAS["kidney_right"]])
    other = planted_map(BALLS, linear=LINEAR["flipped left-right"])
    left, right = match(whole, sided, other, READOUT).positions_ras
    assert left[0] < 0 < right[0]


def test_what_the_other_scan_does_not_show_has_little_confidence(whole):
    lower = planted_map(BALLS, linear=CANONICAL, shape_kji=(8, 20, 32))  # 48 mm of the middle
    shown, hidden = match(whole, [CENTRES_RAS["liver"], CENTRES_RAS["heart"]], lower, READOUT, kind="place").confidence
    assert shown > 0.8
    assert hidden < 0.5


def test_a_place_outside_the_body_has_no_confidence(whole):
    corner = whole.ijk_to_ras[:3, 3]
    assert match(whole, corner, whole, READOUT).confidence == [0]


def test_the_answer_has_a_row_for_each_place(whole):
    found = match(whole, PLACES[:3], whole, READOUT)
    assert found.positions_ras.shape == (3, 3)
    assert found.confidence.shape == found.round_trip_mm.shape == (3,)
    assert match(whole, PLACES[0], whole, READOUT).positions_ras.shape == (1, 3)


def test_the_same_question_has_the_same_answer(whole):
    one, other = (match(whole, PLACES, whole_body_map(), READOUT) for _ in range(2))
    assert (one.positions_ras == other.positions_ras).all()


def test_maps_of_two_models_are_never_mixed(whole):
    other = planted_map(BALLS, encoder_id="another")
    with pytest.raises(ValueError, match="two maps of one model, got .* and another"):
        Matcher(whole, other, READOUT)


def test_an_unknown_kind_of_code_and_an_empty_scan_are_refused(whole):
    with pytest.raises(ValueError, match="expected one of latent, names and place, place, got 'colour'"):
        Matcher(whole, whole, READOUT, kind="colour")
    empty = EmbeddingMap(whole.features_ckji, whole.ijk_to_ras, whole.encoder_id, np.zeros_like(whole.body_kji))
    with pytest.raises(ValueError, match="got only air"):
        Matcher(whole, empty, READOUT)


def test_a_place_outside_the_scan_is_refused(whole):
    with pytest.raises(ValueError, match="lies outside the scan"):
        match(whole, [[900.0, 0, 0]], whole, READOUT)


def test_latents_need_no_readout(whole):
    assert len(match(whole, PLACES, whole, None).positions_ras) == len(PLACES)


def ambiguous_map() -> EmbeddingMap:
    """Codes of the position, except that two places far from each other have exactly the same one."""
    shape = (10, 10, 30)
    to_ras = centred_affine(shape, CANONICAL)
    k, j, i = np.indices(shape) / 30
    features = np.stack([np.ones(shape), k, j, i]).astype(np.float16)
    features[:, 5, 5, 4] = features[:, 5, 5, 25] = (1, 5, 5, 5)
    return EmbeddingMap(features, to_ras, "planted", np.ones(shape, bool))


@pytest.mark.parametrize("i", [4, 25])
def test_of_two_places_with_the_same_code_the_one_among_the_right_neighbours_is_found(i):
    scan = ambiguous_map()
    place = scan.ijk_to_ras[:3, :3] @ (i, 5, 5) + scan.ijk_to_ras[:3, 3]
    assert np.linalg.norm(match(scan, place, scan, None).positions_ras[0] - place) < 12
    alone = [match(scan, scan.ijk_to_ras[:3, :3] @ (n, 5, 5) + scan.ijk_to_ras[:3, 3], scan, None, anchors=0)
             for n in (4, 25)]
    assert np.linalg.norm(alone[0].positions_ras - alone[1].positions_ras) < 1  # by itself the code cannot tell


AFFINE_PARTS = st.tuples(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2), st.floats(-300, 300))


@settings(max_examples=30, deadline=None)
@given(AFFINE_PARTS, st.integers(0, 1000))
def test_anchors_say_where_a_place_goes_even_when_a_fifth_of_them_is_wrong(parts, seed):
    scale, shear, shift = parts
    linear = np.array([[1 + scale, shear, 0], [0, 1, 0], [0, shear / 2, 1 - scale / 2]])
    random = np.random.default_rng(seed)
    start = random.uniform(-100, 100, (ANCHORS, 3))
    end = start @ linear.T + shift
    end[: ANCHORS // 5] += random.normal(0, 150, (ANCHORS // 5, 3))
    place = expected_place(np.array([20.0, -10.0, 5.0]), start, end, np.ones(ANCHORS))
    assert np.linalg.norm(place - (linear @ (20, -10, 5) + shift)) < 8


def test_too_few_anchors_say_nothing():
    start = np.random.default_rng(0).uniform(-100, 100, (ANCHORS, 3))
    assert expected_place(np.zeros(3), start, start, np.zeros(ANCHORS)) is None
    assert expected_place(np.zeros(3), start + 1000, start, np.ones(ANCHORS)) is None
    assert expected_place(np.zeros(3), np.empty((0, 3)), np.empty((0, 3)), np.empty(0)) is None


def test_a_place_between_two_voxels_with_the_same_distance_is_their_middle():
    positions = np.array([[0.0, 0, 0], [6, 0, 0], [60, 0, 0]])
    np.testing.assert_allclose(refined(np.array([0.1, 0.1, 0.0999999]), positions), [60, 0, 0])
    np.testing.assert_allclose(refined(np.array([0.1, 0.1, 0.9]), positions), [3, 0, 0])


@settings(deadline=None)
@given(st.floats(0, 200), st.floats(0, 200))
def test_a_longer_round_trip_is_never_trusted_more(one, other):
    short, long = sorted((one, other))
    assert 0 <= reliability(np.float64(long)) <= reliability(np.float64(short)) <= 1
    assert reliability(np.float64(0)) == 1


def test_codes_of_latents_do_not_depend_on_their_length():
    latents = np.random.default_rng(0).normal(size=(5, 10)).astype(np.float32)
    np.testing.assert_allclose(codes(latents, None, "latent"), codes(3 * latents, None, "latent"), rtol=1e-5)
    assert np.isfinite(codes(np.zeros((1, 10)), None, "latent")).all()
