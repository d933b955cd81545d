"""Lent skeletons, the parts of the aorta, and smaller label maps: everything stays where it is in the world."""

import numpy as np
import pytest
from anatembed.geometry import transform_points
from little_people import CENTRES_RAS, VOCABULARY, little_person
from phantoms import centred_affine, voxel_positions
from research.training.completed_labels import compact, fill_skull, lend_skeleton, split_aorta
from research.training.subject import Subject

IDS = frozenset(VOCABULARY.ids)


def positions_of(person: Subject, concept: str) -> np.ndarray:
    """RAS positions (N,3) of all voxels with a label that is this concept, in the order of their coordinates."""
    labels = [i for i, options in enumerate(person.label_concepts) if options == (concept,)]
    kji = np.argwhere(np.isin(person.labels_kji, labels))
    points = transform_points(person.ijk_to_ras, kji[:, ::-1])
    return points[np.lexsort(points.T)]


@pytest.mark.parametrize("centre_ras", [(0.0, 0.0, 0.0), (33.0, -45.0, 900.0)])
def test_compacting_keeps_every_structure_where_it_is(centre_ras):
    person = little_person(shape_kji=(50, 60, 70), centre_ras=centre_ras)
    person.label_concepts.insert(2, ("pancreas",))
    person.label_names.insert(2, "pancreas")
    person.labels_kji[person.labels_kji > 1] += 1
    before = {concept: positions_of(person, concept) for concept in CENTRES_RAS}
    bone = person.ct_kji == 300
    bone_before = transform_points(person.ijk_to_ras, np.argwhere(bone)[:, ::-1]).mean(axis=0)
    compact(person)
    for concept, points in before.items():
        np.testing.assert_allclose(positions_of(person, concept), points)
    bone_after = transform_points(person.ijk_to_ras, np.argwhere(person.ct_kji == 300)[:, ::-1]).mean(axis=0)
    np.testing.assert_allclose(bone_after, bone_before)
    assert "pancreas" not in person.label_names
    assert len(person.label_names) == len(person.label_concepts) == person.labels_kji.max() + 1
    assert person.labels_kji.shape == person.ct_kji.shape
    assert person.labels_kji.shape[2] < 60
    assert person.labels_kji.dtype == np.uint8


def test_compacting_leaves_two_voxels_around_the_body():
    person = little_person(shape_kji=(50, 60, 70))
    compact(person)
    body = np.argwhere(person.labels_kji > 0)
    np.testing.assert_array_equal(body.min(axis=0)[1:], 2)
    np.testing.assert_array_equal(np.array(person.labels_kji.shape)[1:] - 1 - body.max(axis=0)[1:], 2)


def person_with_aorta(height_mm: float = 300.0) -> Subject:
    """A cane: down behind from the arch to below T12, up in front over its last 80 mm; RAS origin at T12."""
    shape = (int(height_mm / 5) + 10, 30, 10)
    ijk_to_ras = centred_affine(shape, np.diag([5.0, 5.0, 5.0]), (0, 0, height_mm / 2 - 100))
    r, a, s = np.moveaxis(voxel_positions(shape, ijk_to_ras), -1, 0)
    top = height_mm - 100
    behind = (np.abs(a + 30) < 10) & (s > -80) & (s < top)
    front = (np.abs(a - 30) < 10) & (s > top - 80) & (s < top)
    arch = (np.abs(a) < 40) & (np.abs(s - top + 5) < 8)
    labels = (((behind | front | arch) & (np.abs(r) < 12)) * 2).astype(np.uint8)
    return Subject("p", "s", labels, [(), (), ("aorta",)], frozenset(), ijk_to_ras,
                   ras_to_body=np.diag([0.01, 0.01, 0.01, 1.0]), label_names=["outside", "unnamed", "aorta"])


def test_the_aorta_is_parted_at_t12_and_at_its_arch():
    person = person_with_aorta()
    whole = positions_of(person, "aorta")
    split_aorta(person, IDS)
    parts = {name: positions_of(person, name) for name in ("abdominal_aorta", "thoracic_aorta", "aortic_arch",
                                                           "ascending_aorta")}
    joined = np.concatenate(list(parts.values()))
    np.testing.assert_allclose(joined[np.lexsort(joined.T)], whole)
    assert parts["abdominal_aorta"][:, 2].max() < 0 <= parts["thoracic_aorta"][:, 2].min()
    assert parts["aortic_arch"][:, 2].min() > parts["thoracic_aorta"][:, 2].max()
    assert parts["ascending_aorta"][:, 1].min() > parts["thoracic_aorta"][:, 1].max()
    assert len(positions_of(person, "aorta")) == 0


def test_an_aorta_that_ends_below_the_arch_gets_none():
    person = person_with_aorta(height_mm=200)
    split_aorta(person, IDS)
    assert {name for name in person.label_names if "aort" in name} == {"aorta", "abdominal_aorta", "thoracic_aorta"}


def test_parts_that_the_vocabulary_lacks_stay_aorta():
    person = person_with_aorta()
    whole = len(positions_of(person, "aorta"))
    split_aorta(person, frozenset({"aorta", "abdominal_aorta"}))
    assert 0 < len(positions_of(person, "abdominal_aorta")) < whole
    assert len(positions_of(person, "abdominal_aorta")) + len(positions_of(person, "aorta")) == whole


@pytest.mark.parametrize("lacks", ["aorta", "frame"])
def test_without_an_aorta_or_a_frame_nothing_is_parted(lacks):
    person = person_with_aorta()
    if lacks == "aorta":
        person.label_concepts[2] = ("liver",)
    else:
        person.ras_to_body = None
    before = person.labels_kji.copy()
    split_aorta(person, IDS)
    np.testing.assert_array_equal(person.labels_kji, before)
    assert len(person.label_names) == 3


def test_bones_are_lent_to_where_the_other_body_has_room_for_them():
    lender = little_person(centre_ras=(10.0, 20.0, 30.0))
    organs = tuple(c for c in CENTRES_RAS if not c.startswith("vertebrae"))
    borrower = little_person("two", centre_ras=(-200.0, 100.0, 500.0), concepts=organs, ct=False)
    before = borrower.labels_kji.copy()
    filled = lend_skeleton(lender, borrower, VOCABULARY)
    changed = borrower.labels_kji != before
    assert filled == changed.sum() > 100
    assert (before[changed] == 1).all()
    for vertebra in ("vertebrae_T12", "vertebrae_L2"):
        middle = positions_of(borrower, vertebra).mean(axis=0)
        assert np.linalg.norm(middle - np.add(CENTRES_RAS[vertebra], (-200.0, 100.0, 500.0))) < 6
    assert [name for name in borrower.label_names if name.startswith("lent")] == [
        "lent vertebrae_T12", "lent vertebrae_L2",
    ]


def test_neither_organs_nor_bones_that_the_borrower_has_are_lent():
    lender = little_person()
    borrower = little_person("two", concepts=("liver", "kidney_left", "kidney_right", "vertebrae_T12"))
    lend_skeleton(lender, borrower, VOCABULARY)
    assert borrower.label_names[6:] == ["lent vertebrae_L2"]


def head(concepts):
    """A shell of bone with a hole of two voxels in a box of unnamed tissue."""
    k, j, i = np.indices((40, 40, 40)) - 20
    radius = np.sqrt(k**2 + j**2 + i**2)
    labels = np.where((radius > 12) & (radius < 15), 2, 1).astype(np.uint16)
    labels[19:21, 30:, 19:21] = 1
    return Subject("head", "atlas", labels, [(), (), *concepts], frozenset(), np.diag([3.0, 3, 3, 1]),
                   label_names=["outside", "unnamed", *(c[0] for c in concepts)]), radius


def test_the_inside_of_a_skull_is_brain_and_its_outside_is_not():
    person, radius = head([("skull",)])
    assert fill_skull(person) == (person.labels_kji == 3).sum() > 5000
    assert (person.labels_kji[radius < 11] == 3).mean() > 0.9
    assert not (person.labels_kji[radius > 15] == 3).any()
    assert "brain" not in person.annotated


@pytest.mark.parametrize("concepts", [[("hip_left",)], [("skull",), ("brain",)]])
def test_without_a_skull_or_with_a_brain_of_its_own_nothing_is_filled(concepts):
    assert fill_skull(head(concepts)[0]) == 0
