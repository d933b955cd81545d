"""Words for what is found in a scan and is no structure."""

import pytest
from anatembed.language.finding_words import load_finding_words
from anatembed.language.query.knowledge import Knowledge
from anatembed.language.query_words import load_query_words
from anatembed.language.text_normalisation import normalise
from anatembed.language.vocabulary import Vocabulary

WORDS = load_finding_words()
VOCABULARY = Vocabulary.load()


@pytest.mark.parametrize(("text", "found"), [
    ("nodule", [(0, 1)]), ("left lung nodule", [(2, 3)]), ("free air under the diaphragm", [(0, 2)]),
    ("appendicitis", [(0, 1)]), ("cyst and stone", [(0, 1), (2, 3)]), ("enlarged spleen", []), ("liver", []), ("", []),
    ("splenius capitis", []), ("nephrectomy", []), ("gall stones", [(0, 2)]),
])
def test_findings_are_told_from_what_is_only_said_of_a_structure(text, found):
    assert WORDS.typed(tuple(text.split())) == found


@pytest.mark.parametrize("word", ["nodule", "enlarged", "appendicitis", "nephrectomy", "angiogram", "cysts", "stent"])
def test_every_word_of_a_disease_or_procedure_is_known_as_no_typing_error(word):
    assert WORDS.is_known(word)


def test_every_structure_of_a_finding_is_in_the_vocabulary():
    assert {term_id for term_id in WORDS.findings.values() if term_id} <= set(VOCABULARY.ids)
    assert WORDS.structures <= set(VOCABULARY.ids)


def test_findings_are_normalised_and_are_no_sides_commands_or_parts():
    tables = load_query_words()
    taken = tables.ignorable | tables.part_words | tables.negation | tables.side_words.keys()
    single = {words[0] for words in WORDS.findings if len(words) == 1}
    assert all(normalise(" ".join(words)) == " ".join(words) for words in WORDS.findings)
    assert single.isdisjoint(taken | WORDS.said_of_a_structure)


def test_hardly_a_finding_is_a_word_of_a_name():
    names = Knowledge(VOCABULARY).index.native
    assert {words[0] for words in WORDS.findings if len(words) == 1} & names == {"cyst", "fluid"}
