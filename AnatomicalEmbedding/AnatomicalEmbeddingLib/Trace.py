"""What the module added to a scene, taken away without a trace."""


def removeWithDisplay(scene, node) -> None:
    """Remove a node and the display and storage nodes that belong to it; the scene alone would leave these behind."""
    own = [node.GetNthDisplayNode(index) for index in range(node.GetNumberOfDisplayNodes())]
    own += [node.GetNthStorageNode(index) for index in range(node.GetNumberOfStorageNodes())]
    scene.RemoveNode(node)
    for one in own:
        if one is not None and one.GetScene() is scene:
            scene.RemoveNode(one)
