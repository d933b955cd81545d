import slicer
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass, shownIn


def test_nodes_come_from_the_given_scene_with_subclasses_in_scene_order(scene):
    other = slicer.vtkMRMLScene()
    other.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "elsewhere")
    for className in ("vtkMRMLScalarVolumeNode", "vtkMRMLVectorVolumeNode", "vtkMRMLModelNode"):
        scene.AddNewNodeByClass(className, className)
    names = [node.GetName() for node in nodesOfClass(scene, "vtkMRMLScalarVolumeNode")]
    assert names == ["vtkMRMLScalarVolumeNode", "vtkMRMLVectorVolumeNode"]


def test_a_scene_without_such_nodes_gives_an_empty_list(scene):
    assert nodesOfClass(scene, "vtkMRMLModelNode") == []


def test_the_volume_in_a_view_is_its_background_and_none_without_one(scene, scan, views):
    assert shownIn(scene, views["axial"].sliceNode) is None
    views["axial"].show(scan)
    assert shownIn(scene, views["axial"].sliceNode) is scan
    assert shownIn(scene, views["coronal"].sliceNode) is None
