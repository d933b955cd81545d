"""Readers of public data sets, on little files of the same kinds."""

import numpy as np
import pytest
from anatembed.geometry import transform_points
from anatembed.scan.files import write_volume
from anatembed.scan.volume import Volume
from little_people import CENTRES_RAS, VOCABULARY, little_person
from phantoms import GEOMETRIES, LUNG, torso
from research.training import sources
from research.training.subject import OUTSIDE, UNNAMED

IDS = frozenset(VOCABULARY.ids)


def written(folder, name, array, ijk_to_ras):
    path = folder / name
    write_volume(Volume(array, ijk_to_ras), path)
    return path


def centre_of(subject, concept) -> np.ndarray:
    index = subject.label_concepts.index((concept,))
    return transform_points(subject.ijk_to_ras, np.argwhere(subject.labels_kji == index)[:, ::-1]).mean(axis=0)


def test_label_tables_are_read_with_and_without_a_header(tmp_path):
    (tmp_path / "a.tsv").write_text("id\tname\n1\tliver\n2\t spleen \n\n")
    (tmp_path / "b.tsv").write_text("1\tliver\tmore\n2\tspleen\tmore\n")
    for name in "ab":
        assert sources.read_tsv_labels(tmp_path / f"{name}.tsv") == {1: "liver", 2: "spleen"}


def test_values_without_an_entry_are_outside():
    found = sources.fill_lookup(np.array([[[0, 3, 7, 9]]]), {3: 5, 9: 1, 40: 2})
    assert found.tolist() == [[[OUTSIDE, 5, OUTSIDE, 1]]]


def test_concepts_that_the_vocabulary_lacks_are_dropped_from_a_label():
    table = sources.LabelTable(IDS)
    assert [table.add("x", mapped) for mapped in ("liver", "stomach|nonsense", "nonsense", None)] == [2, 3, 4, 5]
    assert table.concepts == [(), (), ("liver",), ("stomach",), (), ()]


@pytest.mark.parametrize("name", GEOMETRIES)
def test_labels_keep_their_place_in_every_geometry(name):
    phantom = torso(name)
    labels, ijk_to_ras = sources.labels_to_grid(phantom.labels_kji, phantom.volume.ijk_to_ras)
    for label in (2, 3, LUNG):
        points = transform_points(ijk_to_ras, np.argwhere(labels == label)[:, ::-1])
        assert np.linalg.norm(points.mean(axis=0) - phantom.centre_of(label)) < 3
    np.testing.assert_array_equal(ijk_to_ras[:3, :3], 3 * np.eye(3))


def sided_person():
    person = little_person(concepts=("vertebrae_T12", "vertebrae_L2"))
    person.label_concepts.append(())
    person.label_names.append("rib_{side}_7")
    columns = np.abs(np.arange(person.labels_kji.shape[2]) - 21.5)
    here = (person.labels_kji == UNNAMED) & (columns > 6) & (columns < 14)
    person.labels_kji[here] = 4
    return person, here


def test_a_label_of_both_sides_is_split_at_the_spine_with_right_at_plus_r():
    person, here = sided_person()
    sources.split_sides(person)
    assert not (person.labels_kji == 4).any()
    assert centre_of(person, "rib_right_7")[0] > 15
    assert centre_of(person, "rib_left_7")[0] < -15
    sides = [person.label_concepts.index((f"rib_{side}_7",)) for side in ("left", "right")]
    np.testing.assert_array_equal(np.isin(person.labels_kji, sides), here)


def test_the_midline_is_that_of_the_spine_and_not_that_of_the_image():
    person, _ = sided_person()
    shifted = np.roll(person.labels_kji, 5, axis=2)
    person.labels_kji = shifted
    sources.split_sides(person)
    assert centre_of(person, "rib_left_7")[0] + centre_of(person, "rib_right_7")[0] == pytest.approx(30, abs=3)


def test_without_a_spine_no_side_is_guessed():
    person, here = sided_person()
    person.labels_kji[(person.labels_kji == 2) | (person.labels_kji == 3)] = UNNAMED
    sources.split_sides(person)
    assert (person.labels_kji[here] == 4).all()


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_label_map_with_its_ct_becomes_a_person_on_one_grid(tmp_path, mirrored):
    person = little_person()
    labels, hu, ijk_to_ras = person.labels_kji, person.ct_kji, person.ijk_to_ras.copy()
    if mirrored:  # the same world, stored from right to left
        labels, hu = labels[:, :, ::-1], hu[:, :, ::-1]
        ijk_to_ras[:3, 3] += ijk_to_ras[:3, 0] * (labels.shape[2] - 1)
        ijk_to_ras[:3, 0] *= -1
    label_path = written(tmp_path, "case_seg.nii.gz", np.where(labels > 1, labels, 0).astype(np.uint8), ijk_to_ras)
    ct_path = written(tmp_path, "case.nii.gz", hu, ijk_to_ras)
    table = tmp_path / "labels.tsv"
    table.write_text("".join(f"{value}\t{name}\n" for value, name in enumerate(person.label_names) if value > 1))
    subject = sources.totalsegmentator_map(label_path, table, IDS, ct_path)
    assert subject.name == "case"
    assert subject.ct_kji.shape == subject.labels_kji.shape
    assert subject.annotated == frozenset(CENTRES_RAS)
    for concept, centre in CENTRES_RAS.items():
        assert np.linalg.norm(centre_of(subject, concept) - centre) < 1.5
    bone = subject.label_concepts.index(("vertebrae_T12",))
    assert subject.ct_kji[subject.labels_kji == bone].mean() > 200
    assert (subject.labels_kji == UNNAMED).sum() > 1000


def test_a_ct_of_another_grid_than_its_labels_is_refused(tmp_path):
    person = little_person()
    label_path = written(tmp_path, "case_seg.nii.gz", person.labels_kji.astype(np.uint8), person.ijk_to_ras)
    ct_path = written(tmp_path, "case.nii.gz", person.ct_kji[4:], person.ijk_to_ras)
    with pytest.raises(ValueError, match=r"case\.nii\.gz: grid \(28, 28, 44\) of the scan differs from \(32, 28, 44\)"):
        sources.build("case", "s", label_path, {2: ("liver", "liver")}, IDS, ct_path)


def test_a_contoured_case_annotates_only_what_was_contoured_in_it(tmp_path):
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[2:18, 2:18, 2:18] = 1
    labels[6:10, 6:10, 12:16] = 2
    path = written(tmp_path, "pt_1_seg.nii.gz", labels, np.diag([3.0, 3.0, 3.0, 1.0]))
    (tmp_path / "labels.tsv").write_text("1\tBODY\n2\tRightParotid\n3\tLeftParotid\n")
    subject = sources.contoured_scan(path, tmp_path / "labels.tsv", IDS, None, "planning")
    assert subject.annotated == {"parotid_gland_right"}
    assert (subject.labels_kji == UNNAMED).sum() == 16**3 - 4**3
    np.testing.assert_allclose(centre_of(subject, "parotid_gland_right"), (40.5, 22.5, 22.5), atol=0.1)


def test_the_lungs_of_an_unlabelled_chest_are_on_their_sides(tmp_path):
    shape = (40, 60, 90)
    ijk_to_ras = np.diag([-3.0, -3.0, 3.0, 1.0])  # as DICOM stores it: columns run from right to left
    hu = np.full(shape, -1000, np.int16)
    hu[:, 5:55, 5:85] = 40
    hu[4:36, 15:45, 12:36] = -820
    hu[4:36, 15:45, 54:70] = -820
    subject = sources.unlabelled_chest(written(tmp_path, "one_chest.nii.gz", hu, ijk_to_ras), IDS)
    assert centre_of(subject, "lung_right")[0] > centre_of(subject, "lung_left")[0]
    sizes = [(subject.labels_kji == subject.label_concepts.index((f"lung_{s}",))).sum() for s in ("right", "left")]
    assert sizes[0] > sizes[1]
    assert subject.annotated == frozenset()


def test_the_brain_is_what_the_skull_encloses(tmp_path):
    k, j, i = np.indices((50, 60, 50)) - np.array([25, 30, 25])[:, None, None, None]
    radius = np.sqrt(k**2 + (j * 0.85) ** 2 + i**2)
    hu = np.select([radius < 16, radius < 19, radius < 22], [35, 900, 30], -1000).astype(np.int16)
    subject = sources.head_template(written(tmp_path, "a_head.nii.gz", hu, np.diag([3.0, 3.0, 3.0, 1.0])), IDS)
    brain = subject.labels_kji == subject.label_concepts.index(("brain",))
    assert (brain & (radius < 16)).sum() > 0.9 * (radius < 16).sum()
    assert not (brain & (radius > 17)).any()


def test_a_plausible_body_covers_all_organs_and_not_the_whole_grid():
    person = little_person(shape_kji=(32, 60, 70))
    organs = np.where(person.labels_kji > 1, person.labels_kji, 0)
    body = sources.envelope(organs)
    assert body[organs > 0].all()
    assert body.mean() < 0.7


def written_atlas(folder, muscle_shape=(20, 20, 20)):
    """A body of skin (1) with a spleen (2), and muscles that overlap skin, spleen and emptiness."""
    atlas, muscles = np.zeros((20, 20, 20), np.uint8), np.zeros(muscle_shape, np.uint8)
    atlas[2:18, 4:16, 4:16] = 1
    atlas[6:10, 6:10, 6:10] = 2
    muscles[6:10, 6:15, 2:8] = 3
    muscles[12:14, 6:10, 6:10] = 4
    grid = np.diag([3.0, 3.0, 3.0, 1.0])
    paths = written(folder, "hra_one_labels.nii.gz", atlas, grid), written(folder, "muscles.nii.gz", muscles, grid)
    (folder / "atlas.tsv").write_text("id\tname\torgan\tnode\n1\tskin\tskin\ts\n2\tspleen\tspleen\tn\n")
    (folder / "muscles.tsv").write_text(
        "value\tname\tside\tvoxels\tmesh_ml\n3\tpsoas_major_left\tleft\t216\t1.7\n"
        "4\trectus_femoris_left\tleft\t32\t400\n"
    )
    return paths


def test_hip_muscles_are_painted_only_where_the_atlas_is_skin_or_empty(tmp_path):
    atlas, muscles = written_atlas(tmp_path)
    subject = sources.human_reference_atlas(atlas, tmp_path / "atlas.tsv", IDS, (muscles, tmp_path / "muscles.tsv"))
    assert subject.name == "hra_one"
    spleen = subject.labels_kji == subject.label_concepts.index(("spleen",))
    psoas = subject.labels_kji == subject.label_concepts.index(("psoas_major_left",))
    assert spleen.sum() == 4**3
    assert psoas.sum() == 4 * 9 * 6 - 4 * 4 * 2


def test_a_muscle_that_is_cut_is_named_but_not_annotated(tmp_path):
    atlas, muscles = written_atlas(tmp_path)
    subject = sources.human_reference_atlas(atlas, tmp_path / "atlas.tsv", IDS, (muscles, tmp_path / "muscles.tsv"))
    assert ("quadriceps_femoris_left",) in subject.label_concepts
    assert "quadriceps_femoris_left" not in subject.annotated
    assert "psoas_major_left" in subject.annotated


def test_muscles_on_another_grid_than_the_atlas_are_refused(tmp_path):
    atlas, muscles = written_atlas(tmp_path, (24, 20, 20))
    with pytest.raises(ValueError, match="expected the grid of the atlas"):
        sources.human_reference_atlas(atlas, tmp_path / "atlas.tsv", IDS, (muscles, tmp_path / "muscles.tsv"))


def test_a_label_of_amos_may_be_one_of_two_organs(tmp_path):
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[4:9, 4:9, 4:9], labels[12:16, 4:9, 4:9] = 1, 2
    path = written(tmp_path, "amos_1_seg.nii.gz", labels, np.diag([3.0, 3.0, 5.0, 1.0]))
    (tmp_path / "names.tsv").write_text("value\tname\tml\n1\tliver\t1.0\n2\tprostate_or_uterus\t1.0\n")
    subject = sources.named_map(path, tmp_path / "names.tsv", IDS, "amos")
    assert (subject.name, subject.source) == ("amos_1", "amos")
    assert ("liver",) in subject.label_concepts
    assert ("prostate", "uterus") in subject.label_concepts


def test_the_man_of_bodyparts3d_is_read_with_his_outline_as_unnamed_body(tmp_path):
    labels = np.zeros((20, 20, 20), np.uint16)
    labels[2:18, 2:18, 2:18] = 1
    labels[4:9, 4:9, 4:9], labels[4:9, 4:9, 9:14], labels[12:16, 4:9, 4:9] = 2, 3, 4
    path = written(tmp_path, "bodyparts3d_v4_man.nii.gz", labels, np.diag([2.0, 2.0, 2.0, 1.0]))
    rows = [
        "value\tname\tside\ttotalsegmentator_class\tvoxels", "1\tbody\tbody\tbody\t9",
        "2\tvastus_medialis_left\tleft\t\t125", "3\tvastus_lateralis_left\tleft\t\t125",
        "4\tsoleus_left\tleft\t\t100",
    ]
    (tmp_path / "names.tsv").write_text("\n".join(rows))
    subject = sources.body_parts_3d(path, tmp_path / "names.tsv", IDS)
    assert subject.label_names == ["outside", "unnamed", "quadriceps_femoris_left", "unnamed muscle"]
    assert subject.annotated == {"quadriceps_femoris_left"}
    assert (subject.labels_kji == UNNAMED).any()


def test_an_unlabelled_limb_is_body_without_a_name(tmp_path):
    hu = np.full((20, 40, 40), -1000, np.int16)
    hu[:, 8:32, 8:32] = 50
    subject = sources.unlabelled_slab(written(tmp_path, "STS_1_crop.nii.gz", hu, np.diag([3.0, 3, 3, 1])), "limb CT")
    assert (subject.name, subject.source, subject.annotated) == ("STS_1_crop", "limb CT", frozenset())
    assert (subject.labels_kji == UNNAMED).any()


def test_of_the_dense_chest_only_what_may_be_used_is_annotated_and_quarrels_have_no_name(tmp_path):
    grid, labels = np.diag([3.0, 3.0, 3.0, 1.0]), np.zeros((24, 24, 24), np.uint8)
    for value in range(1, 5):
        labels[4:20, 4:20, 4 * value : 4 * value + 4] = value
    for folder in ("annotations", "real_ct"):
        (tmp_path / folder).mkdir()
    written(tmp_path / "annotations", "LIDC-IDRI-0001_dense_labels.nii.gz", labels, grid)
    written(tmp_path / "real_ct", "LIDC-IDRI-0001_chest.nii.gz", np.full(labels.shape, 40, np.int16), grid)
    rows = "value\tname\teval\n1\tspleen\tuse\n2\tpancreas\tcaution\n3\tsmall_bowel\tskip\n4\theart\tuse\n"
    (tmp_path / "annotations" / "LIDC-IDRI-0001_dense_labels.tsv").write_text(rows)
    subject = sources.dense_chest(tmp_path, IDS)
    assert subject.annotated == {"spleen"}
    assert [c for c in subject.label_concepts if c] == [("spleen",), ("pancreas",)]
    assert subject.name.startswith("LIDC-IDRI-0001")
