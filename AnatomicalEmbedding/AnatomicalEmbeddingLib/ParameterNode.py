"""What the user chose in the panel, kept in the scene by Slicer's parameter node wrapper."""

from enum import Enum
from typing import Annotated

from slicer import vtkMRMLScalarVolumeNode
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

NAME = "AnatomicalEmbedding"


class OverlayMode(Enum):
    """What the overlay shows; the value is the Logic's word for it.

    Scenes are saved with the names of the members: renaming one breaks them.
    """

    POSITION = "colours"
    STRUCTURES = "structures"
    LIKELIHOOD = "heat map"
    UNCERTAINTY = "uncertainty"

    def label(self) -> str:
        """The text in the list of modes; Slicer's wrapper asks for it by this name."""
        return {
            OverlayMode.POSITION: _("Position in the body"),
            OverlayMode.STRUCTURES: _("Structures"),
            OverlayMode.LIKELIHOOD: _("Likelihood of the last search"),
            OverlayMode.UNCERTAINTY: _("Uncertainty"),
        }[self]


@parameterNodeWrapper
class ParameterNode:
    """A field per control that has a `SlicerParameterName` in the .ui file; a threshold of 0 is chosen by the Logic."""

    scan: vtkMRMLScalarVolumeNode
    otherScan: vtkMRMLScalarVolumeNode
    question: str
    threshold: Annotated[float, WithinRange(0, 1)] = 0.0
    followMouse: bool = True
    firstStructure: str
    secondStructure: str
    overlayMode: OverlayMode = OverlayMode.POSITION
    opacity: Annotated[float, WithinRange(0, 1)] = 0.5


def parameterNodeOf(scene) -> ParameterNode:
    """The scene's own parameters, made when there are none."""
    node = scene.GetSingletonNode(NAME, "vtkMRMLScriptedModuleNode")
    if node is None:
        node = scene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)  # the Python variable owns it until the scene does
        node.SetSingletonTag(NAME)
        node.SetName(NAME)
        node = scene.AddNode(node)
    # Closing a scene resets a singleton's attributes, and Slicer's node selectors look for this one.
    node.SetAttribute("ModuleName", NAME)
    _dropUnreadable(node)
    return ParameterNode(node)


def _dropUnreadable(node) -> None:
    """Give parameters their defaults where a scene of another version, or an edited one, holds what cannot be read."""
    for name, read in (("overlayMode", OverlayMode.__getitem__), ("threshold", float), ("opacity", float)):
        if not node.HasParameter(name):
            continue
        try:
            read(node.GetParameter(name))
        except (KeyError, ValueError):
            node.UnsetParameter(name)
