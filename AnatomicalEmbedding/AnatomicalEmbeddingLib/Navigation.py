"""Found places as labelled points, and slice views that go there; everything in world RAS mm."""

import numpy as np
import slicer
import slicer.util

from .PlacesFile import Place, placesOf
from .SceneNodes import nodesOfClass

_HITS, _KEPT = "AnatomicalEmbedding.Hits", "AnatomicalEmbedding.Kept"


class Navigation:
    """Shows the places of the last answer, in one points list per scene, and keeps others in a second one."""

    def __init__(self, scene) -> None:
        self._scene = scene

    def placeHits(self, positions_ras, labels, descriptions, volumeNode):
        """Replace the points by (N,3) world positions under the scan's parent transform; returns the markups node."""
        node = self._pointsNode(_HITS) or self._addPointsNode(_HITS, "Found anatomy")
        with slicer.util.NodeModify(node):
            node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
            node.RemoveAllControlPoints()
            for position_ras, label, description in zip(positions_ras, labels, descriptions, strict=True):
                _addPoint(node, position_ras, label, description)
        return node

    def keep(self, position_ras, label: str, description: str, volumeNode):
        """Add a point that no later question clears, under the scan's parent transform; returns the markups node.

        A place that is kept already, to the tenth of a millimetre, stays one point.
        """
        node = self._keptNode(volumeNode)
        position_ras = np.asarray(position_ras, float)
        for index in range(node.GetNumberOfControlPoints()):
            same = np.linalg.norm(node.GetNthControlPointPositionWorld(index) - position_ras) < 0.1
            if same and node.GetNthControlPointLabel(index) == label:
                return node
        self._beforeChange(node)
        _addPoint(node, position_ras, label, description)
        return node

    def kept(self, volumeNode) -> list[Place]:
        """The kept points of this scan, in world."""
        node = self._findKept(volumeNode)
        return placesOf(node) if node is not None else []

    def forgetKept(self, position_ras, label: str, volumeNode) -> None:
        """Take one kept point of this scan away; one that is not there is no error."""
        node = self._keptNode(volumeNode)
        for index in reversed(range(node.GetNumberOfControlPoints())):
            near = np.linalg.norm(node.GetNthControlPointPositionWorld(index) - np.asarray(position_ras, float)) < 0.1
            if near and node.GetNthControlPointLabel(index) == label:
                self._beforeChange(node)
                node.RemoveNthControlPoint(index)

    def clearHits(self) -> None:
        """Remove the points of the last answer; without any, nothing happens."""
        node = self._pointsNode(_HITS)
        if node is not None:
            node.RemoveAllControlPoints()

    def jumpTo(self, position_ras, centred: bool = True) -> None:
        """Move the plane of every slice view through the position, centred there or only shifted, and the crosshair."""
        right, anterior, superior = (float(value) for value in position_ras)
        sliceClass = slicer.vtkMRMLSliceNode
        mode = sliceClass.CenteredJumpSlice if centred else sliceClass.OffsetJumpSlice
        sliceClass.JumpAllSlices(self._scene, right, anterior, superior, mode)
        crosshairNode = self._scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        if crosshairNode is not None:
            crosshairNode.SetCrosshairRAS(right, anterior, superior)

    def _keptNode(self, volumeNode):
        """The kept points of this scan: each scan has its own, because they move with it."""
        node = self._findKept(volumeNode)
        if node is not None:
            return node
        node = self._addPointsNode(_KEPT, f"Kept places of {volumeNode.GetName()}")
        node.SetNodeReferenceID(_KEPT, volumeNode.GetID())
        node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
        return node

    def _findKept(self, volumeNode):
        for node in nodesOfClass(self._scene, "vtkMRMLMarkupsFiducialNode"):
            if node.GetAttribute(_KEPT) and node.GetNodeReferenceID(_KEPT) == volumeNode.GetID():
                return node
        return None

    def _beforeChange(self, node) -> None:
        """A step that Slicer's own undo takes back, where the user has it switched on."""
        node.UndoEnabledOn()
        self._scene.SaveStateForUndo()

    def _pointsNode(self, role: str):
        # By attribute, so that a reloaded scene's points are found again; the user may rename the node.
        for node in nodesOfClass(self._scene, "vtkMRMLMarkupsFiducialNode"):
            if node.GetAttribute(role):
                return node
        return None

    def _addPointsNode(self, role: str, name: str):
        node = self._scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
        node.SetAttribute(role, "1")
        node.CreateDefaultDisplayNodes()
        return node


def _addPoint(node, position_ras, label: str, description: str) -> None:
    index = node.AddControlPointWorld([float(value) for value in position_ras], label)
    node.SetNthControlPointDescription(index, description)
    node.SetNthControlPointLocked(index, True)
