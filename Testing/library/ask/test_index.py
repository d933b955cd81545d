"""Searching and naming in a map that was written down by hand, without a network."""

import dataclasses

import numpy as np
import pytest
from anatembed.ask.index import FREE_DISTANCE, PART_MIDDLE, PLACE_WEIGHT, SURE_MIDDLE, QueryIndex
from hypothesis import given, settings
from hypothesis import strategies as st
from phantoms import GEOMETRIES, voxel_positions
from planted import CENTRES_RAS, CONCEPTS, PLACE_SD, planted_checkpoint, planted_map, planted_readout, whole_body_map
from scipy.special import expit

LOOK_ALIKE = ("kidney_left", "kidney_right")


def index_of(embedding_map, readout=None) -> QueryIndex:
    checkpoint = planted_checkpoint(readout)
    return QueryIndex(embedding_map, checkpoint.readout, checkpoint.encoder_id)


@pytest.fixture(scope="module")
def index():
    return index_of(whole_body_map())


@pytest.mark.parametrize("concept", CONCEPTS)
def test_a_structure_is_found_in_the_middle_of_its_ball(index, concept):
    search = index.search(concept)
    assert search.found
    assert search.concept_id == search.hits[0].concept_id == concept
    assert np.linalg.norm(search.hits[0].position_ras - CENTRES_RAS[concept]) < 3.0


@pytest.mark.parametrize("name", ["flipped left-right", "upside down", "oblique", "sagittal", "gantry tilt"])
def test_a_structure_is_found_on_its_side_wherever_the_voxel_axes_point(name):
    linear = GEOMETRIES[name].linear / 5.0 * 6.0
    index = index_of(planted_map([([c], CENTRES_RAS[c]) for c in LOOK_ALIKE], linear=linear, shape_kji=(32, 32, 32)))
    for concept in LOOK_ALIKE:
        found = index.search(concept, 1).hits[0].position_ras
        assert np.linalg.norm(found - CENTRES_RAS[concept]) < 5.0


def test_fat_around_an_organ_is_not_taken_for_it_where_the_map_knows_the_hu():
    embedding_map = planted_map([(["kidney_left"], CENTRES_RAS["kidney_left"])], radius_mm=24.0)
    positions = voxel_positions(embedding_map.shape_kji, embedding_map.ijk_to_ras)
    is_fat = positions[..., 2] > CENTRES_RAS["kidney_left"][2] - 6.0
    hu = np.where(is_fat, -100, 40).astype(np.float16)
    lowest_hu = np.full(len(CONCEPTS), -20.0)
    known = dataclasses.replace(planted_readout(), lowest_hu=lowest_hu, scale=12.0, bias=-6.0)
    with_hu = index_of(dataclasses.replace(embedding_map, hu_kji=hu), known)
    for index, low, high in ((with_hu, -60.0, -36.0), (index_of(embedding_map, known), -33.0, -27.0)):
        assert low <= index.search("kidney_left").hits[0].position_ras[2] <= high
    fat, kidney = np.array(CENTRES_RAS["kidney_left"]) + [0, 0, 12], np.array(CENTRES_RAS["kidney_left"]) - [0, 0, 14]
    column = CONCEPTS.index("kidney_left")
    names = with_hu.name_probabilities(np.array([fat, kidney]))[:, column]
    assert names[0] < 0.2 < 0.99 < names[1]


def test_look_alikes_on_both_sides_are_told_apart_by_where_they_lie():
    index = index_of(planted_map([(LOOK_ALIKE, CENTRES_RAS[concept]) for concept in LOOK_ALIKE]))
    for concept in LOOK_ALIKE:
        hits = index.search(concept).hits
        assert np.linalg.norm(hits[0].position_ras - CENTRES_RAS[concept]) < 4.0
        assert all(np.sign(hit.position_ras[0]) == np.sign(CENTRES_RAS[concept][0]) for hit in hits)


@pytest.mark.parametrize("concept", LOOK_ALIKE)
def test_a_look_alike_on_the_wrong_side_alone_is_not_the_structure(concept):
    other = next(c for c in LOOK_ALIKE if c != concept)
    index = index_of(planted_map([(LOOK_ALIKE, CENTRES_RAS[other])]))
    assert not index.search(concept).found
    assert index.search(other).found


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.floats(-70, 70), st.floats(-35, 35), st.floats(-50, 50)), min_size=1, max_size=6))
def test_hits_are_ranked_apart_from_each_other_and_inside_what_was_planted(centres):
    readout = dataclasses.replace(planted_readout(), body_covariance=np.stack([100 * np.eye(3)] * len(CONCEPTS)))
    embedding_map = planted_map([(["liver"], centre) for centre in centres], radius_mm=10.0)
    hits = index_of(embedding_map, readout).search("liver", k=10).hits
    scores = [hit.confidence for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)
    for number, hit in enumerate(hits):
        assert min(np.linalg.norm(hit.position_ras - centre) for centre in centres) < 13.0
        for other in hits[:number]:
            assert np.linalg.norm(hit.position_ras - other.position_ras) > 6.0


def test_no_more_hits_are_given_than_were_asked_for():
    readout = dataclasses.replace(planted_readout(), body_covariance=np.stack([100 * np.eye(3)] * len(CONCEPTS)))
    balls = [(["liver"], (r, 0, s)) for r in (-60, 0, 60) for s in (-40, 40)]
    index = index_of(planted_map(balls, radius_mm=12.0), readout)
    assert [len(index.search("liver", k).hits) for k in (1, 3, 6, 9)] == [1, 3, 6, 6]


@given(seed=st.integers(0, 2**32 - 1), sure=st.sampled_from([PART_MIDDLE, SURE_MIDDLE]))
def test_the_middle_of_a_place_is_nearly_as_probable_as_its_best_voxel(seed, sure):
    probability = np.random.default_rng(seed).uniform(0.1, 1, (5, 7, 6))
    middle = QueryIndex._middle(probability, probability > 0.5 * probability.max(), sure)
    assert probability[tuple(np.rint(middle).astype(int))] >= sure * probability.max()


def test_the_hit_of_a_structure_that_curves_lies_in_it_and_not_in_its_hollow():
    readout = dataclasses.replace(planted_readout(), body_covariance=np.stack([100 * np.eye(3)] * len(CONCEPTS)))
    angles = np.linspace(0, np.pi, 12)
    ring = [(["liver"], (60 * np.cos(a), 0, 50 * np.sin(a) - 20)) for a in angles]
    hit = index_of(planted_map(ring, radius_mm=12.0), readout).search("liver", 1).hits[0]
    assert min(np.linalg.norm(hit.position_ras - centre) for _, centre in ring) < 12.0


def test_probability_is_high_in_the_structure_low_elsewhere_and_zero_outside_the_body(index):
    probability = index.probability_kji("liver")
    assert probability.dtype == np.float32
    positions = voxel_positions(index.map.shape_kji, index.map.ijk_to_ras)
    distance = np.linalg.norm(positions - CENTRES_RAS["liver"], axis=-1)
    assert probability[distance < 8].min() > 0.9
    assert probability[distance > 30].max() < 0.05
    assert (probability[~index.map.body_kji] == 0).all()


def test_the_logit_is_that_of_language_less_the_distance_from_the_usual_place(index):
    concept = CONCEPTS.index("liver")
    compatible = dataclasses.replace(index.readout, compatible=np.ones_like(index.readout.compatible))
    logits = index_of(index.map, compatible).logit_kji("liver")
    for kji in ((5, 6, 7), (12, 10, 16), (20, 4, 25)):
        latent = index.map.features_ckji[:, *kji][None]
        place = latent[0, :3].astype(float) - np.array(CENTRES_RAS["liver"]) / 100
        far = max(0.0, (place @ place) / PLACE_SD**2 - FREE_DISTANCE)
        cosine = float(latent[0, 3 + concept])
        assert logits[kji] == pytest.approx(max(-20, 18 * cosine - 9 - PLACE_WEIGHT * far / 2), abs=1e-2)


def test_presence_is_the_logistic_function_of_the_evidence_less_what_is_usual():
    typical = np.random.default_rng(0).normal(size=(len(CONCEPTS), 2))
    weights = np.array([0.3, 0.2, -0.4, -0.1])
    readout = dataclasses.replace(planted_readout(), presence=weights, typical_evidence=typical)
    index = index_of(whole_body_map(), readout)
    for number, concept in enumerate(CONCEPTS):
        probability = index.probability_kji(concept)
        log_odds, log_volume, distance = index.evidence(concept, probability)
        sums = 0.3 + 0.2 * (log_odds - typical[number, 0]) - 0.4 * (log_volume - typical[number, 1]) - 0.1 * distance
        assert index.presence(concept, probability) == pytest.approx(expit(sums))
        peak = probability.max()
        assert log_odds == pytest.approx(np.log(peak / (1 - peak)), rel=1e-3)
        assert log_volume == pytest.approx(np.log(probability.sum()), rel=1e-3)


def test_the_same_search_twice_gives_the_same_presence(index):
    assert index.search("liver").presence == index.search("liver").presence


def test_the_place_speaks_against_what_lies_outside_the_scan(index):
    elsewhere = planted_readout()
    elsewhere.body_mean[:, 2] += 9
    far = index_of(whole_body_map(), elsewhere)
    probability = index.probability_kji("liver")
    assert index.evidence("liver", probability)[2] < 1
    assert far.evidence("liver", probability)[2] == 6


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.999])
def test_found_means_that_presence_reaches_the_threshold(threshold):
    index = index_of(whole_body_map(left_out=("spleen",)), planted_readout(threshold=threshold))
    for concept in CONCEPTS:
        search = index.search(concept)
        assert search.found == (search.presence >= threshold)
    assert not index.search("spleen").found


def test_a_scan_without_body_has_nothing_in_it():
    embedding_map = dataclasses.replace(whole_body_map(), body_kji=np.zeros((24, 20, 32), bool))
    always = planted_readout(presence=(9.0, 0, 0, 0))
    search = index_of(embedding_map, always).search("liver")
    assert not search.found
    assert search.hits == []


def test_what_the_model_has_not_learnt_cannot_be_searched(index):
    with pytest.raises(ValueError, match="has not learnt 'brain'"):
        index.search("brain")


def test_a_map_of_another_model_is_refused():
    embedding_map = dataclasses.replace(whole_body_map(), encoder_id="anatembed-0123")
    with pytest.raises(ValueError, match="made by the model anatembed-0123, .* embed the scan again"):
        index_of(embedding_map)


def test_similarity_is_the_cosine_and_minus_one_outside_the_body(index):
    field = index.similarity_kji(index.readout.vectors[CONCEPTS.index("liver")])
    planted = index.map.features_ckji[3 + CONCEPTS.index("liver")] == 1
    body = index.map.body_kji
    np.testing.assert_allclose(field[planted & body], 1, atol=1e-5)
    np.testing.assert_allclose(field[~planted & body], 0, atol=1e-5)
    assert (field[~body] == -1).all()


@pytest.mark.parametrize("concept", CONCEPTS)
def test_a_place_is_named_by_what_was_planted_there(index, concept):
    (probabilities,) = index.name_probabilities(np.array([CENTRES_RAS[concept]]))
    assert probabilities.shape == (len(CONCEPTS),)
    assert CONCEPTS[int(np.argmax(probabilities))] == concept


def test_naming_agrees_with_the_unsmoothed_search(index):
    position = voxel_positions(index.map.shape_kji, index.map.ijk_to_ras)[12, 10, 16]
    named = index.name_probabilities(position[None])[0]
    searched = [expit(index.logit_kji(concept)[12, 10, 16]) for concept in CONCEPTS]
    np.testing.assert_allclose(named, searched, atol=1e-5)


def test_a_place_outside_the_scan_has_no_name(index):
    with pytest.raises(ValueError, match="outside the scan"):
        index.name_probabilities(np.array([[0.0, 0.0, 5000.0]]))


def test_a_rival_that_is_as_likely_leaves_half_and_a_part_of_the_structure_takes_nothing_away():
    concepts = ("heart", "heart_ventricle_left", "liver")
    compatible = np.eye(3)
    compatible[0, 1] = compatible[1, 0] = 1
    shared = CENTRES_RAS["heart"]
    at_home = np.stack([np.array(shared) / 100] * 3)
    readout = dataclasses.replace(planted_readout(concepts), compatible=compatible, body_mean=at_home)
    with_part = index_of(planted_map([(concepts[:2], shared)], concepts=concepts), readout)
    with_rival = index_of(planted_map([(("heart", "liver"), shared)], concepts=concepts), readout)
    kji = tuple(np.rint(with_part.map.ras_to_kji(shared)[0]).astype(int))
    lone, half = (index.logit_kji("heart")[kji] for index in (with_part, with_rival))
    assert lone > 3
    assert expit(half) == pytest.approx(0.5, abs=0.02)


def test_a_rival_out_of_its_place_takes_little_away():
    """The spleen's look-alike in the liver's place is judged by where spleens are."""
    readout = dataclasses.replace(planted_readout(), compatible=np.eye(len(CONCEPTS)))
    shared = planted_map([(("liver", "spleen"), CENTRES_RAS["liver"])])
    at_home, out_of_place = (index_of(shared, readout).logit_kji(concept) for concept in ("liver", "spleen"))
    kji = tuple(np.rint(shared.ras_to_kji(CENTRES_RAS["liver"])[0]).astype(int))
    assert at_home[kji] > 3
    assert out_of_place[kji] < -3


def test_the_fringe_of_a_structure_is_no_hit_of_its_own(index):
    shape = index.map.shape_kji
    kji = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    wide = np.exp(-np.square(kji - np.array(shape) // 2).sum(axis=-1) / (2 * 5.0**2)).astype(np.float32)
    positions_ras, scores = index.places(wide, 5)
    assert positions_ras.shape == (1, 3)
    assert scores.shape == (1,)


SPREAD = dataclasses.replace(planted_readout(), body_covariance=np.stack([100 * np.eye(3)] * len(CONCEPTS)))
TWO_LIVERS = planted_map([(["liver"], (-60, 0, 0)), (["liver"], (60, 0, 0))], radius_mm=12.0)


def test_confidence_is_presence_times_the_logistic_function_of_the_evidence_for_the_place():
    offsets = np.linspace(-1, 1, len(CONCEPTS))
    readout = dataclasses.replace(SPREAD, hit=np.array([0.3, 0.1, 0.2, 0.4]), hit_offsets=offsets)
    index = index_of(TWO_LIVERS, readout)
    search = index.search("liver")
    _, scores = index.places(index.probability_kji("liver"), 2)
    own, other = np.log(scores / (1 - scores))
    shared = 0.3 + offsets[CONCEPTS.index("liver")]
    presence = np.log(search.presence / (1 - search.presence))
    for hit, mine, rival in zip(search.hits, (own, other), (other, own), strict=True):
        evidence = np.clip([presence, mine, mine - rival], [-6, -6, -3], [6, 6, 3])
        expected = search.presence * expit(shared + evidence @ [0.1, 0.2, 0.4])
        assert hit.confidence == pytest.approx(expected, rel=1e-6)
        assert hit.presence == search.presence


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 3), min_size=3, max_size=3), st.floats(-4, 4), st.floats(-3, 3))
def test_no_hit_is_surer_than_a_better_one_or_than_the_presence(weights, constant, presence):
    readout = dataclasses.replace(SPREAD, hit=np.array([constant, *weights]), presence=np.array([presence, 0, 0, 0]))
    search = index_of(TWO_LIVERS, readout).search("liver")
    confidences = [hit.confidence for hit in search.hits]
    assert len(confidences) == 2
    assert confidences == sorted(confidences, reverse=True)
    assert confidences[0] <= search.presence


def test_how_sure_a_hit_is_does_not_depend_on_how_many_were_asked_for():
    readout = dataclasses.replace(SPREAD, hit=np.array([-1.0, 0.1, 0.2, 0.4]))
    index = index_of(TWO_LIVERS, readout)
    alone, first = index.search("liver", 1).hits[0], index.search("liver", 5).hits[0]
    assert alone.confidence == first.confidence
    np.testing.assert_array_equal(alone.position_ras, first.position_ras)


def test_a_place_is_surer_without_another_one_like_it():
    readout = dataclasses.replace(SPREAD, hit=np.array([-1.0, 0.0, 0.2, 0.4]))
    alone = index_of(planted_map([(["liver"], (60, 0, 0))], radius_mm=12.0), readout).search("liver").hits
    one_of_two = index_of(TWO_LIVERS, readout).search("liver").hits
    assert len(alone) == 1
    assert alone[0].confidence > one_of_two[0].confidence + 0.1


def test_uncertainty_is_one_less_the_probability_of_the_best_name_and_one_outside_the_body():
    readout = dataclasses.replace(planted_readout(), compatible=np.eye(len(CONCEPTS)), naming=np.array([2.0, -0.5]))
    index = index_of(planted_map([([c], centre) for c, centre in CENTRES_RAS.items()]), readout)
    field, body = index.uncertainty_kji(), index.map.body_kji
    assert field.dtype == np.float32
    assert (field[~body] == 1).all()
    positions = voxel_positions(index.map.shape_kji, index.map.ijk_to_ras)[body]
    np.testing.assert_allclose(field[body], 1 - index.name_probabilities(positions).max(axis=1), atol=1e-5)


@pytest.mark.parametrize("name", ["flipped left-right", "upside down", "oblique", "sagittal", "gantry tilt"])
def test_names_are_sure_in_a_structure_and_unsure_beside_it_wherever_the_voxel_axes_point(name):
    linear = GEOMETRIES[name].linear / 5.0 * 6.0
    centre = CENTRES_RAS["kidney_left"]
    index = index_of(planted_map([(["kidney_left"], centre)], linear=linear, shape_kji=(32, 32, 32)))
    field = index.uncertainty_kji()
    distance = np.linalg.norm(voxel_positions(index.map.shape_kji, index.map.ijk_to_ras) - centre, axis=-1)
    assert field[distance < 12].max() < 0.01
    assert field[distance > 20].min() > 0.99


def test_a_place_of_two_names_that_exclude_each_other_is_half_unsure():
    readout = dataclasses.replace(planted_readout(), compatible=np.eye(len(CONCEPTS)))
    between = tuple((np.array(CENTRES_RAS["heart"]) + CENTRES_RAS["liver"]) / 2)
    index = index_of(planted_map([(("heart", "liver"), between)]), readout)
    kji = tuple(np.rint(index.map.ras_to_kji(between)[0]).astype(int))
    assert index.uncertainty_kji()[kji] == pytest.approx(0.5, abs=0.1)
