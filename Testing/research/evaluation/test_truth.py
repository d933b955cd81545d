"""What is known about evaluation scans."""

from dataclasses import replace

import numpy as np
import pytest
from anatembed.geometry import transform_points
from anatembed.scan.files import write_volume
from anatembed.scan.volume import Volume
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from little_people import CENTRES_RAS, RADIUS_MM, VOCABULARY, little_person
from phantoms import rotation
from research.evaluation.truth import (
    Structure,
    annotated_case,
    depth_error_mm,
    distance_mm,
    distance_to_box,
    labelled_case,
)

NUMBER = st.floats(-100, 100)
POINT = st.tuples(NUMBER, NUMBER, NUMBER)
COLUMNS = ("name", "kind", "r", "a", "s", "r_min", "r_max", "a_min", "a_max", "s_min", "s_max", "uncertainty_mm",
           "spheres")


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


def table_of(tmp_path, *rows, name="truth.tsv"):
    path = tmp_path / name
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


LONG = box((0, 0, 0), (100, 100, 100))


def with_spheres(*spheres) -> Structure:
    return replace(LONG, spheres=np.array(spheres, float))


def test_the_distance_to_a_chain_is_that_to_the_surface_of_its_nearest_sphere():
    chain = with_spheres((0, 0, 0, 5), (0, 0, 30, 8))
    for place, expected in (((0, 0, 4), 0), ((0, 0, 12), 7), ((0, 0, 20), 2), ((12, 0, 30), 4), ((50, 50, 50), None)):
        distance = distance_mm(np.array(place, float), chain)
        assert expected is None or distance == pytest.approx(expected)
    assert distance > 50  # in the box, far from the chain


@given(arrays(float, (6, 4), elements=st.floats(-50, 50)), arrays(float, 3, elements=st.floats(-90, 90)))
def test_more_spheres_are_never_farther_away_and_none_is_nearer_than_its_own_surface(spheres, point):
    spheres[:, 3] = np.abs(spheres[:, 3])
    whole = distance_mm(point, with_spheres(*spheres))
    assert whole >= 0
    assert whole == pytest.approx(min(distance_mm(point, with_spheres(one)) for one in spheres))


@pytest.mark.parametrize("height,error", [(-7, 7), (0, 0), (55, 0), (112, 12)])
def test_the_error_along_the_body_ignores_what_is_beside_it(height, error):
    assert depth_error_mm(np.array([500.0, -80.0, height]), LONG) == error


def test_a_table_may_fill_a_long_structure_with_spheres(tmp_path, scan):
    place = {"r": 0, "a": 10, "s": 20}
    table = table_of(
        tmp_path,
        {"name": "aorta", "kind": "point", **place, "uncertainty_mm": 4, "spheres": "0,10,20,8;2,12,60,9.5"},
        {"name": "spleen", "kind": "point", **place, "uncertainty_mm": 4},
    )
    aorta, spleen = annotated_case(scan, table, VOCABULARY).present
    np.testing.assert_array_equal(aorta.spheres, [(0, 10, 20, 8), (2, 12, 60, 9.5)])
    np.testing.assert_array_equal([aorta.low, aorta.high], [(-8, 2, 12), (11.5, 21.5, 69.5)])
    np.testing.assert_array_equal([aorta.inside, aorta.centre], [(0, 10, 20)] * 2)
    assert spleen.spheres is None


def test_a_broken_chain_is_refused_by_name(tmp_path, scan):
    table = table_of(tmp_path, {"name": "aorta", "kind": "point", "r": 0, "a": 0, "s": 0, "spheres": "1,2,3;4,5,6"})
    with pytest.raises(ValueError, match=r"expected spheres r,a,s,radius;\.\.\. of aorta, got '1,2,3;4,5,6'"):
        annotated_case(scan, table, VOCABULARY)


@pytest.mark.parametrize("linear", [
    np.diag([2.0, 2.0, 2.0]), np.diag([-2.0, 3.0, 2.0]), rotation((1, 2, 3), 20) @ np.diag([2.0, 2.0, -2.0]),
], ids=["plain", "flipped", "oblique"])
def test_a_drawn_label_map_replaces_rows_or_is_kept_apart_or_skipped(tmp_path, scan, linear):
    labels = np.zeros((20, 22, 24), np.uint8)
    labels[2:6, 3:9, 4:12], labels[10:14, 3:9, 4:12], labels[15:19, 3:9, 4:12] = 1, 2, 3
    ijk_to_ras = np.eye(4)
    ijk_to_ras[:3, :3], ijk_to_ras[:3, 3] = linear, (30, -20, 500)
    write_volume(Volume(labels, ijk_to_ras), tmp_path / "person_dense_labels.nii.gz")
    rows = [(1, "liver", "use"), (2, "heart", "caution"), (3, "spleen", "skip")]
    lines = ["value\tname\teval", *("\t".join(map(str, row)) for row in rows)]
    (tmp_path / "person_dense_labels.tsv").write_text("\n".join(lines))
    place = {"r": 1, "a": 2, "s": 3, "uncertainty_mm": 4}
    table = table_of(tmp_path, *({"name": n, "kind": "point", **place} for n in ("liver", "heart", "spleen")),
                     name="person_1.tsv")
    case = annotated_case(scan, table, VOCABULARY)
    found = {one.concept: one for one in case.present}
    assert found.keys() == {"liver", "heart", "spleen"}
    assert found["liver"].spheres is not None
    assert found["heart"].spheres is found["spleen"].spheres is None
    assert [one.concept for one in case.doubtful] == ["heart"]
    middle = transform_points(ijk_to_ras, (7.5, 5.5, 3.5))  # of i 4..11, j 3..8, k 2..5
    np.testing.assert_allclose(found["liver"].centre, middle, atol=1e-3)
    assert distance_mm(middle, found["liver"]) == 0
    beyond = transform_points(ijk_to_ras, (4 - 10, 5, 3))
    edges = np.linalg.norm(linear, axis=0)
    assert distance_mm(beyond, found["liver"]) == pytest.approx(10 * edges[0] - np.linalg.norm(edges) / 2, abs=1e-3)
