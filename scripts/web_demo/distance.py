"""Distances that are drawn in a slice view, as lines with their length."""

import numpy as np
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass
from AnatomicalEmbeddingLib.Trace import removeWithDisplay

_ROLE = "AnatomicalEmbedding.WebDistance"
_COLOUR = (0.4, 1.0, 0.5)


class Distances:
    """A tool of Pointer; `changed(lengths_mm)` is called with the lengths of all lines, the newest last."""

    def __init__(self, scene, changed) -> None:
        self._scene, self._changed = scene, changed
        self._line = None
        self._from_ras = np.zeros(3)

    def begin(self, _view, scan, position_ras) -> None:
        self._from_ras = np.asarray(position_ras, float)
        self._line = self._scene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "Distance")
        self._line.SetAttribute(_ROLE, "1")
        self._line.SetHideFromEditors(True)
        self._line.SetAndObserveTransformNodeID(scan.GetTransformNodeID())
        self._line.CreateDefaultDisplayNodes()
        display = self._line.GetDisplayNode()
        display.SetSelectedColor(*_COLOUR)
        display.SetPropertiesLabelVisibility(False)
        display.SetPointLabelsVisibility(True)
        display.SetTextScale(3.0)
        display.SetVisibility3D(False)
        for _end in range(2):
            self._line.AddControlPointWorld([float(value) for value in position_ras], "")
        for index in range(2):
            self._line.SetNthControlPointLabel(index, "")
            self._line.SetNthControlPointLocked(index, True)

    def drag(self, _pixels_right: float, _pixels_up: float, position_ras) -> None:
        self._line.SetNthControlPointPositionWorld(1, *(float(value) for value in position_ras))
        self._line.SetNthControlPointLabel(1, in_words(np.linalg.norm(position_ras - self._from_ras)))
        self._tell()

    def end(self) -> None:
        self._line = None

    def lengths_mm(self) -> list[float]:
        return [float(_length(line)) for line in self._lines()]

    def remove_last(self) -> None:
        """Take the newest line away; without a line, nothing happens."""
        for line in self._lines()[-1:]:
            removeWithDisplay(self._scene, line)
        self._tell()

    def clear(self) -> None:
        """Take all lines away."""
        for line in self._lines():
            removeWithDisplay(self._scene, line)
        self._tell()

    def _lines(self) -> list:
        return [node for node in nodesOfClass(self._scene, "vtkMRMLMarkupsLineNode") if node.GetAttribute(_ROLE)]

    def _tell(self) -> None:
        self._changed(self.lengths_mm())


def in_words(length_mm: float) -> str:
    """A length as it is written beside its line."""
    return f"{length_mm:.1f} mm"


def _length(line) -> float:
    ends = [np.array(line.GetNthControlPointPositionWorld(index)) for index in range(2)]
    return np.linalg.norm(ends[1] - ends[0])
