"""How structures look on CT."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from little_people import VOCABULARY
from research.training.tissues import NAMES, TISSUES, draw_means, draw_phase, tissue_of, unsided


@pytest.mark.parametrize(("concept", "tissue"), [
    ("liver", "liver"), ("kidney_left", "kidney"), ("vertebrae_L1", "bone"), ("aorta", "artery"),
    ("inferior_vena_cava", "vein"), ("portal_vein", "vein"), ("spinal_cord", "cord"), ("brainstem", "brain"),
    ("intervertebral_disc", "disc"), ("thyroid_cartilage", "cartilage"), ("thyroid_gland", "thyroid"),
    ("urinary_bladder", "fluid"), ("gallbladder", "fluid"), ("trachea", "airway"), ("lung_left", "lung"),
    ("heart_myocardium", "myocardium"), ("stomach", "bowel"), ("gluteus_maximus_left", "muscle"),
])
def test_a_concept_has_the_tissue_that_it_is_made_of(concept, tissue):
    assert tissue_of(concept, VOCABULARY) == tissue


@pytest.mark.parametrize("term", [t for t in VOCABULARY.terms if t.pair], ids=lambda term: term.id)
def test_both_sides_are_made_of_the_same_tissue(term):
    assert tissue_of(term.id, VOCABULARY) == tissue_of(term.pair, VOCABULARY)


@pytest.mark.parametrize(("concept", "expected"), [
    ("kidney_left", "kidney"), ("rib_right_7", "rib_7"), ("heart_atrium_left", "heart_atrium"), ("liver", "liver"),
])
def test_the_side_is_taken_off_a_name(concept, expected):
    assert unsided(concept) == expected


@given(st.integers(0, 2000), st.booleans())
def test_brightness_never_tells_left_from_right(seed, freely):
    concepts = ["kidney_left", "liver", "kidney_right", "rib_left_7", "rib_right_7"]
    tissues = ["kidney", "liver", "kidney", "bone", "bone"]
    means, textures = draw_means(concepts, tissues, np.random.default_rng(seed), freely)
    assert means[0] == means[2]
    assert means[3] == means[4]
    assert means.dtype == textures.dtype == np.float32
    assert (textures >= 0).all()


@given(st.integers(0, 2000))
def test_contrast_phases_are_shares(seed):
    assert all(0 <= share <= 1 for share in draw_phase(np.random.default_rng(seed)))


def test_realistic_images_keep_the_order_of_air_fat_and_bone():
    """The marrow of old people can be as dark as their muscle, not darker than their fat."""
    tissues = ["air", "fat", "muscle", "bone"]
    denser = 0
    for seed in range(50):
        means, _ = draw_means(tissues, tissues, np.random.default_rng(seed), False)
        assert means[0] < means[1] < min(means[2:])
        denser += means[2] < means[3]
    assert denser > 45


def test_the_canonical_value_lies_within_the_range_of_its_tissue():
    assert all(tissue.low <= tissue.canonical <= tissue.high for tissue in TISSUES.values())
    assert tuple(TISSUES) == NAMES
