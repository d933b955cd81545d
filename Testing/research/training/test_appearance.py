"""Painted images look like CT where it was measured: borders, noise, marbling, couch; and augmentation keeps places."""

import dataclasses

import numpy as np
import pytest
import torch
from little_people import CENTRES_RAS, VOCABULARY, little_person
from research.training.appearance import Appearance, Variation
from research.training.sampling import AIR_HU
from research.training.subject import OUTSIDE, UNNAMED, UNNAMED_AIR
from research.training.synthesis import CropSource
from research.training.targets import Taxonomy

TAXONOMY = Taxonomy(set(CENTRES_RAS), VOCABULARY)
USUAL = Variation(free_appearance=0.0, couch=0.0)


def appearance_of(seed: int, variation=USUAL) -> Appearance:
    return Appearance(np.random.default_rng(seed), torch.Generator().manual_seed(seed), variation)


def own_grid(source: CropSource) -> torch.Tensor:
    """Every voxel of the person at its own place: (3,K,J,I)."""
    axes = (torch.arange(n, dtype=torch.float32) for n in source.labels.shape)
    return torch.stack(torch.meshgrid(*axes, indexing="ij"))


def painted(seed: int, person=None, variation=USUAL):
    source = CropSource(person or little_person(ct=False), TAXONOMY, VOCABULARY)
    return source, *appearance_of(seed, variation).paint(source, source.label_volume, own_grid(source))


@pytest.mark.parametrize("seed", range(5))
def test_noise_in_an_organ_is_as_weak_as_in_scans_except_in_a_few(seed):
    """Real soft tissue differs from voxel to voxel by about 2 to 6 HU at this spacing."""
    source, hu, _ = painted(seed)
    liver = source.label_volume == 2
    pairs = liver[..., 1:] & liver[..., :-1]
    assert 0.3 < ((hu[..., 1:] - hu[..., :-1])[pairs].std() / 2**0.5).item() < 30


def test_noise_is_usually_below_ten_hu():
    levels = []
    for seed in range(30):
        noisy = appearance_of(seed)._acquire(torch.full((12, 12, 12), 50.0))
        levels.append((noisy - noisy.mean()).std().item())
    assert np.median(levels) < 8
    assert max(levels) > 10


def test_there_is_less_noise_in_air_than_in_tissue():
    hu = torch.full((1, 1, 16, 16, 16), 40.0)
    hu[..., :8] = AIR_HU + 30
    noisy = appearance_of(0)._noisy(hu, 20.0)
    assert noisy[..., :8].std() < 0.5 * noisy[..., 8:].std()


def test_borders_between_tissues_are_mixtures_where_the_grid_falls_between_voxels():
    source = CropSource(little_person(ct=False), TAXONOMY, VOCABULARY)
    shifted = own_grid(source) + 0.5
    still = appearance_of(3)
    still._acquire = lambda hu: hu
    hu, _ = still.paint(source, source.label_volume, shifted)
    edge = (source.label_volume == OUTSIDE) != torch.roll(source.label_volume == OUTSIDE, 1, 2)
    between = (hu > -900) & (hu < -200)
    assert between[edge].float().mean() > 0.3


@pytest.mark.parametrize("seed", range(3))
def test_gas_without_a_name_is_painted_as_air_and_not_as_fat(seed):
    person = little_person(ct=False)
    person.labels_kji[person.labels_kji == 2] = len(person.label_names)
    person.label_names.append(UNNAMED_AIR)
    person.label_concepts.append(())
    source, hu, _ = painted(seed, person)
    assert hu[source.label_volume == len(person.label_names) - 1].median() < -600
    assert hu[source.label_volume == UNNAMED].median() > -250


def test_unnamed_tissue_near_bone_is_more_often_muscle():
    near, far = [], []
    for seed in range(12):
        source, hu, _ = painted(seed)
        unnamed = source.label_volume == UNNAMED
        near.append((hu[unnamed & (source.flesh > 180)] > -20).float().mean().item())
        far.append((hu[unnamed & (source.flesh == 0)] > -20).float().mean().item())
    assert np.mean(near) > np.mean(far) + 0.2


def test_the_couch_lies_behind_the_body_and_in_air_only():
    labels = torch.zeros(8, 30, 30, dtype=torch.int16)
    labels[:, 14:24, 5:25] = UNNAMED
    changed = 0
    for seed in range(10):
        hu = torch.where(labels == UNNAMED, 40.0, AIR_HU)
        before = hu.clone()
        appearance_of(seed, dataclasses.replace(USUAL, couch=1.0))._couch(hu, labels)
        assert torch.equal(hu[labels == UNNAMED], before[labels == UNNAMED])
        assert torch.equal(hu[:, 22:], before[:, 22:])
        changed += not torch.equal(hu, before)
    assert changed > 5


@pytest.mark.parametrize("seed", range(6))
def test_a_scan_of_another_scanner_shows_the_same_things_in_the_same_places(seed):
    person = little_person()
    hu = torch.from_numpy(person.ct_kji.astype(np.float32))
    augmented = appearance_of(seed).augment(hu)
    assert augmented.shape == hu.shape
    assert np.corrcoef(hu.ravel(), augmented.ravel())[0, 1] > 0.9
    assert torch.equal(hu, torch.from_numpy(person.ct_kji.astype(np.float32)))
