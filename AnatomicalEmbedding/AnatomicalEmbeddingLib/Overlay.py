"""One picture at a time over a scan, in the foreground of the slice views, and back to what the user had."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import slicer
import slicer.util

from . import ColourScales, VolumeBridge
from .SceneNodes import nodesOfClass
from .Trace import removeWithDisplay

COLOURS = "colours"
STRUCTURES = "structures"
UNCERTAINTY = "uncertainty"
HEAT_MAP = "heat map"
BORDER = "border"
NOTHING = -1.0
"""Value of a scalar voxel that is not painted."""
_ROLE = "AnatomicalEmbedding.Overlay"
_SCAN = "AnatomicalEmbedding.Scan"
# What a view showed before, kept on its composite node so that a saved scene knows it too.
_REMEMBERED = "AnatomicalEmbedding.Before"
_FOREGROUND = "AnatomicalEmbedding.BeforeForeground"
_BACKGROUND = "AnatomicalEmbedding.BeforeBackground"
_LEGEND_POINTS = 13
_HEAT_COLOURS = "vtkMRMLColorTableNodeIron"


@dataclass(frozen=True)
class _Look:
    """How a mode is painted: the name of its node, and whether colours are mixed between voxels."""

    name: str
    mixed: bool


_LOOKS = {
    COLOURS: _Look("position colours", True),
    # A mixture of the colours of two structures would be the colour of a third one.
    STRUCTURES: _Look("structure colours", False),
    HEAT_MAP: _Look("heat map", True),
    # Mixed with voxels that are not painted, the rim would run through the whole scale.
    UNCERTAINTY: _Look("uncertainty of names", False),
    BORDER: _Look("border", False),
}


class Overlay:
    """Keeps one volume per scan and mode in the scene, hidden from selectors, and shows one of them at a time.

    Only slice views that show the scan get its overlay: on another scan it would name the wrong anatomy. Arrays are
    (K,J,I,4) uint8 RGBA or (K,J,I) float, with the affine to world RAS mm.
    """

    def __init__(self, scene) -> None:
        self._scene = scene

    def showColours(self, volumeNode, rgba_kji, ijk_to_ras, opacity: float = 0.5):
        """Show the colours of the body position; returns the vector volume node."""
        return self._show(volumeNode, COLOURS, rgba_kji, ijk_to_ras, opacity)

    def showStructures(self, volumeNode, rgba_kji, ijk_to_ras, opacity: float = 0.5):
        """Show one colour per structure; returns the vector volume node."""
        return self._show(volumeNode, STRUCTURES, rgba_kji, ijk_to_ras, opacity)

    def showUncertainty(self, volumeNode, uncertainty_kji, ijk_to_ras, opacity: float = 0.5):
        """Show how unsure names are, 0..1, with a legend; NOTHING is not painted."""
        node = self._show(volumeNode, UNCERTAINTY, uncertainty_kji, ijk_to_ras, opacity)
        self._showLegend(node, "How unsure the name is")
        return node

    def showHeatMap(
        self, volumeNode, probability_kji, ijk_to_ras, title: str, threshold: float | None = None, opacity: float = 0.6
    ):
        """Show probabilities 0..1 from `threshold` up, with a legend; returns the scalar volume node.

        Without a threshold it is the automatic one.
        """
        if threshold is None:
            threshold = automaticThreshold(probability_kji)
        node = self._show(volumeNode, HEAT_MAP, probability_kji, ijk_to_ras, opacity)
        node.GetDisplayNode().SetThreshold(threshold, 1)
        self._showLegend(node, title)
        return node

    def setThreshold(self, threshold: float) -> None:
        """Paint heat maps from this probability up; other overlays stay as they are."""
        for node in self._overlayNodes():
            if node.GetAttribute(_ROLE) == HEAT_MAP:
                node.GetDisplayNode().SetThreshold(min(max(float(threshold), 0.0), 1.0), 1)

    def showBorder(self, volumeNode, first_kji, ijk_to_ras, title: str, opacity: float = 0.4):
        """Show how sure a place belongs to the first of two structures, 0..1, with a legend; NOTHING is not painted."""
        node = self._show(volumeNode, BORDER, first_kji, ijk_to_ras, opacity)
        self._showLegend(node, title)
        return node

    def shown(self) -> str | None:
        """The mode that the slice views show now, or None.

        A hidden node is left out when a scene is saved through Slicer's dialog: it comes back without voxels.
        """
        for compositeNode in self._compositeNodes():
            nodeID = compositeNode.GetForegroundVolumeID()
            role = self._roleOf(nodeID)
            if role and self._scene.GetNodeByID(nodeID).GetImageData() is not None:
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
            overlayID = compositeNode.GetForegroundVolumeID()
            if self._roleOf(overlayID):
                with slicer.util.NodeModify(compositeNode):
                    self._restore(compositeNode, self._scanOf(overlayID))
            _forget(compositeNode)
        self._updateLegends()

    def remove(self, mode: str) -> None:
        """Take the overlays of one mode out of the scene, and out of the views first."""
        if self.shown() == mode:
            self.hide()
        for node in self._overlayNodes():
            if node.GetAttribute(_ROLE) == mode:
                removeWithDisplay(self._scene, node)

    def forget(self) -> None:
        """Drop what was remembered about the views, for a scene that was closed."""
        for compositeNode in self._compositeNodes():
            _forget(compositeNode)

    def _show(self, volumeNode, mode: str, array, ijk_to_ras, opacity: float):
        coloured = mode in (COLOURS, STRUCTURES)
        if coloured and (array.ndim != 4 or array.shape[3] != 4 or array.dtype != np.uint8):
            raise ValueError(f"expected (K, J, I, 4) uint8, got {array.shape} {array.dtype}")
        if not coloured and array.ndim != 3:
            raise ValueError(f"expected (K, J, I), got {array.shape}")
        self.removeOrphans()
        node = self._find(volumeNode, mode)
        if node is None:
            add = VolumeBridge.addColourVolume if coloured else VolumeBridge.addScalarVolume
            name, mark = f"{volumeNode.GetName()} {_LOOKS[mode].name}", partial(_mark, volumeNode, mode)
            node = add(self._scene, array, ijk_to_ras, name, volumeNode, mark)
        else:
            slicer.util.updateVolumeFromArray(node, array)
            VolumeBridge.placeInWorld(node, ijk_to_ras, volumeNode)
            if node.GetDisplayNode() is None:
                node.CreateDefaultDisplayNodes()
        self._paint(node.GetDisplayNode(), mode)
        self._putInForeground(volumeNode, node, opacity)
        return node

    def _paint(self, displayNode, mode: str) -> None:
        displayNode.SetInterpolate(_LOOKS[mode].mixed)
        displayNode.SetAutoWindowLevel(False)
        if mode in (COLOURS, STRUCTURES):
            # With automatic window and level (60, 120, 90) is shown as (0, 255, 129): colours must pass unchanged.
            displayNode.SetWindowLevelMinMax(0, 255)
            return
        displayNode.SetAndObserveColorNodeID(self._scaleOf(mode))
        displayNode.SetWindowLevelMinMax(0, 1)
        displayNode.SetAutoThreshold(False)
        displayNode.SetThreshold(0, 1)
        displayNode.SetApplyThreshold(True)

    def _scaleOf(self, mode: str) -> str:
        if mode == HEAT_MAP:
            return _HEAT_COLOURS
        which = ColourScales.UNSURE if mode == UNCERTAINTY else ColourScales.BORDER
        return ColourScales.colourScale(self._scene, which).GetID()

    def _showLegend(self, node, title: str) -> None:
        # After the views have the volume: a legend that comes first is not drawn until something touches it.
        legendNode = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(node)
        legendNode.SetTitleText(title)
        legendNode.SetNumberOfLabels(3)
        legendNode.SetLabelFormat("%.1f")
        legendNode.GetTitleTextProperty().SetFontSize(_LEGEND_POINTS)
        legendNode.GetLabelTextProperty().SetFontSize(_LEGEND_POINTS)
        legendNode.Modified()

    def _updateLegends(self) -> None:
        """Legends of what the views show, and no others."""
        shown = {compositeNode.GetForegroundVolumeID() for compositeNode in self._compositeNodes()}
        for node in self._overlayNodes():
            legendNode = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(node)
            if legendNode is not None:
                legendNode.SetVisibility(node.GetID() in shown)

    def _putInForeground(self, volumeNode, overlayNode, opacity: float) -> None:
        compositeNodes = [
            node for node in self._compositeNodes() if node.GetBackgroundVolumeID() == volumeNode.GetID()
        ] or self._compositeNodes()
        for compositeNode in compositeNodes:
            with slicer.util.NodeModify(compositeNode):
                self._remember(compositeNode, volumeNode)
                compositeNode.SetBackgroundVolumeID(volumeNode.GetID())
                compositeNode.SetForegroundVolumeID(overlayNode.GetID())
                compositeNode.SetForegroundOpacity(opacity)
        self._updateLegends()

    def _remember(self, compositeNode, volumeNode) -> None:
        foreground, background = compositeNode.GetForegroundVolumeID(), compositeNode.GetBackgroundVolumeID()
        if not self._roleOf(foreground):
            _forget(compositeNode)
            compositeNode.SetNodeReferenceID(_FOREGROUND, foreground)
            compositeNode.SetAttribute(_REMEMBERED, str(compositeNode.GetForegroundOpacity()))
        if background != volumeNode.GetID():
            compositeNode.SetNodeReferenceID(_BACKGROUND, background)

    def _restore(self, compositeNode, scanNode) -> None:
        compositeNode.SetForegroundVolumeID(self._existing(compositeNode.GetNodeReferenceID(_FOREGROUND)))
        compositeNode.SetForegroundOpacity(float(compositeNode.GetAttribute(_REMEMBERED) or 0))
        background = compositeNode.GetNodeReferenceID(_BACKGROUND)
        if background and scanNode is not None and compositeNode.GetBackgroundVolumeID() == scanNode.GetID():
            compositeNode.SetBackgroundVolumeID(self._existing(background))

    def removeOrphans(self) -> None:
        """Take away the overlays that a deleted scan has left behind."""
        for node in self._overlayNodes():
            if node.GetNodeReference(_SCAN) is None:
                removeWithDisplay(self._scene, node)

    def _compositeNodes(self) -> list:
        return nodesOfClass(self._scene, "vtkMRMLSliceCompositeNode")

    def _overlayNodes(self) -> list:
        return [node for node in nodesOfClass(self._scene, "vtkMRMLScalarVolumeNode") if node.GetAttribute(_ROLE)]

    def _find(self, volumeNode, mode: str):
        for node in self._overlayNodes():
            if node.GetAttribute(_ROLE) == mode and node.GetNodeReferenceID(_SCAN) == volumeNode.GetID():
                return node
        return None

    def _roleOf(self, nodeID: str | None) -> str | None:
        node = self._scene.GetNodeByID(nodeID) if nodeID else None
        return node.GetAttribute(_ROLE) if node else None

    def _scanOf(self, overlayNodeID: str | None):
        node = self._scene.GetNodeByID(overlayNodeID) if self._roleOf(overlayNodeID) else None
        return node.GetNodeReference(_SCAN) if node else None

    def _existing(self, nodeID: str | None) -> str | None:
        return nodeID if nodeID and self._scene.GetNodeByID(nodeID) else None


def automaticThreshold(probability_kji) -> float:
    """0.5, or half of the highest value where that is less: what was found is seen."""
    return min(0.5, float(probability_kji.max()) / 2)


def _mark(volumeNode, mode: str, node) -> None:
    node.SetAttribute(_ROLE, mode)
    # A node reference, unlike an attribute, follows the scan when a saved scene is loaded under other node ids.
    node.SetNodeReferenceID(_SCAN, volumeNode.GetID())
    node.SetHideFromEditors(True)  # it is no scan that one could embed


def _forget(compositeNode) -> None:
    compositeNode.RemoveAttribute(_REMEMBERED)
    compositeNode.SetNodeReferenceID(_FOREGROUND, None)
    compositeNode.SetNodeReferenceID(_BACKGROUND, None)
