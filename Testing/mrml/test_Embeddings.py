"""When an embedding still holds for a scan, and how a saved scene finds its maps again."""

import numpy as np
import pytest
import slicer
import slicer.util
from AnatomicalEmbeddingLib import VolumeBridge
from AnatomicalEmbeddingLib.Embeddings import Embeddings
from explorer_double import ExplorerDouble, mapOf
from hypothesis import given, settings
from hypothesis import strategies as some
from placements import addBentTransform, addScan, addTransform, affine, rotation, translation


class Shelf(dict):
    """Maps that are kept outside the scene, by key; counts how often it was asked."""

    asked = 0

    def find(self, key):
        self.asked += 1
        return self.get(key)


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def embeddings(scene, shelf):
    return Embeddings(scene, ExplorerDouble, shelf.find)


def embed(embeddings, scan):
    snapshot = embeddings.snapshot(scan)
    embeddingMap = mapOf(snapshot.volume)
    embeddings.keep(snapshot, embeddingMap)
    return embeddingMap


def edit(scan):
    slicer.util.arrayFromVolume(scan)[3, 4, 5] += 1
    slicer.util.arrayFromVolumeModified(scan)


def test_the_motion_is_that_of_the_scan_since_it_was_embedded(embeddings, placedScan):
    embed(embeddings, placedScan)
    before = VolumeBridge.ijkToWorld(placedScan)
    np.testing.assert_allclose(embeddings.current(placedScan)[1], np.eye(4), atol=1e-9)
    placedScan.SetAndObserveTransformNodeID(None)
    moved = translation((30, -20, 10)) @ rotation((0, 0, 1), 90)
    placedScan.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(moved @ before))
    np.testing.assert_allclose(embeddings.current(placedScan)[1], moved, atol=1e-9)


@pytest.mark.parametrize("matrix", [np.diag([-1.0, 1, 1, 1]), np.diag([1.0, 1, 2, 1])], ids=["mirror", "stretch"])
def test_a_scan_that_was_mirrored_or_stretched_since_is_refused(embeddings, scene, scan, matrix):
    embed(embeddings, scan)
    scan.SetAndObserveTransformNodeID(addTransform(scene, matrix).GetID())
    with pytest.raises(RuntimeError, match="mirrored or stretched"):
        embeddings.current(scan)


def test_a_non_linear_transform_added_after_embedding_is_refused(embeddings, scene, scan):
    embed(embeddings, scan)
    scan.SetAndObserveTransformNodeID(addBentTransform(scene).GetID())
    with pytest.raises(RuntimeError, match="non-linear"):
        embeddings.current(scan)


def test_a_scan_whose_voxels_changed_since_is_refused(embeddings, scan):
    embed(embeddings, scan)
    edit(scan)
    with pytest.raises(RuntimeError, match='The voxels of "CT" have changed since it was embedded. Embed it again.'):
        embeddings.current(scan)


def test_a_scan_that_was_touched_but_has_the_same_voxels_still_answers(embeddings, scan):
    embed(embeddings, scan)
    slicer.util.arrayFromVolumeModified(scan)
    embeddings.current(scan)


def test_voxels_that_change_during_the_embedding_are_noticed(embeddings, scan):
    snapshot = embeddings.snapshot(scan)
    edit(scan)
    embeddings.keep(snapshot, mapOf(snapshot.volume))
    with pytest.raises(RuntimeError, match="have changed"):
        embeddings.current(scan)


def test_the_work_is_done_on_a_copy_of_the_voxels(embeddings, scan):
    snapshot = embeddings.snapshot(scan)
    before = snapshot.volume.array_kji.copy()
    edit(scan)
    np.testing.assert_array_equal(snapshot.volume.array_kji, before)


def test_a_scan_that_is_removed_during_the_embedding_is_not_kept(embeddings, scene, scan):
    snapshot = embeddings.snapshot(scan)
    scene.RemoveNode(scan)
    with pytest.raises(RuntimeError, match="was removed from the scene"):
        embeddings.keep(snapshot, mapOf(snapshot.volume))


def test_two_scans_have_their_own_embeddings(embeddings, scene, scan):
    other = addScan(scene, affine(origin_ras=(100, 0, 0)), name="Follow-up")
    own = embed(embeddings, scan)
    with pytest.raises(RuntimeError, match='"Follow-up" is not embedded yet'):
        embeddings.current(other)
    embed(embeddings, other)
    assert embeddings.current(scan)[0].embeddingMap is own


def test_no_scan_selected_is_said_in_words(embeddings):
    with pytest.raises(RuntimeError, match="No scan is selected"):
        embeddings.current(None)


def test_what_is_forgotten_is_not_embedded(embeddings, scan):
    embed(embeddings, scan)
    embeddings.forget()
    with pytest.raises(RuntimeError, match="Press Embed first"):
        embeddings.current(scan)


def test_scans_that_have_left_the_scene_are_forgotten_and_the_others_are_not(embeddings, scene, scan):
    other = addScan(scene, affine(), name="Follow-up")
    for node in (scan, other):
        embed(embeddings, node)
    assert not embeddings.forgetRemoved()
    scene.RemoveNode(scan)
    assert embeddings.forgetRemoved()
    embeddings.current(other)


def reloaded(scene, tmp_path):
    """The scan of the scene after saving and loading it."""
    folder = tmp_path / "saved"
    folder.mkdir(exist_ok=True)
    applicationLogic = slicer.vtkSlicerApplicationLogic()
    applicationLogic.SetMRMLScene(scene)
    assert applicationLogic.SaveSceneToSlicerDataBundleDirectory(str(folder))
    (sceneFile,) = folder.glob("*.mrml")
    scene.Clear(False)
    scene.SetURL(str(sceneFile))
    assert scene.Connect()
    return scene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")


def test_a_saved_scene_finds_its_map_again_and_the_motion_since(scene, shelf, tmp_path):
    embeddings = Embeddings(scene, ExplorerDouble, shelf.find)
    scan = addScan(scene, affine(), translation((5, 60, -15)) @ rotation((0, 1, 1), 35))
    embeddingMap = embed(embeddings, scan)
    shelf[embeddingMap.source["content_hash"]] = embeddingMap
    embeddings.forget()
    scan = reloaded(scene, tmp_path)
    found, motion = embeddings.current(scan)
    assert found.embeddingMap is embeddingMap
    np.testing.assert_allclose(motion, np.eye(4), atol=1e-5)
    edit(scan)
    with pytest.raises(RuntimeError, match="have changed"):
        embeddings.current(scan)


def test_a_map_that_is_gone_is_asked_for_once_and_the_scan_is_not_embedded(embeddings, shelf, scan):
    embed(embeddings, scan)
    embeddings.forget()
    for _ in range(3):
        with pytest.raises(RuntimeError, match="Press Embed first"):
            embeddings.current(scan)
    assert shelf.asked == 1
    embed(embeddings, scan)
    embeddings.current(scan)


def test_a_saved_map_is_not_used_for_voxels_that_were_changed_outside(embeddings, shelf, scan):
    embeddingMap = embed(embeddings, scan)
    shelf[embeddingMap.source["content_hash"]] = embeddingMap
    embeddings.forget()
    edit(scan)
    with pytest.raises(RuntimeError, match="have changed"):
        embeddings.current(scan)


@settings(max_examples=20, deadline=None)
@given(some.lists(some.sampled_from(["move", "touch", "edit"]), max_size=4))
def test_an_embedding_holds_until_a_voxel_changes_whatever_else_happens(steps):
    scene = slicer.vtkMRMLScene()
    embeddings = Embeddings(scene, ExplorerDouble, {}.get)
    scan = addScan(scene, affine())
    embed(embeddings, scan)
    for step in steps:
        if step == "move":
            scan.SetOrigin([value + 1 for value in scan.GetOrigin()])
        else:
            edit(scan) if step == "edit" else slicer.util.arrayFromVolumeModified(scan)
    if "edit" in steps:
        with pytest.raises(RuntimeError, match="have changed"):
            embeddings.current(scan)
    else:
        np.testing.assert_allclose(embeddings.current(scan)[1][:3, 3], [steps.count("move")] * 3, atol=1e-9)
