import numpy as np
import pytest
import slicer
import slicer.util
from AnatomicalEmbeddingLib.Overlay import COLOURS, HEAT_MAP, Overlay
from overlay_arrays import GREY_OF_THE_SCAN, LEFT, RIGHT, centre, evenly, mapGrid, places, twoSided
from placements import addScan, affine, translation


@pytest.fixture
def overlay(scene):
    return Overlay(scene)


def test_the_overlay_lies_right_in_world_for_every_placement(overlay, placedScan, views):
    rgba_kji, ijk_to_ras = twoSided(placedScan)
    for view in views.values():
        view.show(placedScan)
    overlay.showColours(placedScan, rgba_kji, ijk_to_ras, opacity=1)
    for view in views.values():
        for position_ras, colour in zip(places(placedScan), (RIGHT, LEFT, GREY_OF_THE_SCAN), strict=True):
            view.sliceNode.JumpSliceByCentering(*position_ras)
            assert view.colour_at(position_ras) == colour


def test_the_patients_right_is_on_the_left_of_an_axial_picture(overlay, placedScan, axial):
    axial.show(placedScan)
    overlay.showColours(placedScan, *twoSided(placedScan), opacity=1)
    axial.sliceNode.JumpSliceByCentering(*(centre(placedScan) + (0, 0, -8)))
    painted = (axial.picture() == RIGHT).all(axis=-1)
    columns = np.nonzero(painted)[1]
    other = np.nonzero((axial.picture() == LEFT).all(axis=-1))[1]
    assert columns.size > 100 and other.size > 100
    assert columns.max() < other.min()


def test_colours_are_shown_as_they_are_and_not_stretched_to_their_own_range(overlay, scan, axial):
    rgba_kji, ijk_to_ras = twoSided(scan)
    rgba_kji[:] = (60, 120, 90, 255)  # an automatic window would make it (0, ., .)
    axial.show(scan)
    node = overlay.showColours(scan, rgba_kji, ijk_to_ras, opacity=1)
    axial.sliceNode.JumpSlice(*centre(scan))
    assert axial.colour_at(centre(scan)) == (60, 120, 90)
    assert node.GetVoxelVectorType() == node.VoxelVectorTypeColorRGBA


def test_half_opacity_mixes_colour_and_scan(overlay, scan, axial):
    axial.show(scan)
    overlay.showColours(scan, *twoSided(scan), opacity=1)
    overlay.setOpacity(0.5)
    position_ras = places(scan)[0]
    axial.sliceNode.JumpSlice(*position_ras)
    np.testing.assert_allclose(axial.colour_at(position_ras), np.add(RIGHT, GREY_OF_THE_SCAN) / 2, atol=1)


def test_showing_again_updates_the_same_node(overlay, scene, scan, axial):
    axial.show(scan)
    first = overlay.showColours(scan, *twoSided(scan))
    count = scene.GetNumberOfNodes()
    rgba_kji, ijk_to_ras = twoSided(scan)
    rgba_kji[..., :3] = (1, 2, 3)
    second = overlay.showColours(scan, rgba_kji, ijk_to_ras, opacity=1)
    assert second is first and scene.GetNumberOfNodes() == count
    axial.sliceNode.JumpSlice(*places(scan)[0])
    assert axial.colour_at(places(scan)[0]) == (1, 2, 3)


def test_the_colours_follow_a_scan_whose_transform_is_edited(overlay, scene, axial):
    scan = addScan(scene, affine(), translation((0, 0, 0)))
    axial.show(scan)
    before_ras = places(scan)[0]
    overlay.showColours(scan, *twoSided(scan), opacity=1)
    moved = slicer.util.vtkMatrixFromArray(translation((30, 5, 0)))
    scan.GetParentTransformNode().SetMatrixTransformToParent(moved)
    axial.sliceNode.JumpSliceByCentering(*(before_ras + (30, 5, 0)))
    assert axial.colour_at(before_ras + (30, 5, 0)) == RIGHT


def test_hiding_gives_the_views_back_what_they_showed(overlay, scene, scan, axial):
    other = addScan(scene, affine(), name="PET")
    axial.show(scan)
    axial.compositeNode.SetForegroundVolumeID(other.GetID())
    axial.compositeNode.SetForegroundOpacity(0.3)
    overlay.showColours(scan, *twoSided(scan))
    overlay.showHeatMap(scan, *evenly(scan, 0.9), title="liver")
    overlay.hide()
    assert axial.compositeNode.GetForegroundVolumeID() == other.GetID()
    assert axial.compositeNode.GetForegroundOpacity() == pytest.approx(0.3)
    assert axial.compositeNode.GetBackgroundVolumeID() == scan.GetID()


def test_hiding_leaves_a_layer_that_the_user_chose_meanwhile(overlay, scene, scan, axial):
    other = addScan(scene, affine(), name="PET")
    axial.show(scan)
    overlay.showColours(scan, *twoSided(scan))
    axial.compositeNode.SetForegroundVolumeID(other.GetID())
    axial.compositeNode.SetForegroundOpacity(0.7)
    overlay.hide()
    assert axial.compositeNode.GetForegroundVolumeID() == other.GetID()
    assert axial.compositeNode.GetForegroundOpacity() == pytest.approx(0.7)


def test_hiding_does_not_bring_back_a_volume_that_was_deleted(overlay, scene, scan, axial):
    other = addScan(scene, affine(), name="PET")
    axial.show(scan)
    axial.compositeNode.SetForegroundVolumeID(other.GetID())
    overlay.showColours(scan, *twoSided(scan))
    scene.RemoveNode(other)
    overlay.hide()
    assert axial.compositeNode.GetForegroundVolumeID() is None


def test_a_view_of_another_scan_gets_no_overlay(overlay, scene, scan, views):
    other = addScan(scene, affine(), name="Another patient")
    views["axial"].show(scan)
    views["coronal"].show(other)
    node = overlay.showColours(scan, *twoSided(scan))
    assert views["axial"].compositeNode.GetForegroundVolumeID() == node.GetID()
    assert views["coronal"].compositeNode.GetForegroundVolumeID() is None


def test_a_scan_that_no_view_shows_is_shown_and_hiding_brings_the_other_one_back(overlay, scene, scan, axial):
    other = addScan(scene, affine(), name="Another patient")
    axial.show(other)
    overlay.showColours(scan, *twoSided(scan))
    assert axial.compositeNode.GetBackgroundVolumeID() == scan.GetID()
    overlay.hide()
    assert axial.compositeNode.GetBackgroundVolumeID() == other.GetID()
    assert axial.compositeNode.GetForegroundVolumeID() is None


def test_two_scans_keep_their_own_overlays(overlay, scene, scan, axial):
    other = addScan(scene, affine(), name="Follow-up")
    first = overlay.showColours(scan, *twoSided(scan))
    axial.show(other)
    second = overlay.showColours(other, *twoSided(other))
    assert first is not second
    assert axial.compositeNode.GetForegroundVolumeID() == second.GetID()
    overlay.hide()
    assert axial.compositeNode.GetBackgroundVolumeID() == other.GetID()


def test_the_heat_map_colours_only_what_is_probable(overlay, scan, axial):
    axial.show(scan)
    ijk_to_ras, positions_ras = mapGrid(scan)
    probability_kji = np.where(positions_ras[..., 0] > centre(scan)[0], 0.95, 0.2).astype(np.float32)
    overlay.showHeatMap(scan, probability_kji, ijk_to_ras, title="liver", opacity=1)
    right_ras, left_ras, _ = places(scan)
    axial.sliceNode.JumpSlice(*right_ras)
    red, green, blue = axial.colour_at(right_ras)
    assert red > 200 and (red, green, blue) != GREY_OF_THE_SCAN
    assert axial.colour_at(left_ras) == GREY_OF_THE_SCAN


def test_a_weak_heat_map_is_seen_where_it_is_highest(overlay, scan, axial):
    axial.show(scan)
    ijk_to_ras, positions_ras = mapGrid(scan)
    probability_kji = np.where(positions_ras[..., 0] > centre(scan)[0], 0.3, 0.1).astype(np.float32)
    overlay.showHeatMap(scan, probability_kji, ijk_to_ras, title="liver", opacity=1)
    right_ras, left_ras, _ = places(scan)
    axial.sliceNode.JumpSlice(*right_ras)
    assert axial.colour_at(right_ras) != GREY_OF_THE_SCAN
    assert axial.colour_at(left_ras) == GREY_OF_THE_SCAN


def test_the_heat_map_has_a_legend_that_names_the_structure(overlay, scan, axial):
    axial.show(scan)
    overlay.showHeatMap(scan, *evenly(scan, 0.9), title="liver")
    node = overlay.showHeatMap(scan, *evenly(scan, 0.9), title="spleen")
    legends = [
        node.GetNthDisplayNode(index)
        for index in range(node.GetNumberOfDisplayNodes())
        if node.GetNthDisplayNode(index).IsA("vtkMRMLColorLegendDisplayNode")
    ]
    assert [legend.GetTitleText() for legend in legends] == ["spleen"]


def test_shown_says_which_overlay_the_views_have(overlay, scan, axial):
    axial.show(scan)
    assert overlay.shown() is None
    overlay.showColours(scan, *twoSided(scan))
    assert overlay.shown() == COLOURS
    overlay.showHeatMap(scan, *evenly(scan, 0.9), title="liver")
    assert overlay.shown() == HEAT_MAP
    overlay.hide()
    assert overlay.shown() is None


def test_a_failure_leaves_views_and_scene_as_they_were(overlay, scene, scan, axial):
    axial.show(scan)
    count = scene.GetNumberOfNodes()
    with pytest.raises(ValueError):
        overlay.showColours(scan, np.zeros((2, 2, 2, 3), np.uint8), affine())
    assert scene.GetNumberOfNodes() == count
    assert axial.compositeNode.GetForegroundVolumeID() is None
