"""Names found by their words."""

import pytest
from anatembed.language.query.phrase_index import PhraseIndex
from anatembed.language.query_words import load_query_words
from anatembed.language.vocabulary import Synonym, Term, Vocabulary


def term(term_id, preferred, *synonyms):
    rows = tuple(Synonym(text, "en", kind) for text, kind in synonyms)
    return Term(term_id, preferred, "organ", "none", None, None, (), None, rows, "unpaired")


@pytest.fixture(scope="module")
def index():
    terms = [
        term("aorta", "aorta", ("aortic", "adjective")),
        term("abdominal_aorta", "abdominal aorta"),
        term("external_carotid", "external carotid artery", ("ECA", "abbreviation")),
        term("abductor", "abductor muscle"),
        term("brainstem", "brainstem"),
    ]
    return PhraseIndex(Vocabulary(terms), load_query_words(), frozenset({"aura"}))


def found(index, *words):
    return [match.name.meanings[0].term_id for match in index.search(words, frozenset())]


def test_every_word_of_a_name_must_be_found_in_any_order(index):
    assert found(index, "aorta", "abdominal")[0] == "abdominal_aorta"
    assert "abdominal_aorta" not in found(index, "abdominal")


def test_leftover_words_are_reported(index):
    assert index.search(("aorta", "strange"), frozenset())[0].leftover == ("strange",)


def test_an_adjective_stands_for_its_noun_in_a_longer_name(index):
    assert found(index, "abdominal", "aortic")[0] == "abdominal_aorta"


def test_a_typing_error_is_found_and_named(index):
    match = index.search(("arotid", "external", "artery"), frozenset())[0]
    assert match.corrections == (("arotid", "carotid"),)


def test_a_guarded_word_is_not_corrected(index):
    assert found(index, "aura") == []


def test_an_opposite_is_not_a_typing_error(index):
    assert "external_carotid" not in found(index, "internal", "carotid", "artery")
    assert "abductor" not in found(index, "adductor", "muscle")


def test_an_abbreviation_is_never_the_target_of_a_correction(index):
    assert found(index, "ecaa") == []


def test_a_joined_word_is_found_in_two_parts(index):
    assert found(index, "brain", "stem") == ["brainstem"]


def test_names_that_hold_more_words_are_listed(index):
    assert [name.meanings[0].term_id for name in index.containing(("carotid",))] == ["external_carotid"]


def test_a_noun_stands_for_its_adjective():
    terms = [term("spleen", "spleen", ("splenic", "adjective")), term("splenic_vein", "splenic vein")]
    assert found(PhraseIndex(Vocabulary(terms), load_query_words(), frozenset()), "spleen", "vein")[0] == "splenic_vein"


def test_a_real_word_is_an_error_only_inside_a_name_that_explains_everything():
    terms = [term("valve", "mitral valve"), term("pons", "pons")]
    index = PhraseIndex(Vocabulary(terms), load_query_words(), frozenset({"value", "pond"}))
    assert found(index, "mitral", "value") == ["valve"]
    assert not index.search(("mitral", "value"), frozenset())[0].certain
    assert found(index, "strange", "mitral", "value") == []
    assert found(index, "pond") == []


def test_what_is_typed_as_one_word_is_used_as_a_whole():
    terms = [term("brain", "brain"), term("stem_cell", "stem")]
    index = PhraseIndex(Vocabulary(terms), load_query_words(), frozenset())
    assert found(index, "brainstem") == []


def test_short_capitals_and_names_of_findings_are_no_typing_errors(index):
    assert found(index, "aota") == ["aorta"]
    assert index.search(("aota",), frozenset({"aota"})) == []
    assert found(index, "aortitis") == []
