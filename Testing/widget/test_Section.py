"""What every section has."""

import pytest


@pytest.fixture
def section(floor3, scan):
    from types import SimpleNamespace

    from logic_double import LogicDouble

    told = []
    parameters = SimpleNamespace(scan=scan)
    section = floor3("Section").Section(SimpleNamespace(), LogicDouble(), lambda: parameters, told.append)
    section.values = parameters
    return section


def test_the_crosshair_is_read_from_the_scene_of_the_scan(section, scene):
    scene.GetFirstNodeByClass("vtkMRMLCrosshairNode").SetCrosshairRAS(1.5, -20.0, 300.25)
    assert section.crosshair() == (1.5, -20.0, 300.25)


def test_without_a_crosshair_the_user_is_told_how_to_place_one(section, scene):
    scene.RemoveNode(scene.GetFirstNodeByClass("vtkMRMLCrosshairNode"))
    with pytest.raises(RuntimeError, match="Hold Shift"):
        section.crosshair()


def test_without_a_scan_the_user_is_told_to_choose_one(section):
    section.values.scan = None
    with pytest.raises(RuntimeError, match="Choose a CT"):
        section.requireScan()
    assert section.embeddedScan() is None


def test_while_a_scene_closes_there_is_no_scan(section):
    section.parameters = lambda: None
    assert section.scan() is None


def test_only_an_embedded_scan_can_be_asked(section, scan):
    assert section.embeddedScan() is None
    section.logic.embedded.add(scan.GetID())
    assert section.embeddedScan() is scan


def test_a_text_is_put_on_the_clipboard(section):
    from PySide6 import QtGui

    section.copy("Liver, 87%")
    assert QtGui.QGuiApplication.clipboard().text() == "Liver, 87%"


def test_a_box_is_set_without_its_signal(floor3, ready):
    toggled = []
    ready.ui.linkBox.connect("toggled(bool)", toggled.append)
    floor3("Section").write(ready.ui.linkBox, True)
    assert ready.ui.linkBox.checked and toggled == []
