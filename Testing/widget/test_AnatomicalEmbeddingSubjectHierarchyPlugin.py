"""The right-click actions on stand-ins: where they are offered and what they ask of the panel."""

import importlib
import sys
from types import SimpleNamespace

import pytest

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
def asked(monkeypatch):
    """The plugin with a data tree of one node per item, and the calls that its panel gets."""
    calls = []
    nodes = {1: Node(), 2: Node("vtkMRMLLabelMapVolumeNode"), 3: Node("vtkMRMLVectorVolumeNode"), 4: Node(overlay="x")}
    note = {name: (lambda *a, name=name: calls.append((name, *a))) for name in ("embedScan", "nameAt", "findInOther")}
    tree = SimpleNamespace(GetItemDataNode=nodes.get)
    handler = SimpleNamespace(subjectHierarchyNode=lambda: tree, currentItem=lambda: 1)
    slicer = SimpleNamespace(
        qSlicerSubjectHierarchyPluginHandler=SimpleNamespace(instance=lambda: handler),
        qSlicerSubjectHierarchyAbstractPlugin=SimpleNamespace(SectionNode=2000, setActionPosition=lambda *_: None),
        util=SimpleNamespace(
            selectModule=lambda name: calls.append(("select", name)),
            getModuleWidget=lambda name: SimpleNamespace(panel=SimpleNamespace(**note)),
        ),
    )
    base = type("AbstractScriptedSubjectHierarchyPlugin", (), {"__init__": lambda self, plugin: None})
    stand_ins = {
        "qt": SimpleNamespace(QAction=Action),
        "slicer": slicer,
        "slicer.i18n": SimpleNamespace(tr=lambda text: text),
        "AbstractScriptedSubjectHierarchyPlugin": SimpleNamespace(AbstractScriptedSubjectHierarchyPlugin=base),
    }
    for name, module in stand_ins.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    module = importlib.import_module(NAME)
    plugin = module.AnatomicalEmbeddingSubjectHierarchyPlugin(SimpleNamespace(name=""))
    yield SimpleNamespace(plugin=plugin, calls=calls, scan=nodes[1])
    sys.modules.pop(NAME, None)


@pytest.mark.parametrize(("item", "offered"), [(1, True), (2, False), (3, False), (4, False), (0, False), (9, False)])
def test_embedding_is_offered_for_scans_and_for_nothing_else(asked, item, offered):
    asked.plugin.showContextMenuActionsForItem(item)
    assert asked.plugin.embedAction.visible is offered


def test_the_volume_that_was_clicked_is_embedded_by_the_panel(asked):
    assert asked.plugin.itemContextMenuActions() == [asked.plugin.embedAction]
    asked.plugin.embedAction.trigger()
    assert asked.calls == [("select", "AnatomicalEmbedding"), ("embedScan", asked.scan)]


def test_a_click_in_a_slice_view_asks_for_that_place(asked):
    asked.plugin.showViewContextMenuActionsForItem(1, CLICK)
    name, find = asked.plugin.viewContextMenuActions()
    assert name.visible and find.visible
    name.trigger()
    find.trigger()
    place = (1.5, -20.0, 300.25)
    assert [call for call in asked.calls if call[0] != "select"] == [("nameAt", place), ("findInOther", place)]


@pytest.mark.parametrize("event", [
    None, {}, {"ViewNodeID": "vtkMRMLViewNode1", "WorldPosition": [0, 0, 0]}, {"ViewNodeID": "vtkMRMLSliceNodeRed"},
])
def test_nothing_is_offered_where_no_place_of_a_slice_was_clicked(asked, event):
    asked.plugin.showViewContextMenuActionsForItem(1, event)
    assert not asked.plugin.nameAction.visible and not asked.plugin.findAction.visible


def test_slicer_can_tell_the_actions_apart(asked):
    actions = [*asked.plugin.itemContextMenuActions(), *asked.plugin.viewContextMenuActions()]
    names = {action.objectName for action in actions}
    assert len(names) == 3 and all(name.startswith("AnatomicalEmbedding") and name.isidentifier() for name in names)
