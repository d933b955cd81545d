"""Structures as segments on the grid of their scan, with standard codes, handed over to Segment Editor."""

from contextlib import contextmanager

import numpy as np
import slicer
import slicer.util
import vtk
from anatembed.geometry import bounds_ras
from scipy import ndimage
from vtk.util import numpy_support

from . import VolumeBridge
from .Trace import removeWithDisplay

_CONTEXT = "Segmentation category and type - DICOM master list"
_REGION_CONTEXT = "Anatomic codes - DICOM master list"
_ANATOMY, _TISSUE = ("SCT", "123037004", "Anatomical Structure"), ("SCT", "85756007", "Tissue")
_SIDES = {"left": ("SCT", "7771000", "Left"), "right": ("SCT", "24028007", "Right"), "none": ("", "", "")}
# What is said of a structure without a code of its own, by the category of its term.
_KINDS = {
    "bone": ("SCT", "272673000", "Bone"), "spine": ("SCT", "272673000", "Bone"),
    "muscle": ("SCT", "71616004", "Muscle"),
}
_COLOURS = ((0.87, 0.55, 0.10), (0.20, 0.45, 0.85))
_EDITOR = "SegmentEditor"
_POSSIBLE_COLOUR = (0.75, 0.75, 0.75)
POSSIBLE = 0.1
"""From this probability on a structure may be corrected to reach there."""


def makeSegments(scene, scanNode, posterior, ijk_to_ras, vocabulary):
    """New vtkMRMLSegmentationNode with the structures of a library `Posterior`, which lies at `ijk_to_ras` in world.

    A new node every time: what was edited is not overwritten. RuntimeError leaves nothing behind.
    """
    terms = [vocabulary[one] for one in (posterior.first_id, posterior.second_id)]
    with _madeOrNothing(scene, scanNode, f"{terms[0].preferred} and {terms[1].preferred}") as node:
        masks_kji, corner_ijk = _onGridOf(scanNode, posterior, np.asarray(ijk_to_ras, float))
        for term, mask_kji, colour in zip(terms, masks_kji, _COLOURS, strict=True):
            code = terminologyEntry(term, vocabulary)
            _addSegment(node, scanNode, mask_kji, corner_ijk, term.preferred, colour, code)
        # One shared label map: what is painted in one segment then leaves the other, as at any border.
        node.GetSegmentation().CollapseBinaryLabelmaps(False)
        # What neither of them is stays as it is: only the border is moved.
        _handOver(scene, node, scanNode, node.EditAllowedInsideAllSegments)
    return node


def makeLikelySegment(scene, scanNode, probability_kji, ijk_to_ras, threshold: float, name: str, terminology: str):
    """New vtkMRMLSegmentationNode from a probability (K,J,I) at `ijk_to_ras` in world: the structure, from `threshold`
    up, and hidden below it where it is possible at all, outside which Segment Editor paints nothing.

    RuntimeError leaves nothing behind.
    """
    with _madeOrNothing(scene, scanNode, name) as node:
        least = min(POSSIBLE, threshold / 2)
        box = ndimage.find_objects((probability_kji >= least).view(np.uint8))
        if not box or not (probability_kji >= threshold).any():
            raise ValueError(f"{name} is nowhere as likely as that; choose a lower threshold")
        # A rim, so that the surface at the threshold closes.
        box = tuple(slice(max(one.start - 1, 0), one.stop + 1) for one in box[0])
        ijk_to_ras = np.array(ijk_to_ras, float)
        ijk_to_ras[:3, 3] += ijk_to_ras[:3, :3] @ [one.start for one in reversed(box)]
        corner_ijk, to_field, shape_kji = _boxOf(scanNode, probability_kji[box].shape, ijk_to_ras)
        field_kji = _resampled(probability_kji[box], to_field, shape_kji)
        for limit, title, colour, code in (
            (threshold, name, _COLOURS[0], terminology),
            (least, f"where {name} is possible", _POSSIBLE_COLOUR, ""),
        ):
            mask_kji = (field_kji >= limit).astype(np.uint8)
            segmentID = _addSegment(node, scanNode, mask_kji, corner_ijk, title, colour, code)
        node.GetDisplayNode().SetSegmentVisibility(segmentID, False)
        _handOver(scene, node, scanNode, node.EditAllowedInsideSingleSegment, segmentID)
    return node


@contextmanager
def _madeOrNothing(scene, scanNode, name: str):
    node = None
    try:
        node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", scene.GetUniqueNameByString(name))
        node.CreateDefaultDisplayNodes()
        # The transform first: the geometry that Segment Editor works in is kept relative to it.
        node.SetAndObserveTransformNodeID(scanNode.GetTransformNodeID())
        node.SetReferenceImageGeometryParameterFromVolumeNode(scanNode)
        yield node
    except Exception as error:
        if node is not None:
            removeWithDisplay(scene, node)
        raise RuntimeError(f"The segments cannot be made: {error}") from error


def _addSegment(node, scanNode, mask_kji, corner_ijk, name: str, colour, terminology: str) -> str:
    image = _labelmap(scanNode, mask_kji, corner_ijk)
    segmentID = node.AddSegmentFromBinaryLabelmapRepresentation(image, name, colour)
    if terminology:
        segment = node.GetSegmentation().GetSegment(segmentID)
        segment.SetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), terminology)
    return segmentID


def _handOver(scene, node, scanNode, mask: int, maskSegmentID: str = "") -> None:
    """Let Segment Editor open with this segmentation and its scan, and paint only where `mask` allows it."""
    editor = slicer.vtkMRMLSegmentEditorNode()
    editor.SetSingletonTag(_EDITOR)  # what Segment Editor calls its own: adding gives the one that is there
    editor = scene.AddNode(editor)
    with slicer.util.NodeModify(editor):
        editor.SetAndObserveSegmentationNode(node)
        editor.SetAndObserveSourceVolumeNode(scanNode)
        editor.SetSelectedSegmentID(node.GetSegmentation().GetNthSegmentID(0))
        editor.SetMaskMode(mask)
        editor.SetMaskSegmentID(maskSegmentID)
        # The mask is a segment too: painting beside it must not take it away.
        editor.SetOverwriteMode(editor.OverwriteNone if maskSegmentID else editor.OverwriteAllSegments)


def terminologyEntry(term, vocabulary) -> str:
    """A vocabulary term as Slicer writes terminology: context, category, type, side, and no region, between tildes.

    The side is a modifier where both sides share one code (kidney), and part of the code where they do not (atria).
    A term without a code is called what it is made of, if that is known, else tissue: a wrong code would be worse.
    """
    if term.snomed is None:
        category, kind, side = _TISSUE, _KINDS.get(term.category, _TISSUE), _SIDES["none"]
    else:
        twin = vocabulary[term.pair] if term.pair else None
        shared = twin is not None and twin.snomed == term.snomed
        meaning = vocabulary[term.base].preferred if shared and term.base else term.preferred
        category, kind = _ANATOMY, ("SCT", term.snomed, meaning[:1].upper() + meaning[1:])
        side = _SIDES[term.laterality if shared else "none"]
    codes = ["^".join(code) for code in (category, kind, side)]
    return "~".join([_CONTEXT, *codes, _REGION_CONTEXT, "^^", "^^"])


def _onGridOf(scanNode, posterior, ijk_to_ras: np.ndarray):
    """Masks [(K,J,I), (K,J,I)] uint8 on a box of the scan's own voxels, and the box's first voxel (i, j, k)."""
    first_ijk, scan_to_posterior, shape_kji = _boxOf(scanNode, posterior.first_kji.shape, ijk_to_ras)
    either_kji = _resampled(posterior.either_kji, scan_to_posterior, shape_kji) >= posterior.either_threshold
    first_kji = _resampled(posterior.first_kji, scan_to_posterior, shape_kji) >= 0.5
    return [(either_kji & side).astype(np.uint8) for side in (first_kji, ~first_kji)], first_ijk


def _boxOf(scanNode, field_shape_kji, ijk_to_ras: np.ndarray):
    """The scan's own voxels that a field covers: the first (i, j, k), the affine from there to the field's voxels, and
    their number (K,J,I)."""
    scan_to_world = VolumeBridge.ijkToWorld(scanNode)
    size_ijk = np.array(scanNode.GetImageData().GetDimensions())
    field_to_scan = np.linalg.inv(scan_to_world) @ ijk_to_ras
    low, high = bounds_ras(field_shape_kji, field_to_scan)
    first_ijk = np.clip(np.floor(low).astype(int), 0, size_ijk)
    last_ijk = np.clip(np.ceil(high).astype(int) + 1, 0, size_ijk)
    if (last_ijk <= first_ijk).any():
        raise ValueError("this lies outside the scan")
    scan_to_field = np.linalg.inv(field_to_scan)
    scan_to_field[:3, 3] += scan_to_field[:3, :3] @ first_ijk
    return first_ijk, scan_to_field, tuple(int(size) for size in (last_ijk - first_ijk)[::-1])


def _resampled(field_kji: np.ndarray, to_field_ijk: np.ndarray, shape_kji) -> np.ndarray:
    """Linear interpolation (K,J,I) of a field at the voxels of another grid, 0 outside."""
    matrix_kji = to_field_ijk[:3, :3][::-1, ::-1]
    offset_kji = to_field_ijk[:3, 3][::-1]
    return ndimage.affine_transform(field_kji, matrix_kji, offset_kji, shape_kji, np.float32, order=1)


def _labelmap(scanNode, mask_kji: np.ndarray, corner_ijk):
    """vtkOrientedImageData with the geometry of the scan and the extent of the box."""
    matrix = vtk.vtkMatrix4x4()
    scanNode.GetIJKToRASMatrix(matrix)
    image = slicer.vtkOrientedImageData()
    extent = []
    for start, size in zip(corner_ijk, reversed(mask_kji.shape), strict=True):
        extent += [int(start), int(start) + size - 1]
    image.SetExtent(*extent)
    image.SetImageToWorldMatrix(matrix)
    array = numpy_support.numpy_to_vtk(np.ascontiguousarray(mask_kji).ravel(), deep=True)
    array.SetName("ImageScalars")
    image.GetPointData().SetScalars(array)
    return image
