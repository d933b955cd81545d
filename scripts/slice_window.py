"""Slicer's slice views drawn off screen with points, lines, segments and legends, without the Slicer application.

Needs the package slicer-core, and OpenGL (EGL is enough; no display).
"""

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support

MANAGERS = (
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLColorLegendDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
)


class SlicerScene:
    """A scene with the logics that volumes, colours, points and slice views need; keep it as long as its views."""

    def __init__(self) -> None:
        self.scene = slicer.vtkMRMLScene()
        self.applicationLogic = slicer.vtkSlicerApplicationLogic()
        self.applicationLogic.SetMRMLScene(self.scene)
        self.colorLogic = slicer.vtkMRMLColorLogic()
        self.colorLogic.SetMRMLScene(self.scene)
        self.applicationLogic.SetModuleLogic("Colors", self.colorLogic)
        self.scene.RegisterNodeClass(slicer.vtkMRMLColorLegendDisplayNode())
        self.markupsLogic = slicer.vtkSlicerMarkupsLogic()
        self.markupsLogic.SetMRMLScene(self.scene)
        self.applicationLogic.SetModuleLogic("Markups", self.markupsLogic)
        self.applicationLogic.SetSliceLogics(vtk.vtkCollection())
        self.applicationLogic.SetViewLogics(vtk.vtkCollection())
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(self.scene, True)
        self.factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        self.factory.SetMRMLApplicationLogic(self.applicationLogic)
        for name in MANAGERS:
            if not self.factory.IsDisplayableManagerRegistered(name):
                self.factory.RegisterDisplayableManager(name)


class SliceWindow:
    """One slice view with a render window of its own."""

    def __init__(self, slicerScene: SlicerScene, name: str, orientation: str, size_px=(600, 600)) -> None:
        self._window = vtk.vtkRenderWindow()
        self._window.SetOffScreenRendering(True)
        self._window.SetMultiSamples(0)
        self._window.SetSize(*size_px)
        self._renderer = vtk.vtkRenderer()
        self._renderer.GetActiveCamera().ParallelProjectionOn()
        self._window.AddRenderer(self._renderer)
        self._interactor = vtk.vtkRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._window)
        self._mapper = vtk.vtkImageMapper()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        actor = vtk.vtkActor2D()
        actor.SetMapper(self._mapper)
        actor.GetProperty().SetDisplayLocationToBackground()
        self._renderer.AddViewProp(actor)
        self.logic = slicer.vtkMRMLSliceLogic()
        self.logic.SetMRMLApplicationLogic(slicerScene.applicationLogic)
        slicerScene.applicationLogic.GetSliceLogics().AddItem(self.logic)
        self._managers = slicer.vtkMRMLDisplayableManagerGroup()
        self._managers.SetRenderer(self._renderer)
        self._managers.Initialize(slicerScene.factory, self._renderer)
        self.logic.SetMRMLScene(slicerScene.scene)
        self.sliceNode = self.logic.AddSliceNode(name)
        self.sliceNode.SetOrientation(orientation)
        self._managers.SetMRMLDisplayableNode(self.sliceNode)
        self.logic.ResizeSliceNode(*size_px)

    def show(self, volumeNode) -> None:
        """Make a volume the background and fit the view to it."""
        self.logic.GetSliceCompositeNode().SetBackgroundVolumeID(volumeNode.GetID())
        self.logic.FitSliceToBackground()

    def zoom(self, factor: float) -> None:
        """Show 1/factor of what the view shows now, about its middle."""
        width, height, depth = self.sliceNode.GetFieldOfView()
        self.sliceNode.SetFieldOfView(width / factor, height / factor, depth)

    def picture(self) -> np.ndarray:
        """(height, width, 3) uint8, first row at the top."""
        self._mapper.SetInputConnection(self.logic.GetImageDataConnection())
        self._window.Render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self._window)
        grab.ReadFrontBufferOff()
        grab.Update()
        image = grab.GetOutput()
        width, height, _ = image.GetDimensions()
        pixels = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)
        return pixels[::-1, :, :3].copy()
