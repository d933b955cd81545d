"""Targets and what was measured for them."""

import math

import pytest
from anatembed.language.vocabulary import Vocabulary
from research.evaluation.question_targets import (
    Target,
    among,
    name_targets,
    question_targets,
    shipped_bytes,
    size_target,
)
from research.evaluation.questions import Question, Reply, judge_reply

VOCABULARY = Vocabulary.load()


def judged(group, expect, answer, outcome, *ids, seconds=0.001):
    question = Question("?", group, tuple(expect), answer)
    return judge_reply(question, Reply(outcome, ids), VOCABULARY, seconds)


def values(targets):
    return {target.measure: target.value for target in targets}


def test_every_measure_counts_its_own_questions():
    found = values(
        question_targets(
            [
                judged("name", ["liver"], "one", "accept", "liver"),
                judged("name", ["liver"], "one", "accept", "spleen"),
                judged("name", ["liver"], "one", "refuse"),
                judged("typo", ["liver"], "one", "confirm", "liver"),
                judged("french", ["liver"], "one", "refuse"),
                judged("everyday", [], "refuse", "refuse"),
                judged("medical", [], "refuse", "accept", "liver"),
                judged("unknown_anatomy", [], "refuse", "refuse"),
                judged("side", ["kidney_left"], "one", "confirm", "kidney_right", seconds=1.0),
            ]
        )
    )
    assert found["English: right when accepted"] == 1 / 2
    assert found["English: accepted or asked rightly"] == 2 / 5
    assert found["other languages: accepted or asked rightly"] == 0
    assert found["side flips"] == 1
    assert found["nonsense accepted"] == 1 / 2
    assert found["unknown anatomy accepted"] == 0
    assert found["typing errors: accepted or asked rightly"] == 1
    assert found["p95 ms a question"] > 100


def test_a_name_among_the_choices_is_found():
    assert among([judged("English", ["liver"], "one", "ask", "spleen", "liver")]) == 1
    assert among([judged("English", ["liver"], "one", "ask", "spleen", "brain")]) == 0
    assert among([judged("English", ["liver"], "one", "refuse", "liver")]) == 0


def test_names_are_counted_by_language():
    names = [judged("English", ["liver"], "one", "accept", "liver"), judged("French", ["liver"], "one", "refuse")]
    found = values(name_targets(names, [], []))
    assert found["names in the vocabulary, English"] == 1
    assert found["names in the vocabulary, other languages"] == 0
    assert math.isnan(found["one typing error in a name"])


@pytest.mark.parametrize(
    ("at_least", "value", "met"), [(True, 0.98, True), (True, 0.97, False), (False, 0.98, True), (False, 0.99, False)]
)
def test_a_target_is_met_on_the_right_side_of_its_bound(at_least, value, met):
    assert Target("x", 0.98, at_least, value, 1).met is met


def test_what_was_not_measured_is_neither_met_nor_missed():
    assert Target("x", 0.98, True, float("nan"), 0).met is None


def test_the_size_is_that_of_the_files(tmp_path):
    (tmp_path / "vocabulary.json").write_bytes(b"12345")
    (tmp_path / "model.npz").write_bytes(b"1" * 100)
    assert shipped_bytes(tmp_path) == 5
    assert size_target(tmp_path).value == 5e-6
