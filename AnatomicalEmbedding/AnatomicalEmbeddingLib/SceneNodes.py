"""Looking up nodes in the scene that was given."""


def nodesOfClass(scene, className: str) -> list:
    """All nodes of a class and its subclasses, in scene order."""
    # Not slicer.util.getNodesByClass: it ignores its `scene` argument and looks in slicer.mrmlScene.
    return [scene.GetNthNodeByClass(index, className) for index in range(scene.GetNumberOfNodesByClass(className))]


def shownIn(scene, sliceNode):
    """The volume that a slice view shows as its background, None without one."""
    for composite in nodesOfClass(scene, "vtkMRMLSliceCompositeNode"):
        if composite.GetLayoutName() == sliceNode.GetLayoutName():
            return scene.GetNodeByID(composite.GetBackgroundVolumeID() or "")
    return None
