"""The right-click actions, on doubles of the data tree: where they are offered and what they ask of the panel."""

import importlib
import sys
from types import ModuleType, SimpleNamespace

import pytest
from slicer_module_doubles import installSubjectHierarchy

NAME = "AnatomicalEmbeddingLib.AnatomicalEmbeddingSubjectHierarchyPlugin"
CLICK = {"ViewNodeID": "vtkMRMLSliceNodeRed", "WorldPosition": [1.5, -20.0, 300.25]}


class Action:
    """A QAction with what the plugin uses of it."""

    def __init__(self, text, parent) -> None:
        self.text, self.visible, self.objectName = text, False, ""

    def connect(self, signal, slot) -> None:
        assert signal == "triggered()"
        self.trigger = slot


class Node:
    def __init__(self, className="vtkMRMLScalarVolumeNode", overlay=None) -> None:
        self.className, self.overlay = className, overlay

    def GetClassName(self) -> str:
        return self.className

    def GetAttribute(self, name):
        return self.overlay if name == "AnatomicalEmbedding.Overlay" else None


@pytest.fixture
def language():
    """What a text is in the language of the user."""
    return {}


@pytest.fixture
def asked(monkeypatch, tmp_path, language):
    """The registered plugin, a data tree of one node per item, and the calls that the panel gets."""
    calls = []
    nodes = {1: Node(), 2: Node("vtkMRMLLabelMapVolumeNode"), 3: Node("vtkMRMLVectorVolumeNode"), 4: Node(overlay="x")}
    note = {name: (lambda *a, name=name: calls.append((name, *a))) for name in ("embedScan", "nameAt", "findInOther")}
    slicer = ModuleType("slicer")
    slicer.util = SimpleNamespace(
        selectModule=lambda name: calls.append(("select", name)),
        getModuleWidget=lambda name: SimpleNamespace(panel=SimpleNamespace(**note)),
    )
    stand_ins = {
        "qt": SimpleNamespace(QAction=Action),
        "slicer": slicer,
        "slicer.i18n": SimpleNamespace(tr=lambda text: language.get(text, text)),
    }
    for name, module in stand_ins.items():
        monkeypatch.setitem(sys.modules, name, module)
    handler = installSubjectHierarchy(monkeypatch, tmp_path, slicer, nodes)
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    module = importlib.import_module(NAME)
    module.register()
    (plugin,) = handler.plugins
    yield SimpleNamespace(handler=handler, plugin=plugin, calls=calls, scan=nodes[1], module=module)
    sys.modules.pop(NAME, None)


def test_slicer_knows_both_actions_of_the_views_once_the_plugin_is_registered(asked):
    assert [action.text for action in asked.handler.viewActions] == ["What is here?", "Find in the other volume"]
    assert asked.plugin.name == "AnatomicalEmbedding"


def test_registering_again_after_a_reload_changes_nothing(asked):
    asked.module.register()
    assert len(asked.handler.plugins) == 1 and len(asked.handler.viewActions) == 2


def test_a_file_that_slicer_cannot_load_is_said(asked, monkeypatch):
    kind = asked.module.slicer.qSlicerSubjectHierarchyScriptedPlugin
    monkeypatch.setattr(kind, "setPythonSource", lambda *_: False)
    with pytest.raises(RuntimeError, match="Slicer cannot load .*SubjectHierarchyPlugin.py"):
        asked.module.register()


@pytest.mark.parametrize(("item", "offered"), [(1, True), (2, False), (3, False), (4, False), (0, False), (9, False)])
def test_embedding_is_offered_for_scans_and_for_nothing_else(asked, item, offered):
    (action,) = asked.plugin.call("itemContextMenuActions")
    asked.plugin.call("showContextMenuActionsForItem", item)
    assert action.visible is offered


def test_the_volume_that_was_clicked_is_embedded_by_the_panel(asked):
    asked.handler.clicked = 1
    (action,) = asked.plugin.call("itemContextMenuActions")
    action.trigger()
    assert asked.calls == [("select", "AnatomicalEmbedding"), ("embedScan", asked.scan)]


def test_a_click_in_a_slice_view_asks_for_that_place(asked):
    asked.plugin.call("showViewContextMenuActionsForItem", 1, CLICK)
    name, find = asked.handler.viewActions
    assert name.visible and find.visible
    name.trigger()
    find.trigger()
    place = (1.5, -20.0, 300.25)
    assert [call for call in asked.calls if call[0] != "select"] == [("nameAt", place), ("findInOther", place)]


@pytest.mark.parametrize("event", [
    None, {}, {"ViewNodeID": "vtkMRMLViewNode1", "WorldPosition": [0, 0, 0]}, {"ViewNodeID": "vtkMRMLSliceNodeRed"},
])
def test_nothing_is_offered_where_no_place_of_a_slice_was_clicked(asked, event):
    asked.plugin.call("showViewContextMenuActionsForItem", 1, event)
    assert not any(action.visible for action in asked.handler.viewActions)


@pytest.mark.parametrize("text", ["What is here?", "Find in the other volume", "Compute anatomical embedding"])
@pytest.mark.parametrize("translated", [None, "Was ist hier – und wo?"])
def test_slicer_can_tell_the_actions_apart_in_every_language(request, language, text, translated):
    if translated:
        language[text] = translated
    asked = request.getfixturevalue("asked")
    actions = [*asked.plugin.call("itemContextMenuActions"), *asked.handler.viewActions]
    assert {action.objectName for action in actions} == {
        "AnatomicalEmbeddingEmbedAction", "AnatomicalEmbeddingNameAction", "AnatomicalEmbeddingFindAction",
    }
