"""The table of structures on real MRML: what stands in it, and that it can be saved and made again."""

import numpy as np
import pytest
import slicer
import slicer.util
from anatembed.ask.structure_facts import StructureFacts
from anatembed.language.vocabulary import Vocabulary
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass
from AnatomicalEmbeddingLib.StructureTable import COLUMNS, fillStructureTable
from explorer_double import ExplorerDouble
from placements import addScan, affine
from scene_logic import embed, logicOn

VOCABULARY = Vocabulary.load()


def facts(concept_id: str) -> StructureFacts:
    low = np.array([-10.0, -20.0, -30.0])
    return StructureFacts(concept_id, low + 5, 0.876, low, low + (20, 30, 40), True, 123.45, (61.04, 12.0, 60.0))


def cells(node, row: int) -> dict:
    table = node.GetTable()
    return {table.GetColumnName(n): table.GetValue(row, n).ToString() for n in range(table.GetNumberOfColumns())}


def test_a_row_says_what_is_known_of_a_structure(scene, scan):
    node = fillStructureTable(scene, scan, [facts("kidney_left"), facts("liver")], VOCABULARY)
    row = cells(node, 0)
    assert list(row) == [title for title, _, _ in COLUMNS] and node.GetNumberOfRows() == 2
    assert (row["Structure"], row["SNOMED CT"], row["Side"]) == ("left kidney", "64033007", "left")
    assert row["Cut off"] == "yes"
    assert [float(row[name]) for name in "RAS"] == [-5, -15, -25]
    assert [float(row[f"Size {name}"]) for name in "RAS"] == [20, 30, 40]
    assert float(row["Confidence"]) == 0.88 and float(row["Volume"]) == 123.5 and float(row["HU mean"]) == 61
    assert cells(node, 1)["Side"] == "" and node.GetColumnUnitLabel("Volume") == "mL"


def test_a_scan_has_one_table_which_is_made_again(scene, scan):
    first = fillStructureTable(scene, scan, [facts("liver"), facts("spleen")], VOCABULARY)
    assert fillStructureTable(scene, scan, [facts("liver")], VOCABULARY) is first and first.GetNumberOfRows() == 1
    other = addScan(scene, affine(), name="Other")
    assert fillStructureTable(scene, other, [], VOCABULARY) is not first


def test_slicer_writes_it_as_a_spreadsheet(scene, scan, tmp_path):
    node = fillStructureTable(scene, scan, [facts("liver")], VOCABULARY)
    storage = slicer.vtkMRMLTableStorageNode()
    storage.SetFileName(str(tmp_path / "structures.tsv"))
    assert storage.WriteData(node)
    assert "liver\t10200004" in (tmp_path / "structures.tsv").read_text().replace('"', "")


@pytest.fixture
def logic(scene, tmp_path):
    logic = logicOn(scene, tmp_path)
    yield logic
    logic.cleanUp()


def test_a_scan_under_a_transform_has_the_places_that_find_gives(logic, placedScan):
    embed(logic, placedScan)
    logic.__dict__["_vocabulary"] = VOCABULARY
    (row,) = (cells(logic.tableOfStructures(placedScan), n) for n in range(1))
    place = logic.locate(placedScan, "liver").places[0].position_ras
    np.testing.assert_allclose([float(row[name]) for name in "RAS"], place, atol=0.01)
    values = slicer.util.arrayFromVolume(placedScan)
    assert values.min() <= float(row["HU median"]) <= values.max()


def test_what_find_does_not_find_is_not_in_the_table(scene, scan, tmp_path):
    class Nowhere(ExplorerDouble):
        @property
        def index(self):
            found = super().index.search("liver", 1)
            return type("Index", (), {"search": lambda *_: type(found)("liver", False, 0.1, found.hits)})()

    logic = logicOn(scene, tmp_path, Nowhere)
    embed(logic, scan)
    assert logic.tableOfStructures(scan).GetNumberOfRows() == 0
    assert len(nodesOfClass(scene, "vtkMRMLTableNode")) == 1
    logic.cleanUp()
