import numpy as np
import pytest
from anatembed.ask.colour_vision import VISIONS, lab_of
from AnatomicalEmbeddingLib.ColourScales import BORDER, UNSURE, colourScale
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass


def coloursOf(node):
    table = node.GetLookupTable()
    return np.array([table.GetTableValue(index)[:3] for index in range(node.GetNumberOfColors())]) * 255


def test_there_is_one_scale_of_a_kind(scene):
    count = scene.GetNumberOfNodes()
    assert colourScale(scene, UNSURE) is colourScale(scene, UNSURE)
    assert colourScale(scene, BORDER) is not colourScale(scene, UNSURE)
    assert scene.GetNumberOfNodes() == count + 2


def test_a_scale_is_found_again_in_a_saved_scene(scene, applicationLogic, tmp_path):
    before = coloursOf(colourScale(scene, BORDER))
    assert applicationLogic.SaveSceneToSlicerDataBundleDirectory(str(tmp_path))
    scene.Clear(False)
    scene.SetURL(str(next(tmp_path.glob("*.mrml"))))
    assert scene.Connect()
    count = len(nodesOfClass(scene, "vtkMRMLColorTableNode"))
    np.testing.assert_allclose(coloursOf(colourScale(scene, BORDER)), before, atol=1)
    assert len(nodesOfClass(scene, "vtkMRMLColorTableNode")) == count


@pytest.mark.parametrize("vision", VISIONS)
def test_unsure_is_brighter_than_sure_all_the_way_for_every_eye(scene, vision):
    light = lab_of(coloursOf(colourScale(scene, UNSURE)), vision)[:, 0]
    assert (np.diff(light) > -0.05).all() and light[-1] - light[0] > 60


@pytest.mark.parametrize("vision", VISIONS)
def test_the_two_sides_of_a_border_and_its_middle_are_apart_for_every_eye(scene, vision):
    colours = lab_of(coloursOf(colourScale(scene, BORDER)), vision)
    first, middle, second = colours[-1], colours[len(colours) // 2], colours[0]
    assert min(np.linalg.norm(a - b) for a, b in ((first, second), (first, middle), (second, middle))) > 45
