"""The module file, on stand-ins: what Slicer shows of it, and how it builds the panel."""

import importlib
import sys
from types import SimpleNamespace

import pytest
from panel_double import click


@pytest.fixture
def module(slicerApplication, monkeypatch):
    monkeypatch.delitem(sys.modules, "AnatomicalEmbedding", raising=False)
    yield importlib.import_module("AnatomicalEmbedding")
    sys.modules.pop("AnatomicalEmbedding", None)


@pytest.fixture
def widget(module, slicerApplication, logic, monkeypatch, floor3):
    monkeypatch.setattr(floor3("Assembly"), "makeLogic", lambda scene: logic)
    widget = module.AnatomicalEmbeddingWidget(slicerApplication.window)
    widget.setup()
    yield widget
    widget.cleanup()


def test_the_module_has_a_title_and_a_tour_of_three_steps(module):
    parent = SimpleNamespace()
    module.AnatomicalEmbedding(parent)
    assert parent.title == "Anatomical Embedding"
    assert parent.helpText.count("<li>") == 3 and "Research use only, not for diagnosis." in parent.helpText
    assert all(key in parent.helpText for key in ("Ctrl+Shift+F", "Ctrl+Shift+N", "Ctrl+Shift+O"))


def test_other_modules_are_extended_once_slicer_has_started(module, monkeypatch):
    import slicer
    from AnatomicalEmbeddingLib import SampleScan

    called = []
    name = "AnatomicalEmbeddingSubjectHierarchyPlugin"
    plugin = SimpleNamespace(register=lambda: called.append("right click"))
    monkeypatch.setitem(sys.modules, f"AnatomicalEmbeddingLib.{name}", plugin)
    monkeypatch.setattr(sys.modules["AnatomicalEmbeddingLib"], name, plugin, raising=False)
    monkeypatch.setattr(SampleScan, "register", called.append)
    module.AnatomicalEmbedding(SimpleNamespace())
    assert called == []
    slicer.app.connected["startupCompleted()"]()
    assert called[0].endswith("AnatomicalEmbedding.png") and called[1:] == ["right click"]


def test_the_panel_is_built_from_the_shipped_ui_file(widget, scan, logic):
    widget.enter()
    assert widget.panel.ui.scanSelector.currentNode() is scan
    click(widget.panel.ui.findButton)
    assert logic.calls == []
    widget.exit()


def test_cleaning_up_ends_the_logic_once(widget, logic):
    widget.cleanup()
    widget.cleanup()
    assert logic.calls.count(("cleanUp",)) == 1


def test_a_module_that_was_never_set_up_can_be_cleaned_up(module, slicerApplication):
    module.AnatomicalEmbeddingWidget(slicerApplication.window).cleanup()
