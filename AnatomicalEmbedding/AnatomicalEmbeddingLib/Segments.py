"""Two structures as segments on the grid of their scan, with standard codes, ready for Segment Editor."""

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


def makeSegments(scene, scanNode, posterior, ijk_to_ras, vocabulary):
    """New vtkMRMLSegmentationNode with the structures of a library `Posterior`, which lies at `ijk_to_ras` in world.

    A new node every time: what was edited is not overwritten. RuntimeError leaves nothing behind.
    """
    terms = [vocabulary[one] for one in (posterior.first_id, posterior.second_id)]
    node = None
    try:
        masks_kji, corner_ijk = _onGridOf(scanNode, posterior, np.asarray(ijk_to_ras, float))
        name = f"{terms[0].preferred} and {terms[1].preferred}"
        node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", scene.GetUniqueNameByString(name))
        node.CreateDefaultDisplayNodes()
        # The transform first: the geometry that Segment Editor works in is kept relative to it.
        node.SetAndObserveTransformNodeID(scanNode.GetTransformNodeID())
        node.SetReferenceImageGeometryParameterFromVolumeNode(scanNode)
        for term, mask_kji, colour in zip(terms, masks_kji, _COLOURS, strict=True):
            image = _labelmap(scanNode, mask_kji, corner_ijk)
            segmentID = node.AddSegmentFromBinaryLabelmapRepresentation(image, term.preferred, colour)
            segment = node.GetSegmentation().GetSegment(segmentID)
            segment.SetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), terminologyEntry(term, vocabulary))
        # One shared label map: what is painted in one segment then leaves the other, as at any border.
        node.GetSegmentation().CollapseBinaryLabelmaps(False)
    except Exception as error:
        if node is not None:
            removeWithDisplay(scene, node)
        raise RuntimeError(f"The segments cannot be made: {error}") from error
    return node


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
    scan_to_world = VolumeBridge.ijkToWorld(scanNode)
    size_ijk = np.array(scanNode.GetImageData().GetDimensions())
    posterior_to_scan = np.linalg.inv(scan_to_world) @ ijk_to_ras
    low, high = bounds_ras(posterior.first_kji.shape, posterior_to_scan)
    first_ijk = np.clip(np.floor(low).astype(int), 0, size_ijk)
    last_ijk = np.clip(np.ceil(high).astype(int) + 1, 0, size_ijk)
    if (last_ijk <= first_ijk).any():
        raise ValueError("the border lies outside the scan")
    scan_to_posterior = np.linalg.inv(posterior_to_scan)
    scan_to_posterior[:3, 3] += scan_to_posterior[:3, :3] @ first_ijk
    shape_kji = tuple(int(size) for size in (last_ijk - first_ijk)[::-1])
    either_kji = _resampled(posterior.either_kji, scan_to_posterior, shape_kji) >= posterior.either_threshold
    first_kji = _resampled(posterior.first_kji, scan_to_posterior, shape_kji) >= 0.5
    return [(either_kji & side).astype(np.uint8) for side in (first_kji, ~first_kji)], first_ijk


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
