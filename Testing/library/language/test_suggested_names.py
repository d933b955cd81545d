"""Words that no rule explains: hints and questions from meaning, never another side."""

import pytest
from anatembed.language.query.resolution import refuse
from anatembed.language.query.suggested_names import SuggestedNames
from anatembed.language.query.suggestions import Suggestion
from anatembed.language.sides import SideReading
from anatembed.language.vocabulary import Vocabulary

VOCABULARY = Vocabulary.load()
NO_SIDE = SideReading(())
UNKNOWN = refuse(VOCABULARY, "Not known.", unknown=True)


class FixedSuggestions:
    """Answers with what it was given, and keeps what it was asked."""

    def __init__(self, *suggestions):
        self.suggestions, self.asked = list(suggestions), []

    def near(self, words, side, limit):
        self.asked.append((words, side, limit))
        return self.suggestions


def anything(words, term_id):
    return True


def answer(suggestions, reading=NO_SIDE, words=("pee", "pipe")):
    return SuggestedNames(VOCABULARY, lambda: suggestions, anything).resolve(reading, words, UNKNOWN)


def test_a_sure_suggestion_is_a_question_with_choices():
    found = answer(FixedSuggestions(Suggestion("urethra", 0.9, True), Suggestion("urinary_bladder", 0.7, False)))
    assert (found.outcome, [one.id for one in found.candidates]) == ("confirm", ["urethra", "urinary_bladder"])


def test_a_sure_suggestion_of_a_paired_structure_asks_for_the_side():
    found = answer(FixedSuggestions(Suggestion("ureter", 0.9, True)))
    assert (found.outcome, [one.id for one in found.candidates]) == ("ask", ["ureter_left", "ureter_right"])


def test_an_unsure_suggestion_is_a_hint_in_the_refusal():
    found = answer(FixedSuggestions(Suggestion("urethra", 0.8, False), Suggestion("brain", 0.4, False)))
    assert (found.outcome, found.unknown, [one.id for one in found.candidates]) == ("refuse", True, ["urethra"])
    assert "urethra" in found.reason


def test_the_side_of_the_text_is_handed_on():
    suggestions = FixedSuggestions()
    answer(suggestions, SideReading((), "one", "left"))
    assert suggestions.asked == [("pee pipe", "left", 3)]


@pytest.mark.parametrize("kind", ["both", "negated", "screen", "relative"])
def test_a_side_that_is_not_plain_is_not_searched(kind):
    suggestions = FixedSuggestions(Suggestion("urethra", 0.9, True))
    assert answer(suggestions, SideReading((), kind)) is None
    assert suggestions.asked == []


def test_without_the_text_encoder_the_refusal_stays():
    def missing():
        raise FileNotFoundError("text_encoder.npz")

    assert SuggestedNames(VOCABULARY, missing, anything).resolve(SideReading(()), ("pee",), UNKNOWN) is None


def test_words_that_cannot_name_the_structure_get_no_question():
    suggestions = FixedSuggestions(Suggestion("tibia", 0.9, True))
    names = SuggestedNames(VOCABULARY, lambda: suggestions, lambda words, term_id: False)
    assert names.resolve(NO_SIDE, ("tibial", "nerve"), UNKNOWN).outcome == "refuse"


def test_a_structure_that_was_refused_as_the_nearest_is_not_asked_for():
    refused = refuse(VOCABULARY, "Not known.", ["tibia"], unknown=True)
    names = SuggestedNames(VOCABULARY, lambda: FixedSuggestions(Suggestion("tibia", 0.9, True)), anything)
    assert names.resolve(NO_SIDE, ("tibial", "nerve"), refused) is None
