"""Where the voxels of a segment lie in world."""

import numpy as np
import slicer.util
import vtk
from anatembed.geometry import transform_points
from AnatomicalEmbeddingLib import VolumeBridge
from vtk.util import numpy_support


def segmentGrid(node, segmentID):
    """Mask (K,J,I) of a segment within the extent of its label map, and the affine of that array to world."""
    segment = node.GetSegmentation().GetSegment(segmentID)
    image = segment.GetRepresentation("Binary labelmap")
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    ijk_to_ras = VolumeBridge.parentToWorld(node) @ slicer.util.arrayFromVTKMatrix(matrix)
    low_i, high_i, low_j, high_j, low_k, high_k = image.GetExtent()
    shape_kji = (high_k - low_k + 1, high_j - low_j + 1, high_i - low_i + 1)
    labels = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(shape_kji)
    ijk_to_ras[:3, 3] = transform_points(ijk_to_ras, [low_i, low_j, low_k])
    return labels == segment.GetLabelValue(), ijk_to_ras


def segmentPositions(node, segmentID) -> np.ndarray:
    """World RAS (N,3) of the voxels of a segment."""
    mask_kji, ijk_to_ras = segmentGrid(node, segmentID)
    return transform_points(ijk_to_ras, np.argwhere(mask_kji)[:, ::-1])
