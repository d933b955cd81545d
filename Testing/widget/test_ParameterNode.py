"""The user's choices in the scene."""

import gc

import pytest
import slicer
import vtk


@pytest.fixture
def parameters(floor3, scene):
    return floor3("ParameterNode").parameterNodeOf(scene)


def test_a_scene_has_one_parameter_node_and_it_is_found_again(floor3, scene, parameters):
    parameters.question = "liver"
    again = floor3("ParameterNode").parameterNodeOf(scene)
    assert again.parameterNode is parameters.parameterNode and again.question == "liver"
    assert scene.GetNumberOfNodesByClass("vtkMRMLScriptedModuleNode") == 1
    assert again.parameterNode.GetAttribute("ModuleName") == "AnatomicalEmbedding"


def test_the_scene_alone_owns_its_parameter_node(floor3, scene):
    deleted = []
    node = floor3("ParameterNode").parameterNodeOf(scene).parameterNode
    node.AddObserver(vtk.vtkCommand.DeleteEvent, lambda *_: deleted.append(True))
    scene.RemoveNode(node)
    del node
    gc.collect()
    assert deleted == [True]


def test_choices_survive_closing_the_scene_as_defaults(floor3, scene, parameters):
    scene.Clear()
    again = floor3("ParameterNode").parameterNodeOf(scene)
    assert again.scan is None and again.parameterNode.GetAttribute("ModuleName") == "AnatomicalEmbedding"


def test_everything_is_kept_in_a_saved_scene(floor3, scene, parameters, scan):
    module = floor3("ParameterNode")
    parameters.scan, parameters.question, parameters.opacity = scan, "liver", 0.25
    parameters.overlayMode, parameters.followMouse = module.OverlayMode.UNCERTAINTY, False
    scene.SetSaveToXMLString(1)
    scene.Commit()
    loaded = slicer.vtkMRMLScene()
    loaded.SetLoadFromXMLString(1)
    loaded.SetSceneXMLString(scene.GetSceneXMLString())
    loaded.RegisterNodeClass(slicer.vtkMRMLScriptedModuleNode())
    loaded.Import()
    again = module.parameterNodeOf(loaded)
    assert again.scan.GetName() == "CT 1" and again.question == "liver" and again.opacity == 0.25
    assert again.overlayMode is module.OverlayMode.UNCERTAINTY and again.followMouse is False


@pytest.mark.parametrize("value", [-0.1, 1.1])
@pytest.mark.parametrize("name", ["opacity", "threshold"])
def test_what_is_out_of_range_is_refused(parameters, name, value):
    with pytest.raises(ValueError):
        setattr(parameters, name, value)


@pytest.mark.parametrize(("name", "text", "default"), [
    ("overlayMode", "TISSUE", "POSITION"), ("overlayMode", "", "POSITION"), ("opacity", "half", 0.5),
    ("threshold", "", 0.0),
])
def test_what_another_version_saved_and_this_one_cannot_read_becomes_the_default(
    makePanel, floor3, scene, scan, parameters, name, text, default
):
    parameters.question = "liver"
    parameters.parameterNode.SetParameter(name, text)
    panel = makePanel()
    panel.enter()
    again = floor3("ParameterNode").parameterNodeOf(scene)
    value = getattr(again, name)
    assert getattr(value, "name", value) == default
    assert again.question == "liver" and panel.ui.scanSelector.currentNode() is scan


def test_modes_are_the_words_of_the_logic_with_texts_for_people(floor3):
    modes = list(floor3("ParameterNode").OverlayMode)
    assert [mode.value for mode in modes] == ["colours", "structures", "heat map", "uncertainty"]
    assert len({mode.label() for mode in modes}) == 4 and all(mode.label()[0].isupper() for mode in modes)
