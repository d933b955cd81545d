import dataclasses

import numpy as np
import pytest
import slicer.util
import vtk
from AnatomicalEmbeddingLib.Border import Border
from AnatomicalEmbeddingLib.Overlay import BORDER, COLOURS, Overlay
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass
from placements import addBentTransform, addScan, affine, translation
from posterior_double import RADIUS_MM, middleOf, posteriorOf
from segment_voxels import segmentPositions

NAMES = ("right kidney", "liver")


@pytest.fixture
def overlay(scene):
    return Overlay(scene)


@pytest.fixture
def border(scene, overlay):
    return Border(scene, overlay)


def show(border, scan, **changes):
    posterior = dataclasses.replace(posteriorOf(scan), **changes)
    border.show(scan, posterior, NAMES, posterior.ijk_to_ras)
    return posterior


def lineNode(scene):
    (node,) = [node for node in nodesOfClass(scene, "vtkMRMLModelNode") if node.GetName().startswith("Even line")]
    return node


def bandNode(scene):
    (node,) = nodesOfClass(scene, "vtkMRMLSegmentationNode")
    return node


def isShown(scene) -> bool:
    """Whether a line or a band is in the scene."""
    kinds = ("vtkMRMLModelNode", "vtkMRMLSegmentationNode")
    return any(node.GetAttribute("AnatomicalEmbedding.Border") for kind in kinds for node in nodesOfClass(scene, kind))


def worldPoints(node):
    points = slicer.util.arrayFromModelPoints(node).astype(float)
    transformNode = node.GetParentTransformNode()
    if transformNode is None:
        return points
    matrix = vtk.vtkMatrix4x4()
    transformNode.GetMatrixTransformToWorld(matrix)
    to_world = slicer.util.arrayFromVTKMatrix(matrix)
    return points @ to_world[:3, :3].T + to_world[:3, 3]


def ids(scene):
    return {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}


def test_the_line_is_the_plane_between_the_structures_for_every_placement(border, scene, placedScan, axial):
    axial.show(placedScan)
    show(border, placedScan)
    offset = worldPoints(lineNode(scene)) - middleOf(placedScan)
    assert len(offset) > 100
    np.testing.assert_allclose(offset[:, 0], 0, atol=0.05)
    reach = np.linalg.norm(offset, axis=1).max()
    assert reach == pytest.approx(RADIUS_MM, abs=1)


def test_the_band_is_a_layer_around_the_plane_for_every_placement(border, scene, placedScan, axial):
    axial.show(placedScan)
    show(border, placedScan)
    node = bandNode(scene)
    offset = segmentPositions(node, node.GetSegmentation().GetNthSegmentID(0)) - middleOf(placedScan)
    # 3 mm * ln 3 on either side, on a grid of 2 mm.
    assert np.abs(offset[:, 0]).max() < 3.3
    assert np.ptp(offset[:, 0]) >= 4
    assert np.ptp(offset[:, 2]) == pytest.approx(2 * RADIUS_MM, abs=5)


def test_the_first_structure_is_yellow_and_the_second_blue(border, placedScan, axial):
    axial.show(placedScan)
    middle = middleOf(placedScan)
    axial.sliceNode.JumpSliceByCentering(*middle)
    show(border, placedScan)
    axial.compositeNode.SetForegroundOpacity(1)
    red, _, blue = axial.colour_at(middle + (14, 0, 0))
    assert red > blue + 100
    red, _, blue = axial.colour_at(middle - (14, 0, 0))
    assert blue > red + 100
    red, green, blue = axial.colour_at(middle + (0, RADIUS_MM + 6, 0))
    assert red == green == blue > 0


def test_line_and_band_are_drawn_in_the_views_of_the_scan_only(border, scene, scan, views):
    other = addScan(scene, affine(), name="Another patient")
    views["axial"].show(scan)
    views["coronal"].show(other)
    views["sagittal"].show(scan)
    show(border, scan)
    for node in (lineNode(scene), bandNode(scene)):
        displayNode = node.GetDisplayNode()
        assert displayNode.IsDisplayableInView(views["axial"].sliceNode.GetID())
        assert displayNode.IsDisplayableInView(views["sagittal"].sliceNode.GetID())
        assert not displayNode.IsDisplayableInView(views["coronal"].sliceNode.GetID())


def test_the_line_is_visible_in_slice_views_and_the_band_is_filled(border, scene, scan, axial):
    axial.show(scan)
    show(border, scan)
    line, band = lineNode(scene).GetDisplayNode(), bandNode(scene).GetDisplayNode()
    assert line.GetVisibility() and line.GetVisibility2D() and not line.GetVisibility3D()
    assert band.GetVisibility2DFill() and 0 < band.GetOpacity2DFill() < 0.6
    assert lineNode(scene).GetHideFromEditors() and bandNode(scene).GetHideFromEditors()


def test_the_border_follows_the_scan(border, scene, axial):
    scan = addScan(scene, affine(), translation((0, 0, 0)))
    axial.show(scan)
    show(border, scan)
    before = worldPoints(lineNode(scene))
    moved = slicer.util.vtkMatrixFromArray(translation((30, 5, -7)))
    scan.GetParentTransformNode().SetMatrixTransformToParent(moved)
    np.testing.assert_allclose(worldPoints(lineNode(scene)), before + (30, 5, -7), atol=1e-3)
    assert bandNode(scene).GetTransformNodeID() == scan.GetTransformNodeID()


def test_the_legend_says_which_end_is_which(border, scene, scan, axial):
    axial.show(scan)
    show(border, scan)
    (legendNode,) = nodesOfClass(scene, "vtkMRMLColorLegendDisplayNode")
    assert legendNode.GetTitleText() == "right kidney 1\nliver 0"


def test_clearing_removes_everything_and_gives_back_what_there_was(border, overlay, scene, scan, axial):
    other = addScan(scene, affine(), name="PET")
    axial.show(scan)
    axial.compositeNode.SetForegroundVolumeID(other.GetID())
    before = ids(scene)
    show(border, scan)
    border.clear()
    scales = {node.GetID() for node in nodesOfClass(scene, "vtkMRMLColorTableNode")}
    assert ids(scene) - scales == before - scales and before <= ids(scene)
    assert not isShown(scene) and overlay.shown() is None
    assert axial.compositeNode.GetForegroundVolumeID() == other.GetID()


def test_clearing_leaves_another_overlay_alone(border, overlay, scan, axial):
    axial.show(scan)
    posterior = show(border, scan)
    overlay.showColours(scan, np.zeros((*posterior.first_kji.shape, 4), np.uint8), posterior.ijk_to_ras)
    border.clear()
    assert overlay.shown() == COLOURS


def test_the_next_border_replaces_the_last(border, scene, scan, axial):
    axial.show(scan)
    show(border, scan)
    count = scene.GetNumberOfNodes()
    for _ in range(2):
        show(border, scan)
    assert scene.GetNumberOfNodes() == count
    assert lineNode(scene) and bandNode(scene) and isShown(scene)


def test_structures_that_do_not_meet_are_said_to_and_nothing_is_shown(border, scene, scan, axial):
    axial.show(scan)
    show(border, scan)
    with pytest.raises(RuntimeError, match="right kidney and liver do not touch in this scan"):
        show(border, scan, first_kji=np.ones_like(posteriorOf(scan).first_kji))
    assert not isShown(scene)


@pytest.mark.parametrize("changes", [
    {"first_kji": np.zeros((2, 2), np.float32)}, {"either_kji": None}, {"ijk_to_ras": np.zeros((4, 4))},
])
def test_a_failure_leaves_nothing_behind(border, scene, scan, axial, changes):
    axial.show(scan)
    before = ids(scene)
    with pytest.raises(RuntimeError, match="The border cannot be shown"):
        show(border, scan, **changes)
    assert not isShown(scene)
    assert axial.compositeNode.GetForegroundVolumeID() is None
    left = {scene.GetNodeByID(one).GetClassName() for one in ids(scene) - before}
    assert left <= {"vtkMRMLColorTableNode"}


def test_a_scan_under_a_bent_transform_has_no_border_and_says_why(border, scene, scan):
    posterior = posteriorOf(scan)
    scan.SetAndObserveTransformNodeID(addBentTransform(scene).GetID())
    with pytest.raises(RuntimeError, match="non-linear"):
        border.show(scan, posterior, NAMES, posterior.ijk_to_ras)


def test_the_border_of_a_saved_scene_can_be_cleared(border, scene, applicationLogic, scan, axial, tmp_path):
    axial.show(scan)
    show(border, scan)
    assert applicationLogic.SaveSceneToSlicerDataBundleDirectory(str(tmp_path))
    scene.Clear(False)
    scene.SetURL(str(next(tmp_path.glob("*.mrml"))))
    assert scene.Connect()
    overlay = Overlay(scene)
    assert overlay.shown() == BORDER
    again = Border(scene, overlay)
    assert isShown(scene)
    again.clear()
    assert not isShown(scene) and overlay.shown() is None
