import csv
import io
import json

import numpy as np
import pytest
from anatembed.ask.structure_colours import StructureColours
from anatembed.language.vocabulary import Vocabulary

pytest.importorskip("slicer", reason="needs slicer-core")
from web_demo.kept import KeptPlace, extents, places_csv, places_markups

FLIPPED = np.array([[0.0, -2.0, 0, 90], [-1.5, 0, 0, -40], [0, 0, -4.0, 600], [0, 0, 0, 1]])


def structures(affine) -> StructureColours:
    """A liver that is a ring around a hole, and a spleen of one voxel."""
    labels = np.zeros((6, 9, 9), np.int16)
    labels[2, 1:8, 1:8] = 1
    labels[2, 3:6, 3:6] = 0
    labels[5, 8, 2] = 2
    return StructureColours(labels, np.zeros((*labels.shape, 4), np.uint8), affine, ("liver", "spleen"), [])


@pytest.mark.parametrize("affine", [np.diag([2.0, 2.0, 4.0, 1.0]), FLIPPED], ids=["straight", "flipped and turned"])
def test_the_middle_of_a_structure_is_a_voxel_of_it_wherever_the_scan_lies(affine):
    liver, spleen = extents(structures(affine), Vocabulary.load())
    assert (liver.concept_id, spleen.concept_id) == ("liver", "spleen")
    kji = np.rint(np.linalg.inv(affine) @ [*liver.middle_ras, 1])[:3][::-1].astype(int)
    assert structures(affine).labels_kji[tuple(kji)] == 1
    assert np.allclose(spleen.middle_ras, (affine @ [2, 8, 5, 1])[:3])
    voxel_ml = abs(np.linalg.det(affine[:3, :3])) / 1000
    assert np.isclose(liver.volume_ml, 40 * voxel_ml) and np.isclose(spleen.volume_ml, voxel_ml)


def test_a_whole_has_the_voxels_of_its_parts():
    found = structures(np.diag([2.0, 2.0, 4.0, 1.0]))
    parts = StructureColours(
        found.labels_kji, found.rgba_kji, found.ijk_to_ras, ("liver_segment_2", "liver_segment_3", "liver"), []
    )
    by_id = {one.concept_id: one.volume_ml for one in extents(parts, Vocabulary.load())}
    assert np.isclose(by_id["liver"], by_id["liver_segment_2"] + by_id["liver_segment_3"])


def test_a_table_is_no_formula_and_keeps_commas():
    place = KeptPlace("=HYPERLINK(1)", "lung, left", "lung_left", "left", (-3.04, 0.0, 12.26), 0.91234)
    (row,) = csv.DictReader(io.StringIO(places_csv([place])))
    assert row["scan"] == "'=HYPERLINK(1)" and row["structure"] == "lung, left"
    assert [row[one] for one in ("right_mm", "anterior_mm", "superior_mm")] == ["-3.0", "0.0", "12.3"]


def test_points_for_slicer_say_their_side_in_its_own_frame():
    place = KeptPlace("scan", "left kidney", "kidney_left", "left", (-70.0, 30.0, -130.0), 0.9)
    (point,) = json.loads(places_markups([place]))["markups"][0]["controlPoints"]
    assert point["position"] == [70.0, -30.0, -130.0] and point["label"] == "left kidney"
