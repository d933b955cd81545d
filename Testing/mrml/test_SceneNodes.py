import slicer
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass


def test_nodes_come_from_the_given_scene_with_subclasses_in_scene_order(scene):
    other = slicer.vtkMRMLScene()
    other.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "elsewhere")
    for className in ("vtkMRMLScalarVolumeNode", "vtkMRMLVectorVolumeNode", "vtkMRMLModelNode"):
        scene.AddNewNodeByClass(className, className)
    names = [node.GetName() for node in nodesOfClass(scene, "vtkMRMLScalarVolumeNode")]
    assert names == ["vtkMRMLScalarVolumeNode", "vtkMRMLVectorVolumeNode"]


def test_a_scene_without_such_nodes_gives_an_empty_list(scene):
    assert nodesOfClass(scene, "vtkMRMLModelNode") == []
