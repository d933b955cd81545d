"""Names, places and colours of latent codes."""

import dataclasses

import numpy as np
import pytest
from anatembed.model.readout import MOST_TISSUE_COST, TISSUE_SD_HU, Readout, log_odds, sigmoid
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from planted import CONCEPTS, planted_readout
from scipy.spatial.distance import mahalanobis
from scipy.special import expit
from tiny_model import CONCEPTS as TINY_CONCEPTS
from tiny_model import tiny_readout

LATENTS = arrays(np.float32, st.tuples(st.integers(1, 6), st.just(5)), elements=st.floats(-4, 4, width=32))


@given(st.floats(-1e6, 1e6))
def test_the_logistic_function_is_exact_and_never_overflows(x):
    with np.errstate(over="raise"):
        assert sigmoid(x) == pytest.approx(expit(x), abs=1e-12)


@given(LATENTS)
def test_unit_features_have_length_one_except_for_a_latent_of_zero(latents):
    readout = tiny_readout()
    length = np.linalg.norm(readout.unit_features(latents), axis=1)
    projected = np.linalg.norm(latents @ readout.language.T, axis=1)
    np.testing.assert_allclose(length[projected > 1e-5], 1, atol=1e-5)
    assert (readout.unit_features(np.zeros((2, 5))) == 0).all()


@given(LATENTS)
def test_logits_are_those_of_siglip(latents):
    """Zhai et al. 2023: scale times cosine plus bias."""
    readout = tiny_readout()
    features = readout.unit_features(latents)
    for row, feature in enumerate(features):
        for concept, vector in enumerate(readout.vectors):
            expected = readout.scale * float(np.dot(feature, vector)) + readout.bias
            assert readout.logits(features)[row, concept] == pytest.approx(expected, abs=1e-4)
            assert readout.logits(features, concept)[row] == pytest.approx(expected, abs=1e-4)


def test_the_length_of_a_latent_says_nothing_about_its_name():
    readout = tiny_readout()
    latents = np.random.default_rng(0).normal(size=(9, 5))
    one, other = (readout.logits(readout.unit_features(scale * latents)) for scale in (1, 7))
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_body_coordinates_are_two_layers_with_a_relu_between():
    readout = tiny_readout()
    latent = np.random.default_rng(0).normal(size=5)
    (first, first_bias), (second, second_bias) = readout.coordinate_layers
    hidden = [max(0.0, row @ latent + bias) for row, bias in zip(first, first_bias, strict=True)]
    expected = [row @ hidden + bias for row, bias in zip(second, second_bias, strict=True)]
    np.testing.assert_allclose(readout.body_coordinates(latent[None])[0], expected, rtol=1e-5)


def test_misplacement_is_the_squared_mahalanobis_distance():
    readout = tiny_readout()
    skewed = np.array([[1.0, 0.4, 0.1], [0.4, 0.8, 0.2], [0.1, 0.2, 0.5]])
    readout = dataclasses.replace(readout, body_covariance=np.stack([skewed, np.eye(3), 2 * skewed]))
    points = np.random.default_rng(0).normal(size=(10, 3))
    for concept in range(3):
        inverse = np.linalg.inv(readout.body_covariance[concept])
        expected = [mahalanobis(point, readout.body_mean[concept], inverse) ** 2 for point in points]
        np.testing.assert_allclose(readout.misplacement(points, concept), expected, rtol=1e-6)


def test_the_places_of_all_concepts_are_judged_as_that_of_each():
    readout = tiny_readout()
    points = np.random.default_rng(1).normal(scale=3, size=(50, 3))
    each = [readout.misplacement(points, concept) for concept in range(3)]
    np.testing.assert_allclose(readout.misplacements(points).T, each, rtol=1e-4, atol=1e-3)


@given(st.data())
def test_names_that_exclude_each_other_are_together_at_most_certain(data):
    count = data.draw(st.integers(2, 6))
    logits = data.draw(arrays(np.float64, (3, count), elements=st.floats(-40, 200)))
    pairs = data.draw(arrays(bool, (count, count)))
    readout = dataclasses.replace(
        tiny_readout(), compatible=(pairs | pairs.T | np.eye(count, dtype=bool)).astype(float),
        naming=np.array([data.draw(st.floats(0.3, 4)), data.draw(st.floats(-8, 8))]),
    )
    probabilities = readout.name_probabilities(logits)
    assert (probabilities >= 0).all()
    chosen = []
    for concept in data.draw(st.permutations(range(count))):
        if all(readout.rivals[concept, other] for other in chosen):
            chosen.append(concept)
    assert (probabilities[:, chosen].sum(axis=1) <= 1 + 1e-6).all()


def test_a_whole_and_its_part_may_both_be_certain():
    compatible = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1.0]])
    readout = dataclasses.replace(tiny_readout(), compatible=compatible)
    whole, part, other = readout.name_probabilities(np.array([[9.0, 9.0, -9.0]]))[0]
    assert whole == part > 0.99
    assert other < 1e-4


def test_without_a_rival_and_without_calibration_a_name_is_as_probable_as_siglip_says():
    readout = dataclasses.replace(tiny_readout(), compatible=np.ones((3, 3)))
    logits = np.array([[-3.0, 0.0, 5.0]])
    np.testing.assert_allclose(readout.name_probabilities(logits), expit(logits), rtol=1e-6)


def test_a_higher_temperature_is_less_sure_and_changes_no_rank():
    readout = tiny_readout()
    logits = np.random.default_rng(0).normal(scale=5, size=(20, 3))
    warm = dataclasses.replace(readout, naming=np.array([2.0, 0.0])).name_probabilities(logits)
    cold = readout.name_probabilities(logits)
    np.testing.assert_array_equal(warm.argmax(axis=1), cold.argmax(axis=1))
    sure = cold.max(axis=1) > 0.9
    assert sure.any()
    assert (warm.max(axis=1)[sure] < cold.max(axis=1)[sure]).all()


def test_a_place_pays_for_hu_below_those_of_a_structure_and_never_for_those_above():
    readout = dataclasses.replace(tiny_readout(), lowest_hu=np.array([-np.inf, -20.0, -20.0]))
    hu = np.array([-1000.0, -50.0, -20.0, 40.0, 3000.0])
    costs = readout.tissue_costs(hu)
    np.testing.assert_array_equal(costs[:, 0], 0)
    np.testing.assert_allclose(costs[:, 1], [MOST_TISSUE_COST, 0.5 * (30 / TISSUE_SD_HU) ** 2, 0, 0, 0])
    np.testing.assert_array_equal(costs[:, 2], readout.tissue_costs(hu, 2))
    assert (tiny_readout().tissue_costs(hu) == 0).all()


@given(st.floats(0, 1))
def test_log_odds_are_the_inverse_of_the_logistic_function(probability):
    assert np.isfinite(log_odds(probability))
    assert sigmoid(log_odds(probability)) == pytest.approx(probability, abs=1e-6)


def test_a_concept_is_in_its_usual_place_at_its_mean():
    readout = planted_readout()
    for concept in range(len(CONCEPTS)):
        assert readout.misplacement(readout.body_mean[concept][None], concept) == pytest.approx(0)


def test_a_concept_that_was_not_learnt_is_named():
    assert tiny_readout().index(TINY_CONCEPTS[1]) == 1
    with pytest.raises(ValueError, match="this model has not learnt 'heart'; it knows 3 structures"):
        tiny_readout().index("heart")


def latents_at(positions) -> np.ndarray:
    latents = np.zeros((len(positions), 4 + len(CONCEPTS)))
    latents[:, :3] = positions
    return latents


def test_the_same_place_in_the_body_has_the_same_colour_whatever_lies_there():
    latents = latents_at([(0.5, 0.2, 1.0)] * 3)
    latents[1, 5], latents[2, 7] = 1, -3
    colours = planted_readout().colours(latents)
    assert colours.dtype == np.uint8
    assert (colours == colours[0]).all()


@given(st.floats(0.3, 1.8), st.floats(-1, 1), st.floats(-3, 3))
def test_right_and_left_differ_in_blue_against_yellow(right, anterior, superior):
    colours = planted_readout().colours(latents_at([(right, anterior, superior), (-right, anterior, superior)]))
    red, _, blue = (colours[0].astype(int) - colours[1]).T
    assert blue < 0
    assert red > 0


@given(st.floats(-2, 2), st.floats(-1, 1), st.floats(-5, 4.5))
def test_higher_in_the_body_is_lighter(right, anterior, superior):
    colours = planted_readout().colours(latents_at([(right, anterior, superior), (right, anterior, superior + 1)]))
    low, high = colours.astype(int).sum(axis=1)
    assert high > low


def test_far_outside_the_body_colours_end_and_do_not_wrap_around():
    far, edge = planted_readout().colours(latents_at([(99, 99, 99), (1.8, 1.3, 60.0)]))
    np.testing.assert_array_equal(far, edge)
    assert far.sum() > planted_readout().colours(latents_at([(0, 0, 0)])).sum()


@pytest.mark.parametrize("name", ["hit_offsets", "lowest_hu"])
def test_what_was_not_fitted_changes_nothing_and_what_was_has_one_number_a_concept(name):
    fields = {one.name: getattr(tiny_readout(), one.name) for one in dataclasses.fields(Readout)}
    del fields[name]
    neutral = getattr(Readout(**fields), name)
    assert neutral.shape == (len(fields["concept_ids"]),)
    assert set(neutral) <= {0.0, -np.inf}
    with pytest.raises(ValueError, match=f"expected {name} of shape"):
        Readout(**fields, **{name: np.zeros(len(fields["concept_ids"]) + 1)})
