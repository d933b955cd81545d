import numpy as np
import slicer.util
from AnatomicalEmbeddingLib.PlaceMarker import PlaceMarker
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass


def test_the_point_lies_at_its_place_for_every_placement(scene, placedScan, axial):
    marker = PlaceMarker(scene)
    for position_ras in ((1.0, 2.0, 3.0), (-40.0, 5.5, 900.0)):
        marker.show(placedScan, position_ras, "same place", [axial.sliceNode])
        (node,) = nodesOfClass(scene, "vtkMRMLMarkupsFiducialNode")
        np.testing.assert_allclose(slicer.util.arrayFromMarkupsControlPoints(node, world=True), [position_ras])
        assert node.GetTransformNodeID() == placedScan.GetTransformNodeID()


def test_a_point_of_the_user_is_left_alone(scene, scan, axial):
    own = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "Same place")
    own.AddControlPointWorld([1, 2, 3])
    marker = PlaceMarker(scene)
    marker.show(scan, (4, 5, 6), "x", [axial.sliceNode])
    marker.remove()
    assert nodesOfClass(scene, "vtkMRMLMarkupsFiducialNode") == [own] and own.GetNumberOfControlPoints() == 1


def test_removing_leaves_no_trace_and_needs_no_point(scene, scan, axial):
    marker = PlaceMarker(scene)
    count = scene.GetNumberOfNodes()
    marker.remove()
    marker.hide()
    marker.show(scan, (4, 5, 6), "x", [axial.sliceNode])
    marker.remove()
    assert scene.GetNumberOfNodes() == count
