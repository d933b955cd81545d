"""The answers of the resolver as values."""

import pytest
from anatembed.language.query.candidate import candidate
from anatembed.language.query.resolution import SUGGESTION_CONFIDENCE, accept, ask, confirm, refuse
from anatembed.language.vocabulary import Vocabulary

VOCABULARY = Vocabulary.load()


def test_a_candidate_carries_name_and_side():
    found = candidate(VOCABULARY, "kidney_left", 0.7)
    assert (found.name, found.side, found.confidence) == ("left kidney", "left", 0.7)
    assert candidate(VOCABULARY, "spleen", 1.0).side is None


def test_confidence_falls_from_accept_to_refuse():
    answers = [
        accept(VOCABULARY, "spleen", "Sure."),
        confirm(VOCABULARY, ["spleen"], "Is it?"),
        ask(VOCABULARY, ["spleen", "liver"], "Which?"),
        refuse(VOCABULARY, "No.", ["spleen"]),
    ]
    confidences = [one.candidates[0].confidence for one in answers]
    assert [one.outcome for one in answers] == ["accept", "confirm", "ask", "refuse"]
    assert confidences == sorted(confidences, reverse=True)
    assert confidences[-1] == SUGGESTION_CONFIDENCE


def test_an_unknown_id_is_no_candidate():
    with pytest.raises(ValueError, match="unknown"):
        candidate(VOCABULARY, "flux_capacitor", 1.0)
