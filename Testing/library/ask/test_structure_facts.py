"""The rows of the table of structures, from labels that are known."""

import numpy as np
import pytest
from anatembed.ask.index import Hit
from anatembed.ask.structure_colours import StructureColours
from anatembed.ask.structure_facts import structure_facts
from anatembed.geometry import transform_points
from phantoms import GEOMETRIES

IDS = ("liver", "spleen", "heart")


def painted(ijk_to_ras) -> StructureColours:
    """A block of liver with a stray voxel far away, a small spleen, and a heart at the end of the grid."""
    labels = np.zeros((20, 24, 28), np.int16)
    labels[6:12, 8:14, 4:12] = 1
    labels[18, 3, 24] = 1
    labels[6:8, 18:20, 20:22] = 2
    labels[16:, 10:13, 10:13] = 3
    return StructureColours(labels, np.zeros((*labels.shape, 4), np.uint8), ijk_to_ras, IDS, [])


def alone(_concept_id: str) -> tuple:
    return ()


def found(concept_id: str) -> Hit:
    return Hit(np.array([1.0, 2.0, 3.0]), 0.9, concept_id)


@pytest.mark.parametrize("grid", GEOMETRIES)
def test_extent_volume_and_hu_are_those_of_the_painted_voxels(grid):
    structures = painted(GEOMETRIES[grid].ijk_to_ras)
    hu_kji = np.where(structures.labels_kji == 1, 60, -100).astype(np.int16)
    liver, heart, spleen = structure_facts(structures, alone, found, hu_kji, structures.ijk_to_ras)
    assert (liver.concept_id, heart.concept_id, spleen.concept_id) == ("liver", "heart", "spleen")
    ends = [(x, y, z) for x in (3.5, 11.5) for y in (7.5, 13.5) for z in (5.5, 11.5)]
    corners = transform_points(GEOMETRIES[grid].ijk_to_ras, np.array(ends))
    np.testing.assert_allclose(liver.low_ras, corners.min(axis=0), atol=1e-6)
    np.testing.assert_allclose(liver.high_ras, corners.max(axis=0), atol=1e-6)
    voxel_ml = abs(np.linalg.det(GEOMETRIES[grid].ijk_to_ras[:3, :3])) / 1000
    assert liver.volume_ml == pytest.approx(6 * 6 * 8 * voxel_ml)
    assert liver.hu == pytest.approx((60, 0, 60)) and spleen.hu == pytest.approx((-100, 0, -100))
    assert heart.cut_off and not liver.cut_off and not spleen.cut_off
    assert liver.confidence == 0.9


def test_what_find_refuses_has_no_row():
    structures = painted(np.eye(4))
    rows = structure_facts(
        structures, alone, lambda one: None if one == "spleen" else found(one), np.zeros((9, 9, 9)), np.eye(4))
    assert [one.concept_id for one in rows] == ["liver", "heart"]


def test_a_structure_beside_the_scan_has_no_hu():
    structures = painted(np.eye(4))
    facts = structure_facts(structures, alone, found, np.zeros((2, 2, 2)), np.eye(4))
    assert facts and all(np.isnan(one.hu).all() for one in facts)


def test_a_whole_has_the_voxels_of_its_parts():
    structures = painted(np.eye(4))
    whole = {"liver": ("heart", "what is not learnt")}
    facts = structure_facts(structures, lambda one: whole.get(one, ()), found, np.zeros((20, 24, 28)), np.eye(4))
    volumes = {one.concept_id: 1000 * one.volume_ml for one in facts}
    assert volumes == pytest.approx({"liver": 6 * 6 * 8 + 4 * 3 * 3, "heart": 4 * 3 * 3, "spleen": 2 * 2 * 2})
