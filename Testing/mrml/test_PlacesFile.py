"""Places on disk, as Slicer's own reader and writer see them."""

import pytest
import slicer
from AnatomicalEmbeddingLib.PlacesFile import Place, placesOf, readPlaces, writePlaces

PLACES = [Place((1.5, -20.25, 300.0), "left kidney", 'CT 1, confidence 93%, "SNOMED CT" 64033007'),
          Place((0.0, 4.0, -8.5), "Milz", "")]  # fmt: skip


def test_what_is_written_is_read_again(tmp_path):
    path = str(tmp_path / "kept.mrk.json")
    writePlaces(path, PLACES, "Kept places of CT 1")
    assert readPlaces(path) == PLACES


def test_slicer_opens_the_file_as_points(scene, tmp_path):
    path = str(tmp_path / "kept.mrk.json")
    writePlaces(path, PLACES, "Kept places of CT 1")
    node, storage = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode"), slicer.vtkMRMLMarkupsJsonStorageNode()
    storage.SetFileName(path)
    assert storage.ReadData(node) and placesOf(node) == PLACES


@pytest.mark.parametrize("name", ["kept.csv", "kept", ""])
def test_another_ending_is_refused(tmp_path, name):
    with pytest.raises(RuntimeError, match=r"ends with \.mrk\.json"):
        writePlaces(name and str(tmp_path / name), PLACES, "Kept")


@pytest.mark.parametrize("content", [None, "", "{}", "no JSON", '{"markups": []}'])
def test_a_file_without_points_is_refused(tmp_path, content):
    path = tmp_path / "kept.mrk.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(RuntimeError, match="no points in"):
        readPlaces(str(path))


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="cannot be written"):
        writePlaces(str(tmp_path / "no folder" / "kept.mrk.json"), PLACES, "Kept")
