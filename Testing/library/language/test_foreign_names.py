"""Names in other languages that are not in the vocabulary: understood word by word, and always a question."""

from dataclasses import replace

import pytest
from anatembed.language.query.resolver import Resolver
from anatembed.language.vocabulary import Vocabulary

FULL = Vocabulary.load()
ENGLISH_ONLY = Vocabulary(
    [replace(term, synonyms=tuple(one for one in term.synonyms if one.lang == "en")) for term in FULL.terms]
)
RESOLVER = Resolver(ENGLISH_ONLY)


def answer(text):
    resolution = RESOLVER.resolve(text)
    return resolution.outcome, [one.id for one in resolution.candidates]


@pytest.mark.parametrize(
    ("text", "term_id"),
    [
        ("veine rénale gauche", "renal_vein_left"),
        ("linke Nierenvene", "renal_vein_left"),
        ("arteria esplénica", "splenic_artery"),
        ("vésicule biliaire", "gallbladder"),
        ("rechter Lungenoberlappen", "lung_upper_lobe_right"),
        ("pulmo dexter", "lung_right"),
        ("zeig mir die Leber", "liver"),
    ],
)
def test_a_translated_name_must_be_confirmed(text, term_id):
    assert answer(text) == ("confirm", [term_id])
    assert "read as" in RESOLVER.resolve(text).reason


def test_a_translated_name_without_a_side_asks_for_it():
    assert answer("Nierenvene") == ("ask", ["renal_vein_left", "renal_vein_right"])


def test_a_side_that_does_not_exist_is_not_translated_away():
    assert answer("linke Milz")[0] == "refuse"


def test_an_english_answer_is_not_replaced():
    assert answer("kidney") == ("ask", ["kidney_left", "kidney_right"])
    assert answer("cirrhotic liver") == ("confirm", ["liver"])


@pytest.mark.parametrize("text", ["nervus ischiadicus", "Kreuzband links", "nerf sciatique"])
def test_unknown_anatomy_stays_unknown(text):
    assert answer(text)[0] == "refuse"
