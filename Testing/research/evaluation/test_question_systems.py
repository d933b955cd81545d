"""Baselines over the names, and the resolver behind the same door."""

import numpy as np
import pytest
from anatembed.language.query.resolver import Resolver
from anatembed.language.vocabulary import Vocabulary
from research.evaluation.question_systems import (
    NameTable,
    baselines,
    cosine_system,
    exact_system,
    fuzzy_system,
    resolver_system,
)
from research.evaluation.questions import Reply

VOCABULARY = Vocabulary.load()
TABLE = NameTable(VOCABULARY)


def letters(texts):
    """Unit vectors that count letters."""
    counts = np.array([[text.count(chr(97 + n)) for n in range(26)] for text in texts], float) + 1e-9
    return counts / np.linalg.norm(counts, axis=1, keepdims=True)


def test_the_resolver_is_asked_as_it_ships():
    system = resolver_system(Resolver(VOCABULARY))
    assert system("show me the left kidney") == Reply("accept", ("kidney_left",))
    assert system("upper third of the esophagus") == Reply("accept", ("esophagus",), ("part", "superior"))


@pytest.mark.parametrize("system", [exact_system(TABLE), fuzzy_system(TABLE, 90), cosine_system(TABLE, letters, 0.99)])
def test_a_name_as_it_stands_is_found_and_a_paired_one_is_a_question(system):
    assert system("Left kidney") == Reply("accept", ("kidney_left",))
    assert system("kidney") == Reply("ask", ("kidney_left", "kidney_right"))
    assert system("!!!") == Reply("refuse")


def test_exact_look_up_knows_no_typing_error_and_rapidfuzz_does():
    assert exact_system(TABLE)("splen e").outcome == "refuse"
    assert fuzzy_system(TABLE)("gallblader") == Reply("accept", ("gallbladder",))


def test_only_a_level_makes_a_similarity_refuse():
    for free, bound in (
        (fuzzy_system(TABLE), fuzzy_system(TABLE, 95)),
        (cosine_system(TABLE, letters), cosine_system(TABLE, letters, 1.1)),
    ):
        assert free("carburetor").outcome != "refuse"
        assert bound("carburetor").outcome == "refuse"


def test_the_baselines_need_nothing_but_names():
    assert [system("spleen") for system in baselines(VOCABULARY).values()] == [Reply("accept", ("spleen",))] * 3
