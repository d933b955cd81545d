"""Segments on the grid of the scan: right voxels for every placement, left is left, and codes that Slicer reads."""

import dataclasses

import numpy as np
import pytest
import slicer
import slicer.util
import vtk
from anatembed.geometry import transform_points
from anatembed.language.vocabulary import Vocabulary
from AnatomicalEmbeddingLib import VolumeBridge
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass
from AnatomicalEmbeddingLib.Segments import makeLikelySegment, makeSegments, terminologyEntry
from placements import SHAPE_KJI, addBentTransform, addScan, affine, translation
from posterior_double import RADIUS_MM, middleOf, posteriorOf
from segment_voxels import segmentGrid, segmentPositions

VOCABULARY = Vocabulary.load()


def make(scene, scan, posterior=None):
    posterior = posterior or posteriorOf(scan)
    return makeSegments(scene, scan, posterior, posterior.ijk_to_ras, VOCABULARY)


def segmentsOf(node):
    """Segment ids by name."""
    segmentation = node.GetSegmentation()
    ids = [segmentation.GetNthSegmentID(n) for n in range(segmentation.GetNumberOfSegments())]
    return {segmentation.GetSegment(one).GetName(): one for one in ids}


def decoded(text):
    """Code values of category, type and modifier and the meaning of the type, as Slicer reads them."""
    entry = slicer.vtkSlicerTerminologyEntry()
    assert slicer.vtkSlicerTerminologiesModuleLogic.DeserializeTerminologyEntry(text, entry)
    parts = entry.GetCategoryObject(), entry.GetTypeObject(), entry.GetTypeModifierObject()
    return [part.GetCodeValue() for part in parts], parts[1].GetCodeMeaning(), parts[2].GetCodeMeaning(), entry


def test_each_segment_has_the_voxels_of_its_structure_for_every_placement(scene, placedScan):
    node = make(scene, placedScan)
    segments, middle = segmentsOf(node), middleOf(placedScan)
    scan_ijk = np.stack(np.indices(SHAPE_KJI)[::-1], axis=-1)
    offset = transform_points(VolumeBridge.ijkToWorld(placedScan), scan_ijk) - middle
    distance = np.linalg.norm(offset, axis=-1)
    for name, side in (("right kidney", 1), ("liver", -1)):
        found = segmentPositions(node, segments[name])
        inside = (distance < RADIUS_MM - 2) & (side * offset[..., 0] > 1)
        near = (distance < RADIUS_MM + 2) & (side * offset[..., 0] > -1)
        assert inside.sum() <= len(found) <= near.sum()
        assert (side * (found - middle)[:, 0] > -0.5).all()
        assert np.linalg.norm(found - middle, axis=1).max() < RADIUS_MM + 2


def test_segments_lie_on_the_voxels_of_the_scan(scene, placedScan):
    node = make(scene, placedScan)
    world_to_scan = np.linalg.inv(VolumeBridge.ijkToWorld(placedScan))
    for segmentID in segmentsOf(node).values():
        _, ijk_to_ras = segmentGrid(node, segmentID)
        to_scan = world_to_scan @ ijk_to_ras
        np.testing.assert_allclose(to_scan[:3, :3], np.eye(3), atol=1e-6)
        np.testing.assert_allclose(to_scan[:3, 3], np.rint(to_scan[:3, 3]), atol=1e-4)


def test_left_is_left(scene, placedScan):
    posterior = posteriorOf(placedScan, first="kidney_right", second="kidney_left")
    node = make(scene, placedScan, posterior)
    segments = segmentsOf(node)
    right, left = (segmentPositions(node, segments[f"{side} kidney"])[:, 0].mean() for side in ("right", "left"))
    assert right > left + 10
    for side, code in (("right", "24028007"), ("left", "7771000")):
        text = node.GetSegmentation().GetSegment(segments[f"{side} kidney"]).GetTerminology()
        codes, meaning, modifier, _ = decoded(text)
        assert codes == ["123037004", "64033007", code] and (meaning, modifier) == ("Kidney", side.capitalize())


def test_the_two_do_not_overlap_and_share_one_label_map(scene, scan):
    node = make(scene, scan)
    masks = [segmentGrid(node, one)[0] for one in segmentsOf(node).values()]
    assert node.GetSegmentation().GetNumberOfLayers() == 1
    assert masks[0].any() and masks[1].any() and not (masks[0] & masks[1]).any()


def test_segment_editor_gets_the_grid_of_the_scan(scene, placedScan):
    node = make(scene, placedScan)
    role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    assert node.GetNodeReferenceID(role) == placedScan.GetID()
    text = node.GetSegmentation().GetConversionParameter("Reference image geometry")
    image = slicer.vtkOrientedImageData()
    assert slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, image)
    matrix, expected = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    placedScan.GetIJKToRASMatrix(expected)
    read = [slicer.util.arrayFromVTKMatrix(one) for one in (matrix, expected)]
    np.testing.assert_allclose(*read, atol=1e-3)
    assert image.GetDimensions() == placedScan.GetImageData().GetDimensions()


def test_segments_follow_the_scan(scene):
    scan = addScan(scene, affine(), translation((0, 0, 0)))
    node = make(scene, scan)
    segmentID = segmentsOf(node)["liver"]
    before = segmentPositions(node, segmentID)
    moved = slicer.util.vtkMatrixFromArray(translation((30, 5, -7)))
    scan.GetParentTransformNode().SetMatrixTransformToParent(moved)
    np.testing.assert_allclose(segmentPositions(node, segmentID), before + (30, 5, -7), atol=1e-6)


def test_a_border_at_the_edge_of_the_scan_is_cut_there(scene, scan):
    posterior = posteriorOf(scan)
    shifted = translation((0, 0, 25)) @ posterior.ijk_to_ras
    node = makeSegments(scene, scan, posterior, shifted, VOCABULARY)
    top = transform_points(affine(), np.array(SHAPE_KJI[::-1]) - 1)[2]
    assert segmentPositions(node, segmentsOf(node)["liver"])[:, 2].max() <= top + 1e-6


def test_what_was_made_before_is_not_overwritten(scene, scan):
    first, second = make(scene, scan), make(scene, scan)
    assert first is not second and first.GetName() != second.GetName()
    assert second.GetName().startswith("right kidney and liver")


def test_segments_are_offered_in_segment_editor_and_saved(scene, scan):
    node = make(scene, scan)
    assert not node.GetHideFromEditors() and node.GetSaveWithScene()
    colours = [node.GetSegmentation().GetSegment(one).GetColor() for one in segmentsOf(node).values()]
    assert colours[0] != colours[1]


def outside(posterior):
    return posterior, translation((900, 0, 0)) @ posterior.ijk_to_ras


def broken(posterior):
    return dataclasses.replace(posterior, first_kji=None, first_id="kidney_right"), posterior.ijk_to_ras


@pytest.mark.parametrize("fault", [outside, broken])
def test_a_failure_leaves_nothing_behind(scene, scan, fault):
    posterior, ijk_to_ras = fault(posteriorOf(scan))
    count = scene.GetNumberOfNodes()
    with pytest.raises(RuntimeError, match="The segments cannot be made"):
        makeSegments(scene, scan, posterior, ijk_to_ras, VOCABULARY)
    assert scene.GetNumberOfNodes() == count and not nodesOfClass(scene, "vtkMRMLSegmentationNode")


def test_a_scan_under_a_bent_transform_says_why_not(scene, scan):
    posterior = posteriorOf(scan)
    scan.SetAndObserveTransformNodeID(addBentTransform(scene).GetID())
    with pytest.raises(RuntimeError, match="non-linear"):
        makeSegments(scene, scan, posterior, posterior.ijk_to_ras, VOCABULARY)


@pytest.mark.parametrize(("concept", "codes", "meaning"), [
    ("liver", ["123037004", "10200004", None], "Liver"),
    ("kidney_left", ["123037004", "64033007", "7771000"], "Kidney"),
    ("lung_upper_lobe_right", ["123037004", "45653009", "24028007"], None),
    ("heart_atrium_left", ["123037004", "82471001", None], "Left atrium of heart"),
    ("lung_middle_lobe_right", ["123037004", "72481006", None], "Middle lobe of right lung"),
    ("vertebrae_L1", ["85756007", "272673000", None], "Bone"),
    ("gluteus_maximus_left", ["85756007", "71616004", None], "Muscle"),
    ("transverse_colon", ["85756007", "85756007", None], "Tissue"),
])
def test_terms_have_the_codes_that_slicer_knows(concept, codes, meaning):
    read, kind, _, entry = decoded(terminologyEntry(VOCABULARY[concept], VOCABULARY))
    assert [value or None for value in read] == codes
    assert meaning is None or kind == meaning
    assert entry.GetTerminologyContextName() == "Segmentation category and type - DICOM master list"


def test_every_term_is_written_as_slicer_writes_it():
    logic = slicer.vtkSlicerTerminologiesModuleLogic
    for term in VOCABULARY.terms:
        text = terminologyEntry(term, VOCABULARY)
        assert logic.SerializeTerminologyEntry(decoded(text)[3]) == text


def test_no_code_of_one_side_is_given_to_the_other():
    """A side that is not in the code is in the modifier."""
    for term in VOCABULARY.terms:
        if term.pair and term.snomed:
            one, other = (terminologyEntry(VOCABULARY[side], VOCABULARY) for side in (term.id, term.pair))
            assert one != other, term.id


def editorOf(scene):
    (editor,) = nodesOfClass(scene, "vtkMRMLSegmentEditorNode")
    return editor


def likely(scene, scan, threshold=0.5, name="liver"):
    """A segment of a ball whose probability falls from its middle on, on a grid of 3 mm around it."""
    middle, low = middleOf(scan), middleOf(scan) - 30
    ijk_to_ras = np.diag([3.0, 3.0, 3.0, 1.0])
    ijk_to_ras[:3, 3] = low
    centres = transform_points(ijk_to_ras, np.stack(np.indices((21, 21, 21))[::-1], axis=-1))
    probability_kji = np.clip(1 - np.linalg.norm(centres - middle, axis=-1) / 20, 0, 1).astype(np.float32)
    code = terminologyEntry(VOCABULARY["liver"], VOCABULARY)
    return makeLikelySegment(scene, scan, probability_kji, ijk_to_ras, threshold, name, code)


def test_a_likely_structure_is_a_segment_within_where_it_is_possible_for_every_placement(scene, placedScan):
    node = likely(scene, placedScan)
    segments, middle = segmentsOf(node), middleOf(placedScan)
    assert list(segments) == ["liver", "where liver is possible"]
    inner, outer = (np.linalg.norm(segmentPositions(node, one) - middle, axis=1) for one in segments.values())
    assert len(inner) and inner.max() <= 10.5 < outer.max() <= 18.5 and len(outer) > len(inner)
    text = node.GetSegmentation().GetSegment(segments["liver"]).GetTerminology()
    assert decoded(text)[0][1] == "10200004"


def test_segment_editor_opens_with_it_and_paints_only_where_it_is_possible(scene, scan):
    node = likely(scene, scan)
    segments, editor = segmentsOf(node), editorOf(scene)
    assert editor.GetSegmentationNode() is node and editor.GetSourceVolumeNode() is scan
    assert editor.GetSelectedSegmentID() == segments["liver"]
    assert editor.GetMaskMode() == node.EditAllowedInsideSingleSegment
    assert editor.GetMaskSegmentID() == segments["where liver is possible"]
    assert editor.GetOverwriteMode() == editor.OverwriteNone
    assert not node.GetDisplayNode().GetSegmentVisibility(segments["where liver is possible"])


def test_a_border_is_handed_over_so_that_only_the_border_moves(scene, scan):
    likely(scene, scan)
    node, editor = make(scene, scan), editorOf(scene)
    assert editor.GetSegmentationNode() is node and editor.GetMaskMode() == node.EditAllowedInsideAllSegments
    assert editor.GetOverwriteMode() == editor.OverwriteAllSegments and not editor.GetMaskSegmentID()


def test_a_threshold_that_nothing_reaches_leaves_nothing_behind(scene, scan):
    before = scene.GetNumberOfNodes()
    with pytest.raises(RuntimeError, match="choose a lower threshold"):
        likely(scene, scan, threshold=1.5)
    assert scene.GetNumberOfNodes() == before
