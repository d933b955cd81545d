import json

import numpy as np
import pytest
from anatembed.serve.markups import Finding, document, write_markups

FINDINGS = [
    Finding("left ventricle of heart", (-53.65, 66.82, 35.52), "second look"),
    Finding("Nodule „S3“ ≤ 5 mm", (12.0, -3.25, -1400.5)),
    Finding("origin", (0.0, 0.0, 0.0), "0"),
]


def test_slicer_reads_every_point_back_at_its_ras_position_with_name_and_note(tmp_path):
    import slicer

    path = tmp_path / "findings.mrk.json"
    write_markups(FINDINGS, path)
    scene = slicer.vtkMRMLScene()
    scene.RegisterNodeClass(slicer.vtkMRMLMarkupsFiducialNode())
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode")
    storage = scene.AddNewNodeByClass("vtkMRMLMarkupsJsonStorageNode")
    if storage is None:
        storage = slicer.vtkMRMLMarkupsJsonStorageNode()
        scene.AddNode(storage)
    storage.SetFileName(str(path))
    assert storage.ReadData(node)
    assert node.GetNumberOfDefinedControlPoints() == len(FINDINGS)
    for number, finding in enumerate(FINDINGS):
        position = np.zeros(3)
        node.GetNthControlPointPositionWorld(number, position)
        np.testing.assert_allclose(position, finding.position_ras, atol=1e-6)
        assert node.GetNthControlPointLabel(number) == finding.name
        assert node.GetNthControlPointDescription(number) == finding.note


def test_the_file_says_lps_and_holds_lps():
    markup = document(FINDINGS)["markups"][0]
    assert (markup["type"], markup["coordinateSystem"], markup["coordinateUnits"]) == ("Fiducial", "LPS", "mm")
    assert markup["controlPoints"][0]["position"] == [53.65, -66.82, 35.52]
    assert str(markup["controlPoints"][2]["position"]) == "[0.0, 0.0, 0.0]"
    assert len({point["id"] for point in markup["controlPoints"]}) == 3


@pytest.mark.parametrize("position", [(1, 2), (1, 2, float("nan")), (1, 2, float("inf")), ((1, 2, 3),)])
def test_a_bad_position_is_refused_and_the_file_stays_as_it_was(tmp_path, position):
    path = tmp_path / "findings.mrk.json"
    write_markups(FINDINGS[:1], path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="three finite numbers"):
        write_markups([FINDINGS[0], Finding("bad", position)], path)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_the_file_is_json_in_utf_8(tmp_path):
    write_markups(FINDINGS, tmp_path / "f.mrk.json")
    assert json.loads((tmp_path / "f.mrk.json").read_text(encoding="utf-8")) == document(FINDINGS)
