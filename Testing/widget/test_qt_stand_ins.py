"""The stand-ins are like PythonQt where it matters, and offer nothing that is not on the list."""

import sys

import pytest
from panel_double import click, makePanel, processEvents
from PySide6 import QtWidgets


@pytest.fixture
def button(slicerApplication):
    from qt_stand_ins import qt

    return qt.QPushButton(slicerApplication.window)


def test_properties_are_attributes(button):
    button.text, button.enabled = "Embed", False
    assert (button.text, button.enabled) == ("Embed", False)
    assert QtWidgets.QPushButton.text(button) == "Embed"


def test_a_slot_gets_the_arguments_of_its_signature(button):
    got = []
    button.connect("clicked()", lambda *arguments: got.append(arguments))
    click(button)
    assert got == [()]


def test_a_disconnected_slot_is_not_called(button):
    got = []
    button.connect("clicked()", got.append)
    button.disconnect("clicked()", got.append)
    click(button)
    assert got == []


@pytest.mark.parametrize(
    "use",
    [
        lambda button: button.setText("x"),
        lambda button: button.animateClick(),
        lambda button: button.tooltip,
        lambda button: setattr(button, "text", "x") or button.colour,
        lambda button: button.connect("pressed()", print),
        lambda button: button.connect("clicked(bool)", print),
    ],
    ids=["setter", "method", "misspelt", "unknown", "signal", "signature"],
)
def test_what_is_not_on_the_list_is_refused(button, use):
    with pytest.raises(AttributeError, match="on the list"):
        use(button)


def test_a_misspelt_property_cannot_be_set(button):
    with pytest.raises(AttributeError, match="not a property"):
        button.toolTipp = "x"


def test_qt_has_the_classes_of_the_list_only(slicerApplication):
    from qt_stand_ins import API, qt

    assert set(vars(qt)) == {name for name, entry in API.items() if entry.get("module") == "qt"}


def test_no_stand_in_offers_a_public_attribute_that_is_not_on_the_list(panel):
    from qt_stand_ins import KINDS, listed

    widgets = list(vars(panel.ui).values())
    assert len(widgets) > 50
    for widget in widgets:
        kind = type(widget).__name__
        allowed = set().union(*(listed(kind, one) for one in KINDS))
        # Asked for in source text: the stand-ins tell Python code from Qt by the names in the code.
        asked = {name: eval(f"lambda widget: widget.{name}") for name in names(widget) - allowed}
        assert [name for name, get in asked.items() if works(get, widget)] == [], kind


def names(widget) -> set[str]:
    return {name for name in dir(type(widget)) if not name.startswith("_") and name.isidentifier()}


def works(get, widget) -> bool:
    try:
        get(widget)
    except AttributeError:
        return False
    return True


def test_an_error_in_a_slot_is_noticed(button, problems):
    def broken():
        raise KeyError("lost")

    button.connect("clicked()", broken)
    click(button)
    assert [type(error) for error in problems] == [KeyError]
    problems.clear()


def test_without_a_system_library_the_message_names_the_packages(monkeypatch):
    monkeypatch.delitem(sys.modules, "qt_stand_ins", raising=False)
    monkeypatch.setitem(sys.modules, "PySide6", None)
    with pytest.raises(ImportError, match="apt-get install libegl1"):
        import qt_stand_ins  # noqa: F401


def test_the_selector_follows_names_and_removed_nodes(panel, scene, scan, addScan):
    other = addScan("CT 2")
    selector = panel.ui.scanSelector
    selector.setCurrentNode(other)
    scene.RemoveNode(scan)
    assert selector.currentNode() is other and selector.nodeCount() == 1
    scene.RemoveNode(other)
    assert selector.currentNode() is None and selector.nodeCount() == 0


def test_the_ui_file_gives_the_scene_to_both_selectors(slicerApplication, scene, logic, installLogic, scan):
    panel = makePanel(logic, installLogic, scene, slicerApplication.window)
    processEvents()
    assert panel.ui.scanSelector.nodeCount() == panel.ui.otherSelector.nodeCount() == 1
    panel.cleanUp()
