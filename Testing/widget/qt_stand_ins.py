"""Tiny stand-ins for the few Qt and qMRML classes of the panel: properties are attributes, signals call slots.

They have what the panel uses and nothing else, so that a misspelt name fails; what Slicer really does with these
classes is not tested by them.
"""

from types import SimpleNamespace


class _Widget:
    properties: tuple = ("enabled",)
    signals: tuple = ()

    def __init__(self) -> None:
        object.__setattr__(self, "slots", {})
        self.enabled = True

    def __setattr__(self, name, value) -> None:
        if name not in self.properties:
            raise AttributeError(f"{type(self).__name__} has no property {name}")
        object.__setattr__(self, name, value)

    def connect(self, signal, slot) -> None:
        if signal not in self.signals:
            raise AttributeError(f"{type(self).__name__} has no signal {signal}")
        self.slots[signal] = slot

    def emit(self, signal, *arguments) -> None:
        self.slots[signal](*arguments)


class _Text(_Widget):
    properties = ("enabled", "text", "wordWrap", "placeholderText")
    signals = ("clicked()", "returnPressed()", "toggled(bool)")

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.text = text

    def click(self) -> None:
        if self.enabled:
            self.emit("clicked()")


class _NodeComboBox(_Widget):
    properties = ("enabled", "nodeTypes", "showChildNodeTypes", "addEnabled", "removeEnabled", "noneEnabled", "node")
    signals = ("currentNodeChanged(vtkMRMLNode*)",)

    def __init__(self) -> None:
        super().__init__()
        self.node = None

    def setMRMLScene(self, scene) -> None:
        assert scene is not None

    def currentNode(self):
        return self.node

    def setCurrentNode(self, node) -> None:
        self.node = node
        self.emit("currentNodeChanged(vtkMRMLNode*)", node)


class _FormLayout:
    def __init__(self, parent) -> None:
        assert isinstance(parent, _Widget)

    def addRow(self, *_) -> None:
        return None


qt = SimpleNamespace(
    QWidget=_Widget,
    QFormLayout=_FormLayout,
    QPushButton=_Text,
    QCheckBox=_Text,
    QLineEdit=_Text,
    QLabel=_Text,
)
slicer = SimpleNamespace(qMRMLNodeComboBox=_NodeComboBox, app=SimpleNamespace(processEvents=lambda: None))
