import numpy as np
import pytest
import slicer
import slicer.util
from anatembed.geometry import transform_points
from AnatomicalEmbeddingLib import VolumeBridge
from placements import SHAPE_KJI, addBentTransform, addScan, addTransform, affine, translation


def bright_block(voxel_kji):
    array_kji = np.full(SHAPE_KJI, -1000, np.int16)
    array_kji[tuple(slice(index - 3, index + 4) for index in voxel_kji)] = 1000
    return array_kji


def test_the_scan_shows_a_structure_where_the_volume_says_it_is(placedScan, views):
    voxel_kji = (16, 12, 33)
    slicer.util.updateVolumeFromArray(placedScan, bright_block(voxel_kji))
    volume = VolumeBridge.volumeFromNode(placedScan)
    position_ras = transform_points(volume.ijk_to_ras, voxel_kji[::-1])
    for view in views.values():
        view.show(placedScan)
        view.sliceNode.JumpSliceByCentering(*position_ras)
        assert view.colour_at(position_ras) == (255, 255, 255)


def test_a_volume_has_the_voxels_of_the_node_in_kji_order(scene):
    array_kji = np.arange(np.prod(SHAPE_KJI), dtype=np.int16).reshape(SHAPE_KJI)
    node = addScan(scene, affine(), array_kji=array_kji)
    volume = VolumeBridge.volumeFromNode(node)
    np.testing.assert_array_equal(volume.array_kji, array_kji)
    assert volume.name == "CT"


def test_a_volume_does_not_change_with_the_node(scan):
    volume = VolumeBridge.volumeFromNode(scan)
    slicer.util.arrayFromVolume(scan)[:] = 7
    assert volume.array_kji.max() == 40


def test_nested_parent_transforms_are_all_applied(scene):
    node = addScan(scene, affine(), translation((1, 2, 3)))
    outer = addTransform(scene, translation((10, 20, 30)))
    node.GetParentTransformNode().SetAndObserveTransformNodeID(outer.GetID())
    np.testing.assert_allclose(VolumeBridge.ijkToWorld(node), translation((11, 22, 33)) @ affine())


def test_a_non_linear_parent_is_refused_by_name(scene, scan):
    scan.SetAndObserveTransformNodeID(addBentTransform(scene).GetID())
    with pytest.raises(RuntimeError, match='"CT" is under the non-linear transform "Bent"'):
        VolumeBridge.volumeFromNode(scan)


def test_a_non_linear_transform_above_a_linear_one_is_refused_too(scene):
    node = addScan(scene, affine(), translation((1, 2, 3)))
    node.GetParentTransformNode().SetAndObserveTransformNodeID(addBentTransform(scene).GetID())
    with pytest.raises(RuntimeError, match="non-linear"):
        VolumeBridge.volumeFromNode(node)


def test_the_modality_comes_from_the_node(scan):
    assert VolumeBridge.volumeFromNode(scan).modality == "unknown"
    scan.SetAttribute("DICOM.Modality", "CT")
    assert VolumeBridge.volumeFromNode(scan).modality == "CT"


def test_the_modality_comes_from_the_subject_hierarchy_where_dicom_loading_puts_it(scene, scan):
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    item = hierarchy.CreateItem(hierarchy.GetSceneItemID(), scan)
    hierarchy.SetItemAttribute(item, "DICOM.Modality", "MR")
    assert VolumeBridge.volumeFromNode(scan).modality == "MR"


def test_no_scan_selected_is_said_in_words():
    with pytest.raises(RuntimeError, match="No scan is selected"):
        VolumeBridge.volumeFromNode(None)


def test_a_node_without_voxels_is_said_in_words(scene):
    with pytest.raises(RuntimeError, match='"Empty" has no voxels'):
        VolumeBridge.volumeFromNode(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty"))


@pytest.mark.parametrize("className", ["vtkMRMLLabelMapVolumeNode", "vtkMRMLVectorVolumeNode"])
def test_label_maps_and_colour_images_are_refused(scene, className):
    with pytest.raises(RuntimeError, match="Select the CT volume itself"):
        VolumeBridge.volumeFromNode(scene.AddNewNodeByClass(className, "Other"))


def test_voxels_that_are_not_numbers_keep_their_cause(scene):
    array_kji = np.full(SHAPE_KJI, np.nan, np.float32)
    with pytest.raises(RuntimeError, match='"CT" cannot be read as a scan') as failure:
        VolumeBridge.volumeFromNode(addScan(scene, affine(), array_kji=array_kji))
    assert isinstance(failure.value.__cause__, ValueError)


def test_an_added_volume_lies_at_its_world_affine_and_under_the_parent_of_the_scan(scene, placedScan):
    ijk_to_ras = affine((4, 4, 4), (12, -7, 3))
    node = VolumeBridge.addScalarVolume(scene, np.zeros((3, 4, 5), np.float32), ijk_to_ras, "Map", placedScan)
    np.testing.assert_allclose(VolumeBridge.ijkToWorld(node), ijk_to_ras, atol=1e-9)
    assert node.GetParentTransformNode() is placedScan.GetParentTransformNode()


def test_an_added_volume_follows_the_scan_when_its_transform_is_edited(scene):
    node = addScan(scene, affine(), translation((1, 2, 3)))
    added = VolumeBridge.addScalarVolume(scene, np.zeros((3, 4, 5), np.float32), affine(), "Map", node)
    moved = slicer.util.vtkMatrixFromArray(translation((11, 2, 3)))
    node.GetParentTransformNode().SetMatrixTransformToParent(moved)
    np.testing.assert_allclose(VolumeBridge.ijkToWorld(added), translation((10, 0, 0)) @ affine(), atol=1e-9)


@pytest.mark.parametrize("array", [np.zeros((2, 3, 4, 3), np.uint8), np.zeros((2, 3, 4, 4), np.float32)])
def test_a_wrong_colour_array_adds_nothing_to_the_scene(scene, scan, array):
    before = scene.GetNumberOfNodes()
    with pytest.raises(ValueError, match=r"expected \(K, J, I, 4\) uint8"):
        VolumeBridge.addColourVolume(scene, array, affine(), "Colours", scan)
    assert scene.GetNumberOfNodes() == before
