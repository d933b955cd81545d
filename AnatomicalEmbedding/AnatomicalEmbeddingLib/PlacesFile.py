"""Kept places as a file of points that Slicer itself reads and writes, in world."""

from dataclasses import dataclass

import slicer

SUFFIX = ".mrk.json"


@dataclass(frozen=True)
class Place:
    """A point in world RAS mm, with what it is called and what is known of it."""

    position_ras: tuple[float, float, float]
    label: str
    description: str


def placesOf(node) -> list[Place]:
    """The points of a markups node."""
    return [
        Place(
            tuple(node.GetNthControlPointPositionWorld(n)), node.GetNthControlPointLabel(n),
            node.GetNthControlPointDescription(n),
        )
        for n in range(node.GetNumberOfControlPoints())
    ]


def writePlaces(path: str, places: list[Place], name: str) -> None:
    """Write a list of points; RuntimeError where that fails. Positions are those in world, whatever moves the scan."""
    if not path.endswith(SUFFIX):
        raise RuntimeError(f"Choose a file whose name ends with {SUFFIX}: that is what Slicer reads as points.")
    node = slicer.vtkMRMLMarkupsFiducialNode()
    node.SetName(name)
    for place in places:
        index = node.AddControlPointWorld(list(place.position_ras), place.label)
        node.SetNthControlPointDescription(index, place.description)
    if not _storage(path).WriteData(node):
        raise RuntimeError(f"The places cannot be written to {path}.")


def readPlaces(path: str) -> list[Place]:
    """The points of a file; RuntimeError if it has none."""
    node = slicer.vtkMRMLMarkupsFiducialNode()
    places = placesOf(node) if _storage(path).ReadData(node) else []
    if not places:
        raise RuntimeError(f"There are no points in {path}. Choose a file of points that ends with {SUFFIX}.")
    return places


def _storage(path: str):
    storage = slicer.vtkMRMLMarkupsJsonStorageNode()
    storage.SetFileName(path)
    return storage
