"""The panel on stand-ins for Qt: which control does what. This is not a test inside Slicer."""

import sys
from types import SimpleNamespace

import pytest
import qt_stand_ins
from AnatomicalEmbeddingLib.Signal import Signal

SCAN = object()


class LogicDouble:
    """Remembers what the panel asked for; answers with one hit or with an error."""

    def __init__(self) -> None:
        self.embeddedChanged = Signal()
        self.calls = []
        self.embedded = False
        self.error = None

    def isEmbedded(self, scan) -> bool:
        return scan is not None and self.embedded

    def embed(self, scan, progress) -> None:
        self._note("embed", scan)
        progress("encoding", 0.25)
        self.embedded = True
        self.embeddedChanged.emit()

    def locate(self, scan, text):
        self._note("locate", scan, text)
        if text == "unicorn":
            return SimpleNamespace(reason="unicorn is not an anatomical name", hits=[])
        hit = SimpleNamespace(position_ras=(62.4, -8.2, -20.6))
        return SimpleNamespace(reason="Liver: found", hits=[hit])

    def showColours(self, scan) -> None:
        self._note("showColours", scan)

    def hideOverlay(self) -> None:
        self._note("hideOverlay")

    def _note(self, *call) -> None:
        self.calls.append(call)
        if self.error:
            raise self.error


@pytest.fixture
def logic():
    return LogicDouble()


@pytest.fixture
def panel(logic, monkeypatch):
    monkeypatch.setitem(sys.modules, "qt", qt_stand_ins.qt)
    monkeypatch.setitem(sys.modules, "slicer", qt_stand_ins.slicer)
    monkeypatch.delitem(sys.modules, "AnatomicalEmbeddingLib.Widget", raising=False)
    from AnatomicalEmbeddingLib.Widget import Widget

    yield Widget(logic, SimpleNamespace(ensureInstalled=lambda: logic.calls.append("install")), scene=object())
    sys.modules.pop("AnatomicalEmbeddingLib.Widget", None)


def enabled(panel) -> tuple:
    return panel.embedButton.enabled, panel.findButton.enabled


def test_nothing_can_be_pressed_before_a_scan_is_selected(panel):
    assert enabled(panel) == (False, False)
    panel.scanSelector.setCurrentNode(SCAN)
    assert enabled(panel) == (True, False)


def test_embedding_makes_asking_possible_and_says_so(panel, logic):
    panel.scanSelector.setCurrentNode(SCAN)
    panel.embedButton.click()
    assert logic.calls == ["install", ("embed", SCAN)]
    assert enabled(panel) == (True, True)
    assert panel.statusLabel.text == "Ready. Type a structure and press Find."


def test_progress_is_shown_while_nothing_can_be_pressed(panel, logic):
    seen = []
    logic.embed = lambda scan, progress: (progress("encoding", 0.25), seen.append(enabled(panel)))
    panel.scanSelector.setCurrentNode(SCAN)
    texts = []
    say, panel._say = panel._say, lambda text: (texts.append(text), say(text))
    panel.embedButton.click()
    assert seen == [(False, False)]
    assert texts[0] == "encoding (25%)"


def test_a_found_structure_is_named_with_its_place_in_words(panel, logic):
    logic.embedded = True
    panel.scanSelector.setCurrentNode(SCAN)
    panel.queryEdit.text = "liver"
    panel.findButton.click()
    assert logic.calls == [("locate", SCAN, "liver")]
    assert panel.statusLabel.text == "Liver: found, best at 62 mm R, 8 mm P, 21 mm I."


def test_return_in_the_text_field_asks_too(panel, logic):
    logic.embedded = True
    panel.scanSelector.setCurrentNode(SCAN)
    panel.queryEdit.text = "unicorn"
    panel.queryEdit.emit("returnPressed()")
    assert panel.statusLabel.text == "unicorn is not an anatomical name."


def test_the_box_shows_and_hides_the_colours(panel, logic):
    logic.embedded = True
    panel.scanSelector.setCurrentNode(SCAN)
    panel.coloursBox.emit("toggled(bool)", True)
    panel.coloursBox.emit("toggled(bool)", False)
    assert logic.calls == [("showColours", SCAN), ("hideOverlay",)]


@pytest.mark.parametrize(
    "press",
    [
        lambda panel: panel.embedButton.click(),
        lambda panel: panel.findButton.click(),
        lambda panel: panel.coloursBox.emit("toggled(bool)", True),
    ],
    ids=["embed", "find", "colours"],
)
def test_errors_are_shown_and_the_controls_come_back(panel, logic, press):
    logic.embedded = True
    panel.scanSelector.setCurrentNode(SCAN)
    logic.error = RuntimeError("The voxels have changed.")
    press(panel)
    assert panel.statusLabel.text == "The voxels have changed."
    assert enabled(panel) == (True, True)


def test_a_removed_embedding_takes_the_find_button_away(panel, logic):
    logic.embedded = True
    panel.scanSelector.setCurrentNode(SCAN)
    logic.embedded = False
    logic.embeddedChanged.emit()
    assert enabled(panel) == (True, False)


def test_a_closed_panel_no_longer_listens(panel, logic):
    panel.cleanUp()
    panel.statusLabel.text = "closed"
    logic.embedded = True
    logic.embeddedChanged.emit()
    assert not panel.findButton.enabled
