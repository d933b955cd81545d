"""Section Take along, on stand-ins: kept places as a file, and the table of structures."""

from AnatomicalEmbeddingLib.PlacesFile import Place
from panel_double import click

PATH = "/tmp/kept.mrk.json"


def test_without_a_scan_or_a_file_nothing_can_be_pressed(panel, ready):
    ui = ready.ui
    assert not ui.writePlacesButton.enabled and not ui.readPlacesButton.enabled and ui.tableButton.enabled
    assert ui.keptLabel.text == "none yet: keep them in the section Find"


def test_kept_places_are_named_and_written(ready, logic):
    logic.places = [Place((1.0, 2.0, 3.0), "liver", ""), Place((1.0, 2.0, 9.0), "liver", "")]
    ready.ui.placesPathEdit.currentPath = PATH
    ready.refresh()
    assert ready.ui.keptLabel.text == "liver"
    click(ready.ui.writePlacesButton)
    assert logic.calls[-1] == ("writeKept", "CT 1", PATH)
    assert ready.ui.takeMessage.text == f"2 places written to {PATH}."


def test_places_are_read_and_shown_at_once(ready, logic):
    ready.ui.placesPathEdit.currentPath = PATH
    ready.refresh()
    assert not ready.ui.writePlacesButton.enabled
    click(ready.ui.readPlacesButton)
    assert logic.calls[-1] == ("readKept", "CT 1", PATH)
    assert ready.ui.keptLabel.text == "liver, spleen" and ready.ui.writePlacesButton.enabled


def test_the_table_is_made_and_named(ready, logic):
    click(ready.ui.tableButton)
    assert logic.calls[-1] == ("tableOfStructures", "CT 1")
    assert ready.ui.takeMessage.text.startswith("Made the table “Structures of CT 1” with 87 structures.")


def test_an_error_is_said_here(ready, logic):
    logic.error = RuntimeError("The disk is full.")
    click(ready.ui.tableButton)
    assert ready.ui.takeMessage.text == "⚠ The disk is full."
