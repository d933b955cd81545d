"""What of Slicer's own Python the panel uses and slicer-core has not: the application, parameter nodes, translation."""

import contextlib
import enum
import functools
import tempfile
import typing
import unittest
from pathlib import Path
from types import ModuleType, SimpleNamespace

import slicer
import vtk
from qt_stand_ins import CLASSES, QtGui, QtWidgets, qt
from widget_stand_ins import WIDGETS

MODULE_FILE = Path(__file__).parents[2] / "AnatomicalEmbedding" / "AnatomicalEmbedding.py"


class WithinRange:
    """The limits of a number, for the slider that shows it."""

    def __init__(self, minimum, maximum) -> None:
        self.minimum, self.maximum = minimum, maximum

    def validate(self, value) -> None:
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"expected {self.minimum} to {self.maximum}, got {value}")


class _Field:
    """How one parameter is kept in the node, as Slicer's serializers keep it."""

    def __init__(self, name: str, kind, default) -> None:
        self.name = name
        self.kind, *self.limits = typing.get_args(kind) or [kind]
        self.isNode = issubclass(self.kind, slicer.vtkMRMLNode)
        self.isEnum = issubclass(self.kind, enum.Enum)
        # Without a default: the first member, an empty text, no node.
        self.default = default if default is not None else self._empty()

    def _empty(self):
        if self.isNode:
            return None
        return next(iter(self.kind)) if self.isEnum else self.kind()

    def read(self, node):
        if self.isNode:
            return node.GetNodeReference(self.name)
        text = node.GetParameter(self.name)
        if self.isEnum:
            return self.kind[text]
        return text == "True" if self.kind is bool else self.kind(text)

    def write(self, node, value) -> None:
        if self.isNode:
            if value is not None and not isinstance(value, self.kind):
                raise ValueError(f"expected a {self.kind.__name__} for {self.name}, got {value!r}")
            node.SetParameter(self.name, "")
            node.SetNodeReferenceID(self.name, value.GetID() if value is not None else None)
            return
        if not isinstance(value, self.kind) and not (self.kind is float and isinstance(value, int)):
            raise ValueError(f"expected a {self.kind.__name__} for {self.name}, got {value!r}")
        for limit in self.limits:
            limit.validate(value)
        node.SetParameter(self.name, value.name if self.isEnum else str(value))


class _Link:
    """Joins one parameter with the widget that names it; the kinds of widgets that Slicer knows for these types."""

    def __init__(self, field: _Field, widget) -> None:
        self.field, self.widget = field, widget
        kind = type(widget).__name__
        want = {bool: ("QCheckBox",), str: ("QLineEdit",), float: ("ctkSliderWidget",)}
        fits = ("qMRMLNodeComboBox",) if field.isNode else ("QComboBox",) if field.isEnum else want[field.kind]
        if kind not in fits:
            raise RuntimeError(f"Unable to create GUI connector from datatype {field.kind} to widget type {kind}")
        self.signal = {
            "QCheckBox": "stateChanged(int)",
            "QLineEdit": "textChanged(QString)",
            "ctkSliderWidget": "valueChanged(double)",
            "QComboBox": "currentIndexChanged(int)",
            "qMRMLNodeComboBox": "currentNodeChanged(vtkMRMLNode*)",
        }[kind]
        if field.isEnum:
            widget.clear()
            for member in field.kind:
                widget.addItem(member.label())
        for limit in field.limits:
            widget.minimum, widget.maximum = limit.minimum, limit.maximum

    def read(self):
        kind = type(self.widget).__name__
        if kind == "QComboBox":
            return list(self.field.kind)[self.widget.currentIndex]
        if kind == "qMRMLNodeComboBox":
            return self.widget.currentNode()
        return getattr(self.widget, {"QCheckBox": "checked", "QLineEdit": "text"}.get(kind, "value"))

    def write(self, value) -> None:
        kind = type(self.widget).__name__
        if kind == "QComboBox":
            self.widget.currentIndex = list(self.field.kind).index(value)
        elif kind == "qMRMLNodeComboBox":
            self.widget.setCurrentNode(value)
        elif kind != "QLineEdit" or self.widget.text != value:
            setattr(self.widget, {"QCheckBox": "checked", "QLineEdit": "text"}.get(kind, "value"), value)


class _Parameters:
    """The methods that Slicer's decorator adds to a class."""

    _fields: dict[str, _Field]

    def __init__(self, parameterNode) -> None:
        self.parameterNode = parameterNode
        self._links, self._tags, self._writing = {}, {}, False
        for field in self._fields.values():
            if not parameterNode.HasParameter(field.name):
                field.write(parameterNode, field.default)

    def connectGui(self, gui) -> int:
        tag = len(self._links)
        named = {widget.property("SlicerParameterName"): widget for widget in vars(gui).values()}
        links = [_Link(self._fields[name], widget) for name, widget in named.items() if name]
        self._links[tag] = [(link, functools.partial(self._fromGui, link)) for link in links]
        for link, slot in self._links[tag]:
            link.write(getattr(self, link.field.name))
            link.widget.connect(link.signal, slot)
        self._tags[tag] = self.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._toGui())
        return tag

    def disconnectGui(self, tag) -> None:
        for link, slot in self._links.pop(tag, ()):
            link.widget.disconnect(link.signal, slot)
        if tag in self._tags:
            self.RemoveObserver(self._tags.pop(tag))

    def AddObserver(self, event, callback, priority=0.0) -> int:
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag) -> None:
        self.parameterNode.RemoveObserver(tag)

    def _fromGui(self, link, *_value) -> None:
        if not self._writing:
            setattr(self, link.field.name, link.read())

    def _toGui(self) -> None:
        if self._writing:
            return
        self._writing = True
        try:
            for links in self._links.values():
                for link, _ in links:
                    link.write(getattr(self, link.field.name))
        finally:
            self._writing = False


def parameterNodeWrapper(kind):
    """Makes properties of annotated fields, kept in a vtkMRMLScriptedModuleNode."""
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = {name: _Field(name, hint, getattr(kind, name, None)) for name, hint in hints.items()}
    for name, field in fields.items():
        setattr(kind, name, property(_reader(field), _writer(field)))
    return type(kind.__name__, (kind, _Parameters), {"_fields": fields, "__init__": _Parameters.__init__})


def _reader(field):
    return lambda self: field.read(self.parameterNode)


def _writer(field):
    def write(self, value) -> None:
        with slicer.util.NodeModify(self.parameterNode):
            field.write(self.parameterNode, value)

    return write


class ScriptedLoadableModule:
    def __init__(self, parent) -> None:
        self.parent = parent

    def resourcePath(self, name: str) -> str:
        return str(MODULE_FILE.parent / "Resources" / name)


class ScriptedLoadableModuleWidget:
    def __init__(self, parent) -> None:
        self.parent = parent
        self.layout = QtWidgets.QVBoxLayout(parent)

    def setup(self) -> None:
        """Slicer puts a developer section into the panel here."""

    resourcePath = ScriptedLoadableModule.resourcePath


class ScriptedLoadableModuleTest(unittest.TestCase):
    """Slicer's own is a TestCase too."""


class Application:
    """slicer.app: what was connected, the clipboard, its version and where it would keep files."""

    majorVersion, minorVersion, applicationVersion = 5, 12, "5.12.0"

    def __init__(self) -> None:
        self.connected = {}
        self.cachePath = str(Path(tempfile.gettempdir()) / "Slicer" / "Cache")
        self.temporaryPath = str(Path(tempfile.gettempdir()) / "Slicer-user")

    def connect(self, signal: str, slot) -> None:
        self.connected[signal] = slot

    def processEvents(self) -> None:
        QtWidgets.QApplication.processEvents()

    def clipboard(self):
        return SimpleNamespace(setText=QtGui.QGuiApplication.clipboard().setText)


def _module(name: str, **members) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(members)
    return module


MODULES = {
    "qt": qt,
    "slicer.i18n": _module("slicer.i18n", tr=lambda text: text),
    "slicer.parameterNodeWrapper": _module(
        "slicer.parameterNodeWrapper", parameterNodeWrapper=parameterNodeWrapper, WithinRange=WithinRange
    ),
    "slicer.ScriptedLoadableModule": _module(
        "slicer.ScriptedLoadableModule",
        ScriptedLoadableModule=ScriptedLoadableModule,
        ScriptedLoadableModuleWidget=ScriptedLoadableModuleWidget,
        ScriptedLoadableModuleTest=ScriptedLoadableModuleTest,
    ),
}


def install(patch, scene, window) -> None:
    """Put the stand-ins where the panel looks for Slicer; `patch` is a pytest.MonkeyPatch that can take them away."""
    import sys

    import slicer.util

    for name, module in MODULES.items():
        patch.setitem(sys.modules, name, module)
    for kind in WIDGETS:
        patch.setattr(slicer, kind.__name__, kind, raising=False)
    patch.setattr(slicer, "app", Application(), raising=False)
    patch.setattr(slicer, "mrmlScene", scene, raising=False)
    patch.setattr(slicer.util, "mainWindow", lambda: window)
    patch.setattr(slicer.util, "WaitCursor", contextlib.nullcontext)


def makeWindow():
    """A stand-in of the application's main window."""
    return CLASSES["QWidget"]()
