"""Zero flips: every paired structure, in every language of the vocabulary, with every form of a side word.

Every form of a side word and every name occur; which of them meet is dealt out in turn, so that the test stays short.
"""

from itertools import cycle, islice

import pytest
from anatembed.language.finding_words import load_finding_words
from anatembed.language.query.resolver import Resolver
from anatembed.language.query_words import load_query_words
from anatembed.language.text_normalisation import normalise
from anatembed.language.vocabulary import Vocabulary

VOCABULARY = Vocabulary.load()
RESOLVER = Resolver(VOCABULARY)
FINDINGS = load_finding_words().structures
PAIRED = [
    term
    for term in VOCABULARY.terms
    if term.laterality == "none" and VOCABULARY.sides(term.id) and term.id not in FINDINGS
]
LATIN_LETTERS = ("en", "la", "fr", "de", "es")
WORDS = load_query_words().side_words
OWNERS = {normalise(one.text): term.base or term.id for term in VOCABULARY.terms for one in term.synonyms}
FORMS_A_NAME = 3
FORMS = ("{side} {name}", "{name} {side}", "{name}, {side}", "{name} ({side})")
CHINESE_FORMS = {
    "left": ("左{name}", "左侧{name}", "左边{name}", "{name}左侧", "请显示左侧{name}"),
    "right": ("右{name}", "右侧{name}", "右边{name}", "{name}右侧", "请显示右侧{name}"),
}


def names_in(term, language):
    preferred = [term.preferred] if language == "en" else []
    return [*preferred, *(one.text for one in term.synonyms if one.lang == language and one.type != "adjective")]


def mistakes(text, term, side):
    """What is wrong with the answer: a candidate of the other side, or the structure of the side is missing.

    A text that is by accident the whole name of another structure is left out: "left" and the French "main".
    """
    if OWNERS.get(normalise(text), term.id) != term.id:
        return []
    candidates = RESOLVER.resolve(text).candidates
    flipped = [one.id for one in candidates if one.side not in (side, None)]
    lost = VOCABULARY.sides(term.id)[side] not in [one.id for one in candidates]
    return [(text, flipped, lost)] if flipped or lost else []


@pytest.mark.parametrize("language", LATIN_LETTERS)
def test_no_side_is_flipped_or_lost(language):
    wrong, used = [], set()
    words = {side: cycle([word for word, meant in WORDS.items() if meant == side]) for side in ("left", "right")}
    forms = cycle(FORMS)
    for term in PAIRED:
        for name in names_in(term, language):
            for side in ("left", "right"):
                for word, form in zip(islice(words[side], FORMS_A_NAME), forms, strict=False):
                    used.add(word)
                    wrong += mistakes(form.format(side=word, name=name), term, side)
    assert wrong == []
    assert used == set(WORDS)


@pytest.mark.parametrize("side", ["left", "right"])
def test_no_side_is_flipped_or_lost_in_chinese(side):
    forms = cycle(CHINESE_FORMS[side])
    named = [(term, name) for term in PAIRED for name in names_in(term, "zh")]
    assert [one for term, name in named for one in mistakes(next(forms).format(name=name), term, side)] == []


def test_a_confirmed_or_accepted_structure_has_a_side_only_if_one_is_written():
    """Every name of every paired structure without its side."""
    wrong = []
    for term in PAIRED:
        for language in (*LATIN_LETTERS, "zh"):
            for name in names_in(term, language):
                resolution = RESOLVER.resolve(name)
                if resolution.outcome in ("accept", "confirm") and resolution.candidates[0].side:
                    wrong.append((name, resolution.candidates[0].id))
    assert wrong == []
