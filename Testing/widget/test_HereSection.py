"""Section Here, on stand-ins: the live name, the crosshair, the clipboard."""

from dataclasses import replace

import pytest
from anatembed.ask.explorer import Description, NamedProbability
from logic_double import description
from panel_double import click, isShown
from PySide6 import QtGui

PLACE = (62.4, -8.2, -20.6)


def test_an_embedded_scan_is_followed_while_the_box_is_on(panel, logic, scan):
    logic.embedded.add(scan.GetID())
    logic.embeddedChanged.emit()
    assert logic.calls == [("followCursor", "CT 1")]
    click(panel.ui.followBox)
    assert logic.calls[-1] == ("followCursor", None)
    click(panel.ui.followBox)
    assert logic.calls[-1] == ("followCursor", "CT 1")


def test_a_scan_that_is_not_embedded_is_not_followed(panel, logic):
    panel.refresh()
    assert logic.calls == [] and not panel.ui.hereButton.enabled and not panel.ui.copyButton.enabled


def test_the_name_comes_with_the_next_candidates_but_not_with_unlikely_ones(ready, logic):
    logic.cursorNamed.emit(logic.there, PLACE)
    assert ready.ui.hereName.text == "Liver, 87%"
    assert ready.ui.hereOthers.text == "Or: spleen 6%"
    assert ready.ui.herePosition.text == "R 62, P 8, I 21 mm"


def test_an_unsure_name_is_called_uncertain(ready, logic):
    logic.cursorNamed.emit(description(liver=0.499), PLACE)
    assert ready.ui.hereName.text == "Liver, 49%, uncertain" and ready.ui.hereOthers.text == ""


@pytest.mark.parametrize(
    "there, text", [(description(inside=False), "Outside the body"), (description(), "No known structure")]
)
def test_a_place_without_a_name_is_said(ready, logic, there, text):
    logic.cursorNamed.emit(there, PLACE)
    assert ready.ui.hereName.text == text


def test_the_last_name_stays_when_the_mouse_leaves_the_view(ready, logic):
    logic.cursorNamed.emit(logic.there, PLACE)
    logic.cursorNamed.emit(None, PLACE)
    assert ready.ui.hereName.text == "Liver, 87%"


def test_the_place_of_the_crosshair_is_named(ready, logic, scene):
    scene.GetFirstNodeByClass("vtkMRMLCrosshairNode").SetCrosshairRAS(1, 2, 3)
    click(ready.ui.hereButton)
    assert logic.calls == [("describe", "CT 1", (1.0, 2.0, 3.0))]
    assert ready.ui.hereName.text == "Liver, 87%" and ready.ui.herePosition.text == "R 1, A 2, S 3 mm"


def test_the_name_is_copied_with_its_place_and_the_other_candidates(ready, logic):
    logic.cursorNamed.emit(logic.there, PLACE)
    click(ready.ui.copyButton)
    assert QtGui.QGuiApplication.clipboard().text() == "Liver, 87% (R 62, P 8, I 21 mm, CT 1). Or: spleen 6%"
    assert ready.ui.hereMessage.text == "Copied."


def test_before_anything_is_named_nothing_can_be_copied(ready):
    QtGui.QGuiApplication.clipboard().setText("mine")
    click(ready.ui.copyButton)
    assert QtGui.QGuiApplication.clipboard().text() == "mine"


def test_an_error_is_said_and_the_last_name_stays(ready, logic):
    logic.cursorNamed.emit(logic.there, PLACE)
    logic.error = RuntimeError("This place is outside the scan.")
    click(ready.ui.hereButton)
    assert ready.ui.hereMessage.text == "⚠ This place is outside the scan."
    assert ready.ui.hereName.text == "Liver, 87%"


def test_the_name_of_another_scan_is_not_kept(ready, logic, addScan):
    logic.cursorNamed.emit(logic.there, PLACE)
    other = addScan("CT 2")
    logic.embedded.add(other.GetID())
    ready.ui.scanSelector.setCurrentNode(other)
    assert ready.ui.hereName.text == "Nothing named yet" and not ready.ui.copyButton.enabled
    assert logic.calls[-1] == ("followCursor", "CT 2")


def test_a_level_is_named_with_what_it_was_counted_from(ready, logic):
    there = Description(True, [NamedProbability("vertebrae_T12", "T12 vertebra", 0.85, "counted from the sacrum")])
    logic.cursorNamed.emit(there, PLACE)
    assert ready.ui.hereName.text == "T12 vertebra, 85%, counted from the sacrum"


def test_a_doubt_about_the_name_is_said_and_copied_with_it_and_goes_with_the_next_name(ready, logic):
    logic.cursorNamed.emit(replace(description(liver=0.9), caution="Upside down?"), PLACE)
    assert ready.ui.hereMessage.text == "⚠ Upside down?" and isShown(ready.ui.hereMessage)
    click(ready.ui.copyButton)
    assert QtGui.QGuiApplication.clipboard().text().endswith("CT 1). Upside down?")
    logic.cursorNamed.emit(logic.there, PLACE)
    assert not isShown(ready.ui.hereMessage)


def test_an_unsure_part_is_named_with_what_it_surely_belongs_to(ready, logic):
    whole = NamedProbability("kidney_right", "right kidney", 0.93)
    logic.cursorNamed.emit(replace(description(liver=0.48, spleen=0.06), whole=whole), PLACE)
    assert ready.ui.hereName.text == "Liver, 48%, uncertain"
    assert ready.ui.hereOthers.text == "Part of right kidney, 93%. Or: spleen 6%"
