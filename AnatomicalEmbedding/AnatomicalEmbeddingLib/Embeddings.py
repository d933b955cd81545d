"""Which scans of the scene are embedded, and whether that still holds for the scan as it is now."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import slicer.util
from anatembed.scan.volume import content_hash, voxel_hash

from . import VolumeBridge

# A registration may move and slightly stretch an embedded scan; more than this is another geometry.
_STRETCH = (0.8, 1.25)
# On the scan node, so that a saved scene finds its maps again: key of the map, hash of the voxels, place at embedding.
_MAP, _VOXELS, _PLACE = (f"AnatomicalEmbedding.{name}" for name in ("Map", "Voxels", "IJKToWorld"))


@dataclass(frozen=True)
class Snapshot:
    """A scan as it is when its embedding begins: an edit during the work then counts as a change of the scan."""

    volumeNode: Any
    nodeID: str
    volume: Any
    ijk_to_world: np.ndarray
    voxelHash: str
    key: str
    imageTime: int


@dataclass
class Embedded:
    """An explored scan: its map is in world RAS as the scan lay when it was embedded."""

    embeddingMap: Any
    explorer: Any
    ijk_to_world: np.ndarray
    voxelHash: str
    imageTime: int


class Embeddings:
    """The embeddings of one scene's scans; every error is a RuntimeError in the user's words.

    `explore(embeddingMap)` returns an Explorer and raises ValueError for another model's map; `findMap(key)` returns a
    map that was kept outside the scene, or None.
    """

    def __init__(self, scene, explore: Callable, findMap: Callable) -> None:
        self._scene, self._explore, self._findMap = scene, explore, findMap
        self._embedded: dict[str, Embedded] = {}
        self._lost: dict[str, str] = {}

    @staticmethod
    def snapshot(volumeNode) -> Snapshot:
        """A copy of a scan to be embedded."""
        volume = VolumeBridge.volumeFromNode(volumeNode)
        imageTime = volumeNode.GetImageData().GetMTime()
        ijk_to_world = VolumeBridge.ijkToWorld(volumeNode)
        voxels = voxel_hash(volume.array_kji)  # once: it takes a while for a large scan, and the window waits
        key = content_hash(voxels, volume.ijk_to_ras)
        return Snapshot(volumeNode, volumeNode.GetID(), volume, ijk_to_world, voxels, key, imageTime)

    def keep(self, snapshot: Snapshot, embeddingMap) -> None:
        """Take over the finished map of a snapshot; RuntimeError if its scan has left the scene."""
        if self._scene.GetNodeByID(snapshot.nodeID) is not snapshot.volumeNode:
            raise RuntimeError(f'"{snapshot.volume.name}" was removed from the scene while it was embedded.')
        explorer = self._explore(embeddingMap)
        place, voxels, time = snapshot.ijk_to_world, snapshot.voxelHash, snapshot.imageTime
        self._lost.pop(snapshot.nodeID, None)
        self._embedded[snapshot.nodeID] = Embedded(embeddingMap, explorer, place, voxels, time)
        marks = {_MAP: snapshot.key, _VOXELS: voxels, _PLACE: " ".join(repr(float(x)) for x in place.ravel())}
        for name, value in marks.items():
            snapshot.volumeNode.SetAttribute(name, value)

    def forget(self) -> None:
        """Drop all embeddings."""
        self._embedded.clear()
        self._lost.clear()

    def forgetRemoved(self) -> bool:
        """Drop the embeddings of scans that have left the scene; whether there was one."""
        gone = [nodeID for nodeID in self._embedded if self._scene.GetNodeByID(nodeID) is None]
        for nodeID in gone:
            del self._embedded[nodeID]
        return bool(gone)

    def current(self, volumeNode) -> tuple[Embedded, np.ndarray]:
        """The embedding of a scan, and the 4x4 motion of the scan in world since it was embedded.

        RuntimeError when there is none, or when the voxels have changed or the scan was mirrored or stretched since.
        """
        if volumeNode is None:
            raise RuntimeError("No scan is selected. Select a CT volume first.")
        name = volumeNode.GetName()
        embedded = self._embedded.get(volumeNode.GetID()) or self._restored(volumeNode)
        if embedded is None:
            raise RuntimeError(f'"{name}" is not embedded yet. Press Embed first.')
        imageData = volumeNode.GetImageData()
        # Hashing takes about a second for a large CT: only when VTK says that the voxels may have changed.
        if imageData is None or imageData.GetMTime() != embedded.imageTime:
            if imageData is None or voxel_hash(slicer.util.arrayFromVolume(volumeNode)) != embedded.voxelHash:
                raise RuntimeError(f'The voxels of "{name}" have changed since it was embedded. Embed it again.')
            embedded.imageTime = imageData.GetMTime()
        motion = VolumeBridge.ijkToWorld(volumeNode) @ np.linalg.inv(embedded.ijk_to_world)
        stretch = np.linalg.svd(motion[:3, :3], compute_uv=False)
        if np.linalg.det(motion[:3, :3]) <= 0 or stretch.min() < _STRETCH[0] or stretch.max() > _STRETCH[1]:
            raise RuntimeError(f'"{name}" was mirrored or stretched since it was embedded. Embed it again.')
        return embedded, motion

    def _restored(self, volumeNode) -> Embedded | None:
        """The embedding that a saved scene refers to, if its map still exists and is of the model in use."""
        key, voxels, place = (volumeNode.GetAttribute(name) for name in (_MAP, _VOXELS, _PLACE))
        inScene = self._scene.GetNodeByID(volumeNode.GetID()) is volumeNode
        if not (inScene and key and voxels and place) or self._lost.get(volumeNode.GetID()) == key:
            return None
        embeddingMap = self._findMap(key)
        if embeddingMap is None:  # remembered: the panel asks often
            self._lost[volumeNode.GetID()] = key
            return None
        ijk_to_world = np.array([float(word) for word in place.split()]).reshape(4, 4)
        embedded = Embedded(embeddingMap, self._explore(embeddingMap), ijk_to_world, voxels, -1)
        self._embedded[volumeNode.GetID()] = embedded
        return embedded
