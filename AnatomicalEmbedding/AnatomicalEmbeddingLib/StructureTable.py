"""The structures of a scan as a table node, which Slicer shows, plots and saves as a spreadsheet."""

import vtk

from .SceneNodes import nodesOfClass

_ROLE, _SCAN = "AnatomicalEmbedding.Structures", "AnatomicalEmbedding.Scan"
# Title, unit and what it says; a unit makes a column of numbers.
COLUMNS = (
    ("Structure", "", "Name in the vocabulary"),
    ("SNOMED CT", "", "Code, where the vocabulary has one"),
    ("Side", "", "left, right or nothing"),
    ("R", "mm", "Place where Find goes, world RAS"),
    ("A", "mm", "Place where Find goes, world RAS"),
    ("S", "mm", "Place where Find goes, world RAS"),
    ("Confidence", "0..1", "That this place is within 10 mm of the structure"),
    ("Size R", "mm", "Extent along world R"),
    ("Size A", "mm", "Extent along world A"),
    ("Size S", "mm", "Extent along world S"),
    ("Cut off", "", "yes where the structure may go on beyond the scan"),
    ("Volume", "mL", "What is painted of it by Show, structures"),
    ("HU mean", "HU", "Over the voxels that are painted"),
    ("HU SD", "HU", "Over the voxels that are painted"),
    ("HU median", "HU", "Over the voxels that are painted"),
)


def fillStructureTable(scene, scanNode, facts, vocabulary):
    """The vtkMRMLTableNode of a scan with a row for each of a list of StructureFacts in world; one node per scan."""
    node = _find(scene, scanNode) or _add(scene, scanNode)
    wasModifying = node.StartModify()
    node.RemoveAllColumns()
    rows = [_row(one, vocabulary[one.concept_id]) for one in facts]
    for number, (title, unit, meaning) in enumerate(COLUMNS):
        column = vtk.vtkDoubleArray() if unit else vtk.vtkStringArray()
        column.SetName(title)
        for row in rows:
            column.InsertNextValue(row[number])
        node.AddColumn(column)
        node.SetColumnUnitLabel(title, unit)
        node.SetColumnDescription(title, meaning)
    node.SetUseColumnTitleAsColumnHeader(True)
    node.EndModify(wasModifying)
    return node


def _row(one, term) -> tuple:
    side = term.laterality if term.laterality != "none" else ""
    numbers = (*one.position_ras, one.confidence, *(one.high_ras - one.low_ras))
    return (
        term.preferred, term.snomed or "", side, *(round(float(value), 2) for value in numbers),
        "yes" if one.cut_off else "", round(one.volume_ml, 1), *(round(value, 1) for value in one.hu),
    )


def _find(scene, scanNode):
    for node in nodesOfClass(scene, "vtkMRMLTableNode"):
        if node.GetAttribute(_ROLE) and node.GetNodeReferenceID(_SCAN) == scanNode.GetID():
            return node
    return None


def _add(scene, scanNode):
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", f"Structures of {scanNode.GetName()}")
    node.SetAttribute(_ROLE, "1")
    node.SetNodeReferenceID(_SCAN, scanNode.GetID())
    return node
