import numpy as np
import pytest
import slicer.util
from AnatomicalEmbeddingLib.Navigation import Navigation
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from placements import addScan, affine, rotation, translation

PLACES_RAS = np.array([[12.5, -8, 20], [-30, 4, 7.25]])


@pytest.fixture
def navigation(scene):
    return Navigation(scene)


def place(navigation, scan, positions_ras=PLACES_RAS):
    labels = [f"place {index}" for index in range(len(positions_ras))]
    return navigation.placeHits(positions_ras, labels, ["because"] * len(positions_ras), scan)


def worldPositions(node):
    return slicer.util.arrayFromMarkupsControlPoints(node, world=True)


def test_hits_become_labelled_points_at_their_world_positions(navigation, placedScan):
    node = place(navigation, placedScan)
    np.testing.assert_allclose(worldPositions(node), PLACES_RAS, atol=1e-9)
    assert [node.GetNthControlPointLabel(index) for index in range(2)] == ["place 0", "place 1"]
    assert node.GetNthControlPointDescription(1) == "because"


def test_points_cannot_be_dragged_by_accident(navigation, scan):
    assert place(navigation, scan).GetNthControlPointLocked(1)


def test_points_follow_the_scan_when_its_transform_is_edited(navigation, scene):
    scan = addScan(scene, affine(), translation((5, 0, 0)))
    node = place(navigation, scan)
    moved = slicer.util.vtkMatrixFromArray(translation((5, 0, 40)))
    scan.GetParentTransformNode().SetMatrixTransformToParent(moved)
    np.testing.assert_allclose(worldPositions(node), PLACES_RAS + (0, 0, 40), atol=1e-9)


def test_the_next_answer_replaces_the_points_of_the_last(navigation, scene, scan):
    first = place(navigation, scan)
    second = place(navigation, addScan(scene, affine(), translation((0, 9, 0))), PLACES_RAS[:1] + 3)
    assert second is first
    np.testing.assert_allclose(worldPositions(second), PLACES_RAS[:1] + 3, atol=1e-9)


def test_a_renamed_list_is_used_again(navigation, scene, scan):
    node = place(navigation, scan)
    node.SetName("My findings")
    assert Navigation(scene).placeHits(PLACES_RAS[:1], ["x"], ["y"], scan) is node


def test_points_that_the_user_placed_are_left_alone(navigation, scene, scan):
    own = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "F")
    own.AddControlPointWorld([1, 2, 3])
    assert place(navigation, scan) is not own
    navigation.clearHits()
    assert own.GetNumberOfControlPoints() == 1


def test_clearing_removes_the_points_and_needs_none(navigation, scan):
    navigation.clearHits()
    node = place(navigation, scan)
    navigation.clearHits()
    assert node.GetNumberOfControlPoints() == 0


@given(st.tuples(*[st.floats(-2000, 2000) for _ in range(3)]), st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_jump_takes_the_plane_of_every_view_through_the_position(navigation, views, position_ras, centred):
    oblique = rotation((1, 1, 0), 30)
    views["coronal"].sliceNode.GetSliceToRAS().DeepCopy(slicer.util.vtkMatrixFromArray(oblique))
    views["coronal"].sliceNode.UpdateMatrices()
    navigation.jumpTo(position_ras, centred)
    for view in views.values():
        assert view.distance_mm(position_ras) == pytest.approx(0, abs=1e-6)


def test_a_centred_jump_brings_the_position_to_the_middle_of_every_view(navigation, scan, views):
    for view in views.values():
        view.show(scan)
    navigation.jumpTo((17, -9, 21))
    for view in views.values():
        row, column = view.pixel_of((17, -9, 21))
        height, width, _ = view.picture().shape
        assert abs(row - height / 2) <= 1 and abs(column - width / 2) <= 1


def test_a_shifting_jump_keeps_what_is_in_the_middle_of_the_view(navigation, scan, axial):
    axial.show(scan)
    before = axial.pixel_of((0, 0, axial.sliceNode.GetSliceOffset()))
    navigation.jumpTo((17, -9, 21), centred=False)
    assert axial.pixel_of((0, 0, 21)) == before


def test_the_crosshair_goes_along(navigation, scene, views):
    navigation.jumpTo((1, -2, 3.5))
    assert scene.GetFirstNodeByClass("vtkMRMLCrosshairNode").GetCrosshairRAS() == (1, -2, 3.5)


def keptPoints(scene) -> dict:
    nodes = nodesOfClass(scene, "vtkMRMLMarkupsFiducialNode")
    kept = [node for node in nodes if node.GetName().startswith("Kept places")]
    return {node.GetName(): slicer.util.arrayFromMarkupsControlPoints(node, world=True) for node in kept}


def test_a_kept_place_stays_when_the_hits_are_cleared_and_moves_with_its_scan(navigation, scene, placedScan):
    place(navigation, placedScan)
    navigation.keep(PLACES_RAS[1], "Liver", "CT, confidence 90%", placedScan)
    navigation.clearHits()
    np.testing.assert_allclose(keptPoints(scene)["Kept places of CT"], [PLACES_RAS[1]], atol=1e-6)
    if (parent := placedScan.GetParentTransformNode()) is not None:
        before = slicer.util.arrayFromTransformMatrix(parent)
        parent.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(translation((7, 0, -3)) @ before))
        moved_ras = PLACES_RAS[1] + (7, 0, -3)
        np.testing.assert_allclose(keptPoints(scene)["Kept places of CT"], [moved_ras], atol=1e-6)


def test_a_place_is_kept_once_and_every_scan_has_its_own_list(navigation, scene, scan):
    other = addScan(scene, affine(), name="Prior")
    for _ in range(2):
        navigation.keep(PLACES_RAS[0], "Liver", "", scan)
        navigation.keep(PLACES_RAS[0], "Liver", "", other)
    navigation.keep(PLACES_RAS[0], "Right kidney", "", scan)
    assert {name: len(points) for name, points in keptPoints(scene).items()} == {
        "Kept places of CT": 2, "Kept places of Prior": 1
    }


def test_the_scenes_own_undo_takes_a_kept_point_back(navigation, scene, scan):
    scene.SetUndoOn()
    navigation.keep(PLACES_RAS[0], "liver", "why", scan)
    navigation.keep(PLACES_RAS[1], "spleen", "why", scan)
    navigation.forgetKept(PLACES_RAS[0], "liver", scan)
    assert [one.label for one in navigation.kept(scan)] == ["spleen"]
    scene.Undo()
    assert [one.label for one in navigation.kept(scan)] == ["liver", "spleen"]
    scene.Undo()
    assert [one.label for one in navigation.kept(scan)] == ["liver"]
    assert navigation.kept(scan)[0].position_ras == pytest.approx(tuple(PLACES_RAS[0]))


def test_nothing_is_kept_of_a_scan_before_something_is(navigation, scene, scan):
    assert navigation.kept(scan) == [] and nodesOfClass(scene, "vtkMRMLMarkupsFiducialNode") == []
