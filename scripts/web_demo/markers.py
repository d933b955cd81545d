"""How places look in the slice views of the page: a ring that leaves what it marks free, and one label that can be read
over anything."""

import numpy as np
import slicer.util
import vtk
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass

RING_PIXELS = 9.0
_TEXT_SCALE, _DOT_SCALE = 2.6, 0.4
_POINTS = 48
_NEAR_MM = 0.5
"""How far beside half a slice a place may lie to be marked in it."""
_UNDER, _OVER = ((0.0, 0.0, 0.0), 4.0), ((1.0, 0.45, 0.75), 2.0)
"""Colour and width in pixels of the two lines of a ring: dark around light is seen on any grey."""


class Rings:
    """Draws a ring around every place of the scene in the slice views that show it."""

    def __init__(self, scene) -> None:
        self._scene = scene

    def watch(self, view) -> None:
        """Draw rings in a view from now on; they are brought up to date before every picture."""
        lines = vtk.vtkPolyData()
        mapper = vtk.vtkPolyDataMapper2D()
        mapper.SetInputData(lines)
        for colour, width in (_UNDER, _OVER):
            actor = vtk.vtkActor2D()
            actor.SetMapper(mapper)
            actor.GetProperty().SetColor(*colour)
            actor.GetProperty().SetLineWidth(width)
            view.renderer().AddViewProp(actor)
        view.renderer().AddObserver("StartEvent", lambda _caller, _event: self._update(view, lines))

    def dress(self) -> None:
        """Give every list of places a label with a dark ground, and no dot that hides the place."""
        for node in self._lists():
            display = node.GetDisplayNode()
            if display is not None and display.GetGlyphScale() != _DOT_SCALE:
                _dress(display)

    def _update(self, view, lines) -> None:
        points, cells = vtk.vtkPoints(), vtk.vtkCellArray()
        for x, y in self._places(view):
            cells.InsertNextCell(_POINTS + 1)
            first = points.GetNumberOfPoints()
            for angle in np.linspace(0, 2 * np.pi, _POINTS, endpoint=False):
                points.InsertNextPoint(x + RING_PIXELS * np.cos(angle), y + RING_PIXELS * np.sin(angle), 0.0)
            for index in [*range(_POINTS), 0]:
                cells.InsertCellPoint(first + index)
        lines.SetPoints(points)
        lines.SetLines(cells)

    def _places(self, view) -> list[tuple[float, float]]:
        """Pixels of the places that lie in the slice of a view."""
        slice_node = view.get_view_node()
        to_xy = np.linalg.inv(slicer.util.arrayFromVTKMatrix(slice_node.GetXYToRAS()))
        slice_to_ras = slicer.util.arrayFromVTKMatrix(slice_node.GetSliceToRAS())
        reach = view.get_slice_step() / 2 + _NEAR_MM
        found = []
        for node in self._lists():
            display = node.GetDisplayNode()
            if display is None or not display.GetVisibility() or not display.IsDisplayableInView(slice_node.GetID()):
                continue
            for index in range(node.GetNumberOfControlPoints()):
                position_ras = np.array(node.GetNthControlPointPositionWorld(index))
                if abs(slice_to_ras[:3, 2] @ (position_ras - slice_to_ras[:3, 3])) <= reach:
                    found.append(tuple((to_xy @ [*position_ras, 1.0])[:2]))
        return found

    def _lists(self) -> list:
        return nodesOfClass(self._scene, "vtkMRMLMarkupsFiducialNode")


def _dress(display) -> None:
    was = display.StartModify()
    display.SetGlyphScale(_DOT_SCALE)
    display.SetTextScale(_TEXT_SCALE)
    text = display.GetTextProperty()
    text.SetShadow(False)
    text.SetBackgroundColor(0.0, 0.0, 0.0)
    text.SetBackgroundOpacity(0.7)
    display.EndModify(was)
