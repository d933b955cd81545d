import numpy as np
import pytest

pytest.importorskip("slicer", reason="needs slicer-core")
import slicer
import slicer.util
from AnatomicalEmbeddingLib import VolumeBridge
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass
from web_demo.surfaces import add_surfaces, remove_surfaces

CENTRE = np.array([30.0, -50.0, 120.0])
RADIUS_MM = 40.0


def ball(ijk_to_ras, shape_kji=(60, 70, 80)):
    """HU (K,J,I) of a bone ball at CENTRE in air."""
    k, j, i = np.indices(shape_kji)
    positions = np.stack([i, j, k], -1) @ ijk_to_ras[:3, :3].T + ijk_to_ras[:3, 3]
    inside = np.linalg.norm(positions - CENTRE, axis=-1) < RADIUS_MM
    return np.where(inside, 800, -1000).astype(np.int16)


def around_the_centre(axes, shape_kji=(60, 70, 80)):
    affine = np.eye(4)
    affine[:3, :3] = axes
    middle = (np.array(shape_kji[::-1]) - 1) / 2
    affine[:3, 3] = CENTRE - axes @ middle
    return affine


def turned(degrees):
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])


PLACES = {
    "as in RAS": np.diag([2.0, 2.0, 2.0]),
    "flipped": np.diag([-2.0, -2.0, 2.0]),
    "thick slices": np.diag([1.5, 1.5, 3.0]) * [-1, 1, 1],
    "oblique": turned(25) @ np.diag([2.0, 2.2, 2.5]),
}


@pytest.mark.parametrize("where", PLACES)
def test_a_surface_lies_where_the_bone_lies(where):
    scene = slicer.vtkMRMLScene()
    affine = around_the_centre(PLACES[where])
    scan = VolumeBridge.addScalarVolume(scene, ball(affine), affine, "ball")
    bones, *_skin = add_surfaces(scene, scan, [])
    bounds = np.array(bones.GetPolyData().GetBounds()).reshape(3, 2)
    assert np.allclose(bounds.mean(1), CENTRE, atol=2.5)
    assert np.allclose(np.diff(bounds)[:, 0] / 2, RADIUS_MM, atol=6)


def test_a_parent_transform_moves_the_surface_with_the_scan():
    scene = slicer.vtkMRMLScene()
    affine = around_the_centre(PLACES["as in RAS"])
    scan = VolumeBridge.addScalarVolume(scene, ball(affine), affine, "ball")
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = np.eye(4)
    matrix[:3, 3] = 10, 20, 30
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    scan.SetAndObserveTransformNodeID(transform.GetID())
    bones, *_skin = add_surfaces(scene, scan, [])
    bounds = np.array(bones.GetPolyData().GetBounds()).reshape(3, 2)
    assert np.allclose(bounds.mean(1), CENTRE + [10, 20, 30], atol=2.5)


def test_air_has_no_surface_and_all_surfaces_can_be_taken_away():
    scene = slicer.vtkMRMLScene()
    affine = around_the_centre(PLACES["as in RAS"])
    air = VolumeBridge.addScalarVolume(scene, np.full((20, 20, 20), -1000, np.int16), affine, "air")
    assert add_surfaces(scene, air, []) == []
    scan = VolumeBridge.addScalarVolume(scene, ball(affine), affine, "ball")
    assert len(add_surfaces(scene, scan, [])) == 2
    remove_surfaces(scene)
    assert nodesOfClass(scene, "vtkMRMLModelNode") == []
