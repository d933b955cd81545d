"""The name of what is under the mouse in a slice view, live."""

import slicer

from .SceneNodes import shownIn
from .Signal import Signal


class Cursor:
    """Follows the scene's crosshair node; `named(description, position_ras)` with a None description where there is
    nothing to say: no scan under the mouse, a place outside it, or an embedding that does not hold any more.

    `describe(volumeNode, position_ras)` raises RuntimeError where it cannot tell. A view that shows another scan for
    which `isEmbedded(volumeNode)` is true is named by that scan: two patients share no anatomy at a place of the world.
    """

    def __init__(self, scene, describe, isEmbedded) -> None:
        self._scene, self._describe, self._isEmbedded = scene, describe, isEmbedded
        self._scan = None
        self._observed = None
        self.named = Signal()

    def follow(self, volumeNode) -> None:
        """Name what is under the mouse in this scan from now on; None stops it."""
        self.stop()
        crosshairNode = self._scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        if volumeNode is None or crosshairNode is None:
            return
        self._scan = volumeNode
        event = slicer.vtkMRMLCrosshairNode.CursorPositionModifiedEvent
        self._observed = crosshairNode, crosshairNode.AddObserver(event, self._onMoved)

    def stop(self) -> None:
        """Follow nothing."""
        if self._observed is not None:
            crosshairNode, tag = self._observed
            crosshairNode.RemoveObserver(tag)
        self._scan = self._observed = None

    def _onMoved(self, crosshairNode, _event) -> None:
        position_ras = [0.0, 0.0, 0.0]
        if not crosshairNode.GetCursorPositionRAS(position_ras) or self._scan.GetScene() is None:
            self.named.emit(None, tuple(position_ras))
            return
        try:
            description = self._describe(self._scanUnder(crosshairNode), position_ras)
        except RuntimeError:  # outside the scan, or no longer embedded: the panel says so elsewhere
            description = None
        self.named.emit(description, tuple(position_ras))

    def _scanUnder(self, crosshairNode):
        """The embedded scan that the view under the mouse shows, else the one that is followed."""
        sliceNode = crosshairNode.GetCursorPositionXYZ([0.0, 0.0, 0.0])
        shown = shownIn(self._scene, sliceNode) if sliceNode is not None else None
        return shown if shown is not None and self._isEmbedded(shown) else self._scan
