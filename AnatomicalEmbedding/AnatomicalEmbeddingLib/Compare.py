"""The same place in two scans: the views of one follow the cursor in the other, and a marker shows the place there."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import slicer
import slicer.util
import vtk

from . import VolumeBridge
from .Observing import Observers, weak
from .PlaceMarker import PlaceMarker
from .SceneNodes import nodesOfClass, shownIn
from .Signal import Signal

_SAME_PLACE_MM = 1e-3


@dataclass(frozen=True)
class PlaceThere:
    """Where a place of one scan lies in another, world RAS mm (3,); confidence: how well the way back agrees, 0..1."""

    position_ras: np.ndarray
    confidence: float


@dataclass(frozen=True)
class _Link:
    """Two linked scans by node id; an id, unlike a node, is safe to keep when the node is deleted."""

    nodeIDs: tuple[str, str]
    match: Callable

    def other(self, nodeID: str) -> str:
        return self.nodeIDs[1 - self.nodeIDs.index(nodeID)]


def placeThere(matcher, position_ras, motion=None, otherMotion=None) -> PlaceThere:
    """Ask a library `Matcher` about a world position; the 4x4 motions are those of the scans since their embedding."""
    motion, otherMotion = (np.eye(4) if m is None else np.asarray(m, float) for m in (motion, otherMotion))
    position_at_embedding = np.linalg.inv(motion) @ [*position_ras, 1.0]
    found = matcher(position_at_embedding[:3])
    position_there = otherMotion @ [*found.positions_ras[0], 1.0]
    return PlaceThere(position_there[:3], float(found.confidence[0]))


class Compare:
    """Links the cursor of two scans in a scene, in both directions, until `unlink`.

    `match(fromNode, position_ras, toNode)` returns a PlaceThere, all in world RAS mm, or raises RuntimeError where the
    place cannot be matched. `schedule(function)` runs a function once the application is idle; without it, at once.
    However fast the cursor moves, one match at most waits to be computed: that of where it is now.
    """

    def __init__(self, scene, schedule: Callable | None = None) -> None:
        self._scene = scene
        self._schedule = schedule or (lambda function: function())
        self._marker = PlaceMarker(scene)
        self._link: _Link | None = None
        self._waiting: tuple[str, tuple] | None = None
        self._scheduled = False
        self._jumping = False
        self._last: tuple[str, tuple] | None = None
        self._lastCrosshair = None
        self._lastFound: np.ndarray | None = None
        self._observers = Observers(self)
        # Emits the PlaceThere of the last move, or None where the cursor is at no place that can be matched.
        self.linked = Signal()

    def link(self, scanNode, otherNode, match: Callable) -> None:
        """Let the views of either scan follow the cursor in the views of the other one; replaces an earlier link."""
        if scanNode is None or otherNode is None:
            raise RuntimeError("Choose two scans to compare.")
        if scanNode is otherNode:
            raise RuntimeError(f'"{scanNode.GetName()}" cannot be compared with itself. Choose another second scan.')
        self.unlink()
        crosshairNode = self._scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        if crosshairNode is None:
            raise RuntimeError("This scene has no cross-hair to follow. Restart Slicer and try again.")
        self._link = _Link((scanNode.GetID(), otherNode.GetID()), match)
        self._observers.add(crosshairNode, slicer.vtkMRMLCrosshairNode.CursorPositionModifiedEvent, self._onCursor)
        self._observers.add(crosshairNode, vtk.vtkCommand.ModifiedEvent, self._onCrosshair)
        self._observers.add(self._scene, slicer.vtkMRMLScene.NodeRemovedEvent, self._onNodeRemoved)
        self._observers.add(self._scene, slicer.vtkMRMLScene.StartCloseEvent, self._onSceneClosed)
        self._lastCrosshair = crosshairNode.GetCrosshairRAS()

    def unlink(self) -> None:
        """Stop following and take the marker away; without a link, only the marker goes."""
        self._observers.removeAll()
        self._link = self._waiting = self._last = self._lastFound = None
        self._marker.remove()

    def findThere(self, scanNode, position_ras, otherNode, match: Callable) -> PlaceThere:
        """Mark the place in the other scan and centre its views there; RuntimeError where it cannot be matched."""
        place = match(scanNode, position_ras, otherNode)
        self._show(scanNode, otherNode, place, centred=True)
        return place

    def _onCursor(self, crosshairNode, _event) -> None:
        where, xyz = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]
        sliceNode = crosshairNode.GetCursorPositionXYZ(xyz)
        if sliceNode is None or not crosshairNode.GetCursorPositionRAS(where):
            return
        scanID = self._scanIn(sliceNode)
        if scanID is not None:
            self._follow(scanID, tuple(where))

    def _onCrosshair(self, crosshairNode, _event) -> None:
        where = crosshairNode.GetCrosshairRAS()
        if where == self._lastCrosshair:
            return  # its looks were changed
        self._lastCrosshair = where
        if self._lastFound is not None and _same(self._lastFound, where):
            return  # an echo: someone put the cross-hair where the last match was shown
        scanID = self._scanUnder(crosshairNode, where)
        if scanID is not None:
            self._follow(scanID, tuple(where))

    def _scanUnder(self, crosshairNode, where) -> str | None:
        """The scan that a new cross-hair position belongs to: that of the view under the cursor if it put it there,
        else the first one of the link that reaches so far."""
        cursor, xyz = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]
        sliceNode = crosshairNode.GetCursorPositionXYZ(xyz)
        if sliceNode is not None and crosshairNode.GetCursorPositionRAS(cursor) and _same(cursor, where):
            return self._scanIn(sliceNode)
        for nodeID in self._link.nodeIDs if self._link else ():
            if _contains(self._scene.GetNodeByID(nodeID), where):
                return nodeID
        return None

    def _follow(self, scanID: str, where: tuple) -> None:
        if self._jumping or self._link is None or (scanID, where) == self._last:
            return
        self._waiting = (scanID, where)
        if not self._scheduled:
            self._scheduled = True
            self._schedule(weak(self._matchWaiting))

    def _matchWaiting(self) -> None:
        self._scheduled = False
        waiting, self._waiting = self._waiting, None
        if waiting is None or self._link is None:
            return
        scanID, where = self._last = waiting
        scanNode, otherNode = (self._scene.GetNodeByID(one) for one in (scanID, self._link.other(scanID)))
        try:
            place = self._link.match(scanNode, np.array(where), otherNode)
        except RuntimeError:
            # The cursor is in the air, or beside the scan: there is nothing to follow, and that is no failure.
            self._marker.hide()
            self.linked.emit(None)
            return
        self._lastFound = place.position_ras
        self._show(scanNode, otherNode, place, centred=False)
        self.linked.emit(place)

    def _show(self, scanNode, otherNode, place: PlaceThere, centred: bool) -> None:
        there, together = self._viewsOf(otherNode), self._viewsOfBoth(scanNode, otherNode)
        self._jumping = True
        try:
            for sliceNode in there:
                _jump(sliceNode, place.position_ras, centred)
        finally:
            self._jumping = False
        label = f"same place ({int(100 * place.confidence)}% there and back)"
        self._marker.show(otherNode, place.position_ras, label, there or together)

    def _viewsOf(self, volumeNode) -> list:
        shown = volumeNode.GetID()
        return [self._sliceNode(c) for c in self._compositeNodes() if c.GetBackgroundVolumeID() == shown]

    def _viewsOfBoth(self, scanNode, otherNode) -> list:
        layers = scanNode.GetID(), otherNode.GetID()
        return [
            self._sliceNode(composite) for composite in self._compositeNodes()
            if (composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID()) == layers
        ]

    def _scanIn(self, sliceNode) -> str | None:
        """The linked scan that a view shows as its background."""
        shown = shownIn(self._scene, sliceNode)
        linked = self._link is not None and shown is not None and shown.GetID() in self._link.nodeIDs
        return shown.GetID() if linked else None

    def _compositeNodes(self) -> list:
        composites = nodesOfClass(self._scene, "vtkMRMLSliceCompositeNode")
        return [composite for composite in composites if self._sliceNode(composite) is not None]

    def _sliceNode(self, compositeNode):
        for sliceNode in nodesOfClass(self._scene, "vtkMRMLSliceNode"):
            if sliceNode.GetLayoutName() == compositeNode.GetLayoutName():
                return sliceNode
        return None

    def _onNodeRemoved(self, _caller, _event) -> None:
        if self._link is not None and any(self._scene.GetNodeByID(one) is None for one in self._link.nodeIDs):
            self.unlink()

    def _onSceneClosed(self, _caller, _event) -> None:
        self.unlink()


def _jump(sliceNode, position_ras, centred: bool) -> None:
    """Bring the plane of a view through a place, and the place into the view where it would be outside."""
    right, anterior, superior = (float(value) for value in position_ras)
    if not centred:
        sliceNode.JumpSliceByOffsetting(right, anterior, superior)
        ras_to_xy = np.linalg.inv(slicer.util.arrayFromVTKMatrix(sliceNode.GetXYToRAS()))
        x, y = (ras_to_xy @ [right, anterior, superior, 1.0])[:2]
        width, height = sliceNode.GetDimensions()[:2]
        centred = not (0 <= x < width and 0 <= y < height)
    if centred:
        sliceNode.JumpSliceByCentering(right, anterior, superior)


def _contains(volumeNode, position_ras) -> bool:
    if volumeNode is None or volumeNode.GetImageData() is None:
        return False
    try:
        ijk = (np.linalg.inv(VolumeBridge.ijkToWorld(volumeNode)) @ [*position_ras, 1.0])[:3]
    except RuntimeError:
        return False  # under a bent transform, where no place can be matched
    return bool((ijk >= -0.5).all() and (ijk <= np.array(volumeNode.GetImageData().GetDimensions()) - 0.5).all())


def _same(one, other) -> bool:
    return float(np.linalg.norm(np.subtract(one, other))) < _SAME_PLACE_MM
