"""Found places as labelled points, and slice views that go there; everything in world RAS mm."""

import slicer

from .SceneNodes import nodesOfClass

_ROLE = "AnatomicalEmbedding.Hits"


class Navigation:
    """Shows the places of the last answer; one points list per scene, reused from question to question."""

    def __init__(self, scene) -> None:
        self._scene = scene

    def placeHits(self, positions_ras, labels, descriptions, volumeNode):
        """Replace the points by (N,3) world positions under the scan's parent transform; returns the markups node."""
        node = self._hitsNode() or self._addHitsNode()
        transformNode = volumeNode.GetParentTransformNode()
        wasModifying = node.StartModify()
        try:
            node.SetAndObserveTransformNodeID(transformNode.GetID() if transformNode else None)
            node.RemoveAllControlPoints()
            for position_ras, label, description in zip(positions_ras, labels, descriptions, strict=True):
                index = node.AddControlPointWorld([float(value) for value in position_ras], label)
                node.SetNthControlPointDescription(index, description)
                node.SetNthControlPointLocked(index, True)
        finally:
            node.EndModify(wasModifying)
        return node

    def clearHits(self) -> None:
        """Remove the points of the last answer; without any, nothing happens."""
        node = self._hitsNode()
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

    def _hitsNode(self):
        # By attribute, so that a reloaded scene's points are found again; the user may rename the node.
        for node in nodesOfClass(self._scene, "vtkMRMLMarkupsFiducialNode"):
            if node.GetAttribute(_ROLE):
                return node
        return None

    def _addHitsNode(self):
        node = self._scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "Found anatomy")
        node.SetAttribute(_ROLE, "1")
        node.CreateDefaultDisplayNodes()
        return node
