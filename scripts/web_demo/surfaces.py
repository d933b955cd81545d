"""Bones and skin of a CT as surfaces for the 3D view: without a graphics card they are far quicker than rays."""

import numpy as np
import slicer
import slicer.util
import vtk
from AnatomicalEmbeddingLib import VolumeBridge
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass
from vtk.util import numpy_support

_BONE_HU, _SKIN_HU, _AIR_HU = 180.0, -300.0, -1024.0
_COARSE_MM = 6.0
_ROLE = "AnatomicalEmbedding.WebSurface"


def add_surfaces(scene, scan, view_ids: list[str]) -> list:
    """Model nodes with the bones and the skin of a scan; those without any surface are left out."""
    array_kji = slicer.util.arrayFromVolume(scan)
    ijk_to_world = VolumeBridge.ijkToWorld(scan)
    coarse, to_world = _coarse(array_kji, ijk_to_world)
    looks = (("bones", _BONE_HU, (0.93, 0.89, 0.78), 1.0), ("skin", _SKIN_HU, (0.80, 0.62, 0.52), 0.18))
    nodes = []
    for name, level, colour, opacity in looks:
        surface = _surface(coarse, level, to_world)
        if surface.GetNumberOfCells():
            nodes.append(_add(scene, surface, f"{scan.GetName()}, {name}", colour, opacity, view_ids))
    return nodes


def remove_surfaces(scene) -> None:
    """Take all of them away."""
    for node in nodesOfClass(scene, "vtkMRMLModelNode"):
        if node.GetAttribute(_ROLE):
            scene.RemoveNode(node)


def _coarse(array_kji: np.ndarray, ijk_to_world: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The scan (K,J,I) float32 as means of blocks of about _COARSE_MM, and the affine of those."""
    steps_ijk = np.maximum(1, np.round(_COARSE_MM / np.linalg.norm(ijk_to_world[:3, :3], axis=0))).astype(int)
    k, j, i = steps_ijk[::-1]
    counts = [size // step for size, step in zip(array_kji.shape, (k, j, i), strict=True)]
    whole = array_kji[: counts[0] * k, : counts[1] * j, : counts[2] * i]
    blocks = whole.reshape(counts[0], k, counts[1], j, counts[2], i)
    block_to_ijk = np.diag([*steps_ijk, 1.0])
    block_to_ijk[:3, 3] = (steps_ijk - 1) / 2
    return blocks.mean((1, 3, 5), dtype=np.float32), ijk_to_world @ block_to_ijk


def _surface(array_kji: np.ndarray, level: float, ijk_to_world: np.ndarray):
    """vtkPolyData in world, closed at the ends of the scan."""
    closed = np.pad(array_kji, 1, constant_values=_AIR_HU)
    image = vtk.vtkImageData()
    image.SetDimensions(*reversed(closed.shape))
    image.SetOrigin(-1, -1, -1)
    image.GetPointData().SetScalars(numpy_support.numpy_to_vtk(closed.ravel(), deep=True))
    contour = vtk.vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, level)
    contour.ComputeNormalsOff()
    contour.ComputeScalarsOff()
    contour.Update()
    smooth = vtk.vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(contour.GetOutputPort())
    smooth.SetNumberOfIterations(10)
    move = vtk.vtkTransform()
    move.SetMatrix(slicer.util.vtkMatrixFromArray(ijk_to_world))
    transform = vtk.vtkTransformPolyDataFilter()
    transform.SetInputConnection(smooth.GetOutputPort())
    transform.SetTransform(move)
    normals = vtk.vtkPolyDataNormals()
    normals.SetInputConnection(transform.GetOutputPort())
    normals.SplittingOff()
    normals.ConsistencyOff()
    normals.Update()
    return normals.GetOutput()


def _add(scene, surface, name: str, colour, opacity: float, view_ids: list[str]):
    node = scene.CreateNodeByClass("vtkMRMLModelNode")
    node.UnRegister(None)
    node.SetName(name)
    node.SetAttribute(_ROLE, "1")
    node.SetHideFromEditors(True)
    node.SetAndObservePolyData(surface)
    display = scene.AddNewNodeByClass("vtkMRMLModelDisplayNode")
    display.SetScalarVisibility(False)
    display.SetColor(*colour)
    display.SetOpacity(opacity)
    display.SetVisibility2D(False)
    display.SetViewNodeIDs(view_ids)
    node.SetAndObserveDisplayNodeID(display.GetID())
    return scene.AddNode(node)
