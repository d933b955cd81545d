"""A Slicer scene with three slice views, as fixtures."""

import pytest
import slicer
import vtk
from placements import PLACEMENTS, addScan, affine
from slice_view import SliceView


@pytest.fixture
def applicationLogic():
    """Application logic of a fresh scene with the colour nodes, the slice presets and a crosshair."""
    scene = slicer.vtkMRMLScene()
    applicationLogic = slicer.vtkSlicerApplicationLogic()
    applicationLogic.SetMRMLScene(scene)
    colorLogic = slicer.vtkMRMLColorLogic()
    colorLogic.SetMRMLScene(scene)
    scene.RegisterNodeClass(slicer.vtkMRMLColorLegendDisplayNode())
    applicationLogic.SetModuleLogic("Colors", colorLogic)
    markupsLogic = slicer.vtkSlicerMarkupsLogic()
    markupsLogic.SetMRMLScene(scene)
    applicationLogic.SetModuleLogic("Markups", markupsLogic)
    applicationLogic.SetSliceLogics(vtk.vtkCollection())
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    crosshairNode = slicer.vtkMRMLCrosshairNode()
    crosshairNode.SetCrosshairName("default")
    scene.AddNode(crosshairNode)
    # Yield, not return: the application logic does not own the colour logic, which takes its nodes away with it.
    yield applicationLogic


@pytest.fixture
def scene(applicationLogic):
    return applicationLogic.GetMRMLScene()


@pytest.fixture
def views(scene, applicationLogic) -> dict[str, SliceView]:
    """The three views of the conventional layout: axial, sagittal, coronal."""
    names = {"axial": ("Red", "Axial"), "sagittal": ("Yellow", "Sagittal"), "coronal": ("Green", "Coronal")}
    return {key: SliceView(scene, applicationLogic, *value) for key, value in names.items()}


@pytest.fixture
def axial(views) -> SliceView:
    return views["axial"]


@pytest.fixture(params=PLACEMENTS.values(), ids=PLACEMENTS.keys())
def placedScan(request, scene):
    """A scan node for every way in which a volume can lie in world."""
    return addScan(scene, *request.param)


@pytest.fixture
def scan(scene):
    return addScan(scene, affine())
