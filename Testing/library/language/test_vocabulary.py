"""The shipped vocabulary: its structure, licence rules and corrections."""

import json
from collections import Counter

import pytest
from anatembed.language.vocabulary import DEFAULT_PATH, Vocabulary

MAX_BYTES = 900_000


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary.load()


def texts(vocabulary, term_id, kind=None):
    return {one.text for one in vocabulary[term_id].synonyms if kind is None or one.type == kind}


def test_every_reference_names_a_term(vocabulary):
    for term in vocabulary.terms:
        assert {*term.part_of, *filter(None, (term.pair, term.base))} <= set(vocabulary.ids), term.id
    assert set(vocabulary.aliases.values()) <= set(vocabulary.ids)
    assert not set(vocabulary.aliases) & set(vocabulary.ids)


def test_ids_are_unique(vocabulary):
    assert len(set(vocabulary.ids)) == len(vocabulary.terms) == len(vocabulary) > 800


def test_laterality_and_policy_hold_known_words_only(vocabulary):
    assert {term.laterality for term in vocabulary.terms} == {"left", "right", "none"}
    assert {term.side_policy for term in vocabulary.terms} == {"paired", "unpaired", "inherent"}


def test_a_pair_is_mutual_and_opposite(vocabulary):
    for term in vocabulary.terms:
        if term.pair:
            other = vocabulary[term.pair]
            assert other.pair == term.id
            assert {term.laterality, other.laterality} == {"left", "right"}


def test_every_base_has_a_left_and_a_right(vocabulary):
    for base in {term.base for term in vocabulary.terms if term.base}:
        assert set(vocabulary.sides(base)) == {"left", "right"}
        assert vocabulary[base].laterality == "none"


def test_no_structure_is_part_of_itself(vocabulary):
    for term in vocabulary.terms:
        assert term.id not in vocabulary.ancestors(term.id)
        assert all(term.id not in vocabulary.ancestors(whole) for whole in term.part_of)


def test_the_side_of_an_english_name_is_the_side_of_its_term(vocabulary):
    for term in vocabulary.terms:
        opposite = {"left": "right", "right": "left"}.get(term.laterality)
        for synonym in term.synonyms:
            assert opposite is None or opposite not in synonym.text.lower().split(), (term.id, synonym.text)


def test_ancestors_and_descendants_mirror_each_other(vocabulary):
    assert "heart" in vocabulary.ancestors("heart_ventricle_left")
    assert "heart_ventricle_left" in vocabulary.descendants("heart")
    assert vocabulary.ancestors("body") == ()


def test_an_unknown_id_is_refused_by_name(vocabulary):
    with pytest.raises(ValueError, match="'flux_capacitor'"):
        vocabulary["flux_capacitor"]
    with pytest.raises(ValueError, match="unknown"):
        vocabulary.ancestors("flux_capacitor")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.json"):
        Vocabulary.load(tmp_path / "nowhere.json")


@pytest.mark.parametrize("content", [{}, [], {"schema": "other/1"}])
def test_another_schema_is_refused(tmp_path, content):
    path = tmp_path / "vocabulary.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ValueError, match="expected a vocabulary of schema"):
        Vocabulary.load(path)


def test_the_file_is_small_and_names_its_sources(vocabulary):
    assert DEFAULT_PATH.stat().st_size < MAX_BYTES
    attribution = " ".join(vocabulary.attribution)
    for word in ("UBERON", "CC BY 3.0", "TotalSegmentator", "VISTA3D", "Apache-2.0"):
        assert word in attribution


def test_one_snomed_code_means_one_structure_of_a_side(vocabulary):
    uses = Counter((term.snomed, term.laterality) for term in vocabulary.terms if term.snomed)
    assert [key for key, count in uses.items() if count > 1] == []
    assert vocabulary["kidney_left"].snomed == "64033007"
    assert vocabulary["subclavian_artery_left"].snomed == "36765005"


@pytest.mark.parametrize("term_id", ["kidney_cyst_left", "kidney_cyst_right", "gluteus_minimus", "zygomatic_arch"])
def test_a_wrong_upstream_snomed_code_is_not_shipped(vocabulary, term_id):
    assert vocabulary[term_id].snomed is None


def test_synonyms_of_every_language_are_kept(vocabulary):
    languages = Counter(one.lang for term in vocabulary.terms for one in term.synonyms)
    assert set(languages) == {"en", "la", "fr", "de", "es", "zh"}
    assert min(languages.values()) > 700


# Corrections of the source, one test each.
@pytest.mark.parametrize(
    ("term_id", "text"),
    [
        ("ilium", "iliac crest"),
        ("ilium_left", "left iliac crest"),
        ("liver_segment_1", "posterior liver"),
        ("lung_middle_lobe_right", "right medial lobe of lung"),
        ("uterine_cervix", "caudal segment of uterus"),
        ("zygomatic_bone", "orbital bone"),
    ],
)
def test_a_wrong_synonym_is_gone(vocabulary, term_id, text):
    assert text not in texts(vocabulary, term_id)


@pytest.mark.parametrize(
    ("term_id", "text"),
    [
        ("abdominal_aorta", "infrarenal aorta"),
        ("thoracic_aorta", "thoracic aorta"),
        ("spinal_canal", "thecal sac"),
        ("mastoid_process_left", "left mastoid air cells"),
        ("ilium_right", "right iliac wing"),
        ("mesentery", "mesenteric fat"),
    ],
)
def test_a_name_of_a_part_or_a_neighbour_is_only_related(vocabulary, term_id, text):
    assert text in texts(vocabulary, term_id, "related")


def test_the_iliac_crest_is_a_part_of_the_ilium_of_its_side(vocabulary):
    assert vocabulary["iliac_crest_left"].part_of == ("ilium_left",)
    assert vocabulary["iliac_crest_right"].pair == "iliac_crest_left"


@pytest.mark.parametrize("term_id", ["sternum_body", "sternal_notch", "clavicle_medial_end_left", "iliac_crest_right"])
def test_added_terms_exist(vocabulary, term_id):
    assert vocabulary.name(term_id)


@pytest.mark.parametrize(
    ("alias", "term_id"),
    [
        ("aorta_arch", "aortic_arch"),
        ("aorta_ascending", "ascending_aorta"),
        ("aorta_descending_thoracic", "thoracic_aorta"),
        ("aorta_abdominal", "abdominal_aorta"),
        ("aorta_bifurcation", "aortic_bifurcation"),
        ("thyroid_gland_right_lobe", "thyroid_lobe_right"),
        ("sternum_manubrium", "manubrium"),
        ("xiphoid", "xiphoid_process"),
        ("clavicle_left", "clavicula_left"),
        ("hepatic_flexure_colon", "hepatic_flexure"),
    ],
)
def test_another_spelling_of_an_id_leads_to_the_term(vocabulary, alias, term_id):
    assert vocabulary.canonical_id(alias) == term_id
    assert vocabulary.canonical_id(term_id) == term_id
    assert vocabulary.id_spelt(alias.upper()) == term_id


@pytest.mark.parametrize(
    ("term_id", "text", "language"),
    [
        ("ileocecal_valve", "Bauhin's valve", "en"),
        ("carina", "trachea splits", "en"),
        ("pulmonary_artery_left", "LPA", "en"),
        ("gallbladder", "vesica fellea", "la"),
        ("umbilical_region", "nombril", "fr"),
        ("abdominal_aorta", "Bauchschlagader", "de"),
        ("scapula", "paletilla", "es"),
        ("pulmonary_trunk", "主肺动脉", "zh"),
    ],
)
def test_added_names_are_there(vocabulary, term_id, text, language):
    assert text in {one.text for one in vocabulary[term_id].synonyms if one.lang == language}


def test_a_name_of_one_side_is_not_a_name_of_the_other(vocabulary):
    assert "LPA" not in texts(vocabulary, "pulmonary_artery_right") | texts(vocabulary, "pulmonary_artery")


def test_no_text_is_listed_twice_in_a_language(vocabulary):
    for term in vocabulary.terms:
        assert len({(one.text, one.lang) for one in term.synonyms}) == len(term.synonyms), term.id


@pytest.mark.parametrize("text", ["matrix", "nuts", "balls", "behind", "seat", "trap", "pump", "drain", "test"])
def test_an_everyday_word_is_no_exact_name(vocabulary, text):
    exact = {one.text for term in vocabulary.terms for one in term.synonyms if one.type in ("exact", "lay")}
    assert text not in exact
