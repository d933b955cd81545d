"""Training crops: labels, image and coordinates stay together, and no crop is ever mirrored."""

import dataclasses

import numpy as np
import pytest
import torch
from anatembed.geometry import transform_points
from hypothesis import given, settings
from hypothesis import strategies as st
from little_people import CENTRES_RAS, HU, VOCABULARY, little_person
from research.training.appearance import Variation
from research.training.sampling import AIR_HU
from research.training.subject import OUTSIDE, UNNAMED
from research.training.synthesis import FIELDS_OF_VIEW, CropGenerator, CropSource
from research.training.targets import Taxonomy
from scipy import ndimage

SHAPE = (32, 32, 48)
TAXONOMY = Taxonomy(set(CENTRES_RAS), VOCABULARY)
NAMES = ["outside", "unnamed", *CENTRES_RAS]
STILL = Variation(*[0.0] * 9)
WHOLE = Variation(cut_field_of_view=0.0)


def source_of(**options) -> CropSource:
    return CropSource(little_person(**options), TAXONOMY, VOCABULARY)


def generator_of(*sources, seed=0, variation=None) -> CropGenerator:
    return CropGenerator(list(sources), [1.0] * len(sources), seed, variation)


@pytest.mark.parametrize("ct", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_right_is_never_turned_into_left(ct, seed):
    """Columns grow to the right, rows to the front, planes upwards, in every crop."""
    crop = generator_of(source_of(ct=ct), seed=seed).draw(SHAPE)[1]
    body = crop.labels > OUTSIDE
    kji = body.nonzero().float()
    for component, axis in ((0, 2), (1, 1), (2, 0)):
        values = crop.body_coordinates[component][body]
        correlation = np.corrcoef(kji[:, axis], values)[0, 1]
        assert correlation > 0.7


@pytest.mark.parametrize("seed", range(6))
def test_the_right_kidney_stays_right_of_the_left_one(seed):
    labels = generator_of(source_of(ct=False), seed=seed, variation=WHOLE).draw((48, 48, 64))[1].labels
    columns = [(labels == NAMES.index(f"kidney_{side}")).nonzero()[:, 2].float().mean() for side in ("left", "right")]
    assert columns[0] < columns[1]


@pytest.mark.parametrize("seed", range(5))
def test_body_coordinates_are_those_of_the_labels_in_the_world(seed):
    """The label that lies at a coordinate in the person is the label of the crop there."""
    source = source_of(centre_ras=(120.0, -80.0, -700.0), scale=(1.0, 1.1, 0.9))
    subject = source.subject
    crop = generator_of(source, seed=seed, variation=WHOLE).draw(SHAPE)[1]
    to_voxels = np.linalg.inv(subject.ras_to_body @ subject.ijk_to_ras)
    kji = np.rint(transform_points(to_voxels, crop.body_coordinates.reshape(3, -1).T.numpy())).astype(int)[:, ::-1]
    inside = ((kji >= 0) & (kji < subject.labels_kji.shape)).all(axis=1)
    expected = np.where(inside, subject.labels_kji[tuple(np.where(inside[:, None], kji, 0).T)], OUTSIDE)
    assert np.mean(expected == crop.labels.numpy().ravel()) > 0.999  # rounding at voxel faces


@pytest.mark.parametrize("seed", range(5))
def test_the_image_of_a_real_scan_lies_where_its_labels_lie(seed):
    crop = generator_of(source_of(), seed=seed, variation=WHOLE).draw(SHAPE)[1]
    for concept, hu in HU.items():
        inner = torch.from_numpy(ndimage.binary_erosion(crop.labels == NAMES.index(concept), iterations=2))
        if inner.sum() > 10:
            assert crop.canonical_hu[inner].mean() == pytest.approx(hu, abs=25)


@pytest.mark.parametrize("seed", range(5))
def test_a_synthetic_image_has_one_canonical_value_a_structure(seed):
    source = source_of(ct=False)
    crop = generator_of(source, seed=seed, variation=WHOLE).draw(SHAPE)[1]
    assert crop.has_canonical
    for label in range(len(NAMES)):
        assert len(crop.canonical_hu[crop.labels == label].unique()) <= 1
    bone = crop.labels == NAMES.index("vertebrae_T12")
    if bone.sum() > 50:
        assert crop.canonical_hu[bone].mean() > crop.canonical_hu[crop.labels == UNNAMED].mean() + 200
        assert (crop.canonical_hu[crop.labels == OUTSIDE] == AIR_HU).all()


@pytest.mark.parametrize("seed", range(5))
def test_air_around_the_body_stays_air_in_a_synthetic_image(seed):
    variation = dataclasses.replace(WHOLE, couch=0.0, free_appearance=0.0)
    crop = generator_of(source_of(ct=False), seed=seed, variation=variation).draw(SHAPE)[1]
    far = torch.from_numpy(ndimage.binary_erosion(crop.labels == OUTSIDE, iterations=4))
    if far.any():
        assert crop.hu[far].median() < -900


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_the_seed_decides_every_draw(seed, ct):
    sources = [source_of(ct=ct), source_of(name="two", ct=False)]
    (which, one), (again, same) = (generator_of(*sources, seed=seed).draw((16, 16, 24)) for _ in range(2))
    assert which == again
    pairs = [(vars(one), vars(same)), (vars(one.layout), vars(same.layout))]
    for mine, theirs in pairs:
        for name in mine.keys() - {"layout"}:
            assert torch.equal(torch.as_tensor(mine[name]), torch.as_tensor(theirs[name])), name


def test_two_seeds_give_two_crops():
    one, other = (generator_of(source_of(), seed=seed).draw((16, 16, 24))[1] for seed in (0, 1))
    assert not torch.equal(one.hu, other.hu)


@pytest.mark.parametrize("seed", range(8))
def test_where_the_field_of_view_ends_there_is_air_and_no_label(seed):
    variation = Variation(cut_field_of_view=1.0, couch=0.0)
    source = source_of(ct=False, shape_kji=(60, 28, 44))
    source.labels[:] = np.where(source.labels > 0, source.labels, UNNAMED)  # a person without end
    source.centres[:] = (30, 14, 22)
    crop = generator_of(source, seed=seed, variation=variation)
    hu, canonical = (torch.full(SHAPE, 40.0) for _ in range(2))
    labels = torch.full(SHAPE, 2, dtype=torch.int16)
    crop._cut(hu, canonical, labels)
    gone = labels == OUTSIDE
    assert (hu[gone] == AIR_HU).all()
    assert (canonical[gone] == AIR_HU).all()
    assert (hu[~gone] == 40).all()
    assert (labels[~gone] == 2).all()
    assert 0.1 < (~gone).float().mean() <= 1


def test_fields_of_view_are_cut_along_s_and_around_the_middle():
    kinds = set()
    for seed in range(40):
        labels = torch.full(SHAPE, 2, dtype=torch.int16)
        generator_of(source_of(ct=False), seed=seed, variation=Variation(cut_field_of_view=1.0))._cut(
            torch.zeros(SHAPE), torch.zeros(SHAPE), labels
        )
        gone = (labels == OUTSIDE).numpy()
        if gone.all(axis=(1, 2)).any():
            kinds.add("along s")
        elif gone.all(axis=0).any():
            kinds.add("around")
    assert kinds == {"along s", "around"}


def test_the_warp_of_a_person_moves_the_coordinates_of_the_crop():
    """A warp of half a unit to the front everywhere, and one that grows upwards."""
    plain = little_person()
    shape = (5, 4, 6)
    to_ras = plain.ijk_to_ras @ np.diag([8.0, 8.0, 8.0, 1.0])
    lattice = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"))
    warp = np.stack([0 * lattice[0], 0 * lattice[0] + 0.5, 0.02 * lattice[0]]).astype(np.float32)
    warped = dataclasses.replace(plain, body_warp=warp, warp_to_ras=to_ras)
    one, other = (
        generator_of(CropSource(person, TAXONOMY, VOCABULARY), seed=3, variation=WHOLE).draw(SHAPE)[1]
        for person in (plain, warped)
    )
    body = one.labels > OUTSIDE
    moved = (other.body_coordinates - one.body_coordinates)[:, body]
    ras = transform_points(np.linalg.inv(plain.ras_to_body), one.body_coordinates[:, body].T.numpy())
    planes = transform_points(np.linalg.inv(to_ras), ras)[:, 2].clip(0, 4)
    np.testing.assert_allclose(moved[0], 0, atol=1e-5)
    np.testing.assert_allclose(moved[1], 0.5, atol=1e-5)
    np.testing.assert_allclose(moved[2], 0.02 * planes, atol=1e-4)


def test_a_crop_of_a_scan_keeps_the_scan_as_it_was():
    real, drawn = (generator_of(source_of(ct=ct), seed=1).draw(SHAPE)[1] for ct in (True, False))
    assert real.is_real and real.has_canonical
    assert not drawn.is_real


def test_a_person_outside_the_body_frame_teaches_no_coordinates():
    crop = generator_of(source_of(in_frame=False)).draw(SHAPE)[1]
    assert not crop.has_coordinates
    assert crop.layout is None
    assert (crop.body_coordinates == 0).all()


class NoSpread:
    """Random numbers whose normal ones are all zero."""

    def __init__(self):
        self.integers, self.uniform = (getattr(np.random.default_rng(0), name) for name in ("integers", "uniform"))

    def normal(self, mean, spread, size=None):
        return np.zeros(np.shape(spread) if size is None else size)


def test_without_variation_a_crop_has_the_spacing_and_the_axes_of_the_person():
    source = source_of()
    source.centres[:] = (15, 13, 21)
    generator = generator_of(source, variation=STILL)
    generator.random = NoSpread()
    positions = generator._positions(source, (9, 9, 9))[0].numpy()
    steps = [np.diff(positions[axis], axis=axis) for axis in range(3)]
    np.testing.assert_allclose(np.stack([step.mean() for step in steps]), 1, atol=1e-5)
    np.testing.assert_allclose(positions[0].mean(), 15, atol=1e-4)



def test_people_are_drawn_by_their_weights():
    sources = [source_of(ct=False), source_of(name="two", ct=False)]
    generator = CropGenerator(sources, [3.0, 1.0], 0)
    drawn = [generator.draw((8, 8, 8))[0] for _ in range(200)]
    assert 0.65 < drawn.count(0) / 200 < 0.85


@pytest.mark.parametrize("field", [field for field, _ in FIELDS_OF_VIEW])
def test_a_scan_that_ends_inside_the_view_shows_a_part_of_it(field):
    for seed in range(20):
        gone = torch.zeros(48, 40, 64, dtype=torch.bool)
        field(gone, np.random.default_rng(seed))
        assert 0.03 < 1 - gone.float().mean() <= 1


def test_a_slab_is_thin_across_one_axis_and_whole_along_the_others():
    slab = next(field for field, _ in FIELDS_OF_VIEW if field.__name__ == "_slab")
    for seed in range(30):
        gone = torch.zeros(64, 64, 64, dtype=torch.bool)
        slab(gone, np.random.default_rng(seed))
        kept = torch.nonzero(~gone)
        extents = sorted((kept.amax(dim=0) - kept.amin(dim=0) + 1).tolist())
        assert 12 <= extents[0] < 36
        assert extents[1:] == [64, 64]


def test_a_whole_body_is_not_mostly_its_largest_structure():
    person = little_person(concepts=("liver", "spleen"), shape_kji=(32, 60, 70))
    person.labels_kji[:, 40:, :] = 2
    source = CropSource(person, Taxonomy({"liver", "spleen"}, VOCABULARY), VOCABULARY)
    voxels = np.bincount(person.labels_kji.ravel(), minlength=4)
    at = np.bincount(person.labels_kji[tuple(source.centres.T)], minlength=4)
    assert at[3] / at[2] > 3 * voxels[3] / voxels[2]
