"""What a saved scene keeps of an answer: the overlays lie and look as before, the points are where they were."""

import numpy as np
import pytest
import slicer
import slicer.util
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass
from placements import addScan, affine, rotation, translation
from scene_logic import embed, logicOn
from slice_view import SliceView


def save(applicationLogic, folder) -> str:
    """Write the scene and all its data into a folder; returns the path of the scene file."""
    assert applicationLogic.SaveSceneToSlicerDataBundleDirectory(str(folder))
    (sceneFile,) = folder.glob("*.mrml")
    return str(sceneFile)


@pytest.fixture
def answered(scene, applicationLogic, tmp_path):
    """Scene file with a scan under a transform, both overlays and two points; the scan's best hit in RAS."""
    axial = SliceView(scene, applicationLogic, "Red", "Axial")
    scan = addScan(scene, affine(), translation((5, 60, -15)) @ rotation((0, 1, 1), 35))
    axial.show(scan)
    logic = logicOn(scene, tmp_path)
    embed(logic, scan)
    best_ras = logic.locate(scan, "liver").places[0].position_ras
    logic.showHeatMap(scan, "liver")
    logic.showOverlay(scan, "colours", opacity=1)
    assert axial.colour_at(best_ras) == (60, 120, 90)
    folder = tmp_path / "saved"
    folder.mkdir()
    sceneFile = save(applicationLogic, folder)
    scene.Clear(False)
    scene.SetURL(sceneFile)
    assert scene.Connect()
    return axial, best_ras


def test_the_colours_are_painted_as_before(answered, scene):
    axial, best_ras = answered
    (node,) = nodesOfClass(scene, "vtkMRMLVectorVolumeNode")
    axial.compositeNode.SetForegroundVolumeID(node.GetID())
    axial.compositeNode.SetForegroundOpacity(1)
    axial.sliceNode.JumpSliceByCentering(*best_ras)
    assert axial.colour_at(best_ras) == (60, 120, 90)
    assert axial.colour_at(best_ras - (20, 0, 0)) == (127, 127, 127)


def test_the_points_keep_places_and_words(answered, scene):
    _, best_ras = answered
    node = scene.GetFirstNodeByClass("vtkMRMLMarkupsFiducialNode")
    positions_ras = slicer.util.arrayFromMarkupsControlPoints(node, world=True)
    np.testing.assert_allclose(positions_ras, [best_ras], atol=1e-3)
    assert node.GetNthControlPointLabel(0) == "Liver"
    assert node.GetNthControlPointDescription(0) == 'asked "liver" in CT, confidence 93%'


def test_the_next_answer_uses_the_loaded_nodes(answered, scene, tmp_path):
    axial, _ = answered
    scan = next(node for node in nodesOfClass(scene, "vtkMRMLScalarVolumeNode") if node.GetName() == "CT")
    axial.show(scan)
    logic = logicOn(scene, tmp_path)
    embed(logic, scan)
    logic.showOverlay(scan, "colours")
    logic.showHeatMap(scan, "liver")
    logic.locate(scan, "liver")
    assert len(nodesOfClass(scene, "vtkMRMLScalarVolumeNode")) == 3
    assert len(nodesOfClass(scene, "vtkMRMLMarkupsFiducialNode")) == 1
    assert axial.compositeNode.GetForegroundVolumeID() is not None


def test_an_overlay_that_was_saved_as_shown_can_be_hidden(answered, scene, tmp_path):
    axial, _ = answered
    (node,) = nodesOfClass(scene, "vtkMRMLVectorVolumeNode")
    assert axial.compositeNode.GetForegroundVolumeID() == node.GetID()
    logicOn(scene, tmp_path).hideOverlay()
    assert axial.compositeNode.GetForegroundVolumeID() is None


def test_the_scan_of_a_loaded_scene_answers_from_the_kept_map_and_remembers_the_questions(answered, scene, tmp_path):
    _, best_ras = answered
    scan = next(node for node in nodesOfClass(scene, "vtkMRMLScalarVolumeNode") if node.GetName() == "CT")
    logic = logicOn(scene, tmp_path)
    assert logic.isEmbedded(scan) and logic.history() == ["liver"]
    np.testing.assert_allclose(logic.locate(scan, "liver").places[0].position_ras, best_ras, atol=1e-3)
    logic.removeCaches()
    assert logic.locate(scan, "liver").places
    fresh = logicOn(scene, tmp_path)
    assert not fresh.isEmbedded(scan)
    embed(fresh, scan)
    assert fresh.locate(scan, "liver").places
