"""Every mode of the overlay, one after the other: painted, with its legend, and taken away again."""

import numpy as np
import pytest
import slicer
import vtk
from AnatomicalEmbeddingLib.Overlay import BORDER, COLOURS, HEAT_MAP, NOTHING, STRUCTURES, UNCERTAINTY, Overlay
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from overlay_arrays import GREY_OF_THE_SCAN, LEFT, RIGHT, centre, evenly, mapGrid, places, twoSided
from placements import addScan, affine


@pytest.fixture
def overlay(scene):
    return Overlay(scene)


def test_an_overlay_is_marked_and_hidden_before_the_scene_and_its_lists_see_it(overlay, scene, scan, axial):
    axial.show(scan)
    seen = []

    def onAdded(_scene, _event, node) -> None:
        if node.IsA("vtkMRMLScalarVolumeNode"):
            seen.append((node.GetHideFromEditors(), node.GetAttribute("AnatomicalEmbedding.Overlay")))

    onAdded.CallDataType = vtk.VTK_OBJECT
    scene.AddObserver(slicer.vtkMRMLScene.NodeAddedEvent, onAdded)
    for show in showEvery(overlay, scan).values():
        show()
    assert seen == [(True, mode) for mode in showEvery(overlay, scan)]


def test_an_overlay_that_came_back_without_its_voxels_is_not_shown_and_can_be_shown_again(overlay, scan, axial):
    axial.show(scan)
    node = overlay.showColours(scan, *twoSided(scan), opacity=1)
    node.SetAndObserveImageData(None)  # as after Slicer's dialog saved the scene: it leaves hidden nodes out
    assert overlay.shown() is None
    assert overlay.showColours(scan, *twoSided(scan), opacity=1) is node and overlay.shown() == COLOURS
    axial.sliceNode.JumpSliceByCentering(*places(scan)[0])
    assert axial.colour_at(places(scan)[0]) == RIGHT
    overlay.hide()
    assert axial.compositeNode.GetForegroundVolumeID() is None


def legendsShown(scene):
    nodes = nodesOfClass(scene, "vtkMRMLColorLegendDisplayNode")
    return [node.GetTitleText() for node in nodes if node.GetVisibility()]


def showEvery(overlay, scan):
    """Every mode once, by name."""
    return {
        COLOURS: lambda: overlay.showColours(scan, *twoSided(scan), opacity=1),
        STRUCTURES: lambda: overlay.showStructures(scan, *twoSided(scan), opacity=1),
        UNCERTAINTY: lambda: overlay.showUncertainty(scan, *evenly(scan, 0.5), opacity=1),
        HEAT_MAP: lambda: overlay.showHeatMap(scan, *evenly(scan, 0.9), title="liver", opacity=1),
        BORDER: lambda: overlay.showBorder(scan, *evenly(scan, 0.5), title="liver or spleen", opacity=1),
    }


MODES = (COLOURS, STRUCTURES, UNCERTAINTY, HEAT_MAP, BORDER)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_painted_over_the_scan_and_can_be_hidden(overlay, scan, axial, mode):
    axial.show(scan)
    position_ras = places(scan)[0]
    axial.sliceNode.JumpSliceByCentering(*position_ras)
    showEvery(overlay, scan)[mode]()
    assert overlay.shown() == mode
    assert axial.colour_at(position_ras) != GREY_OF_THE_SCAN
    overlay.hide()
    assert overlay.shown() is None
    assert axial.colour_at(position_ras) == GREY_OF_THE_SCAN


@pytest.mark.parametrize("mode", [UNCERTAINTY, HEAT_MAP, BORDER])
def test_scalars_lie_right_in_world_for_every_placement(overlay, placedScan, views, mode):
    ijk_to_ras, positions_ras = mapGrid(placedScan)
    nothing = 0 if mode == HEAT_MAP else NOTHING
    values_kji = np.where(positions_ras[..., 0] > centre(placedScan)[0], 0.9, nothing).astype(np.float32)
    show = {UNCERTAINTY: overlay.showUncertainty, HEAT_MAP: overlay.showHeatMap, BORDER: overlay.showBorder}[mode]
    title = {} if mode == UNCERTAINTY else {"title": "liver"}
    for view in views.values():
        view.show(placedScan)
    show(placedScan, values_kji, ijk_to_ras, opacity=1, **title)
    right_ras, left_ras, _ = places(placedScan)
    for view in views.values():
        view.sliceNode.JumpSliceByCentering(*right_ras)
        assert view.colour_at(right_ras) != GREY_OF_THE_SCAN
        view.sliceNode.JumpSliceByCentering(*left_ras)
        assert view.colour_at(left_ras) == GREY_OF_THE_SCAN


def test_colours_of_two_structures_are_never_mixed(overlay, scan, axial):
    axial.show(scan)
    overlay.showStructures(scan, *twoSided(scan), opacity=1)
    axial.sliceNode.JumpSliceByCentering(*places(scan)[0])
    coloured = {tuple(pixel) for pixel in axial.picture().reshape(-1, 3).tolist() if len(set(pixel)) > 1}
    assert coloured == {RIGHT, LEFT}


def test_sure_is_dark_and_unsure_is_bright(overlay, scan, axial):
    axial.show(scan)
    axial.sliceNode.JumpSliceByCentering(*centre(scan))
    overlay.showUncertainty(scan, *evenly(scan, 0.0), opacity=1)
    sure = axial.colour_at(centre(scan))
    overlay.showUncertainty(scan, *evenly(scan, 1.0), opacity=1)
    unsure = axial.colour_at(centre(scan))
    assert sum(sure) < 180 and sure[2] > sure[0]
    assert sum(unsure) > 450 and unsure[0] > unsure[2]


def test_the_rim_of_what_is_painted_is_not_another_value(overlay, scan, axial):
    """Painted is 1 (yellow); between it and NOTHING there must be no blue."""
    axial.show(scan)
    ijk_to_ras, positions_ras = mapGrid(scan)
    values_kji = np.where(positions_ras[..., 0] > centre(scan)[0], 1, NOTHING).astype(np.float32)
    overlay.showBorder(scan, values_kji, ijk_to_ras, title="x", opacity=1)
    axial.sliceNode.JumpSliceByCentering(*places(scan)[0])
    pixels = axial.picture().astype(int)
    assert not (pixels[..., 2] > pixels[..., 0] + 20).any()
    assert (pixels[..., 0] > pixels[..., 2] + 100).any()


def test_the_threshold_of_a_heat_map_can_be_changed_while_it_is_shown(overlay, scan, axial):
    axial.show(scan)
    overlay.showHeatMap(scan, *evenly(scan, 0.6), title="liver", opacity=1)
    axial.sliceNode.JumpSliceByCentering(*centre(scan))
    assert axial.colour_at(centre(scan)) != GREY_OF_THE_SCAN
    overlay.setThreshold(0.7)
    assert axial.colour_at(centre(scan)) == GREY_OF_THE_SCAN
    overlay.setThreshold(0.5)
    assert axial.colour_at(centre(scan)) != GREY_OF_THE_SCAN


def test_the_threshold_leaves_other_modes_alone(overlay, scan, axial):
    axial.show(scan)
    node = overlay.showUncertainty(scan, *evenly(scan, 0.2), opacity=1)
    overlay.setThreshold(0.9)
    assert node.GetDisplayNode().GetLowerThreshold() == 0


def test_only_the_legend_of_what_is_shown_is_visible(overlay, scene, scan, axial):
    axial.show(scan)
    modes = showEvery(overlay, scan)
    modes[HEAT_MAP]()
    assert legendsShown(scene) == ["liver"]
    modes[UNCERTAINTY]()
    assert legendsShown(scene) == ["How unsure the name is"]
    modes[COLOURS]()
    assert legendsShown(scene) == []
    modes[BORDER]()
    overlay.hide()
    assert legendsShown(scene) == []


def test_overlays_are_not_offered_as_scans(overlay, scan):
    assert all(show().GetHideFromEditors() for show in showEvery(overlay, scan).values())


def test_repeated_use_adds_no_nodes(overlay, scene, scan, axial):
    axial.show(scan)
    for show in showEvery(overlay, scan).values():
        show()
    count = scene.GetNumberOfNodes()
    for _ in range(3):
        for show in showEvery(overlay, scan).values():
            show()
        overlay.hide()
    assert scene.GetNumberOfNodes() == count


@given(st.lists(st.sampled_from([*MODES, "hide", "opacity"]), max_size=8))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_was_shown_the_user_gets_back_what_there_was(overlay, scene, scan, axial, actions):
    other = scene.GetFirstNodeByName("PET") or addScan(scene, affine(), name="PET")
    axial.show(scan)
    axial.compositeNode.SetForegroundVolumeID(other.GetID())
    axial.compositeNode.SetForegroundOpacity(0.3)
    for action in actions:
        if action == "hide":
            overlay.hide()
        elif action == "opacity":
            overlay.setOpacity(0.8)
        else:
            showEvery(overlay, scan)[action]()
            assert overlay.shown() == action
    overlay.hide()
    composite = axial.compositeNode
    assert (composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID()) == (scan.GetID(), other.GetID())
    assert composite.GetForegroundOpacity() == pytest.approx(0.3)


def test_another_overlay_object_knows_what_was_there_before(overlay, scene, scan, axial):
    """As after a reload of the module."""
    other = addScan(scene, affine(), name="PET")
    axial.show(scan)
    axial.compositeNode.SetForegroundVolumeID(other.GetID())
    overlay.showColours(scan, *twoSided(scan))
    again = Overlay(scene)
    again.showHeatMap(scan, *evenly(scan, 0.9), title="liver")
    again.hide()
    assert axial.compositeNode.GetForegroundVolumeID() == other.GetID()


def test_a_saved_scene_comes_back_with_its_overlay_and_with_what_was_there_before(
    overlay, scene, applicationLogic, scan, axial, tmp_path
):
    other = addScan(scene, affine(), name="PET")
    axial.show(scan)
    axial.compositeNode.SetForegroundVolumeID(other.GetID())
    axial.compositeNode.SetForegroundOpacity(0.25)
    overlay.showBorder(scan, *evenly(scan, 0.9), title="liver or spleen", opacity=1)
    axial.sliceNode.JumpSliceByCentering(*centre(scan))
    painted = axial.colour_at(centre(scan))
    assert applicationLogic.SaveSceneToSlicerDataBundleDirectory(str(tmp_path))
    scene.Clear(False)
    scene.SetURL(str(next(tmp_path.glob("*.mrml"))))
    assert scene.Connect()
    overlay = Overlay(scene)
    assert overlay.shown() == BORDER
    assert axial.colour_at(centre(scan)) == painted
    overlay.hide()
    names = [scene.GetNodeByID(axial.compositeNode.GetForegroundVolumeID()).GetName()]
    assert names == ["PET"] and axial.compositeNode.GetForegroundOpacity() == pytest.approx(0.25)
    reloaded = scene.GetFirstNodeByName("CT")
    count = scene.GetNumberOfNodes()
    overlay.showBorder(reloaded, *evenly(reloaded, 0.9), title="liver or spleen")
    assert scene.GetNumberOfNodes() == count


def test_removing_a_mode_leaves_no_trace(overlay, scene, scan, axial):
    axial.show(scan)
    overlay.showBorder(scan, *evenly(scan, 0.9), title="liver or spleen")
    count = scene.GetNumberOfNodes()
    overlay.showUncertainty(scan, *evenly(scan, 0.9))
    overlay.remove(BORDER)
    assert overlay.shown() == UNCERTAINTY
    overlay.remove(UNCERTAINTY)
    assert overlay.shown() is None
    # Both colour scales stay: one is older than the count.
    assert scene.GetNumberOfNodes() == count - 3 + 1
    assert not nodesOfClass(scene, "vtkMRMLColorLegendDisplayNode")


def test_overlays_of_a_deleted_scan_are_taken_away_with_the_next_one(overlay, scene, scan, axial):
    axial.show(scan)
    overlay.showColours(scan, *twoSided(scan))
    scene.RemoveNode(scan)
    other = addScan(scene, affine(), name="Follow-up")
    overlay.showColours(other, *twoSided(other))
    assert len(nodesOfClass(scene, "vtkMRMLVectorVolumeNode")) == 1


@pytest.mark.parametrize("mode", MODES)
def test_a_wrong_array_leaves_the_overlay_that_is_shown(overlay, scan, axial, mode):
    axial.show(scan)
    node = showEvery(overlay, scan)[mode]()
    wrong = np.zeros((2, 2), np.float32)
    shows = {
        COLOURS: overlay.showColours, STRUCTURES: overlay.showStructures, UNCERTAINTY: overlay.showUncertainty,
        HEAT_MAP: lambda *a: overlay.showHeatMap(*a, title="x"), BORDER: lambda *a: overlay.showBorder(*a, title="x"),
    }
    with pytest.raises(ValueError, match="expected"):
        shows[mode](scan, wrong, affine())
    assert axial.compositeNode.GetForegroundVolumeID() == node.GetID() and overlay.shown() == mode
