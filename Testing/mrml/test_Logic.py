import weakref

import numpy as np
import pytest
import slicer
import slicer.util
from anatembed.geometry import transform_points
from AnatomicalEmbeddingLib import VolumeBridge
from AnatomicalEmbeddingLib.Logic import EmbeddingCancelled, Logic
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass
from explorer_double import ExplorerDouble, MapDouble
from placements import SHAPE_KJI, addBentTransform, addScan, addTransform, affine, rotation, translation


def encode(volume, progress=None, cancelled=None):
    return MapDouble(volume)


@pytest.fixture
def logic(scene):
    logic = Logic(scene, encode=encode, explore=ExplorerDouble)
    yield logic
    logic.cleanUp()


def failing(error):
    def fail(*_, **__):
        raise error

    return fail


def middle(scan):
    return transform_points(VolumeBridge.ijkToWorld(scan), (np.array(SHAPE_KJI[::-1]) - 1) / 2)


def middleOfGrid():
    return transform_points(affine(), (np.array(SHAPE_KJI[::-1]) - 1) / 2)


def points(scene):
    node = scene.GetFirstNodeByClass("vtkMRMLMarkupsFiducialNode")
    return node, slicer.util.arrayFromMarkupsControlPoints(node, world=True)


def stateOf(scene, view):
    nodes = [scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())]
    composite = view.compositeNode
    layers = composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID(), composite.GetForegroundOpacity()
    return nodes, layers, slicer.util.arrayFromVTKMatrix(view.sliceNode.GetSliceToRAS()).tolist()


def test_a_found_structure_gets_named_points_and_the_views_go_to_the_best_one(logic, scene, placedScan, views):
    for view in views.values():
        view.show(placedScan)
    logic.embed(placedScan)
    answer = logic.locate(placedScan, "liver")
    best_ras = middle(placedScan) + (10, 0, 0)
    np.testing.assert_allclose(answer.hits[0].position_ras, best_ras, atol=1e-6)
    node, positions_ras = points(scene)
    np.testing.assert_allclose(positions_ras, [best_ras, best_ras - (20, 0, 0)], atol=1e-6)
    assert node.GetNthControlPointLabel(0) == "Liver"
    assert node.GetNthControlPointDescription(0) == 'asked "liver" in CT, confidence 93%'
    for view in views.values():
        assert view.distance_mm(best_ras) == pytest.approx(0, abs=1e-6)


def test_what_is_not_there_is_said_without_points_and_without_a_jump(logic, scene, scan, axial):
    axial.show(scan)
    logic.embed(scan)
    logic.locate(scan, "liver")
    before = stateOf(scene, axial)
    answer = logic.locate(scan, "unicorn")
    assert not answer.found and answer.reason == "unicorn is not in this scan"
    assert points(scene)[0].GetNumberOfControlPoints() == 0
    assert stateOf(scene, axial) == before


def test_the_colours_are_painted_over_the_right_half(logic, placedScan, axial):
    axial.show(placedScan)
    logic.embed(placedScan)
    logic.showColours(placedScan, opacity=1)
    axial.sliceNode.JumpSliceByCentering(*middle(placedScan))
    assert axial.colour_at(middle(placedScan) + (10, 0, 0)) == (60, 120, 90)
    assert axial.colour_at(middle(placedScan) - (10, 0, 0)) == (127, 127, 127)
    logic.hideOverlay()
    assert axial.colour_at(middle(placedScan) + (10, 0, 0)) == (127, 127, 127)


def test_the_heat_map_of_something_absent_takes_the_last_heat_map_away(logic, scene, scan, axial):
    axial.show(scan)
    logic.embed(scan)
    assert logic.showHeatMap(scan, "liver").found
    (legendNode,) = nodesOfClass(scene, "vtkMRMLColorLegendDisplayNode")
    assert legendNode.GetTitleText() == "Liver"
    assert axial.compositeNode.GetForegroundVolumeID() is not None
    assert not logic.showHeatMap(scan, "unicorn").found
    assert axial.compositeNode.GetForegroundVolumeID() is None


def test_answers_follow_a_scan_that_is_moved_after_embedding(logic, scene, axial):
    scan = addScan(scene, affine(), translation((0, 0, 0)))
    axial.show(scan)
    logic.embed(scan)
    moved = translation((30, -20, 10)) @ rotation((0, 0, 1), 90)
    scan.GetParentTransformNode().SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(moved))
    expected_ras = transform_points(moved, middleOfGrid() + (10, 0, 0))
    np.testing.assert_allclose(logic.locate(scan, "liver").hits[0].position_ras, expected_ras, atol=1e-6)
    np.testing.assert_allclose(logic.describe(scan, expected_ras).position_ras, (10, 0, 0), atol=1e-6)
    logic.showColours(scan, opacity=1)
    assert axial.colour_at(expected_ras) == (60, 120, 90)
    assert axial.colour_at(transform_points(moved, middleOfGrid() - (10, 0, 0))) == (127, 127, 127)


def test_answers_stay_when_the_transform_is_hardened(logic, scene):
    scan = addScan(scene, affine(), translation((5, 6, 7)))
    logic.embed(scan)
    before_ras = logic.locate(scan, "liver").hits[0].position_ras
    scan.HardenTransform()
    np.testing.assert_allclose(logic.locate(scan, "liver").hits[0].position_ras, before_ras, atol=1e-6)


@pytest.mark.parametrize("matrix", [np.diag([-1.0, 1, 1, 1]), np.diag([1.0, 1, 2, 1])], ids=["mirror", "stretch"])
def test_a_scan_that_was_mirrored_or_stretched_since_is_refused(logic, scene, matrix):
    scan = addScan(scene, affine())
    logic.embed(scan)
    scan.SetAndObserveTransformNodeID(addTransform(scene, matrix).GetID())
    with pytest.raises(RuntimeError, match="mirrored or stretched"):
        logic.locate(scan, "liver")


def test_a_scan_whose_voxels_changed_since_is_refused(logic, scan):
    logic.embed(scan)
    slicer.util.arrayFromVolume(scan)[3, 4, 5] += 1
    slicer.util.arrayFromVolumeModified(scan)
    assert not logic.isEmbedded(scan)
    with pytest.raises(RuntimeError, match='The voxels of "CT" have changed since it was embedded. Embed it again.'):
        logic.locate(scan, "liver")


def test_a_scan_that_was_touched_but_has_the_same_voxels_still_answers(logic, scan):
    logic.embed(scan)
    slicer.util.arrayFromVolumeModified(scan)
    assert logic.locate(scan, "liver").found


def test_voxels_that_change_during_the_embedding_are_noticed(scene, scan):
    def encodeWhileEdited(volume, progress=None, cancelled=None):
        slicer.util.arrayFromVolume(scan)[0, 0, 0] += 1
        slicer.util.arrayFromVolumeModified(scan)
        return MapDouble(volume)

    logic = Logic(scene, encode=encodeWhileEdited, explore=ExplorerDouble)
    logic.embed(scan)
    assert not logic.isEmbedded(scan)


def test_a_scan_that_is_removed_during_the_embedding_is_not_kept(scene, scan):
    def encodeWhileRemoved(volume, progress=None, cancelled=None):
        scene.RemoveNode(scan)
        return MapDouble(volume)

    with pytest.raises(RuntimeError, match="was removed from the scene"):
        Logic(scene, encode=encodeWhileRemoved, explore=ExplorerDouble).embed(scan)


def test_two_scans_answer_for_themselves(logic, scene, scan):
    other = addScan(scene, affine(origin_ras=(100, 0, 0)), name="Follow-up")
    logic.embed(scan)
    with pytest.raises(RuntimeError, match='"Follow-up" is not embedded yet'):
        logic.locate(other, "liver")
    logic.embed(other)
    difference = logic.locate(other, "liver").hits[0].position_ras - logic.locate(scan, "liver").hits[0].position_ras
    np.testing.assert_allclose(difference, middle(other) - middle(scan))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("expected a CT, got an MR"), '"CT" cannot be embedded: expected a CT, got an MR'),
        (ModuleNotFoundError("No module named 'torch'", name="torch"), "Install the PyTorch extension"),
        (ModuleNotFoundError("No module named 'rapidfuzz'", name="rapidfuzz"), "package rapidfuzz is not installed"),
        (MemoryError(), "not enough memory"),
        (RuntimeError("CUDA out of memory"), "not enough memory"),
        (FileNotFoundError("expected the model at model.npz"), "expected the model at model.npz"),
    ],
)
def test_a_failed_embedding_is_said_in_words_and_leaves_the_scene_as_it_was(scene, scan, axial, error, words):
    axial.show(scan)
    before = stateOf(scene, axial)
    with pytest.raises(RuntimeError, match=words) as failure:
        Logic(scene, encode=failing(error), explore=ExplorerDouble).embed(scan)
    assert failure.value.__cause__ is error
    assert stateOf(scene, axial) == before


def test_a_failed_second_embedding_keeps_the_first(scene, scan):
    encoders = [encode, failing(MemoryError())]
    logic = Logic(scene, encode=lambda *a, **k: encoders.pop(0)(*a, **k), explore=ExplorerDouble)
    logic.embed(scan)
    with pytest.raises(RuntimeError):
        logic.embed(scan)
    assert logic.locate(scan, "liver").found


def test_cancelling_is_not_an_error_of_the_scan(scene, scan):
    logic = Logic(scene, encode=failing(ValueError("stopped")), explore=ExplorerDouble)
    with pytest.raises(EmbeddingCancelled, match='Stopped embedding "CT". Nothing was changed.'):
        logic.embed(scan, cancelled=lambda: True)
    assert not logic.isEmbedded(scan)


def test_progress_reaches_the_caller(scene, scan):
    def encodeWithProgress(volume, progress=None, cancelled=None):
        progress("encoding", 0.5)
        return MapDouble(volume)

    stages = []
    logic = Logic(scene, encode=encodeWithProgress, explore=ExplorerDouble)
    logic.embed(scan, progress=lambda *stage: stages.append(stage))
    assert stages == [("encoding", 0.5)]


def test_failing_questions_leave_the_scene_as_it_was(scene, scan, axial):
    class FailingExplorer(ExplorerDouble):
        locate = probability = colours_kji = failing(ValueError("expected another encoder"))

    logic = Logic(scene, encode=encode, explore=FailingExplorer)
    axial.show(scan)
    logic.embed(scan)
    before = stateOf(scene, axial)
    for ask in (logic.locate, logic.showHeatMap, lambda node, _: logic.showColours(node)):
        with pytest.raises(RuntimeError, match="expected another encoder"):
            ask(scan, "liver")
    assert stateOf(scene, axial) == before


def test_a_point_outside_the_scan_is_said_in_words(logic, scan):
    logic.embed(scan)
    with pytest.raises(RuntimeError, match="expected a position inside the scan"):
        logic.describe(scan, (9999, 0, 0))


def test_a_non_linear_transform_added_after_embedding_is_refused(logic, scene, scan):
    logic.embed(scan)
    scan.SetAndObserveTransformNodeID(addBentTransform(scene).GetID())
    with pytest.raises(RuntimeError, match="non-linear"):
        logic.locate(scan, "liver")


def test_no_scan_selected_is_said_in_words(logic):
    with pytest.raises(RuntimeError, match="No scan is selected"):
        logic.locate(None, "liver")
    assert not logic.isEmbedded(None)


def test_a_removed_scan_is_forgotten_and_listeners_hear_of_it(logic, scene, scan):
    changes = []
    logic.embed(scan)
    logic.embeddedChanged.connect(lambda: changes.append(logic.isEmbedded(scan)))
    scene.RemoveNode(scan)
    assert changes == [False]


def test_closing_the_scene_forgets_everything_and_the_next_scan_starts_afresh(logic, scene, scan, views):
    views["axial"].show(scan)
    logic.embed(scan)
    logic.showColours(scan)
    logic.locate(scan, "liver")
    scene.Clear(False)
    fresh = addScan(scene, affine())
    assert not logic.isEmbedded(fresh)
    logic.hideOverlay()
    logic.embed(fresh)
    assert logic.locate(fresh, "liver").found


def test_after_closing_the_scene_hiding_does_not_bring_back_a_layer_of_the_old_one(logic, scene, scan, axial):
    old = addScan(scene, affine(), name="Old PET")
    axial.show(scan)
    axial.compositeNode.SetForegroundVolumeID(old.GetID())
    logic.embed(scan)
    logic.showColours(scan)
    oldID = old.GetID()
    scene.Clear(False)
    fresh = addScan(scene, affine())
    namesake = addScan(scene, affine(), name="New PET")
    assert namesake.GetID() == oldID
    axial.show(fresh)
    other = Logic(scene, encode=encode, explore=ExplorerDouble)
    other.embed(fresh)
    other.showColours(fresh)
    logic.hideOverlay()
    assert axial.compositeNode.GetForegroundVolumeID() is None


def test_a_logic_that_is_dropped_is_gone_at_once_and_observes_no_longer(scene, scan):
    observed = scene.HasObserver(slicer.vtkMRMLScene.NodeRemovedEvent)
    logic = Logic(scene, encode=encode, explore=ExplorerDouble)
    logic.embed(scan)
    assert scene.HasObserver(slicer.vtkMRMLScene.NodeRemovedEvent)
    alive = weakref.ref(logic)
    del logic
    assert alive() is None
    assert scene.HasObserver(slicer.vtkMRMLScene.NodeRemovedEvent) == observed
