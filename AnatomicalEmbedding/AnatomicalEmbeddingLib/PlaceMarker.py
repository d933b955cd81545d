"""One point that says "the same place", in the views of the scan it belongs to."""

import slicer
import slicer.util
import vtk

from .SceneNodes import nodesOfClass
from .Trace import removeWithDisplay

_ROLE = "AnatomicalEmbedding.SamePlace"
_COLOUR = (0.31, 0.90, 1.0)


class PlaceMarker:
    """At most one per scene; hidden from lists, not saved, and not to be dragged."""

    def __init__(self, scene) -> None:
        self._scene = scene

    def show(self, volumeNode, position_ras, label: str, sliceNodes: list) -> None:
        """Put the point at a world position of a scan, under its transform, visible in these views only."""
        node = self._node() or self._addNode()
        with slicer.util.NodeModify(node):
            node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
            if node.GetNumberOfControlPoints() != 1:
                node.RemoveAllControlPoints()
                node.AddControlPointWorld(vtk.vtkVector3d(*position_ras), label)
            node.SetNthControlPointPositionWorld(0, vtk.vtkVector3d(*position_ras))
            node.SetNthControlPointLabel(0, label)
            node.SetNthControlPointLocked(0, True)
        displayNode = node.GetDisplayNode()
        # A display node without views is shown in all of them: in those of the other scan the place would be wrong.
        displayNode.SetViewNodeIDs([sliceNode.GetID() for sliceNode in sliceNodes])
        displayNode.SetVisibility(bool(sliceNodes))

    def hide(self) -> None:
        """Out of sight until it is shown again; without a point, nothing happens."""
        node = self._node()
        if node is not None:
            node.GetDisplayNode().SetVisibility(False)

    def remove(self) -> None:
        """Out of the scene; without a point, nothing happens."""
        node = self._node()
        if node is not None:
            removeWithDisplay(self._scene, node)

    def _node(self):
        for node in nodesOfClass(self._scene, "vtkMRMLMarkupsFiducialNode"):
            if node.GetAttribute(_ROLE):
                return node
        return None

    def _addNode(self):
        node = self._scene.CreateNodeByClass("vtkMRMLMarkupsFiducialNode")
        node.UnRegister(None)
        node.SetName("Same place")
        node.SetAttribute(_ROLE, "1")
        node.SetHideFromEditors(True)
        node.SetSaveWithScene(False)
        node.SetLocked(True)
        node = self._scene.AddNode(node)
        node.CreateDefaultDisplayNodes()
        node.GetDisplayNode().SetSaveWithScene(False)
        node.GetDisplayNode().SetSelectedColor(*_COLOUR)
        return node
