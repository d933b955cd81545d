"""Levels that are fitted to what is right and what is not."""

import numpy as np
import pytest
from anatembed.language.vocabulary_phrases import Phrase
from planted import CONCEPTS, planted_checkpoint, planted_map
from pointing_text import Pointing
from research.training.text_calibration import (
    NAMES,
    STRANGERS,
    UNKNOWN,
    Rows,
    fit_free_text,
    fit_logistic,
    fit_suggestions,
    free_text_rows,
    joined,
    level_for,
)
from research.training.voxel_sample import View

RANDOM = np.random.default_rng(0)


def rows(middle, right, amount=400, columns=3):
    return Rows(RANDOM.normal(middle, 1, (amount, columns)), np.full(amount, right), np.full(amount, right))


def test_a_logistic_regression_finds_the_weights_that_made_the_truth():
    evidence = RANDOM.normal(size=(20000, 2))
    true = RANDOM.random(20000) < 1 / (1 + np.exp(-(0.5 + 2 * evidence[:, 0] - evidence[:, 1])))
    assert fit_logistic(evidence, true) == pytest.approx([0.5, 2, -1], abs=0.1)


@pytest.mark.parametrize(("most", "reached"), [(0.0, 0), (0.01, 1), (0.1, 10), (1.0, 100)])
def test_a_level_is_reached_by_as_many_as_are_allowed(most, reached):
    scores = RANDOM.permutation(100).astype(float)
    assert (scores >= level_for(scores, most)).sum() == reached


def test_at_most_the_allowed_share_of_every_kind_of_strangers_is_sure():
    kinds = {NAMES: rows(2, True), "everyday": rows(-1, False), "medical": rows(0, False), UNKNOWN: rows(1.5, False)}
    level, figures = fit_suggestions(kinds, 0.01, 0.3)
    assert max(figures["everyday"], figures["medical"]) <= 0.01
    assert figures[UNKNOWN] <= 0.3
    assert figures["names_sure_and_right"] > 0.3
    scores = level["weights"][0] + kinds["medical"].evidence @ level["weights"][1:]
    assert (scores >= level["sure"]).mean() == figures["medical"]


def test_what_is_found_is_right_as_often_as_was_asked_and_no_stranger_is_found():
    kinds = {NAMES: rows(2, True), UNKNOWN: rows(0.5, False), STRANGERS: rows(-1, False)}
    level, figures = fit_free_text(kinds, 0.9, 1.0)
    assert level["found"] < 1
    assert figures[STRANGERS]["found_and_wrong"] == 0
    found = figures[NAMES]["present_found_and_right"]
    assert found > 0.3
    assert found / (found + 0.5 * figures[UNKNOWN]["found_and_wrong"]) >= 0.85


def test_few_unknown_structures_end_at_a_wrong_place():
    kinds = {NAMES: rows(2, True), UNKNOWN: rows(0.5, False), STRANGERS: rows(-1, False)}
    loose, strict = (fit_free_text(kinds, 0.5, most) for most in (1.0, 0.01))
    assert strict[0]["found"] > loose[0]["found"]
    assert strict[1][UNKNOWN]["found_and_wrong"] <= 0.01 < loose[1][UNKNOWN]["found_and_wrong"]


def test_where_nothing_is_right_often_enough_nothing_is_found():
    level, figures = fit_free_text({NAMES: rows(0, True, 40), STRANGERS: rows(0, False, 400)}, 0.9, 1.0)
    assert level["found"] >= 1
    assert figures[NAMES]["present_found_and_right"] == 0


def test_rows_are_joined_in_order():
    both = joined([rows(0, True, 2), rows(0, False, 3)])
    assert both.right.tolist() == [True, True, False, False, False]
    assert both.evidence.shape == (5, 3)


def test_the_best_place_of_a_name_is_right_where_the_structure_is():
    seen = planted_map([(["liver"], (30.0, 0.0, 0.0)), (["spleen"], (-40.0, 0.0, 0.0))])
    labels = np.zeros(seen.shape_kji, int)
    features = seen.features_ckji[3 : 3 + len(CONCEPTS)]
    for number, concept in enumerate(("liver", "spleen"), start=1):
        labels[features[CONCEPTS.index(concept)] > 0] = number
    targets = -np.ones((3, len(CONCEPTS)), np.int8)
    targets[1, CONCEPTS.index("liver")] = targets[2, CONCEPTS.index("spleen")] = 1
    grid = np.diag([6.0, 6.0, 6.0, 1.0])
    view_map = type(seen)(seen.features_ckji, grid, seen.encoder_id, seen.body_kji)
    present = np.isin(CONCEPTS, ["liver", "spleen"])
    view = View(view_map, labels, targets, 6.0, present, ~present & (np.array(CONCEPTS) != "heart"))
    asked = {NAMES: [Phrase(c, c, c, None, "en", "exact") for c in ("liver", "spleen", "kidney_left", "heart")]}
    found = free_text_rows([view], planted_checkpoint(), Pointing(), asked, ["report"], 10)
    right = {tuple(pair) for pair in zip(found[NAMES].right, found[NAMES].answerable, strict=True)}
    assert sorted(found[NAMES].answerable) == [False, True, True]
    assert right == {(1, True), (0, False)}
    assert found[STRANGERS].right.tolist() == [0]
