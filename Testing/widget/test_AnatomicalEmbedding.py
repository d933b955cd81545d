"""The module file, on stand-ins: what Slicer shows of it, and how it builds the panel."""

import ast
import importlib
import sys
from types import SimpleNamespace

import pytest
from panel_double import click
from PySide6 import QtWidgets
from slicer_module_doubles import installSubjectHierarchy, sampleData
from slicer_stand_ins import MODULE_FILE


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


@pytest.fixture
def neighbours(monkeypatch, tmp_path):
    """What other modules of Slicer do with this one."""
    import slicer

    sample = sampleData()
    monkeypatch.setitem(sys.modules, "SampleData", sample)
    for name in ("PluginHandler", "ScriptedPlugin", "AbstractPlugin"):
        monkeypatch.setattr(slicer, f"qSlicerSubjectHierarchy{name}", None, raising=False)
    handler = installSubjectHierarchy(monkeypatch, tmp_path, slicer, {})
    yield SimpleNamespace(sample=sample.logic.entries, handler=handler)
    sys.modules.pop("AnatomicalEmbeddingLib.AnatomicalEmbeddingSubjectHierarchyPlugin", None)


def start(module):
    """What Slicer does: make the module, and tell it when everything has started."""
    import slicer

    module.AnatomicalEmbedding(SimpleNamespace())
    slicer.app.connected["startupCompleted()"]()


def test_other_modules_are_extended_once_slicer_has_started(module, neighbours):
    module.AnatomicalEmbedding(SimpleNamespace())
    assert neighbours.sample == {} and neighbours.handler.plugins == []
    start(module)
    (entry,) = neighbours.sample["Anatomical Embedding"]
    assert entry.thumbnailFileName.endswith("AnatomicalEmbedding.png")
    names = neighbours.handler.pluginLogic().availableViewMenuActionNames()
    assert names == ["AnatomicalEmbeddingNameAction", "AnatomicalEmbeddingFindAction"]


def test_without_sample_data_there_are_right_clicks_all_the_same_and_the_log_says_why(
    module, neighbours, monkeypatch, caplog
):
    monkeypatch.setitem(sys.modules, "SampleData", None)
    start(module)
    assert len(neighbours.handler.viewActions) == 2
    assert "registerSampleScan failed" in caplog.text and "Traceback" in caplog.text


def test_without_the_data_tree_there_is_sample_data_all_the_same(module, neighbours, monkeypatch, caplog):
    monkeypatch.setattr(neighbours.handler, "registerPlugin", lambda plugin: 1 / 0)
    start(module)
    assert len(neighbours.sample) == 1 and "registerRightClicks failed" in caplog.text


@pytest.mark.parametrize(("major", "minor", "old"), [
    (5, 8, True), (5, 9, True), (4, 11, True), (5, 10, False), (5, 12, False), (6, 0, False),
])
def test_an_older_slicer_says_which_one_is_needed(module, slicerApplication, monkeypatch, major, minor, old):
    import slicer

    monkeypatch.setattr(slicer.app, "majorVersion", major)
    monkeypatch.setattr(slicer.app, "minorVersion", minor)
    monkeypatch.setattr(slicer.app, "applicationVersion", f"{major}.{minor}.1")
    sentence = f"Anatomical Embedding needs Slicer 5.10 or newer, and this is Slicer {major}.{minor}.1."
    assert module.AnatomicalEmbedding.tooOld() == (sentence if old else "")
    if not old:
        return
    parent = SimpleNamespace()
    module.AnatomicalEmbedding(parent)
    assert parent.helpText == sentence and slicer.app.connected == {}
    monkeypatch.setitem(sys.modules, "AnatomicalEmbeddingLib.Widget", None)  # its Python cannot read it
    widget = module.AnatomicalEmbeddingWidget(slicerApplication.window)
    widget.setup()
    widget.enter()
    assert sentence in texts(slicerApplication.window)
    widget.exit()
    widget.cleanup()


def texts(window) -> list[str]:
    """What the labels of a window say."""
    return [QtWidgets.QLabel.text(label) for label in QtWidgets.QWidget.findChildren(window, QtWidgets.QLabel)]


def test_the_module_file_can_be_read_by_the_python_of_an_older_slicer():
    tree = ast.parse(MODULE_FILE.read_text(encoding="utf-8"), feature_version=(3, 9))
    arguments = [node for node in ast.walk(tree) if isinstance(node, ast.arg | ast.FunctionDef)]
    annotations = [getattr(node, "annotation", None) or getattr(node, "returns", None) for node in arguments]
    # Python 3.9 reads "X | None", and fails when it computes it.
    assert not any(isinstance(part, ast.BinOp) for one in annotations if one for part in ast.walk(one))


def test_a_panel_that_cannot_be_made_is_not_left_blank(module, slicerApplication, monkeypatch, floor3, caplog):
    def fail(_scene):
        raise PermissionError("no access to the folder")

    monkeypatch.setattr(floor3("Assembly"), "makeLogic", fail)
    widget = module.AnatomicalEmbeddingWidget(slicerApplication.window)
    widget.setup()
    widget.enter()
    said = "The panel cannot be shown: no access to the folder. Slicer's log says more."
    assert said in texts(slicerApplication.window) and "Traceback" in caplog.text
    widget.cleanup()


def test_after_a_reload_the_panel_that_is_shown_works_at_once(
    module, slicerApplication, logic, monkeypatch, floor3, scan
):
    monkeypatch.setattr(floor3("Assembly"), "makeLogic", lambda scene: logic)
    widget = module.AnatomicalEmbeddingWidget(slicerApplication.window)
    widget.parent = SimpleNamespace(isEntered=True)  # as Slicer's widget says while the module is shown
    widget.setup()
    assert widget.panel.ui.scanSelector.currentNode() is scan
    click(widget.panel.ui.embedButton)
    assert logic.calls[-1][0] == "startEmbedding"
    widget.cleanup()


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
