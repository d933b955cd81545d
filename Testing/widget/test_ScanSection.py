"""Section Scan, on stand-ins: every button, and every way an embedding can end."""

from subprocess import CalledProcessError

import pytest
from logic_double import Failure
from panel_double import click, isShown
from PySide6 import QtGui


def test_without_a_scan_nothing_can_be_pressed(makePanel, logic):
    panel = makePanel()
    panel.enter()
    click(panel.ui.embedButton)
    assert logic.calls == [] and not panel.ui.embedButton.enabled
    assert panel.ui.stateLabel.text == "Choose a CT."
    assert not isShown(panel.ui.deviceCaption)


def test_a_chosen_scan_says_what_it_computes_on_and_what_to_do(panel):
    assert panel.ui.deviceLabel.text == "NVIDIA RTX 3060, 12 GB free" and isShown(panel.ui.deviceCaption)
    assert "Press Embed once" in panel.ui.stateLabel.text


def test_what_it_computes_on_may_be_known_later(panel, logic):
    logic.device = "CPU, about 6 s"
    logic.deviceChanged.emit()
    assert panel.ui.deviceLabel.text == "CPU, about 6 s"


def test_an_embedding_may_be_over_as_soon_as_it_starts(panel, logic):
    start = logic.startEmbedding
    logic.startEmbedding = lambda scan, **options: (start(scan, **options), logic.end())
    click(panel.ui.embedButton)
    assert panel.ui.embedButton.text == "Embed again" and panel.ui.scanMessage.text.startswith("CT 1 is ready")


def test_embed_starts_at_once_when_nothing_is_missing(panel, logic, installLogic):
    click(panel.ui.embedButton)
    assert installLogic.asked == 0
    assert logic.calls == [("startEmbedding", "CT 1", "auto", False)]
    assert panel.ui.embedButton.text == "Cancel"
    assert "Embedding CT 1" in panel.ui.stateLabel.text


def test_what_is_missing_is_said_before_embed_is_pressed(panel, installLogic):
    installLogic.lacking = ["torch", "rapidfuzz>=3.9"]
    panel.refresh()
    said = "Press Embed: PyTorch (2 GB) and rapidfuzz>=3.9 is missing, and is installed then, after asking."
    assert panel.ui.stateLabel.text == said


def test_embed_installs_what_is_missing_asks_for_the_device_anew_and_starts(panel, logic, installLogic):
    installLogic.lacking = ["torch"]
    click(panel.ui.embedButton)
    assert installLogic.asked == 1
    assert logic.calls == [("askDeviceAgain",), ("startEmbedding", "CT 1", "auto", False)]


def test_a_map_that_comes_back_with_its_package_is_not_computed_again(panel, logic, installLogic, scan):
    """After an update of Slicer a package is missing: the scan counts as not embedded until it is installed."""
    installLogic.lacking = ["rapidfuzz>=3.9"]
    installLogic.meanwhile = lambda: logic.embedded.add(scan.GetID())
    click(panel.ui.embedButton)
    assert ("startEmbedding", "CT 1", "auto", False) in logic.calls


def test_while_packages_are_installed_the_panel_is_busy_and_nothing_starts_twice(panel, logic, installLogic, scan):
    seen = []

    def meanwhile() -> None:  # Slicer goes on with its events: the user presses everything
        ui = panel.ui
        seen.append((ui.stateLabel.text, ui.embedButton.enabled, isShown(ui.progressBar), ui.progressBar.maximum))
        click(ui.embedButton)
        panel.embedScan(scan)  # a right click in the data tree
        seen.append(ui.scanMessage.text)

    installLogic.lacking, installLogic.meanwhile = ["torch"], meanwhile
    installLogic.steps = ["Installing PyTorch, about 2 GB, this takes minutes ..."]
    click(panel.ui.embedButton)
    assert seen[0] == ("Installing PyTorch, about 2 GB, this takes minutes ...", False, True, 0)
    assert seen[1] == "⚠ Python packages are being installed. Wait until that is done."
    assert installLogic.asked == 1 and [call[0] for call in logic.calls].count("startEmbedding") == 1
    assert panel.ui.embedButton.text == "Cancel" and panel.ui.progressBar.maximum == 100


def test_each_step_of_an_installation_is_painted_before_it_begins(panel, installLogic, monkeypatch):
    import slicer

    painted = []
    monkeypatch.setattr(slicer.app, "processEvents", lambda: painted.append(panel.ui.stateLabel.text))
    installLogic.lacking, installLogic.steps = ["torch"], ["Installing PyTorch ...", "Installing rapidfuzz ..."]
    click(panel.ui.embedButton)
    assert painted == ["Asking whether to install what is missing ...", *installLogic.steps]


def test_a_scan_that_goes_while_packages_are_installed_is_not_embedded(panel, logic, installLogic, scene, scan):
    installLogic.lacking, installLogic.meanwhile = ["torch"], lambda: scene.RemoveNode(scan)
    click(panel.ui.embedButton)
    assert ("startEmbedding", "CT 1", "auto", False) not in logic.calls
    assert panel.ui.scanMessage.text == "⚠ The scan is no longer in the scene."


@pytest.mark.parametrize("error", [
    RuntimeError("rapidfuzz was not installed."), ImportError("No module named 'torch'", name="torch"), MemoryError(),
    CalledProcessError(1, "pip"), KeyError("a bug"),
], ids=lambda error: type(error).__name__)
def test_an_installation_that_fails_is_said_and_embed_comes_back(panel, logic, installLogic, error):
    installLogic.lacking, installLogic.error = ["torch"], error
    click(panel.ui.embedButton)
    assert panel.ui.scanMessage.text.startswith("⚠ ") and panel.ui.scanMessage.text.endswith(".")
    assert logic.calls == [] and panel.ui.embedButton.text == "Embed" and panel.ui.embedButton.enabled
    assert not isShown(panel.ui.progressBar)
    installLogic.error = None
    click(panel.ui.embedButton)
    assert logic.calls[-1][0] == "startEmbedding"


def test_an_interrupted_installation_leaves_the_panel_usable(panel, logic, installLogic):
    installLogic.lacking, installLogic.error = ["torch"], KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        panel.scanSection.embedSelected()
    installLogic.error = None
    panel.refresh()
    click(panel.ui.embedButton)
    assert logic.calls[-1][0] == "startEmbedding"


def test_progress_is_shown_with_stage_and_time_left(panel, logic):
    assert not isShown(panel.ui.progressBar)
    click(panel.ui.embedButton)
    logic.progressChanged.emit("Embedding", 0.426, 37.2)
    assert isShown(panel.ui.progressBar) and panel.ui.progressBar.value == 43
    assert panel.ui.stageLabel.text == "Embedding, about 37 s left"
    logic.progressChanged.emit("Finishing", 0.95, None)
    assert panel.ui.stageLabel.text == "Finishing"


def test_a_finished_embedding_says_so_and_the_bar_goes(panel, logic):
    click(panel.ui.embedButton)
    logic.end()
    assert panel.ui.scanMessage.text.startswith("CT 1 is ready")
    assert panel.ui.stateLabel.text == "Embedded: this scan can be searched."
    assert panel.ui.embedButton.text == "Embed again" and not isShown(panel.ui.progressBar)


def test_an_embedded_scan_is_embedded_again_by_force(ready, logic):
    click(ready.ui.embedButton)
    assert logic.calls[0] == ("startEmbedding", "CT 1", "auto", True)


def test_cancel_stops_and_is_no_failure(panel, logic):
    click(panel.ui.embedButton)
    click(panel.ui.embedButton)
    assert logic.calls[-1] == ("cancelEmbedding",)
    assert panel.ui.scanMessage.text == "The embedding was stopped. Nothing was changed."
    assert panel.ui.embedButton.text == "Embed"
    assert not isShown(panel.ui.copyDetailsButton) and not isShown(panel.ui.useCpuButton)


def test_a_failure_offers_its_report(panel, logic):
    click(panel.ui.embedButton)
    logic.end(Failure("The disk is full.", details="No space left on device"))
    assert panel.ui.scanMessage.text == "⚠ The disk is full."
    assert isShown(panel.ui.copyDetailsButton) and not isShown(panel.ui.useCpuButton)
    click(panel.ui.copyDetailsButton)
    assert QtGui.QGuiApplication.clipboard().text() == "No space left on device"
    assert "clipboard" in panel.ui.scanMessage.text


def test_a_full_graphics_card_offers_the_cpu(panel, logic):
    click(panel.ui.embedButton)
    logic.end(Failure("The memory of the graphics card does not suffice.", offersCPU=True))
    assert isShown(panel.ui.useCpuButton)
    click(panel.ui.useCpuButton)
    assert logic.calls[-1] == ("startEmbedding", "CT 1", "cpu", False)
    assert not isShown(panel.ui.useCpuButton) and not isShown(panel.ui.copyDetailsButton)
    assert panel.ui.scanMessage.text == ""


def test_a_failure_is_forgotten_by_the_next_try(panel, logic):
    click(panel.ui.embedButton)
    logic.end(Failure("The disk is full."))
    click(panel.ui.embedButton)
    assert panel.ui.scanMessage.text == "" and not isShown(panel.ui.copyDetailsButton)


def test_a_start_that_fails_is_said_and_embed_comes_back(panel, logic):
    logic.error = RuntimeError('"CT 1" is no CT.')
    click(panel.ui.embedButton)
    assert panel.ui.scanMessage.text == '⚠ "CT 1" is no CT.'
    logic.error = None
    logic.running = None
    panel.refresh()
    assert panel.ui.embedButton.enabled and panel.ui.embedButton.text == "Embed"


def test_another_scan_can_be_chosen_meanwhile_and_cancel_stays(panel, logic, addScan):
    click(panel.ui.embedButton)
    panel.ui.scanSelector.setCurrentNode(addScan("CT 2"))
    assert panel.ui.embedButton.text == "Cancel" and "Embedding CT 1" in panel.ui.stateLabel.text


def test_the_scan_of_a_failure_may_be_gone(panel, logic, scene, scan):
    click(panel.ui.embedButton)
    logic.end(Failure("Too little memory.", offersCPU=True))
    scene.RemoveNode(scan)
    assert not isShown(panel.ui.useCpuButton)
    with pytest.raises(RuntimeError, match="no longer in the scene"):
        panel.scanSection.useCpu()
