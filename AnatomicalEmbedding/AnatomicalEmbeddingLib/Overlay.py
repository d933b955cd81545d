"""Colours and heat maps as the foreground of the slice views of one scan, and back to what the user had."""

from dataclasses import dataclass, replace

import slicer
import slicer.util

from . import VolumeBridge
from .SceneNodes import nodesOfClass

COLOURS = "colours"
HEAT_MAP = "heat map"
_ROLE = "AnatomicalEmbedding.Overlay"
_SCAN = "AnatomicalEmbedding.Scan"
_HEAT_COLOURS = "vtkMRMLColorTableNodeIron"


@dataclass(frozen=True)
class _Layers:
    """What a slice view showed before the overlay, as node ids; a background of None was not replaced."""

    background: str | None = None
    foreground: str | None = None
    foregroundOpacity: float = 0.0


class Overlay:
    """Keeps one colour volume and one heat map per scan in the scene, and shows one of them at a time.

    Only slice views that show the scan get its overlay: on another scan it would name the wrong anatomy.
    """

    def __init__(self, scene) -> None:
        self._scene = scene
        self._before: dict[str, _Layers] = {}

    def showColours(self, volumeNode, rgba_kji, ijk_to_ras, opacity: float = 0.5):
        """Show (K,J,I,4) uint8 RGBA, with its world affine, over a scan; returns the vector volume node."""
        node = self._find(volumeNode, COLOURS)
        if node is None:
            name = f"{volumeNode.GetName()} position colours"
            node = VolumeBridge.addColourVolume(self._scene, rgba_kji, ijk_to_ras, name, volumeNode)
            self._mark(node, volumeNode, COLOURS)
        else:
            slicer.util.updateVolumeFromArray(node, rgba_kji)
            VolumeBridge.placeInWorld(node, ijk_to_ras, volumeNode)
        displayNode = node.GetDisplayNode()
        # With automatic window and level (60, 120, 90) is shown as (0, 255, 129): the colours must pass unchanged.
        displayNode.SetAutoWindowLevel(False)
        displayNode.SetWindowLevelMinMax(0, 255)
        self._putInForeground(volumeNode, node, opacity)
        return node

    def showHeatMap(
        self, volumeNode, probability_kji, ijk_to_ras, title: str, threshold: float | None = None, opacity: float = 0.6
    ):
        """Show (K,J,I) probabilities 0..1 from `threshold` up over a scan, with a legend; returns the scalar node.

        Without a threshold it is 0.5, or half of the highest value where that is less: what was found is seen.
        """
        if threshold is None:
            threshold = min(0.5, float(probability_kji.max()) / 2)
        node = self._find(volumeNode, HEAT_MAP)
        if node is None:
            name = f"{volumeNode.GetName()} heat map"
            node = VolumeBridge.addScalarVolume(self._scene, probability_kji, ijk_to_ras, name, volumeNode)
            self._mark(node, volumeNode, HEAT_MAP)
        else:
            slicer.util.updateVolumeFromArray(node, probability_kji)
            VolumeBridge.placeInWorld(node, ijk_to_ras, volumeNode)
        displayNode = node.GetDisplayNode()
        displayNode.SetAndObserveColorNodeID(_HEAT_COLOURS)
        displayNode.SetAutoWindowLevel(False)
        displayNode.SetWindowLevelMinMax(0, 1)
        displayNode.SetAutoThreshold(False)
        displayNode.SetThreshold(threshold, 1)
        displayNode.SetApplyThreshold(True)
        self._putInForeground(volumeNode, node, opacity)
        # After the views have the volume: a legend that comes first is not drawn until something touches it.
        legendNode = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(node)
        legendNode.SetTitleText(title)
        legendNode.Modified()
        return node

    def shown(self) -> str | None:
        """COLOURS, HEAT_MAP or None: what the slice views show now."""
        for compositeNode in self._compositeNodes():
            role = self._roleOf(compositeNode.GetForegroundVolumeID())
            if role:
                return role
        return None

    def setOpacity(self, opacity: float) -> None:
        """0..1 in every view that shows an overlay; voxels keep their own alpha on top of it."""
        for compositeNode in self._compositeNodes():
            if self._roleOf(compositeNode.GetForegroundVolumeID()):
                compositeNode.SetForegroundOpacity(opacity)

    def hide(self) -> None:
        """Give every view back what it showed before; a layer that the user changed meanwhile stays."""
        for compositeNode in self._compositeNodes():
            scanNode = self._scanOf(compositeNode.GetForegroundVolumeID())
            if scanNode is None:
                continue
            # A scene that was saved with an overlay and loaded again has nothing to go back to.
            before = self._before.get(compositeNode.GetID(), _Layers())
            compositeNode.SetForegroundVolumeID(self._existing(before.foreground))
            compositeNode.SetForegroundOpacity(before.foregroundOpacity)
            if before.background and compositeNode.GetBackgroundVolumeID() == scanNode.GetID():
                compositeNode.SetBackgroundVolumeID(self._existing(before.background))
        self._before.clear()

    def forget(self) -> None:
        """Drop what was remembered about the views, for a scene that was closed."""
        self._before.clear()

    def _putInForeground(self, volumeNode, overlayNode, opacity: float) -> None:
        compositeNodes = [
            node for node in self._compositeNodes() if node.GetBackgroundVolumeID() == volumeNode.GetID()
        ] or self._compositeNodes()
        for compositeNode in compositeNodes:
            self._remember(compositeNode, volumeNode)
            compositeNode.SetBackgroundVolumeID(volumeNode.GetID())
            compositeNode.SetForegroundVolumeID(overlayNode.GetID())
            compositeNode.SetForegroundOpacity(opacity)

    def _remember(self, compositeNode, volumeNode) -> None:
        foreground, background = compositeNode.GetForegroundVolumeID(), compositeNode.GetBackgroundVolumeID()
        if self._roleOf(foreground):
            before = self._before.get(compositeNode.GetID(), _Layers())
        else:
            before = _Layers(foreground=foreground, foregroundOpacity=compositeNode.GetForegroundOpacity())
        if background != volumeNode.GetID():
            before = replace(before, background=background)
        self._before[compositeNode.GetID()] = before

    def _compositeNodes(self) -> list:
        return nodesOfClass(self._scene, "vtkMRMLSliceCompositeNode")

    def _find(self, volumeNode, role: str):
        for node in nodesOfClass(self._scene, "vtkMRMLScalarVolumeNode"):
            if node.GetAttribute(_ROLE) == role and node.GetNodeReferenceID(_SCAN) == volumeNode.GetID():
                return node
        return None

    def _mark(self, node, volumeNode, role: str) -> None:
        # A node reference, unlike an attribute, follows the scan when a saved scene is loaded under other node ids.
        node.SetAttribute(_ROLE, role)
        node.SetNodeReferenceID(_SCAN, volumeNode.GetID())

    def _roleOf(self, nodeID: str | None) -> str | None:
        node = self._scene.GetNodeByID(nodeID) if nodeID else None
        return node.GetAttribute(_ROLE) if node else None

    def _scanOf(self, overlayNodeID: str | None):
        node = self._scene.GetNodeByID(overlayNodeID) if self._roleOf(overlayNodeID) else None
        return node.GetNodeReference(_SCAN) if node else None

    def _existing(self, nodeID: str | None) -> str | None:
        return nodeID if nodeID and self._scene.GetNodeByID(nodeID) else None
