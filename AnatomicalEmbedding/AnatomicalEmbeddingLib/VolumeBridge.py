"""MRML volume nodes to the library's arrays and affines, and back.

The library knows one frame, world RAS in mm. A node under a linear parent transform T has
world = T @ ijk_to_ras(node), so:
- going in, T is applied: positions that the library returns are world positions;
- coming back, the new node is put under the same parent and its own matrix is inverse(T) @ ijk_to_ras(world):
  it lies right in world, and it stays with the scan when T is edited later.
"""

from collections.abc import Callable

import numpy as np
import slicer
import slicer.util
import vtk
from anatembed.scan.volume import Volume


def parentToWorld(node) -> np.ndarray:
    """4x4 float64 matrix of all parent transforms of a node; RuntimeError when one of them is not linear."""
    transformNode = node.GetParentTransformNode()
    if transformNode is None:
        return np.eye(4)
    if not transformNode.IsTransformToWorldLinear():
        raise RuntimeError(
            f'"{node.GetName()}" is under the non-linear transform "{transformNode.GetName()}". '
            "Harden that transform on the volume, or take the volume out of it, and try again."
        )
    matrix = vtk.vtkMatrix4x4()
    transformNode.GetMatrixTransformToWorld(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix).astype(np.float64)


def ijkToWorld(volumeNode) -> np.ndarray:
    """4x4 float64, voxel centre (i, j, k) to world RAS mm, with the parent transforms applied."""
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    return parentToWorld(volumeNode) @ slicer.util.arrayFromVTKMatrix(matrix)


def modalityOf(volumeNode) -> str:
    """DICOM modality ("CT", "MR", ...) from the node's or its subject hierarchy item's attribute, else "unknown"."""
    modality = volumeNode.GetAttribute("DICOM.Modality")
    scene = volumeNode.GetScene()
    if not modality and scene is not None:
        # Not GetSubjectHierarchyNode(scene), which adds one to a scene that has none: looking must change nothing.
        hierarchy = scene.GetFirstNodeByClass("vtkMRMLSubjectHierarchyNode")
        item = hierarchy.GetItemByDataNode(volumeNode) if hierarchy else 0
        modality = hierarchy.GetItemAttribute(item, "DICOM.Modality") if item else ""
    return modality.strip().upper() if modality else "unknown"


def volumeFromNode(volumeNode) -> Volume:
    """A copy of a scalar volume node as a Volume in world RAS; RuntimeError in the user's words when it is unusable."""
    if volumeNode is None:
        raise RuntimeError("No scan is selected. Select a CT volume first.")
    name = volumeNode.GetName()
    if volumeNode.IsA("vtkMRMLLabelMapVolumeNode") or volumeNode.IsA("vtkMRMLVectorVolumeNode"):
        raise RuntimeError(f'"{name}" is a label map or a colour image. Select the CT volume itself.')
    if volumeNode.GetImageData() is None or volumeNode.GetImageData().GetPointData().GetScalars() is None:
        raise RuntimeError(f'"{name}" has no voxels. Select a volume that is loaded.')
    try:
        # A copy: the library must not see voxels that the user edits meanwhile.
        array_kji = np.array(slicer.util.arrayFromVolume(volumeNode))
        return Volume(array_kji, ijkToWorld(volumeNode), modalityOf(volumeNode), name)
    except ValueError as error:
        raise RuntimeError(f'"{name}" cannot be read as a scan: {error}') from error


def addColourVolume(scene, rgba_kji, ijk_to_ras, name: str, parentOf=None, mark: Callable | None = None):
    """New vtkMRMLVectorVolumeNode from (K,J,I,4) uint8 and a world affine, under the parent transform of `parentOf`.

    `mark(node)` is called before the scene, and whoever listens to it, sees the node.
    """
    if rgba_kji.ndim != 4 or rgba_kji.shape[3] != 4 or rgba_kji.dtype != np.uint8:
        raise ValueError(f"expected (K, J, I, 4) uint8, got {rgba_kji.shape} {rgba_kji.dtype}")
    node = _addVolume(scene, "vtkMRMLVectorVolumeNode", rgba_kji, ijk_to_ras, name, parentOf, mark)
    node.SetVoxelVectorType(slicer.vtkMRMLVolumeNode.VoxelVectorTypeColorRGBA)
    return node


def addScalarVolume(scene, array_kji, ijk_to_ras, name: str, parentOf=None, mark: Callable | None = None):
    """New vtkMRMLScalarVolumeNode from (K,J,I) and a world affine, under the parent transform of `parentOf`; `mark` as
    for `addColourVolume`."""
    if array_kji.ndim != 3:
        raise ValueError(f"expected (K, J, I), got {array_kji.shape}")
    return _addVolume(scene, "vtkMRMLScalarVolumeNode", array_kji, ijk_to_ras, name, parentOf, mark)


def placeInWorld(node, ijk_to_ras, parentOf=None) -> None:
    """Put a volume node under the parent transform of `parentOf`, so that its voxels lie at `ijk_to_ras` in world."""
    parent_to_world = np.eye(4) if parentOf is None else parentToWorld(parentOf)
    transformNode = None if parentOf is None else parentOf.GetParentTransformNode()
    ijk_to_parent = np.linalg.inv(parent_to_world) @ np.asarray(ijk_to_ras, dtype=np.float64)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(ijk_to_parent))
    node.SetAndObserveTransformNodeID(transformNode.GetID() if transformNode else None)


def _addVolume(scene, className, array, ijk_to_ras, name, parentOf, mark):
    # Fill the node before the scene sees it: a failure leaves nothing behind, and the views update once.
    node = scene.CreateNodeByClass(className)
    node.UnRegister(None)
    node.SetName(scene.GetUniqueNameByString(name))
    slicer.util.updateVolumeFromArray(node, array)
    placeInWorld(node, ijk_to_ras, parentOf)
    if mark is not None:
        mark(node)
    scene.AddNode(node)
    node.CreateDefaultDisplayNodes()
    return node
