"""The loss terms of a batch: which are taught by what, and what the student may not see."""

import pytest
import torch
from anatembed.model.config import EncoderConfig
from hypothesis import given
from hypothesis import strategies as st
from little_people import CENTRES_RAS, VOCABULARY, little_person
from research.training.model import TrainingModel
from research.training.objective import TERMS, Objective, block_mask, octants
from research.training.synthesis import CropGenerator, CropSource
from research.training.targets import Taxonomy

TAXONOMY = Taxonomy(set(CENTRES_RAS), VOCABULARY)
TINY = EncoderConfig(channels=(4, 6), latent=6)


def objective_of(person, seed=0):
    source = CropSource(person, TAXONOMY, VOCABULARY)
    count = len(TAXONOMY.ids)
    model = TrainingModel(TINY, count, seed)
    targets = [torch.from_numpy(source.targets)]
    objective = Objective(model, targets, torch.ones(count, count), voxels=300, mask_share=0.5)
    batch = [CropGenerator([source], [1.0], seed + n).draw((16, 16, 24)) for n in range(2)]
    return objective, batch


def terms_of(person, wanted=frozenset(TERMS), **options):
    objective, batch = objective_of(person)
    teacher = TrainingModel(TINY, len(TAXONOMY.ids), 1).eval().requires_grad_(False)
    return objective(batch, frozenset(wanted), teacher, torch.Generator().manual_seed(0))[0]


def test_a_scan_in_the_body_frame_teaches_every_term():
    terms = terms_of(little_person())
    assert terms.keys() == set(TERMS)
    assert all(torch.isfinite(value) for value in terms.values())


def test_only_wanted_terms_are_computed():
    assert terms_of(little_person(), {"language", "kl"}).keys() == {"language", "kl"}


def test_without_a_place_in_the_frame_there_is_neither_coordinate_nor_structure():
    assert not terms_of(little_person(in_frame=False)).keys() & {"coordinate", "structure"}


def test_a_drawn_image_is_not_distilled():
    assert "distillation" not in terms_of(little_person(ct=False))


@pytest.mark.parametrize("term", [t for t in TERMS if t != "distillation"])
def test_every_term_pulls_at_the_codes(term):
    objective, batch = objective_of(little_person())
    terms, codes = objective(batch, frozenset([term]), None, torch.Generator().manual_seed(0))
    (gradient,) = torch.autograd.grad(terms[term], codes)
    assert gradient.abs().sum() > 0


def test_the_teacher_learns_nothing_by_the_students_gradient():
    objective, batch = objective_of(little_person())
    teacher = TrainingModel(TINY, len(TAXONOMY.ids), 1).eval()
    terms, _ = objective(batch, frozenset(["distillation"]), teacher, torch.Generator().manual_seed(0))
    terms["distillation"].backward()
    assert all(parameter.grad is None for parameter in teacher.parameters())
    assert objective.model.language.weight.grad is not None


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_masking_hides_about_its_share_in_blocks_of_one_value_and_nothing_else(share):
    hu = torch.rand(64, 80, 96)
    masked = block_mask(hu, share, torch.Generator().manual_seed(1))
    changed = masked != hu
    assert changed.float().mean() == pytest.approx(share, abs=0.15)
    assert len(masked[changed].unique()) == (share > 0)
    assert torch.equal(block_mask(hu, share, torch.Generator().manual_seed(1)), masked)


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_octants_are_the_eight_voxels_below_each_map_voxel(k, j, i):
    volume = torch.arange(8 * k * j * i).reshape(2 * k, 2 * j, 2 * i)
    eight = octants(volume)
    assert eight.shape == (8, k, j, i)
    for kji in ((0, 0, 0), (k - 1, j - 1, i - 1)):
        below = volume[tuple(slice(2 * n, 2 * n + 2) for n in kji)]
        assert torch.equal(eight[:, *kji], below.reshape(-1))
