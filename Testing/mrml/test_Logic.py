import weakref
from dataclasses import replace

import numpy as np
import pytest
import slicer
import slicer.util
import vtk
from anatembed.geometry import transform_points
from anatembed.language.vocabulary import Vocabulary
from AnatomicalEmbeddingLib import VolumeBridge
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass
from explorer_double import ExplorerDouble
from placements import SHAPE_KJI, addScan, affine, rotation, translation
from scene_logic import embed, logicOn


@pytest.fixture
def logic(scene, tmp_path):
    logic = logicOn(scene, tmp_path)
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
    embed(logic, placedScan)
    answer = logic.locate(placedScan, "liver")
    best_ras = middle(placedScan) + (10, 0, 0)
    np.testing.assert_allclose(answer.places[0].position_ras, best_ras, atol=1e-6)
    node, positions_ras = points(scene)
    np.testing.assert_allclose(positions_ras, [best_ras], atol=1e-6)
    assert node.GetNthControlPointLabel(0) == "Liver"
    assert node.GetNthControlPointDescription(0) == 'asked "liver" in CT, confidence 93%'
    for view in views.values():
        assert view.distance_mm(best_ras) == pytest.approx(0, abs=1e-6)


def test_what_is_not_there_is_said_without_points_and_without_a_jump(logic, scene, scan, axial):
    axial.show(scan)
    embed(logic, scan)
    logic.locate(scan, "liver")
    before = stateOf(scene, axial)
    answer = logic.locate(scan, "unicorn")
    assert answer.decision == "refuse" and answer.reason == "unicorn is not in this scan"
    assert points(scene)[0].GetNumberOfControlPoints() == 0
    assert stateOf(scene, axial) == before


def test_the_colours_are_painted_over_the_right_half(logic, placedScan, axial):
    axial.show(placedScan)
    embed(logic, placedScan)
    logic.showOverlay(placedScan, "colours", opacity=1)
    axial.sliceNode.JumpSliceByCentering(*middle(placedScan))
    assert axial.colour_at(middle(placedScan) + (10, 0, 0)) == (60, 120, 90)
    assert axial.colour_at(middle(placedScan) - (10, 0, 0)) == (127, 127, 127)
    logic.hideOverlay()
    assert axial.colour_at(middle(placedScan) + (10, 0, 0)) == (127, 127, 127)


def test_the_heat_map_of_something_absent_takes_the_last_heat_map_away(logic, scene, scan, axial):
    axial.show(scan)
    embed(logic, scan)
    assert logic.showHeatMap(scan, "liver").places
    (legendNode,) = nodesOfClass(scene, "vtkMRMLColorLegendDisplayNode")
    assert legendNode.GetTitleText() == "Liver"
    assert axial.compositeNode.GetForegroundVolumeID() is not None
    assert not logic.showHeatMap(scan, "unicorn").places
    assert axial.compositeNode.GetForegroundVolumeID() is None


def test_answers_follow_a_scan_that_is_moved_after_embedding(logic, scene, axial):
    scan = addScan(scene, affine(), translation((0, 0, 0)))
    axial.show(scan)
    embed(logic, scan)
    moved = translation((30, -20, 10)) @ rotation((0, 0, 1), 90)
    scan.GetParentTransformNode().SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(moved))
    expected_ras = transform_points(moved, middleOfGrid() + (10, 0, 0))
    np.testing.assert_allclose(logic.locate(scan, "liver").places[0].position_ras, expected_ras, atol=1e-6)
    np.testing.assert_allclose(logic.describe(scan, expected_ras).position_ras, (10, 0, 0), atol=1e-6)
    logic.showOverlay(scan, "colours", opacity=1)
    assert axial.colour_at(expected_ras) == (60, 120, 90)
    assert axial.colour_at(transform_points(moved, middleOfGrid() - (10, 0, 0))) == (127, 127, 127)


def test_answers_stay_when_the_transform_is_hardened(logic, scene):
    scan = addScan(scene, affine(), translation((5, 6, 7)))
    embed(logic, scan)
    before_ras = logic.locate(scan, "liver").places[0].position_ras
    scan.HardenTransform()
    np.testing.assert_allclose(logic.locate(scan, "liver").places[0].position_ras, before_ras, atol=1e-6)


def test_two_scans_answer_for_themselves(logic, scene, scan):
    other = addScan(scene, affine(origin_ras=(100, 0, 0)), name="Follow-up")
    embed(logic, scan)
    with pytest.raises(RuntimeError, match='"Follow-up" is not embedded yet'):
        logic.locate(other, "liver")
    embed(logic, other)
    there, here = (logic.locate(node, "liver").places[0].position_ras for node in (other, scan))
    difference = there - here
    np.testing.assert_allclose(difference, middle(other) - middle(scan))


def test_failing_questions_leave_the_scene_as_it_was(scene, scan, axial, tmp_path):
    class FailingExplorer(ExplorerDouble):
        locate = probability = colours_kji = failing(ValueError("expected another encoder"))

    logic = logicOn(scene, tmp_path, FailingExplorer)
    axial.show(scan)
    embed(logic, scan)
    before = stateOf(scene, axial)
    for ask in (logic.locate, logic.showHeatMap, lambda node, _: logic.showOverlay(node, "colours")):
        with pytest.raises(RuntimeError, match="expected another encoder"):
            ask(scan, "liver")
    assert stateOf(scene, axial) == before


def test_a_point_outside_the_scan_is_said_in_words(logic, scan):
    embed(logic, scan)
    with pytest.raises(RuntimeError, match="expected a position inside the scan"):
        logic.describe(scan, (9999, 0, 0))


def test_no_scan_selected_is_said_in_words(logic):
    with pytest.raises(RuntimeError, match="No scan is selected"):
        logic.locate(None, "liver")
    assert not logic.isEmbedded(None)


def test_a_removed_scan_is_forgotten_and_listeners_hear_of_it(logic, scene, scan):
    changes = []
    embed(logic, scan)
    logic.embeddedChanged.connect(lambda: changes.append(logic.isEmbedded(scan)))
    scene.RemoveNode(scan)
    assert changes == [False]


def test_closing_the_scene_forgets_everything_and_the_next_scan_starts_afresh(logic, scene, scan, views):
    views["axial"].show(scan)
    embed(logic, scan)
    logic.showOverlay(scan, "colours")
    logic.locate(scan, "liver")
    scene.Clear(False)
    fresh = addScan(scene, affine())
    assert not logic.isEmbedded(fresh)
    logic.hideOverlay()
    embed(logic, fresh)
    assert logic.locate(fresh, "liver").places


def test_after_closing_the_scene_hiding_does_not_bring_back_a_layer_of_the_old_one(logic, scene, scan, axial, tmp_path):
    old = addScan(scene, affine(), name="Old PET")
    axial.show(scan)
    axial.compositeNode.SetForegroundVolumeID(old.GetID())
    embed(logic, scan)
    logic.showOverlay(scan, "colours")
    oldID = old.GetID()
    scene.Clear(False)
    fresh = addScan(scene, affine())
    namesake = addScan(scene, affine(), name="New PET")
    assert namesake.GetID() == oldID
    axial.show(fresh)
    other = logicOn(scene, tmp_path / "other")
    embed(other, fresh)
    other.showOverlay(fresh, "colours")
    logic.hideOverlay()
    assert axial.compositeNode.GetForegroundVolumeID() is None


def test_a_logic_that_is_dropped_is_gone_at_once_and_observes_no_longer(scene, scan, tmp_path):
    observed = scene.HasObserver(slicer.vtkMRMLScene.NodeRemovedEvent)
    logic = logicOn(scene, tmp_path)
    embed(logic, scan)
    assert scene.HasObserver(slicer.vtkMRMLScene.NodeRemovedEvent)
    alive = weakref.ref(logic)
    del logic
    assert alive() is None
    assert scene.HasObserver(slicer.vtkMRMLScene.NodeRemovedEvent) == observed


def test_every_kind_of_overlay_is_painted_over_the_right_half(logic, placedScan, axial):
    axial.show(placedScan)
    embed(logic, placedScan)
    axial.sliceNode.JumpSliceByCentering(*middle(placedScan))
    right_ras, left_ras = (middle(placedScan) + (x, 0, 0) for x in (10, -10))
    for mode in ("colours", "structures"):
        logic.showOverlay(placedScan, mode, opacity=1)
        assert logic.shownOverlay() == mode
        assert axial.colour_at(right_ras) == (60, 120, 90) and axial.colour_at(left_ras) == (127, 127, 127)
    logic.showOverlay(placedScan, "uncertainty", opacity=1)
    assert logic.shownOverlay() == "uncertainty"
    assert axial.colour_at(left_ras) != axial.colour_at(right_ras)
    assert logic.legend(placedScan) == [("Liver", (60, 120, 90))]
    with pytest.raises(RuntimeError, match='There is no overlay "rainbow"'):
        logic.showOverlay(placedScan, "rainbow")


def test_a_heat_map_can_be_cut_at_another_threshold(logic, scan, axial):
    axial.show(scan)
    embed(logic, scan)
    logic.showHeatMap(scan, "liver", threshold=0.2, opacity=1)
    right_ras = middle(scan) + (10, 0, 0)
    axial.sliceNode.JumpSliceByCentering(*right_ras)
    assert axial.colour_at(right_ras) != (127, 127, 127)
    logic.setHeatThreshold(1.0)
    (node,) = [n for n in nodesOfClass(scan.GetScene(), "vtkMRMLScalarVolumeNode") if n is not scan]
    assert node.GetDisplayNode().GetLowerThreshold() == 1.0


def test_what_is_under_the_mouse_is_named_in_the_place_where_the_scan_is(logic, scene, placedScan):
    embed(logic, placedScan)
    heard = []
    logic.cursorNamed.connect(lambda description, position_ras: heard.append(description))
    logic.followCursor(placedScan)
    crosshairNode = scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    crosshairNode.SetCursorPositionRAS((middle(placedScan) + (3, 0, 0)).tolist())
    np.testing.assert_allclose(heard[0].position_ras, (3, 0, 0), atol=1e-6)
    logic.followCursor(None)
    crosshairNode.SetCursorPositionRAS((0.0, 0.0, 0.0))
    assert len(heard) == 1


def test_a_kept_hit_is_named(logic, scene, scan):
    embed(logic, scan)
    logic.keepHit(scan, logic.locate(scan, "liver").less_likely[0])
    kept = [n for n in nodesOfClass(scene, "vtkMRMLMarkupsFiducialNode") if n.GetName() == "Kept places of CT"]
    assert [node.GetNthControlPointLabel(0) for node in kept] == ["Liver"]
    np.testing.assert_allclose(kept[0].GetNthControlPointPositionWorld(0), middle(scan) - (10, 0, 0), atol=1e-6)


def test_the_border_is_shown_and_taken_away_with_everything_that_belongs_to_it(logic, scene, scan, axial):
    axial.show(scan)
    embed(logic, scan)
    assert logic.twoLikeliest(scan, middle(scan) + (9, 0, 0)) == ("liver", "kidney_right")
    before = stateOf(scene, axial)
    logic.showBorder(scan, "liver", "kidney_right")
    assert logic.shownOverlay() == "border"
    logic.hideOverlay()
    nodes, layers, _ = stateOf(scene, axial)
    assert layers == before[1] and {n.split("Node")[0] for n in nodes} - {n.split("Node")[0] for n in before[0]} <= {
        "vtkMRMLScalarVolumeDisplay", "vtkMRMLColorTable", "vtkMRMLProceduralColor"
    }


def test_segments_lie_where_the_structures_are(logic, placedScan):
    embed(logic, placedScan)
    node = logic.makeSegments(placedScan, "liver", "kidney_right")
    segmentation = node.GetSegmentation()
    names = [segmentation.GetNthSegment(index).GetName() for index in (0, 1)]
    liver, kidney = (np.array(node.GetSegmentCenterRAS(segmentation.GetNthSegmentID(index))) for index in (0, 1))
    assert names == ["liver", "right kidney"]
    assert liver[0] > middle(placedScan)[0] + 3 > kidney[0] + 6
    np.testing.assert_allclose(liver[1:], middle(placedScan)[1:], atol=12)


def test_a_name_is_completed_and_said_in_plain_words(logic):
    found = dict(logic.complete("left kid"))
    assert "kidney_left" in found and logic.nameOf("kidney_left") == "left kidney"


def test_a_model_whose_file_was_taken_away_is_not_mixed_with_the_one_that_takes_its_place(logic, scan, tmp_path):
    embed(logic, scan)
    logic._models.path = lambda: tmp_path / "shipped.npz"
    logic.startEmbedding(scan, again=True)
    assert logic.worker.asked[-1]["model"] == tmp_path / "shipped.npz"
    logic.worker.finish()
    assert logic.locate(scan, "liver").places


def test_a_model_that_cannot_be_read_is_said_in_words(logic, scan):
    def load():
        raise FileNotFoundError("expected a model file at model.npz, found none")

    logic._models.load = load
    with pytest.raises(RuntimeError, match="expected a model file at model.npz, found none"):
        logic.startEmbedding(scan)
    assert not logic.isEmbedding()


@pytest.mark.parametrize("change", [
    lambda logic: logic.importModel("other.npz"), lambda logic: logic.useShippedModel(),
], ids=["import", "shipped"])
def test_the_model_is_not_changed_while_a_scan_is_embedded_with_it(logic, scan, change):
    changed = []
    logic._models.import_file = lambda *arguments: changed.append(arguments)
    logic._models.use_shipped = lambda: changed.append("shipped")
    logic.startEmbedding(scan)
    with pytest.raises(RuntimeError, match='"CT" is being embedded'):
        change(logic)
    assert changed == [] and logic.isEmbedding()
    logic.worker.finish()
    change(logic)
    assert len(changed) == 1


def test_two_panels_on_one_scene_do_not_disturb_each_other(logic, scene, scan, axial, tmp_path):
    other = logicOn(scene, tmp_path)
    axial.show(scan)
    embed(logic, scan)
    assert other.isEmbedded(scan)  # from the kept map
    other.showOverlay(scan, "colours")
    logic.showHeatMap(scan, "liver")
    other.hideOverlay()
    assert axial.compositeNode.GetForegroundVolumeID() is None
    other.cleanUp()
    assert logic.locate(scan, "liver").places


def test_the_motion_of_a_scan_changes_when_it_is_moved(logic, scene, scan):
    embed(logic, scan)
    before = logic.motionOf(scan)
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    scan.SetAndObserveTransformNodeID(transform.GetID())
    assert logic.motionOf(scan) == before
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 3, 7.0)
    transform.SetMatrixTransformToParent(matrix)
    assert logic.motionOf(scan) != before


def test_after_an_update_of_slicer_a_package_is_missing_and_comes_back_with_the_kept_map(scene, scan, tmp_path):
    """The map is still on the disk, and a package that reads questions is not."""
    embed(logicOn(scene, tmp_path), scan)
    missing = [True]

    def explore(embeddingMap, checkpoint):
        if missing:
            raise ModuleNotFoundError("No module named 'rapidfuzz'", name="rapidfuzz")
        return ExplorerDouble(embeddingMap, checkpoint)

    logic = logicOn(scene, tmp_path, explore)
    assert not logic.isEmbedded(scan)
    with pytest.raises(RuntimeError, match="The Python package rapidfuzz is missing or broken. Press Embed"):
        logic.locate(scan, "liver")
    with pytest.raises(RuntimeError, match="rapidfuzz is missing or broken"):
        logic.startEmbedding(scan)
    assert not logic.isEmbedding()
    missing.clear()
    assert logic.isEmbedded(scan) and logic.locate(scan, "liver").places
    logic.cleanUp()


def test_a_package_that_goes_missing_while_a_scan_is_embedded_ends_it_with_a_sentence(scene, scan, tmp_path):
    def explore(embeddingMap, checkpoint):
        raise ModuleNotFoundError("No module named 'rapidfuzz'", name="rapidfuzz")

    logic, ends = logicOn(scene, tmp_path, explore), []
    logic.embeddingEnded.connect(ends.append)
    logic.startEmbedding(scan, again=True)
    logic.worker.finish()
    assert "rapidfuzz is missing or broken. Press Embed" in ends[0].message and not logic.isEmbedding()
    logic.cleanUp()


@pytest.mark.parametrize("error", [MemoryError(), ImportError("x", name="torch"), ValueError("not so"), OSError("x")])
def test_a_question_that_fails_is_a_sentence_whatever_the_library_raises(scene, scan, tmp_path, error):
    class FailingExplorer(ExplorerDouble):
        locate = failing(error)

    logic = logicOn(scene, tmp_path, FailingExplorer)
    embed(logic, scan)
    with pytest.raises(RuntimeError, match=r"\w+ .*\w+") as caught:
        logic.locate(scan, "liver")
    assert caught.value.__cause__ is error
    logic.cleanUp()


@pytest.mark.parametrize("error", [MemoryError(), ImportError("broken"), KeyError("a bug"), KeyboardInterrupt()])
def test_a_start_that_fails_leaves_no_embedding_behind_that_is_none(logic, scan, error):
    logic.worker.unable = error
    expected = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else RuntimeError
    with pytest.raises(expected):
        logic.startEmbedding(scan)
    assert not logic.isEmbedding()
    logic.worker.unable = None
    embed(logic, scan)
    assert logic.isEmbedded(scan)


def test_kept_places_go_into_a_file_and_come_back_for_another_placement(logic, scene, scan, tmp_path):
    embed(logic, scan)
    path = str(tmp_path / "kept.mrk.json")
    with pytest.raises(RuntimeError, match="No place of this scan is kept yet"):
        logic.writeKept(scan, path)
    hit = logic.locate(scan, "liver").places[0]
    logic.keepHit(scan, hit)
    assert logic.writeKept(scan, path) == 1
    other = addScan(scene, affine(), translation((0, 0, 70)), name="Other")
    assert logic.readKept(other, path) == 1 == logic.readKept(other, path)
    assert logic.keptPlaces(other) == logic.keptPlaces(scan)
    np.testing.assert_allclose(logic.keptPlaces(other)[0].position_ras, hit.position_ras, atol=1e-3)


def test_a_kept_place_has_the_code_of_its_structure_and_a_part_of_it_has_none(logic, scan):
    embed(logic, scan)
    logic.__dict__["_vocabulary"] = Vocabulary.load()
    hit = replace(logic.locate(scan, "liver").places[0], label="liver")
    for one in (hit, replace(hit, label="upper third of liver"), replace(hit, label="“liverish”", concept_id="")):
        logic.keepHit(scan, one)
    said = {place.label: place.description for place in logic.keptPlaces(scan)}
    assert said["liver"] == f"{scan.GetName()}, confidence 93%, SNOMED CT 10200004"
    assert not any("SNOMED" in said[label] for label in ("upper third of liver", "“liverish”"))
    logic.keepHit(scan, replace(hit, label="T12 vertebra", concept_id="", basis="counted from the sacrum"))
    assert logic.keptPlaces(scan)[-1].description.endswith("confidence 93%, counted from the sacrum")


def test_grey_values_fit_the_structure_and_can_be_undone(logic, scene, scan):
    logic.__dict__["_vocabulary"] = Vocabulary.load()
    displayNode = scan.GetDisplayNode()
    displayNode.SetAutoWindowLevel(False)
    displayNode.SetWindowLevel(123, 45)
    scene.SetUndoOn()
    assert logic.fitWindow(scan, "lung_upper_lobe_left") == ("lung", 1500, -500)
    assert (displayNode.GetWindow(), displayNode.GetLevel()) == (1500, -500)
    scene.Undo()
    assert (displayNode.GetWindow(), displayNode.GetLevel()) == (123, 45)


def test_a_segment_is_made_of_what_is_found_and_a_refusal_makes_none(logic, scene, scan):
    embed(logic, scan)
    logic.__dict__["_vocabulary"] = Vocabulary.load()
    with pytest.raises(RuntimeError, match="not in this scan"):
        logic.makeSegment(scan, "spleen")
    assert nodesOfClass(scene, "vtkMRMLSegmentationNode") == []
    node = logic.makeSegment(scan, "liver", 0.4)
    assert node.GetSegmentation().GetNthSegment(0).GetName() == "Liver"
