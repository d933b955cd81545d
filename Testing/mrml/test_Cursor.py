"""The live name under the mouse."""

import numpy as np
import pytest
import slicer.util
from AnatomicalEmbeddingLib.Cursor import Cursor
from placements import addScan, affine


@pytest.fixture
def crosshair(scene):
    return scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")


@pytest.fixture
def said(scene, scan):
    """What the cursor said about the scan; the describer knows only the right half of the world."""

    def describe(volumeNode, position_ras):
        if position_ras[0] < 0:
            raise RuntimeError("outside the scan")
        return f"{volumeNode.GetName()} at {position_ras[0]:.0f}"

    cursor, heard = Cursor(scene, describe, lambda volumeNode: volumeNode.GetName() == "Prior"), []
    cursor.named.connect(lambda description, position_ras: heard.append((description, position_ras)))
    cursor.follow(scan)
    return cursor, heard


def test_the_place_under_the_mouse_is_named_as_it_moves(said, crosshair):
    _, heard = said
    for right in (10, 25):
        crosshair.SetCursorPositionRAS((right, -4, 7))
    assert heard == [("CT at 10", (10, -4, 7)), ("CT at 25", (25, -4, 7))]


def test_outside_the_scan_nothing_is_said(said, crosshair):
    _, heard = said
    crosshair.SetCursorPositionRAS((-10, 0, 0))
    assert heard == [(None, (-10, 0, 0))]


def test_without_a_mouse_in_a_view_nothing_is_said(said, crosshair):
    _, heard = said
    crosshair.SetCursorPositionInvalid()
    assert [description for description, _ in heard] == [None]


def test_a_scan_that_was_removed_is_no_longer_asked(said, crosshair, scene, scan):
    _, heard = said
    scene.RemoveNode(scan)
    crosshair.SetCursorPositionRAS((10, 0, 0))
    assert heard == [(None, (10, 0, 0))]


def test_another_scan_takes_over_and_none_ends_it(said, crosshair, scene):
    cursor, heard = said
    cursor.follow(addScan(scene, affine(), name="Prior"))
    crosshair.SetCursorPositionRAS((5, 0, 0))
    cursor.follow(None)
    crosshair.SetCursorPositionRAS((6, 0, 0))
    assert [description for description, _ in heard] == ["Prior at 5"]
    np.testing.assert_allclose(heard[0][1], (5, 0, 0))


@pytest.mark.parametrize(("shown", "named"), [("Prior", "Prior"), ("PET", "CT"), ("CT", "CT")])
def test_a_view_is_named_by_the_embedded_scan_that_it_shows(said, crosshair, scene, scan, axial, shown, named):
    nodes = {"CT": scan} | {name: addScan(scene, affine(), name=name) for name in ("Prior", "PET")}
    axial.show(nodes[shown])
    axial.sliceNode.JumpSliceByCentering(10, -4, 7)
    xyz = np.linalg.inv(slicer.util.arrayFromVTKMatrix(axial.sliceNode.GetXYToRAS())) @ [10, -4, 7, 1]
    crosshair.SetCursorPositionXYZ(list(xyz[:3]), axial.sliceNode)
    assert said[1][-1][0] == f"{named} at 10"
