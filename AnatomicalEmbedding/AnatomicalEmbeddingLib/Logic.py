"""What the panel does, without the panel: embed a scan, ask it for anatomy, show the answer in the views."""

import hashlib
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import slicer
import slicer.util

from . import VolumeBridge
from .Navigation import Navigation
from .Overlay import HEAT_MAP, Overlay
from .Signal import Signal

# A registration may move and slightly stretch an embedded scan; more than this is another geometry.
_STRETCH = (0.8, 1.25)


class EmbeddingCancelled(RuntimeError):
    """The user stopped an embedding; the scene and earlier embeddings are as before."""


@dataclass
class _Embedded:
    """An explored scan: its map is in world RAS as the scan lay when it was embedded."""

    embeddingMap: Any
    explorer: Any
    ijk_to_world: np.ndarray
    voxelHash: str
    imageTime: int


class Logic:
    """Embeds scans of one scene and answers from the embeddings; every error is a RuntimeError in the user's words.

    Embeddings belong to the voxels: positions follow the scan when its transform is edited or hardened, and an
    embedding is refused once the voxels have changed or the scan was mirrored or stretched.

    `encode(volume, progress=, cancelled=)` returns an embedding map; `explore(embeddingMap)` returns an Explorer.
    """

    def __init__(
        self,
        scene,
        encode: Callable | None = None,
        explore: Callable | None = None,
        overlay: Overlay | None = None,
        navigation: Navigation | None = None,
    ) -> None:
        self._scene = scene
        self._encode = encode or _encode
        self._explore = explore or _explore
        self._overlay = overlay or Overlay(scene)
        self._navigation = navigation or Navigation(scene)
        self._embedded: dict[str, _Embedded] = {}
        self.embeddedChanged = Signal()
        tags = [
            scene.AddObserver(slicer.vtkMRMLScene.EndCloseEvent, _weak(self._onSceneClosed)),
            scene.AddObserver(slicer.vtkMRMLScene.NodeRemovedEvent, _weak(self._onNodeRemoved)),
        ]
        # A scene that dies in one garbage collection with its observer calls freed code: the observers must go first.
        self._stopObserving = weakref.finalize(self, _removeObservers, scene, tags)

    def cleanUp(self) -> None:
        """Stop observing the scene, when the panel goes away."""
        self._stopObserving()

    def embed(self, volumeNode, progress: Callable | None = None, cancelled: Callable | None = None):
        """Compute and keep the embedding map of a CT volume node; EmbeddingCancelled when `cancelled()` became true."""
        volume = VolumeBridge.volumeFromNode(volumeNode)
        nodeID, ijk_to_world = volumeNode.GetID(), VolumeBridge.ijkToWorld(volumeNode)
        # Taken before the long work: an edit during it then counts as a change of the scan.
        imageTime, voxelHash = volumeNode.GetImageData().GetMTime(), _voxelHash(volumeNode)
        try:
            embeddingMap = self._encode(volume, progress=progress, cancelled=cancelled)
            explorer = self._explore(embeddingMap)
        except Exception as error:
            if cancelled is not None and cancelled():
                raise EmbeddingCancelled(f'Stopped embedding "{volume.name}". Nothing was changed.') from error
            raise RuntimeError(_whyNotEmbedded(volume.name, error)) from error
        if self._scene.GetNodeByID(nodeID) is not volumeNode:
            raise RuntimeError(f'"{volume.name}" was removed from the scene while it was embedded.')
        self._embedded[nodeID] = _Embedded(embeddingMap, explorer, ijk_to_world, voxelHash, imageTime)
        self.embeddedChanged.emit()
        return embeddingMap

    def isEmbedded(self, volumeNode) -> bool:
        """True when `locate` and `describe` can answer for this scan as it is now."""
        try:
            self._current(volumeNode)
        except RuntimeError:
            return False
        return True

    def locate(self, volumeNode, text: str):
        """Ask where `text` is: places a point per hit, jumps to the best one, returns the Answer in world RAS.

        An answer without hits clears the points of the question before and leaves the views where they are.
        """
        embedded, motion = self._current(volumeNode)
        answer = _moved(_asked(embedded.explorer.locate, text), motion)
        if not (answer.found and answer.hits):
            self._navigation.clearHits()
            return answer
        name, scan = embedded.explorer.vocabulary.name, volumeNode.GetName()
        self._navigation.placeHits(
            [hit.position_ras for hit in answer.hits],
            [name(hit.concept_id) for hit in answer.hits],
            [f'asked "{answer.query}" in {scan}, confidence {hit.confidence:.0%}' for hit in answer.hits],
            volumeNode,
        )
        self._navigation.jumpTo(answer.hits[0].position_ras)
        return answer

    def describe(self, volumeNode, position_ras):
        """Name what lies at a world position: a Description; RuntimeError outside the embedded part of the scan."""
        embedded, motion = self._current(volumeNode)
        position_at_embedding = np.linalg.inv(motion) @ [*position_ras, 1.0]
        return _asked(embedded.explorer.describe, position_at_embedding[:3])

    def showColours(self, volumeNode, opacity: float = 0.5):
        """Show the position colours over the scan; returns the overlay node."""
        embedded, motion = self._current(volumeNode)
        rgba_kji = _asked(embedded.explorer.colours_kji)
        return self._overlay.showColours(volumeNode, rgba_kji, motion @ embedded.embeddingMap.ijk_to_ras, opacity)

    def showHeatMap(self, volumeNode, text: str, opacity: float = 0.6):
        """Show where `text` is probable and return the Answer; nothing found takes the last heat map away."""
        embedded, motion = self._current(volumeNode)
        probability_kji, answer = _asked(embedded.explorer.probability, text)
        answer = _moved(answer, motion)
        if answer.found:
            name = embedded.explorer.vocabulary.name
            title = " or ".join(dict.fromkeys(name(hit.concept_id) for hit in answer.hits))
            ijk_to_ras = motion @ embedded.embeddingMap.ijk_to_ras
            self._overlay.showHeatMap(volumeNode, probability_kji, ijk_to_ras, title, opacity=opacity)
        elif self._overlay.shown() == HEAT_MAP:
            self._overlay.hide()
        return answer

    def hideOverlay(self) -> None:
        """Give the slice views back what they showed before."""
        self._overlay.hide()

    def setOverlayOpacity(self, opacity: float) -> None:
        """Opacity 0..1 of the overlay that is shown."""
        self._overlay.setOpacity(opacity)

    def jumpTo(self, position_ras) -> None:
        """Move every slice view to a world position."""
        self._navigation.jumpTo(position_ras)

    def _current(self, volumeNode) -> tuple[_Embedded, np.ndarray]:
        """The embedding of a node, and the 4x4 motion of the scan in world since it was embedded."""
        if volumeNode is None:
            raise RuntimeError("No scan is selected. Select a CT volume first.")
        name = volumeNode.GetName()
        embedded = self._embedded.get(volumeNode.GetID())
        if embedded is None:
            raise RuntimeError(f'"{name}" is not embedded yet. Press Embed first.')
        imageData = volumeNode.GetImageData()
        # Hashing takes about a second for a large CT: only when VTK says that the voxels may have changed.
        if imageData is None or imageData.GetMTime() != embedded.imageTime:
            if imageData is None or _voxelHash(volumeNode) != embedded.voxelHash:
                raise RuntimeError(f'The voxels of "{name}" have changed since it was embedded. Embed it again.')
            embedded.imageTime = imageData.GetMTime()
        motion = VolumeBridge.ijkToWorld(volumeNode) @ np.linalg.inv(embedded.ijk_to_world)
        stretch = np.linalg.svd(motion[:3, :3], compute_uv=False)
        if np.linalg.det(motion[:3, :3]) <= 0 or stretch.min() < _STRETCH[0] or stretch.max() > _STRETCH[1]:
            raise RuntimeError(f'"{name}" was mirrored or stretched since it was embedded. Embed it again.')
        return embedded, motion

    def _onSceneClosed(self, _caller, _event) -> None:
        self._overlay.forget()
        self._embedded.clear()
        self.embeddedChanged.emit()

    def _onNodeRemoved(self, _caller, _event) -> None:
        removed = [nodeID for nodeID in self._embedded if self._scene.GetNodeByID(nodeID) is None]
        for nodeID in removed:
            del self._embedded[nodeID]
        if removed:
            self.embeddedChanged.emit()


def _weak(method: Callable) -> Callable:
    # A bound method would let the scene keep the Logic alive.
    reference = weakref.WeakMethod(method)

    def call(*arguments):
        alive = reference()
        if alive is not None:
            alive(*arguments)

    return call


def _removeObservers(scene, tags: list[int]) -> None:
    for tag in tags:
        scene.RemoveObserver(tag)


def _encode(volume, progress=None, cancelled=None):
    # Imported on use: torch is needed to embed only, and its absence must not keep the module from loading.
    from anatembed.checkpoint import load_checkpoint
    from anatembed.inference import embed

    return embed(volume, load_checkpoint(), progress=progress, cancelled=cancelled)


def _explore(embeddingMap):
    from anatembed.explorer import Explorer

    return Explorer(embeddingMap)


def _asked(question: Callable, *arguments):
    try:
        return question(*arguments)
    except (ValueError, OSError, MemoryError) as error:
        raise RuntimeError(f"The embedding cannot answer that: {error}") from error


def _whyNotEmbedded(name: str, error: Exception) -> str:
    if isinstance(error, ImportError) and error.name:
        package = error.name.split(".")[0]
        if package == "torch":
            return "PyTorch is not installed. Install the PyTorch extension, restart Slicer and embed again."
        return f"The Python package {package} is not installed. Press Embed again and agree to install it."
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return f'There is not enough memory to embed "{name}". Crop the volume or close other programs, and try again.'
    return f'"{name}" cannot be embedded: {error}'


def _moved(answer, motion: np.ndarray):
    hits = [replace(hit, position_ras=(motion @ [*hit.position_ras, 1.0])[:3]) for hit in answer.hits]
    return replace(answer, hits=hits)


def _voxelHash(volumeNode) -> str:
    array_kji = slicer.util.arrayFromVolume(volumeNode)
    digest = hashlib.sha256(f"{array_kji.shape}{array_kji.dtype}".encode())
    digest.update(np.ascontiguousarray(array_kji))
    return digest.hexdigest()
