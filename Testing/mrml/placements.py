"""Scans that lie in world in every way a volume can: flipped, oblique, sheared, under transforms."""

import numpy as np
import slicer.util
import vtk

SHAPE_KJI = (24, 40, 48)


def addScan(scene, ijk_to_ras, parent_to_world=None, array_kji=None, name="CT"):
    """A CT-like scalar volume node, optionally under a linear transform."""
    if array_kji is None:
        array_kji = np.full(SHAPE_KJI, 40, np.int16)
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(np.asarray(ijk_to_ras, float)))
    slicer.util.updateVolumeFromArray(node, array_kji)
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetAutoWindowLevel(False)
    node.GetDisplayNode().SetWindowLevel(400, 40)
    if parent_to_world is not None:
        node.SetAndObserveTransformNodeID(addTransform(scene, parent_to_world).GetID())
    return node


def addTransform(scene, matrix):
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Parent")
    node.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.asarray(matrix, float)))
    return node


def addBentTransform(scene):
    """A thin-plate spline that moves one corner: not linear."""
    points = np.array([[0, 0, 0], [90, 0, 0], [0, 90, 0], [0, 0, 90], [90, 90, 90]], float)
    source, target = vtk.vtkPoints(), vtk.vtkPoints()
    for point in points:
        source.InsertNextPoint(point)
        target.InsertNextPoint(point + (20 if point.all() else 0))
    spline = vtk.vtkThinPlateSplineTransform()
    spline.SetBasisToR()
    spline.SetSourceLandmarks(source)
    spline.SetTargetLandmarks(target)
    node = scene.AddNewNodeByClass("vtkMRMLTransformNode", "Bent")
    node.SetAndObserveTransformToParent(spline)
    return node


def affine(spacing_mm=(2.0, 2.0, 3.0), origin_ras=(-47.0, -39.0, -34.5), directions=((1, 0, 0), (0, 1, 0), (0, 0, 1))):
    """ijk_to_ras from spacing (i, j, k), the position of voxel (0, 0, 0) and directions as columns."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.asarray(directions, float) * np.asarray(spacing_mm)
    matrix[:3, 3] = origin_ras
    return matrix


def rotation(axis, degrees: float) -> np.ndarray:
    """4x4 rotation about a world axis through the origin."""
    transform = vtk.vtkTransform()
    transform.RotateWXYZ(degrees, *axis)
    return slicer.util.arrayFromVTKMatrix(transform.GetMatrix())


def translation(offset_ras) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, 3] = offset_ras
    return matrix


_TILT = np.eye(4)
_TILT[1, 2] = np.tan(np.radians(15))  # gantry tilt: slices slide along A

# name -> (ijk_to_ras of the node, parent_to_world or None)
PLACEMENTS = {
    "axis-aligned": (affine(), None),
    "flipped as DICOM": (affine(origin_ras=(47, 39, -34.5), directions=np.diag([-1, -1, 1])), None),
    "mirrored slice order": (affine(origin_ras=(-47, -39, 34.5), directions=np.diag([1, 1, -1])), None),
    "oblique": (rotation((1, 2, 3), 25) @ affine(), None),
    "anisotropic": (affine((1.0, 1.5, 5.0), (-23.5, -29.25, -57.5)), None),
    "off the origin": (affine(origin_ras=(400, -900, 1500)), None),
    "gantry tilt": (_TILT @ affine(), None),
    "shifted by a parent": (affine(), translation((30, -20, 45))),
    "turned by a parent": (affine(), translation((5, 60, -15)) @ rotation((0, 1, 1), 35)),
    "flipped and turned by a parent": (
        affine(origin_ras=(47, 39, -34.5), directions=np.diag([-1, -1, 1])),
        rotation((1, 0, 0), 90) @ translation((0, 10, 20)),
    ),
}
