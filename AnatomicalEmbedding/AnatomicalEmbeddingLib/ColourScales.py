"""Colour scales that no colour blindness mixes up: lightness tells the values apart, hue is blue against yellow."""

import numpy as np
import slicer

from .SceneNodes import nodesOfClass

UNSURE = "uncertainty"
BORDER = "border"
_ROLE = "AnatomicalEmbedding.ColourScale"
_COLOURS = 256
# Colours 0..255 at even steps from the lowest to the highest value.
_STOPS = {
    # Dark blue is sure, yellow is unsure.
    UNSURE: ((10, 30, 110), (70, 85, 120), (130, 128, 118), (200, 175, 85), (255, 225, 40)),
    # Blue is the second structure, yellow the first, and nearly white is where either could be right.
    BORDER: ((12, 60, 170), (70, 130, 215), (245, 245, 245), (235, 170, 40), (190, 105, 0)),
}
_NAMES = {UNSURE: "Sure to unsure", BORDER: "One side to the other"}


def colourScale(scene, which: str):
    """The colour table node of a scale in the scene, added where it is missing."""
    for node in nodesOfClass(scene, "vtkMRMLColorTableNode"):
        if node.GetAttribute(_ROLE) == which:
            return node
    node = slicer.vtkMRMLColorTableNode()
    node.SetTypeToUser()
    node.SetName(_NAMES[which])
    node.SetAttribute(_ROLE, which)
    node.SetHideFromEditors(True)
    node.SetNumberOfColors(_COLOURS)
    for index, (red, green, blue) in enumerate(_rows(_STOPS[which])):
        node.SetColor(index, f"{index / (_COLOURS - 1):.2f}", red, green, blue, 1.0)
    return scene.AddNode(node)


def _rows(stops) -> np.ndarray:
    """RGB (N,3) in 0..1 along the stops."""
    position = np.linspace(0, len(stops) - 1, _COLOURS)
    return np.stack([np.interp(position, range(len(stops)), channel) for channel in zip(*stops, strict=True)], 1) / 255
