"""What a right click offers: embed a volume in the data tree, ask what lies at a point of a slice view.

Slicer reads this file by its path and looks for the class of the file's name.
"""

import qt
import slicer
import SubjectHierarchyPlugins  # noqa: F401  it makes the next one findable
from AbstractScriptedSubjectHierarchyPlugin import AbstractScriptedSubjectHierarchyPlugin
from slicer.i18n import tr as _

MODULE = "AnatomicalEmbedding"


class AnatomicalEmbeddingSubjectHierarchyPlugin(AbstractScriptedSubjectHierarchyPlugin):
    """Offers the actions; the module's panel carries them out."""

    filePath = __file__

    def __init__(self, scriptedPlugin) -> None:
        # The base's constructor is left out: it registers the plugin at once, and Slicer asks a plugin for its view
        # actions while it registers it, when it has not looked up the methods of this object yet.
        self.scriptedPlugin = scriptedPlugin
        scriptedPlugin.name = MODULE
        self._position_ras = None
        self.embedAction = self._action("Embed", _("Compute anatomical embedding"), self._onEmbed)
        self.nameAction = self._action("Name", _("What is here?"), self._onName)
        self.findAction = self._action("Find", _("Find in the other volume"), self._onFind)
        for action in (self.nameAction, self.findAction):
            # Slicer shows a view menu's actions by their object names.
            section = slicer.qSlicerSubjectHierarchyAbstractPlugin.SectionNode
            slicer.qSlicerSubjectHierarchyAbstractPlugin.setActionPosition(action, section + 5)

    def itemContextMenuActions(self):
        """For the data tree."""
        return [self.embedAction]

    def viewContextMenuActions(self):
        """For slice and 3D views."""
        return [self.nameAction, self.findAction]

    def showContextMenuActionsForItem(self, itemID) -> None:
        """Embedding is offered for a CT-like volume: no label map, no colour overlay, none of our own heat maps."""
        if isScan(volumeOf(itemID)):
            self.embedAction.visible = True

    def showViewContextMenuActionsForItem(self, itemID, eventData=None) -> None:
        """Offered where a slice view was clicked in the world."""
        position_ras = clickedPosition(eventData)
        if position_ras is None:
            return
        self._position_ras = position_ras
        self.nameAction.visible = True
        self.findAction.visible = True

    def _action(self, name: str, text: str, slot):
        action = qt.QAction(text, self.scriptedPlugin)
        action.objectName = f"{MODULE}{name}Action"  # the same in every language
        action.connect("triggered()", slot)
        return action

    def _onEmbed(self) -> None:
        handler = slicer.qSlicerSubjectHierarchyPluginHandler.instance()
        panel().embedScan(volumeOf(handler.currentItem()))

    def _onName(self) -> None:
        panel().nameAt(self._position_ras)

    def _onFind(self) -> None:
        panel().findInOther(self._position_ras)


def register() -> None:
    """Make Slicer load the plugin and offer its actions; called once, when Slicer has started."""
    scriptedPlugin = slicer.qSlicerSubjectHierarchyScriptedPlugin(None)
    if not scriptedPlugin.setPythonSource(AnatomicalEmbeddingSubjectHierarchyPlugin.filePath):
        raise RuntimeError(f"Slicer cannot load {AnatomicalEmbeddingSubjectHierarchyPlugin.filePath}.")
    slicer.qSlicerSubjectHierarchyPluginHandler.instance().registerPlugin(scriptedPlugin)


def panel():
    """The module's panel, with the module shown."""
    slicer.util.selectModule(MODULE)
    return slicer.util.getModuleWidget(MODULE).panel


def volumeOf(itemID):
    """The node of an item of the data tree, None without one."""
    hierarchy = slicer.qSlicerSubjectHierarchyPluginHandler.instance().subjectHierarchyNode()
    return hierarchy.GetItemDataNode(itemID) if itemID else None


def isScan(node) -> bool:
    """Whether a node is a scalar volume itself and none of this module's overlays."""
    if node is None or node.GetClassName() != "vtkMRMLScalarVolumeNode":
        return False
    return not node.GetAttribute("AnatomicalEmbedding.Overlay")


def clickedPosition(eventData) -> tuple[float, float, float] | None:
    """World RAS of a right click in a slice view, None where there is none."""
    if not eventData or not str(eventData.get("ViewNodeID", "")).startswith("vtkMRMLSliceNode"):
        return None
    position = eventData.get("WorldPosition")
    return tuple(float(value) for value in position) if position is not None and len(position) == 3 else None
