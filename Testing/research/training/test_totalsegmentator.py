"""The published TotalSegmentator data set, on people of the same form."""

import logging

import numpy as np
import pytest
from anatembed.geometry import transform_points
from anatembed.scan.files import write_volume
from anatembed.scan.volume import Volume
from little_people import CENTRES_RAS, HU, VOCABULARY
from phantoms import Geometry, rotation
from published_people import CANONICAL, META_V1, META_V2, write_mask, write_meta, write_person
from research.training import totalsegmentator
from research.training.label_names import totalsegmentator as concept_of
from research.training.subject import UNNAMED
from research.training.totalsegmentator import UnreadableSubject, read_person, totalsegmentator_people, version_of

IDS = frozenset(VOCABULARY.ids)
GEOMETRIES = {
    "canonical": CANONICAL,
    "as DICOM stores it": Geometry((34, 34, 46), np.diag([-3.0, -3.0, 3.0])),
    "anisotropic, far away": Geometry((20, 50, 60), np.diag([-2.2, 2.0, 5.0]), (300.0, -200.0, -900.0)),
    "oblique, flipped, anisotropic, off origin": Geometry(
        (34, 40, 60), rotation((1, 2, 3), 15) @ np.diag([-2.4, 2.8, 3.6]), (20.0, 30.0, -40.0)
    ),
}


def mask_of(subject, concept):
    return subject.labels_kji == subject.label_concepts.index((concept,))


@pytest.mark.parametrize("name", GEOMETRIES)
def test_every_structure_of_a_person_is_at_its_place_on_its_side_and_on_its_ct(tmp_path, name):
    geometry = GEOMETRIES[name]
    subject = read_person(write_person(tmp_path / "s0007", geometry=geometry), IDS)
    np.testing.assert_array_equal(subject.ijk_to_ras[:3, :3], 3 * np.eye(3))
    for concept, centre in CENTRES_RAS.items():
        mask = mask_of(subject, concept)
        found = transform_points(subject.ijk_to_ras, np.argwhere(mask)[:, ::-1]).mean(axis=0)
        assert np.linalg.norm(found - geometry.centre_ras - centre) < 2
        assert np.median(subject.ct_kji[mask]) == pytest.approx(HU[concept], abs=25)
    assert (subject.labels_kji == UNNAMED).sum() > 1000


def test_a_class_with_an_empty_mask_is_annotated_and_one_without_a_file_is_unknown(tmp_path):
    subject = read_person(write_person(tmp_path / "s0007", ("liver", "vertebrae_T12"), empty=("heart", "spleen")), IDS)
    assert subject.annotated == {"liver", "vertebrae_T12", "heart", "spleen"}


def test_the_version_is_told_by_the_classes(tmp_path):
    old = read_person(write_person(tmp_path / "s0001", empty=("heart_ventricle_left", "face")), IDS)
    new = read_person(write_person(tmp_path / "s0002", empty=("heart",)), IDS)
    assert (old.name, new.name) == ("totalseg_s0001_v1", "totalseg_s0002_v2")
    assert version_of(["liver", "heart", "heart_ventricle_left"]) == "v2"


def test_the_classes_of_both_versions_are_terms_of_the_vocabulary_except_the_face():
    classes = totalsegmentator.ONLY_IN_V1 | totalsegmentator.ONLY_IN_V2
    assert {name for name in classes if concept_of(name) not in IDS} == {"face"}


def test_a_class_that_is_no_term_is_named_once_and_never_a_negative(tmp_path, caplog):
    for person in ("s0001", "s0002"):
        folder = write_person(tmp_path / person, ("liver",))
        write_mask(folder, "device", np.pad(np.ones((4, 4, 4)), ((15, 15), (15, 15), (21, 21))))
        with caplog.at_level(logging.INFO):
            subject = read_person(folder, IDS)
    assert caplog.text.count("device") == 1
    device = subject.label_names.index("device")
    assert subject.label_concepts[device] == () and (subject.labels_kji == device).sum() == 64
    assert subject.annotated == {"liver", "heart"}


@pytest.mark.parametrize("small, large", [("adrenal_gland_left", "kidney_left"), ("spleen", "heart")])
def test_where_masks_overlap_the_smaller_structure_counts(tmp_path, small, large):
    folder = write_person(tmp_path / "s0001", ("liver",), empty=())
    inner, outer = np.zeros((2, *CANONICAL.shape_kji), bool)
    outer[10:20, 10:20, 10:20] = True
    inner[18:22, 12:16, 12:16] = True
    write_mask(folder, small, inner)
    write_mask(folder, large, outer)
    subject = read_person(folder, IDS)
    assert mask_of(subject, small).sum() == inner.sum()
    assert mask_of(subject, large).sum() == (outer & ~inner).sum()


@pytest.mark.parametrize("header", [META_V1, META_V2], ids=["v1", "v2"])
def test_nobody_of_the_validation_or_test_split_is_offered(tmp_path, header):
    write_meta(tmp_path, {"s0001": "train", "s0002": "val", "s0003": "test", "s0004": "train", "s0005": ""}, header)
    for person in ("s0001", "s0002", "s0003", "s0005", "s0009"):
        write_person(tmp_path / person)
    (read,) = totalsegmentator_people(tmp_path, IDS)
    assert read().name == "totalseg_s0001_v2"


def test_without_a_column_for_the_split_everybody_is_taken(tmp_path):
    write_meta(tmp_path, {"s0001": "", "s0002": ""}, "image_id;age;gender")
    for person in ("s0001", "s0002"):
        (tmp_path / person).mkdir()
    assert len(totalsegmentator_people(tmp_path, IDS)) == 2


def no_ct(folder):
    (folder / "ct.nii.gz").unlink()


def cut_off_mask(folder):
    path = folder / "segmentations" / "liver.nii.gz"
    path.write_bytes(path.read_bytes()[:-40])


def mask_of_another_shape(folder):
    write_mask(folder, "liver", np.ones((34, 34, 45)))


def mask_of_another_place(folder):
    write_mask(folder, "liver", np.ones(CANONICAL.shape_kji), Geometry(CANONICAL.shape_kji, np.diag([-3.0, 3.0, 3.0])))


def no_masks(folder):
    for path in (folder / "segmentations").iterdir():
        path.unlink()


def only_empty_masks(folder):
    no_masks(folder)
    write_mask(folder, "liver", np.zeros(CANONICAL.shape_kji))


def empty_ct(folder):
    volume = Volume(np.zeros(CANONICAL.shape_kji, np.int16), CANONICAL.ijk_to_ras)
    write_volume(volume, folder / "ct.nii.gz")


@pytest.mark.parametrize(
    "damage, reason",
    [
        (no_ct, r"nothing at .*ct\.nii\.gz"),
        (cut_off_mask, r"liver\.nii\.gz is cut off or damaged"),
        (mask_of_another_shape, r"liver\.nii\.gz: expected the CT's shape \(34, 34, 46\), got \(34, 34, 45\)"),
        (mask_of_another_place, r"liver\.nii\.gz: expected a mask in the place of the CT, got one 135\.0 mm away"),
        (no_masks, r"expected masks named segmentations/<class>\.nii\.gz, got none"),
        (only_empty_masks, "all 1 masks are empty"),
        (empty_ct, r"every voxel of ct\.nii\.gz is 0"),
    ],
)
def test_a_person_with_broken_files_is_named_with_the_reason(tmp_path, damage, reason):
    folder = write_person(tmp_path / "s0042")
    damage(folder)
    with pytest.raises(UnreadableSubject, match=rf"^s0042: .*{reason}"):
        read_person(folder, IDS)


def test_a_folder_without_its_table_is_refused_because_test_people_would_be_trained_on(tmp_path):
    write_person(tmp_path / "s0001")
    with pytest.raises(FileNotFoundError, match=r"meta\.csv, which tells who is in the test set"):
        totalsegmentator_people(tmp_path, IDS)


def test_a_folder_without_anybody_to_train_on_is_one_clear_error(tmp_path):
    write_meta(tmp_path, {"s0001": "train", "s0002": "test"})
    (tmp_path / "s0002").mkdir()
    with pytest.raises(ValueError, match="got none of the 1 people that its meta.csv gives for training"):
        totalsegmentator_people(tmp_path, IDS)


def test_a_table_with_other_columns_is_refused(tmp_path):
    (tmp_path / "meta.csv").write_text("image_id,age\ns0001,60\n")
    with pytest.raises(ValueError, match="split by semicolons.*got image_id,age"):
        totalsegmentator_people(tmp_path, IDS)
