"""What a few words of a report name."""

import pytest
from anatembed.language.query.resolver import Resolver
from anatembed.language.report.phrases import ADJECTIVE, NAME, PhraseReader, phrase_of
from anatembed.language.report.tokens import clauses
from anatembed.language.vocabulary import Vocabulary

READER = PhraseReader(Resolver(Vocabulary.load()))


def tokens(text):
    (found,) = clauses(text, READER.words)
    return found


def read(text):
    return READER.read(tokens(text), False)


@pytest.mark.parametrize(("text", "outcome", "kind"), [
    ("liver", "accept", NAME), ("kidneys", "ask", NAME),
    ("renal", "ask", ADJECTIVE), ("left renal", "accept", ADJECTIVE),
    ("segment VI", "confirm", NAME), ("mesenteric artery", "ask", NAME), ("right coronary", "accept", NAME),
    ("lower third of esophagus", "accept", NAME),
])
def test_names(text, outcome, kind):
    reading = read(text)
    assert (reading.resolution.outcome, reading.kind) == (outcome, kind)


@pytest.mark.parametrize("text", [
    "liver kidney", "lobe", "axis", "body", "left", "right spleen", "liver lesion",
])
def test_what_is_no_single_name(text):
    assert read(text) is None


def test_a_phrase_is_resolved_once():
    class Counting:
        vocabulary, asked = READER.vocabulary, []

        def by_rules(self, text):
            self.asked.append(text)
            return READER.resolver.by_rules(text)

    reader = PhraseReader(Counting())
    for _ in range(3):
        reader.read(tokens("left kidney"), False)
    assert Counting.asked == ["left kidney"]


def test_capitals_that_mean_nothing_are_made_small():
    assert phrase_of(tokens("THE LA"), shouted=True) == "the la" and phrase_of(tokens("THE LA"), False) == "THE LA"
