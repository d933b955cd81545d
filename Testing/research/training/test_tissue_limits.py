"""From which HU down a place is no structure any more."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from little_model import TAXONOMY
from little_people import VOCABULARY, little_person
from research.training.synthesis import CropGenerator, CropSource, Variation
from research.training.tissue_limits import SOFT_TISSUE_HU, lowest_hu, unmixed


@given(st.integers(0, 100), st.tuples(*[st.integers(1, 7)] * 3))
def test_a_voxel_of_the_map_is_unmixed_when_all_of_its_voxels_have_one_label(seed, shape):
    labels = np.random.default_rng(seed).integers(1, 3, shape)
    found = unmixed(labels)
    assert found.shape == tuple(-(-n // 2) for n in shape)
    for k, j, i in np.ndindex(found.shape):
        block = np.unique(labels[2 * k : 2 * k + 2, 2 * j : 2 * j + 2, 2 * i : 2 * i + 2])
        assert found[k, j, i] == (block[0] if len(block) == 1 else 0)


def test_organs_get_a_limit_between_fat_and_soft_tissue_and_what_was_not_seen_gets_none():
    person = little_person(concepts=("liver", "spleen"))
    source = CropSource(person, TAXONOMY, VOCABULARY)
    generator = CropGenerator([source], [1.0], 0, Variation(cut_field_of_view=0.0, elastic=0.0))
    limits = dict(zip(TAXONOMY.ids, lowest_hu(generator, TAXONOMY, 6, ((32, 32, 48),)), strict=True))
    for organ in ("liver", "spleen"):
        assert -80 < limits[organ] <= SOFT_TISSUE_HU
    assert limits["kidney_left"] == -np.inf
