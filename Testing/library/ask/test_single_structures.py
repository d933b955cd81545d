"""Which structures have one place."""

import pytest
from anatembed.ask.single_structures import MANY_BY_ID, MANY_BY_KIND, MANY_BY_WORD, MANY_WITH_PARTS, is_single
from anatembed.language.vocabulary import Vocabulary

VOCABULARY = Vocabulary.load()


@pytest.mark.parametrize("concept", [
    "liver", "spleen", "kidney_left", "heart", "heart_ventricle_left", "lung_left", "urinary_bladder", "stomach",
    "aorta",
    "esophagus", "vertebrae_L3", "rib_left_5", "femur_right", "kidney_upper_pole_left", "pancreas_head", "portal_vein",
])
def test_an_organ_a_bone_and_a_named_vessel_are_single(concept):
    assert is_single(VOCABULARY, concept)


@pytest.mark.parametrize("concept", [
    "kidney", "lung", "rib", "lymph_nodes", "axillary_lymph_nodes_left", "psoas_major_left", "subcutaneous_fat",
    "small_bowel", "jejunum", "colon", "sigmoid_colon", "spine", "rib_cage", "intervertebral_disc", "pulmonary_vein",
    "hepatic_veins", "costal_cartilages",
])
def test_what_lies_in_several_places_is_not(concept):
    assert not is_single(VOCABULARY, concept)


def test_the_tables_name_what_the_vocabulary_has():
    assert all(one in VOCABULARY for one in MANY_BY_ID | MANY_WITH_PARTS)
    assert {term.category for term in VOCABULARY.terms} >= MANY_BY_KIND
    assert {term.preferred.split()[-1] for term in VOCABULARY.terms} >= MANY_BY_WORD
