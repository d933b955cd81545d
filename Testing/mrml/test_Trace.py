from AnatomicalEmbeddingLib.Trace import removeWithDisplay
from placements import addScan, affine


def test_a_node_goes_with_its_display_and_storage(scene, scan):
    count = scene.GetNumberOfNodes()
    node = addScan(scene, affine(), name="Extra")
    node.AddDefaultStorageNode()
    assert scene.GetNumberOfNodes() == count + 3
    removeWithDisplay(scene, node)
    assert scene.GetNumberOfNodes() == count and scan.GetDisplayNode() is not None
