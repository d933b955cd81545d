"""What is known about evaluation scans."""

import numpy as np
import pytest
from anatembed.scan.files import write_volume
from anatembed.scan.volume import Volume
from hypothesis import given
from hypothesis import strategies as st
from little_people import CENTRES_RAS, RADIUS_MM, VOCABULARY, little_person
from research.evaluation.truth import Structure, annotated_case, distance_to_box, labelled_case

NUMBER = st.floats(-100, 100)
POINT = st.tuples(NUMBER, NUMBER, NUMBER)
COLUMNS = ("name", "kind", "r", "a", "s", "r_min", "r_max", "a_min", "a_max", "s_min", "s_max", "uncertainty_mm")


def box(low, high) -> Structure:
    low, high = np.array(low, float), np.array(high, float)
    return Structure("liver", low, high, (low + high) / 2, (low + high) / 2, True)


@given(POINT, POINT, POINT)
def test_the_distance_is_that_to_the_nearest_point_of_the_box(one, other, point):
    structure = box(np.minimum(one, other), np.maximum(one, other))
    nearest = np.clip(point, structure.low, structure.high)
    expected = np.linalg.norm(np.array(point) - nearest)
    assert distance_to_box(np.array(point), structure) == pytest.approx(expected)


def test_inside_a_box_the_distance_is_zero():
    assert distance_to_box(np.array([1.0, 2.0, 3.0]), box((0, 0, 0), (2, 4, 6))) == 0
    assert distance_to_box(np.array([5.0, 8.0, 3.0]), box((0, 0, 0), (2, 4, 6))) == 5


@pytest.fixture
def scan(tmp_path):
    person = little_person()
    path = tmp_path / "person_1.chest.nii.gz"
    write_volume(Volume(person.ct_kji, person.ijk_to_ras), path)
    return path


def table_of(tmp_path, *rows):
    path = tmp_path / "truth.tsv"
    lines = ["\t".join(COLUMNS)]
    lines += ["\t".join(str(row.get(column, "")) for column in COLUMNS) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_table_of_boxes_points_and_absent_structures_is_read(tmp_path, scan):
    place = {"r": 1.5, "a": -2, "s": 300}
    sides = {"r_min": -10, "r_max": 10, "a_min": -20, "a_max": 0, "s_min": 250, "s_max": 310}
    table = table_of(
        tmp_path,
        {"name": "liver", "kind": "box", **place, **sides},
        {"name": "aorta_arch", "kind": "point", **place, "uncertainty_mm": 4},
        {"name": "spleen", "kind": "point", **place},
        {"name": "brain", "kind": "absent"},
        {"name": "pacemaker_lead", "kind": "point", **place},
    )
    case = annotated_case(scan, table, VOCABULARY)
    liver, arch, spleen = case.present
    assert (case.person, case.group, case.absent, case.unknown) == (
        "person_1", "annotated", ["brain"], ["pacemaker_lead"]
    )
    assert [liver.concept, arch.concept, spleen.concept] == ["liver", "aortic_arch", "spleen"]
    np.testing.assert_array_equal([liver.low, liver.high, liver.centre], [(-10, -20, 250), (10, 0, 310), (0, -10, 280)])
    np.testing.assert_array_equal(liver.inside, (1.5, -2, 300))
    np.testing.assert_array_equal([arch.low, arch.high], [(-2.5, -6, 296), (5.5, 2, 304)])
    assert (liver.is_box, arch.is_box) == (True, False)
    np.testing.assert_array_equal(spleen.low, spleen.high)
    np.testing.assert_array_equal(spleen.centre, (1.5, -2, 300))
    assert case.volume.array_kji.shape == (32, 28, 44)


def test_a_label_map_gives_the_box_the_middle_and_a_point_inside(tmp_path, scan):
    person = little_person()
    labels = person.labels_kji.astype(np.uint8)
    labels[0, 0, :3] = 99
    labels_path = tmp_path / "labels.nii.gz"
    write_volume(Volume(labels, person.ijk_to_ras), labels_path)
    names = {value: name for value, name in enumerate(person.label_names) if value > 1}
    names |= {99: "pancreas", 98: "gallbladder", 97: None, 96: "no such thing"}
    case = labelled_case(scan, labels_path, names, "labelled", VOCABULARY)
    found = {structure.concept: structure for structure in case.present}
    assert set(found) == set(CENTRES_RAS)  # eight voxels at least
    for concept, structure in found.items():
        centre = np.array(CENTRES_RAS[concept])
        np.testing.assert_allclose(structure.centre, centre, atol=1.5)
        np.testing.assert_allclose(structure.low, centre - RADIUS_MM, atol=3)
        np.testing.assert_allclose(structure.high, centre + RADIUS_MM, atol=3)
        assert distance_to_box(structure.inside, structure) == 0
        assert np.linalg.norm(structure.inside - structure.centre) < 3
    assert case.absent == []


def test_the_point_inside_a_hollow_structure_lies_in_it(tmp_path, scan):
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[5:15, 5:15, 5:15] = 1
    labels[6:14, 6:14, 6:14] = 0
    write_volume(Volume(labels, np.eye(4)), tmp_path / "labels.nii.gz")
    (structure,) = labelled_case(scan, tmp_path / "labels.nii.gz", {1: "liver"}, "g", VOCABULARY).present
    assert labels[tuple(structure.inside.astype(int)[::-1])] == 1
