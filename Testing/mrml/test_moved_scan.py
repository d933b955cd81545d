"""A scan that is moved after its embedding: everything that is shown over it, and asked about it, moves along."""

import numpy as np
import pytest
import slicer.util
from anatembed.geometry import transform_points
from AnatomicalEmbeddingLib import VolumeBridge
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass
from placements import PLACEMENTS, SHAPE_KJI, addScan, rotation, translation
from scene_logic import embed, logicOn

MOTION = translation((30, -20, 10)) @ rotation((0, 0, 1), 90)
SHOWN = {
    "colours": lambda logic, scan: logic.showOverlay(scan, "colours", opacity=1),
    "structures": lambda logic, scan: logic.showOverlay(scan, "structures", opacity=1),
    "uncertainty": lambda logic, scan: logic.showOverlay(scan, "uncertainty", opacity=1),
    "heat map": lambda logic, scan: logic.showHeatMap(scan, "liver", threshold=0.2, opacity=1),
    "border": lambda logic, scan: logic.showBorder(scan, "liver", "kidney_right"),
}


@pytest.fixture(params=["axis-aligned", "flipped as DICOM", "anisotropic", "turned by a parent"])
def scan(request, scene):
    return addScan(scene, *PLACEMENTS[request.param])


@pytest.fixture
def logic(scene, scan, tmp_path):
    logic = logicOn(scene, tmp_path)
    embed(logic, scan)
    yield logic
    logic.cleanUp()


def middle(scan):
    return transform_points(VolumeBridge.ijkToWorld(scan), (np.array(SHAPE_KJI[::-1]) - 1) / 2)


def move(scan):
    """Move the scan in world by MOTION, whatever parent it had."""
    parent_to_world = VolumeBridge.parentToWorld(scan)
    transformNode = scan.GetScene().AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transformNode.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(MOTION @ parent_to_world))
    scan.SetAndObserveTransformNodeID(transformNode.GetID())


@pytest.mark.parametrize("mode", SHOWN)
def test_a_place_keeps_its_colour(logic, scan, axial, mode):
    axial.show(scan)
    places_ras = [middle(scan) + (x, 0, 0) for x in (10, -10)]

    def colours(at_ras):
        SHOWN[mode](logic, scan)
        assert logic.shownOverlay() == mode
        axial.sliceNode.JumpSliceByCentering(*at_ras[0])
        axial.compositeNode.SetForegroundOpacity(1)
        return [axial.colour_at(place) for place in at_ras]

    before = colours(places_ras)
    assert before[0] != before[1]
    move(scan)
    assert colours([transform_points(MOTION, place) for place in places_ras]) == before


def test_the_line_of_a_border_lies_between_the_structures(logic, scene, scan, axial):
    axial.show(scan)
    before = middle(scan)
    move(scan)
    logic.showBorder(scan, "liver", "kidney_right")
    (line,) = (node for node in nodesOfClass(scene, "vtkMRMLModelNode") if node.GetName().startswith("Even line"))
    points = slicer.util.arrayFromModelPoints(line).astype(float)
    at_embedding = np.linalg.inv(MOTION) @ VolumeBridge.parentToWorld(line)
    across = transform_points(at_embedding, points)[:, 0] - before[0]
    assert len(points) > 10 and np.abs(across).max() < 4.5  # one voxel of the map


def test_the_likeliest_structures_are_those_of_the_place_in_the_scan(logic, scan):
    right_ras, left_ras = (middle(scan) + (x, 0, 0) for x in (9, -9))
    assert logic.twoLikeliest(scan, right_ras) == ("liver", "kidney_right")
    move(scan)
    assert logic.twoLikeliest(scan, transform_points(MOTION, right_ras)) == ("liver", "kidney_right")
    assert logic.twoLikeliest(scan, transform_points(MOTION, left_ras)) == ("kidney_right", "liver")


def test_segments_lie_where_the_structures_are_now(logic, scan):
    before = middle(scan)
    move(scan)
    node = logic.makeSegments(scan, "liver", "kidney_right")
    segmentation = node.GetSegmentation()
    centres_ras = [np.array(node.GetSegmentCenterRAS(segmentation.GetNthSegmentID(n))) for n in (0, 1)]
    liver, kidney = (transform_points(np.linalg.inv(MOTION), centre) for centre in centres_ras)
    assert liver[0] > before[0] + 3 > kidney[0] + 6
