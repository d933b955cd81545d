"""The border between two structures over a scan: how sure each side is, the even line, where either may be right."""

import numpy as np
import slicer
import slicer.util
import vtk
from anatembed.geometry import check_affine
from vtk.util import numpy_support

from . import VolumeBridge
from .Overlay import BORDER, NOTHING
from .SceneNodes import nodesOfClass
from .Trace import removeWithDisplay

_ROLE = "AnatomicalEmbedding.Border"
_SCAN = "AnatomicalEmbedding.Scan"
_LINE, _BAND = "line", "band"
_LINE_COLOUR, _LINE_PIXELS = (1.0, 0.15, 0.65), 3
_BAND_COLOUR, _BAND_OPACITY = (1.0, 1.0, 1.0), 0.35
_EITHER = "either"


class Border:
    """Shows one border at a time in the views of its scan, and takes it away with everything that belongs to it."""

    def __init__(self, scene, overlay) -> None:
        self._scene = scene
        self._overlay = overlay

    def show(self, volumeNode, posterior, names, ijk_to_ras, opacity: float = 0.3) -> None:
        """Show a library `Posterior` between two structures with these names, with voxels at `ijk_to_ras` in world.

        RuntimeError leaves the scene without a border.
        """
        try:
            ijk_to_parent = np.linalg.inv(VolumeBridge.parentToWorld(volumeNode)) @ check_affine(ijk_to_ras)
            line, band = _evenSurface(posterior, ijk_to_parent), _labelmap(posterior.band_kji, ijk_to_parent)
            first, second = names
            if not line.GetNumberOfPoints():
                raise ValueError(f"{first} and {second} do not touch in this scan")
            self._removeNodes()
            painted_kji = np.where(posterior.where_kji, posterior.first_kji, np.float32(NOTHING))
            title = f"{first} 1\n{second} 0"
            self._overlay.showBorder(volumeNode, painted_kji, ijk_to_ras, title, opacity)
            views = self._viewsOf(volumeNode)
            self._addLine(line, f"Even line of {first} and {second}", volumeNode, views)
            self._addBand(band, f"{first} or {second}", volumeNode, views)
        except Exception as error:
            self.clear()
            raise RuntimeError(f"The border cannot be shown: {error}") from error

    def clear(self) -> None:
        """Remove line, band and overlay of the border; the views get back what they showed before."""
        self._removeNodes()
        self._overlay.remove(BORDER)

    def clearOrphans(self) -> None:
        """Take away a border whose scan was deleted."""
        if any(node.GetNodeReference(_SCAN) is None for node in self._nodes()):
            self.clear()

    def _addLine(self, polyData, name: str, volumeNode, views: list[str]) -> None:
        node = self._add("vtkMRMLModelNode", name, _LINE, volumeNode)
        node.SetAndObservePolyData(polyData)
        node.CreateDefaultDisplayNodes()
        displayNode = node.GetDisplayNode()
        displayNode.SetColor(*_LINE_COLOUR)
        displayNode.SetScalarVisibility(False)
        displayNode.SetVisibility2D(True)
        displayNode.SetVisibility3D(False)
        displayNode.SetSliceIntersectionThickness(_LINE_PIXELS)
        displayNode.SetViewNodeIDs(views)

    def _addBand(self, orientedImage, name: str, volumeNode, views: list[str]) -> None:
        # A segmentation is what Slicer fills translucently in slice views; a model would only get an outline there.
        node = self._add("vtkMRMLSegmentationNode", "Ambiguous border", _BAND, volumeNode)
        node.CreateDefaultDisplayNodes()
        node.AddSegmentFromBinaryLabelmapRepresentation(orientedImage, name, _BAND_COLOUR)
        displayNode = node.GetDisplayNode()
        displayNode.SetVisibility3D(False)
        displayNode.SetVisibility2DFill(True)
        displayNode.SetVisibility2DOutline(False)
        displayNode.SetOpacity2DFill(_BAND_OPACITY)
        displayNode.SetViewNodeIDs(views)

    def _add(self, className: str, name: str, part: str, volumeNode):
        node = self._scene.CreateNodeByClass(className)
        node.UnRegister(None)
        node.SetName(self._scene.GetUniqueNameByString(name))
        node.SetAttribute(_ROLE, part)
        node.SetNodeReferenceID(_SCAN, volumeNode.GetID())
        node.SetHideFromEditors(True)
        node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
        return self._scene.AddNode(node)

    def _viewsOf(self, volumeNode) -> list[str]:
        """Ids of the slice views that show the scan: in another scan's views the line would be at a wrong place."""
        layouts = {
            composite.GetLayoutName() for composite in nodesOfClass(self._scene, "vtkMRMLSliceCompositeNode")
            if composite.GetBackgroundVolumeID() == volumeNode.GetID()
        }
        sliceNodes = nodesOfClass(self._scene, "vtkMRMLSliceNode")
        return [node.GetID() for node in sliceNodes if node.GetLayoutName() in layouts]

    def _nodes(self) -> list:
        nodes = [node for name in ("vtkMRMLModelNode", "vtkMRMLSegmentationNode")
                 for node in nodesOfClass(self._scene, name)]
        return [node for node in nodes if node.GetAttribute(_ROLE)]

    def _removeNodes(self) -> None:
        for node in self._nodes():
            removeWithDisplay(self._scene, node)


def _evenSurface(posterior, ijk_to_parent: np.ndarray):
    """vtkPolyData where both are equally probable, cut off where neither is likely; empty where they do not meet."""
    image = vtk.vtkImageData()
    image.SetDimensions(*reversed(posterior.first_kji.shape))
    image.GetPointData().SetScalars(_array(posterior.first_kji, "first"))
    image.GetPointData().AddArray(_array(posterior.either_kji, _EITHER))
    contour = vtk.vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, 0.5)
    contour.InterpolateAttributesOn()
    contour.ComputeNormalsOff()
    contour.ComputeGradientsOff()
    contour.Update()
    surface = contour.GetOutput()
    if not surface.GetNumberOfPoints():
        return surface
    surface.GetPointData().SetActiveScalars(_EITHER)
    clip = vtk.vtkClipPolyData()
    clip.SetInputData(surface)
    clip.SetValue(posterior.either_threshold)
    move = vtk.vtkTransform()
    move.SetMatrix(slicer.util.vtkMatrixFromArray(ijk_to_parent))
    transform = vtk.vtkTransformPolyDataFilter()
    transform.SetInputConnection(clip.GetOutputPort())
    transform.SetTransform(move)
    normals = vtk.vtkPolyDataNormals()
    normals.SetInputConnection(transform.GetOutputPort())
    normals.SplittingOff()
    normals.Update()
    polyData = normals.GetOutput()
    for name in ("first", _EITHER):
        polyData.GetPointData().RemoveArray(name)
    return polyData


def _labelmap(mask_kji: np.ndarray, ijk_to_parent: np.ndarray):
    """vtkOrientedImageData of a mask (K,J,I)."""
    image = slicer.vtkOrientedImageData()
    image.SetDimensions(*reversed(mask_kji.shape))
    image.GetPointData().SetScalars(_array(mask_kji.astype(np.uint8), "mask"))
    image.SetImageToWorldMatrix(slicer.util.vtkMatrixFromArray(ijk_to_parent))
    return image


def _array(values_kji: np.ndarray, name: str):
    array = numpy_support.numpy_to_vtk(np.ascontiguousarray(values_kji).ravel(), deep=True)
    array.SetName(name)
    return array
