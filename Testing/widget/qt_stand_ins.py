"""Slicer's `qt` module on PySide6, in PythonQt's style and with nothing that is not on the list of slicer_api.json.

PythonQt makes Qt's properties attributes (`button.enabled = False`), connects by signature
(`button.connect("clicked()", slot)`) and passes a slot the arguments of that signature. What is not on the list is
refused, so that the panel cannot use what nobody looked up. This is not Slicer: nothing here is tested inside it.
"""

import json
import sys
import xml.etree.ElementTree as ElementTree
from functools import cache
from pathlib import Path
from types import SimpleNamespace

try:
    from PySide6 import QtCore, QtGui, QtTest, QtUiTools, QtWidgets
except ImportError as error:
    raise ImportError(
        f"The panel's tests need PySide6 and its system libraries: {error}. On Debian: "
        "apt-get install libegl1 libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libglib2.0-0"
    ) from error

__all__ = ["API", "CLASSES", "KINDS", "ListedObject", "QtCore", "QtGui", "QtTest", "QtUiTools", "QtWidgets", "qt"]
API = json.loads(Path(__file__).with_name("slicer_api.json").read_text(encoding="utf-8"))["classes"]
KINDS = ("properties", "signals", "methods", "values")


@cache
def listed(className: str, kind: str) -> frozenset:
    """Names of one kind that a class has on the list, with those that it inherits."""
    entry = API[className]
    inherited = listed(entry["inherits"], kind) if "inherits" in entry else frozenset()
    return inherited | frozenset(entry.get(kind, ()))


class Listed:
    """Refuses every public attribute that is not on the list for the class of this name."""

    def __getattribute__(self, name):
        className = type(self).__name__
        if name in ("connect", "disconnect"):  # Shiboken has its own idea of these
            return object.__getattribute__(self, name)
        if name.startswith("_"):
            return super().__getattribute__(name)
        if name in listed(className, "properties"):
            return self._property("objectName" if name == "name" else name)
        if name in listed(className, "methods") or name in listed(className, "values"):
            return super().__getattribute__(name)
        # Qt itself looks up its virtual methods here; Python code has the names that it asks for in its own table.
        if name in sys._getframe(1).f_code.co_names:
            raise AttributeError(f"{className}.{name} is not on the list of what Slicer has")
        return super().__getattribute__(name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __setattr__(self, name, value) -> None:
        if name.startswith("_"):
            super().__setattr__(name, value)
        elif name in listed(type(self).__name__, "properties"):
            self._setProperty("objectName" if name == "name" else name, value)
        # PySide's loader sets every widget as an attribute of the top one, which PythonQt's does not: left out.
        elif name in sys._getframe(1).f_code.co_names:
            raise AttributeError(f"{type(self).__name__}.{name} is not a property on the list of what Slicer has")


class ListedObject(Listed):
    """A QObject in PythonQt's style."""

    _signals: dict[str, str] = {}

    def _property(self, name):
        return QtCore.QObject.property(self, name)

    def _setProperty(self, name, value) -> None:
        QtCore.QObject.setProperty(self, name, value)

    def connect(self, signature: str, slot) -> None:
        """Connect by signature; the slot gets as many arguments as the signature has."""
        self._connected[signature, slot] = connected = _cut(slot, _arguments(signature))
        self._signal(signature).connect(connected)

    def disconnect(self, signature: str, slot) -> None:
        self._signal(signature).disconnect(self._connected.pop((signature, slot)))

    @property
    def _connected(self) -> dict:
        return self.__dict__.setdefault("_connectedSlots", {})

    def _signal(self, signature: str):
        if signature not in listed(type(self).__name__, "signals"):
            raise AttributeError(f"{type(self).__name__} has no signal {signature} on the list of what Slicer has")
        name, arguments = signature.split("(")[0], _arguments(signature)
        signal = super().__getattribute__(self._signals.get(signature, name))
        # Only QCompleter's signals of the list are overloaded by type.
        return signal[arguments[0]] if isinstance(self, QtWidgets.QCompleter) else signal


def _arguments(signature: str) -> list[str]:
    return [part for part in signature[signature.index("(") + 1 : -1].split(",") if part]


def _cut(slot, arguments: list[str]):
    return lambda *values: slot(*values[: len(arguments)])


class FileStandIn(ListedObject, QtCore.QFile):
    """QFile; slicer.util.loadUI gives it to the loader."""


class CompleterStandIn(ListedObject, QtWidgets.QCompleter):
    """QCompleter, with a list of offers in PythonQt's style."""

    def popup(self):
        view = QtWidgets.QCompleter.popup(self)
        return SimpleNamespace(visible=view.isVisible(), currentIndex=view.currentIndex)


class TimerStandIn(ListedObject, QtCore.QTimer):
    """QTimer; only its static singleShot is on the list."""


class Loader:
    """Loads a .ui file with the stand-ins as widgets, and makes its connections by name."""

    def load(self, qfile):
        content, connections = _parted(QtCore.QFile.fileName(qfile))
        data = QtCore.QBuffer()
        data.setData(content)
        data.open(QtCore.QIODevice.ReadOnly)
        loader = _WidgetLoader()
        root = loader.load(data)
        if root is None:
            raise RuntimeError(loader.errorString())
        root._made = loader.made
        for sender, signal, receiver, slot in connections:
            loader.made[sender].connect(signal, getattr(loader.made[receiver], slot.split("(")[0]))
        return root


@cache
def _parted(path: str) -> tuple[bytes, list[list[str]]]:
    """A .ui file without its connections, which are given apart: signals with MRML types are the stand-ins' own, and
    Qt's loader does not know them."""
    root = ElementTree.parse(path).getroot()
    connections = root.find("connections")
    root.remove(connections)
    return ElementTree.tostring(root), [[part.text for part in one if part.tag != "hints"] for one in connections]


class _WidgetLoader(QtUiTools.QUiLoader):
    def __init__(self) -> None:
        super().__init__()
        self.made = {}

    def createWidget(self, className, parent=None, name=""):
        if className not in CLASSES:
            raise RuntimeError(f"there is no stand-in for {className}")
        widget = CLASSES[className](parent)
        widget.name = name
        self.made[name] = widget
        return widget


def _standIn(name: str):
    for module in (QtWidgets, QtGui, QtCore):
        raw = getattr(module, name, None)
        if raw is not None:
            base = ListedObject if issubclass(raw, QtCore.QObject) else Listed
            return type(name, (base, raw), {"__doc__": f"{name} as PythonQt shows it."})
    raise LookupError(f"PySide6 has no {name}")


_MADE_HERE = {"QCompleter": CompleterStandIn, "QFile": FileStandIn, "QTimer": TimerStandIn, "QUiLoader": Loader}
for _name, _class in _MADE_HERE.items():
    _class.__name__ = _name
CLASSES = {
    name: _MADE_HERE.get(name) or _standIn(name) for name, entry in API.items() if entry.get("module") == "qt"
}
qt = SimpleNamespace(**CLASSES)


def application():
    """The one QApplication of the process."""
    return QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
