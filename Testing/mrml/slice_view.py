"""A slice view without the Slicer application and without OpenGL.

The pictures come from Slicer's own slice pipeline (reslice, window and level, blend), which runs on the CPU: they
are what a slice view paints, before markups and annotations.
"""

import numpy as np
import slicer
import slicer.util
import vtk
from vtk.util import numpy_support

SIZE_PX = (240, 200)


class SliceView:
    """One slice view: its MRML nodes, and what it paints."""

    def __init__(self, scene, applicationLogic, name: str, orientation: str) -> None:
        self.logic = slicer.vtkMRMLSliceLogic()
        self.logic.SetMRMLApplicationLogic(applicationLogic)
        applicationLogic.GetSliceLogics().AddItem(self.logic)
        self.logic.SetMRMLScene(scene)
        self.sliceNode = self.logic.AddSliceNode(name)
        self.sliceNode.SetOrientation(orientation)
        self.compositeNode = self.logic.GetSliceCompositeNode()
        self.logic.ResizeSliceNode(*SIZE_PX)

    def show(self, volumeNode) -> None:
        self.compositeNode.SetBackgroundVolumeID(volumeNode.GetID())
        self.logic.FitSliceToBackground()

    def picture(self) -> np.ndarray:
        """(height, width, 3) uint8, first row at the top of the view."""
        producer = self.logic.GetImageDataConnection().GetProducer()
        producer.Update()
        image = producer.GetOutputDataObject(0)
        width, height, _ = image.GetDimensions()
        pixels = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)
        return pixels[::-1, :, :3].copy()

    def pixel_of(self, position_ras) -> tuple[int, int]:
        """Row and column of the picture that shows a world position of the slice plane."""
        x, y, z = self._xyz_of(position_ras)
        assert abs(z) < 0.5, f"{position_ras} is not in the slice plane"
        return SIZE_PX[1] - 1 - round(y), round(x)

    def colour_at(self, position_ras) -> tuple[int, int, int]:
        row, column = self.pixel_of(position_ras)
        return tuple(int(value) for value in self.picture()[row, column])

    def distance_mm(self, position_ras) -> float:
        """Distance of a world position from the slice plane."""
        slice_to_ras = slicer.util.arrayFromVTKMatrix(self.sliceNode.GetSliceToRAS())
        return float(abs((np.asarray(position_ras) - slice_to_ras[:3, 3]) @ slice_to_ras[:3, 2]))

    def _xyz_of(self, position_ras):
        ras_to_xy = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(self.sliceNode.GetXYToRAS(), ras_to_xy)
        return ras_to_xy.MultiplyPoint((*(float(value) for value in position_ras), 1.0))[:3]
