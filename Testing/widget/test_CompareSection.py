"""Section Compare, on stand-ins: two scans, one place."""

from types import SimpleNamespace

import pytest
from panel_double import click


@pytest.fixture
def other(addScan):
    return addScan("CT 2")


@pytest.fixture
def both(ready, logic, other):
    """The panel with two embedded scans chosen."""
    logic.embedded.add(other.GetID())
    ready.ui.otherSelector.setCurrentNode(other)
    logic.calls.clear()
    return ready


def test_the_state_says_what_is_missing(panel, logic, scan, other):
    ui = panel.ui
    assert ui.compareState.text.startswith("Choose and embed a scan")
    logic.embedded.add(scan.GetID())
    logic.embeddedChanged.emit()
    assert ui.compareState.text == "Choose the second scan."
    ui.otherSelector.setCurrentNode(scan)
    assert ui.compareState.text == "Choose another scan than in the section Scan."
    ui.otherSelector.setCurrentNode(other)
    assert ui.compareState.text.startswith("CT 2 is not embedded yet")
    assert not ui.thereButton.enabled and not ui.linkBox.enabled
    logic.embedded.add(other.GetID())
    logic.embeddedChanged.emit()
    assert ui.compareState.text == "Both scans are ready." and ui.thereButton.enabled and ui.linkBox.enabled


def test_the_place_of_the_crosshair_is_found_there(both, logic, scene):
    scene.GetFirstNodeByClass("vtkMRMLCrosshairNode").SetCrosshairRAS(1, 2, 3)
    click(both.ui.thereButton)
    assert logic.calls == [("findThere", "CT 1", (1.0, 2.0, 3.0), "CT 2")]
    place = "Same place in the other scan: R 10, A 20, I 30 mm"
    assert both.ui.compareMessage.text == f"{place}; there and back agree by 72%."


def test_an_unsure_match_is_called_uncertain(both, logic):
    logic.match = SimpleNamespace(position_ras=(0, 0, 0), confidence=0.3)
    click(both.ui.thereButton)
    assert "30%, uncertain place" in both.ui.compareMessage.text


def test_a_place_without_a_match_is_said(both, logic):
    click(both.ui.linkBox)
    logic.linked.emit(None)
    assert both.ui.compareMessage.text == "This place cannot be found in the other scan."


def test_linking_and_unlinking(both, logic):
    click(both.ui.linkBox)
    assert logic.calls == [("link", "CT 1", "CT 2")] and both.ui.linkBox.checked
    logic.linked.emit(logic.match)
    assert "agree by 72%" in both.ui.compareMessage.text
    click(both.ui.linkBox)
    assert logic.calls[-1] == ("unlink",) and not both.ui.linkBox.checked and both.ui.compareMessage.text == ""


def test_a_link_that_fails_is_said_and_the_box_is_off(both, logic):
    logic.error = RuntimeError("The models differ.")
    click(both.ui.linkBox)
    assert both.ui.compareMessage.text == "⚠ The models differ." and not both.ui.linkBox.checked


def test_the_link_ends_when_a_scan_is_removed(both, logic, scene, other):
    click(both.ui.linkBox)
    scene.RemoveNode(other)
    assert ("unlink",) in logic.calls and not both.ui.linkBox.checked
    assert both.ui.compareMessage.text.startswith("The link has ended")


def test_the_link_stays_when_another_module_is_shown(both, logic):
    click(both.ui.linkBox)
    both.exit()
    both.enter()
    assert ("unlink",) not in logic.calls and both.ui.linkBox.checked


def test_an_error_in_finding_is_said(both, logic):
    logic.error = RuntimeError("The place lies outside the second scan.")
    click(both.ui.thereButton)
    assert both.ui.compareMessage.text == "⚠ The place lies outside the second scan."
