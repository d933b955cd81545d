"""Doubles for what other modules of Slicer do with this one: they behave as those do, also where that is inconvenient.

Sample Data counts addresses and file names. A scripted subject hierarchy plugin is an object of ours inside one of
Slicer's, which looks up our methods once our constructor is through; whoever is registered is asked at once for the
actions of the views, and is never asked again.
"""

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

from PySide6 import QtCore

METHODS = (
    "itemContextMenuActions", "showContextMenuActionsForItem", "viewContextMenuActions",
    "showViewContextMenuActionsForItem",
)
BASE = """
import slicer
class AbstractScriptedSubjectHierarchyPlugin:
    def __init__(self, scriptedPlugin):
        self.scriptedPlugin = scriptedPlugin
        slicer.qSlicerSubjectHierarchyPluginHandler.instance().registerPlugin(scriptedPlugin)
"""
PACKAGE = "import sys, pathlib; sys.path.append(str(pathlib.Path(__file__).parent))\n"


class SampleDataLogic:
    """Slicer's list of sample data, by category."""

    def __init__(self) -> None:
        self.entries: dict[str, list] = {}

    def registerCustomSampleDataSource(
        self, category="Custom", sampleName=None, uris=None, fileNames=None, nodeNames=None, customDownloader=None,
        thumbnailFileName=None, loadFileType="VolumeFile", loadFiles=None, checksums=None,
    ) -> None:
        if isinstance(uris, str):
            uris, fileNames, nodeNames = [uris], [fileNames], [nodeNames]
        if not len(uris) == len(fileNames) == len(nodeNames):
            raise ValueError("as many addresses as file names and node names are needed")
        entry = SimpleNamespace(
            sampleName=sampleName, uris=uris, fileNames=fileNames, nodeNames=nodeNames, load=customDownloader,
            thumbnailFileName=thumbnailFileName,
        )
        entries = self.entries.setdefault(category, [])
        if not any(vars(one) == vars(entry) for one in entries):
            entries.append(entry)

    def sampleDataSourcesByCategory(self, category: str) -> list:
        return self.entries.get(category, [])

    def downloadSamples(self, sampleName: str) -> list:
        (entry,) = [one for entries in self.entries.values() for one in entries if one.sampleName == sampleName]
        return entry.load(entry)


def sampleData() -> SimpleNamespace:
    """The module SampleData; its logic is one object, whose methods Slicer calls on the class as well."""
    logic = SampleDataLogic()
    return SimpleNamespace(SampleDataLogic=_Callable(logic), logic=logic)


class _Callable:
    """`SampleDataLogic.method(...)` and `SampleDataLogic().method(...)` are the same."""

    def __init__(self, logic) -> None:
        self._logic = logic

    def __call__(self):
        return self._logic

    def __getattr__(self, name):
        return getattr(self._logic, name)


class PluginHandler:
    """The data tree's list of plugins; knows the view actions of those that gave them when they were registered."""

    def __init__(self, nodes: dict) -> None:
        self.plugins, self.viewActions = [], []
        self.clicked = 0
        self._nodes = nodes

    def instance(self) -> "PluginHandler":
        return self

    def registerPlugin(self, plugin) -> bool:
        if any(plugin.name == one.name for one in self.plugins):
            return False
        self.plugins.append(plugin)
        self.viewActions += plugin.call("viewContextMenuActions") or []
        return True

    def pluginLogic(self) -> SimpleNamespace:
        return SimpleNamespace(availableViewMenuActionNames=lambda: [one.objectName for one in self.viewActions])

    def subjectHierarchyNode(self) -> SimpleNamespace:
        return SimpleNamespace(GetItemDataNode=self._nodes.get)

    def currentItem(self) -> int:
        return self.clicked


class ScriptedPlugin(QtCore.QObject):
    """Slicer's side of a scripted plugin."""

    def __init__(self, parent) -> None:
        super().__init__(parent)
        self.name, self._methods = "UnnamedScriptedPlugin", {}

    def setPythonSource(self, path: str) -> bool:
        """Load the file anew by its path, make an object of the class of its name, then look up its methods."""
        name = Path(path).stem
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        made = getattr(module, name)(self)
        self._methods = {method: getattr(made, method) for method in METHODS if hasattr(made, method)}
        return True

    def call(self, method: str, *arguments):
        """What our object answers; None where Slicer does not know the method yet."""
        return self._methods[method](*arguments) if method in self._methods else None


def installSubjectHierarchy(patch, folder: Path, slicer, nodes: dict) -> PluginHandler:
    """Put the plugin classes into `slicer`, and the base class where only SubjectHierarchyPlugins makes it findable."""
    package = folder / "SubjectHierarchyPlugins"
    package.mkdir()
    (package / "__init__.py").write_text(PACKAGE)
    (package / "AbstractScriptedSubjectHierarchyPlugin.py").write_text(BASE)
    handler = PluginHandler(nodes)
    slicer.qSlicerSubjectHierarchyPluginHandler = handler
    slicer.qSlicerSubjectHierarchyScriptedPlugin = ScriptedPlugin
    slicer.qSlicerSubjectHierarchyAbstractPlugin = SimpleNamespace(
        SectionNode=2000, setActionPosition=lambda _action, _position: None
    )
    patch.setattr(sys, "path", [str(folder), *sys.path])
    for name in ("SubjectHierarchyPlugins", "AbstractScriptedSubjectHierarchyPlugin"):
        patch.delitem(sys.modules, name, raising=False)
    return handler
