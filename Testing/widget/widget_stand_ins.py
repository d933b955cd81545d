"""The widgets of CTK and qMRML that the panel uses, on PySide6; the selector looks at a real MRML scene."""

import slicer
from AnatomicalEmbeddingLib.Observing import weak
from qt_stand_ins import CLASSES, ListedObject, QtCore, QtWidgets

SPACE = 12


class ctkCollapsibleButton(ListedObject, QtWidgets.QWidget):
    """A title that shows and hides what lies below it."""

    _contentsCollapsed = QtCore.Signal(bool)
    _signals = {"contentsCollapsed(bool)": "_contentsCollapsed"}

    def __init__(self, parent=None) -> None:
        QtWidgets.QWidget.__init__(self, parent)
        self._isCollapsed = False
        self._title = QtWidgets.QToolButton(self)
        self._title.setToolButtonStyle(QtCore.Qt.ToolButtonTextBesideIcon)
        self._title.setSizePolicy(QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Fixed)
        self._title.clicked.connect(lambda: self._collapse(not self._isCollapsed))
        self._collapse(False)

    def resizeEvent(self, event) -> None:
        self._title.setGeometry(0, 0, QtWidgets.QWidget.width(self), self._title.sizeHint().height())
        self._place()

    def _place(self) -> None:
        layout = QtWidgets.QWidget.layout(self)
        top = self._title.sizeHint().height()
        if layout is not None:
            layout.setContentsMargins(SPACE, top + SPACE // 2, SPACE, SPACE // 2)
        QtWidgets.QWidget.setFixedHeight(self, top) if self._isCollapsed else self._setFree()

    def _setFree(self) -> None:
        QtWidgets.QWidget.setMinimumHeight(self, 0)
        QtWidgets.QWidget.setMaximumHeight(self, 16777215)

    def _collapse(self, collapsed: bool) -> None:
        changed, self._isCollapsed = collapsed != self._isCollapsed, collapsed
        self._title.setArrowType(QtCore.Qt.RightArrow if collapsed else QtCore.Qt.DownArrow)
        self._place()
        if changed:
            self._contentsCollapsed.emit(collapsed)

    text = QtCore.Property(str, lambda self: self._title.text(), lambda self, value: self._title.setText(value))
    collapsed = QtCore.Property(bool, lambda self: self._isCollapsed, lambda self, value: self._collapse(value))


class ctkSliderWidget(ListedObject, QtWidgets.QWidget):
    """A slider and a number that show one value."""

    _valueChanged = QtCore.Signal(float)
    _signals = {"valueChanged(double)": "_valueChanged"}

    def __init__(self, parent=None) -> None:
        QtWidgets.QWidget.__init__(self, parent)
        self._slider = QtWidgets.QSlider(QtCore.Qt.Horizontal)
        self._slider.setRange(0, 1000)
        self._spin = QtWidgets.QDoubleSpinBox()
        self._spin.setRange(0, 99)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider)
        layout.addWidget(self._spin)
        self._slider.valueChanged.connect(self._slid)
        self._spin.valueChanged.connect(self._spun)

    def _slid(self, place: int) -> None:
        low, high = self._spin.minimum(), self._spin.maximum()
        self._spin.setValue(low + (high - low) * place / 1000)

    def _spun(self, value: float) -> None:
        low, high = self._spin.minimum(), self._spin.maximum()
        was = self._slider.blockSignals(True)
        self._slider.setValue(round(1000 * (value - low) / (high - low)) if high > low else 0)
        self._slider.blockSignals(was)
        self._valueChanged.emit(value)

    value = QtCore.Property(float, lambda self: self._spin.value(), lambda self, value: self._spin.setValue(value))
    minimum = QtCore.Property(float, lambda self: self._spin.minimum(), lambda self, v: self._spin.setMinimum(v))
    maximum = QtCore.Property(float, lambda self: self._spin.maximum(), lambda self, v: self._spin.setMaximum(v))
    singleStep = QtCore.Property(
        float, lambda self: self._spin.singleStep(), lambda self, v: self._spin.setSingleStep(v)
    )
    # Kept, but without an effect here.
    pageStep = QtCore.Property(float, lambda self: self._page, lambda self, value: setattr(self, "_page", value))


class ctkPathLineEdit(ListedObject, QtWidgets.QWidget):
    """A path as text and a button that asks for a file."""

    _currentPathChanged = QtCore.Signal(str)
    _signals = {"currentPathChanged(QString)": "_currentPathChanged"}

    def __init__(self, parent=None) -> None:
        QtWidgets.QWidget.__init__(self, parent)
        self._filters = []
        self._edit, self._browse = QtWidgets.QLineEdit(), QtWidgets.QToolButton()
        self._browse.setText("...")
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._edit)
        layout.addWidget(self._browse)
        self._edit.textChanged.connect(self._currentPathChanged.emit)

    currentPath = QtCore.Property(str, lambda self: self._edit.text(), lambda self, value: self._edit.setText(value))
    nameFilters = QtCore.Property(
        "QStringList", lambda self: self._filters, lambda self, value: setattr(self, "_filters", list(value))
    )


class qMRMLWidget(ListedObject, QtWidgets.QWidget):
    """Hands its scene to the widgets that are connected in the .ui file."""

    _mrmlSceneChanged = QtCore.Signal(object)
    _signals = {"mrmlSceneChanged(vtkMRMLScene*)": "_mrmlSceneChanged"}

    def __init__(self, parent=None) -> None:
        QtWidgets.QWidget.__init__(self, parent)

    def setMRMLScene(self, scene) -> None:
        self._mrmlSceneChanged.emit(scene)


def _kept(kind, name: str):
    return QtCore.Property(kind, lambda self: self._kept.get(name), lambda self, value: self._keep(name, value))


class qMRMLNodeComboBox(ListedObject, QtWidgets.QWidget):
    """A list of the scene's nodes by Slicer's rules: type, its subclasses or not, hidden nodes."""

    _currentNodeChanged = QtCore.Signal(object)
    _signals = {"currentNodeChanged(vtkMRMLNode*)": "_currentNodeChanged"}

    def __init__(self, parent=None) -> None:
        QtWidgets.QWidget.__init__(self, parent)
        self._scene, self._tags, self._shownIDs, self._emitted = None, [], [], None
        self._kept = {"nodeTypes": [], "showChildNodeTypes": True, "noneEnabled": False, "noneDisplay": "None"}
        self._box = QtWidgets.QComboBox()
        self._box.setSizeAdjustPolicy(QtWidgets.QComboBox.AdjustToMinimumContentsLengthWithIcon)
        self._box.setSizePolicy(QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Fixed)
        self._box.currentIndexChanged.connect(self._emit)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        QtWidgets.QWidget.setEnabled(self, False)

    def setMRMLScene(self, scene) -> None:
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._scene, self._tags = scene, []
        if scene is not None:
            kind = slicer.vtkMRMLScene
            events = (kind.NodeAddedEvent, kind.NodeRemovedEvent, kind.EndBatchProcessEvent)
            # weak: a scene that dies with its selector still says so
            self._tags = [scene.AddObserver(event, weak(self._rebuild)) for event in events]
        QtWidgets.QWidget.setEnabled(self, scene is not None)
        self._rebuild()

    def currentNode(self):
        row = self._box.currentIndex() - int(self._kept["noneEnabled"])
        return self._scene.GetNodeByID(self._shownIDs[row]) if 0 <= row < len(self._shownIDs) else None

    def setCurrentNode(self, node) -> None:
        nodeID = node.GetID() if node is not None else None
        row = self._shownIDs.index(nodeID) if nodeID in self._shownIDs else -1
        self._box.setCurrentIndex(row + int(self._kept["noneEnabled"]))

    def setCurrentNodeIndex(self, index: int) -> None:
        self._box.setCurrentIndex(index + int(self._kept["noneEnabled"]))

    def nodeCount(self) -> int:
        return len(self._shownIDs)

    def _accepts(self, node) -> bool:
        if node.GetHideFromEditors():
            return False
        return any(
            node.IsA(kind) and (self._kept["showChildNodeTypes"] or node.GetClassName() == kind)
            for kind in self._kept["nodeTypes"]
        )

    def _rebuild(self, *_event) -> None:
        if self._scene is not None and self._scene.IsBatchProcessing():
            return
        amount = self._scene.GetNumberOfNodes() if self._scene is not None else 0
        nodes = [self._scene.GetNthNode(number) for number in range(amount)]
        accepted = [node for node in nodes if self._accepts(node)]
        row, offset = self._box.currentIndex(), int(self._kept["noneEnabled"])
        current = self._shownIDs[row - offset] if 0 <= row - offset < len(self._shownIDs) else None
        self._shownIDs = [node.GetID() for node in accepted]
        was = self._box.blockSignals(True)
        self._box.clear()
        self._box.addItems([self._kept["noneDisplay"]] * offset + [node.GetName() for node in accepted])
        if current in self._shownIDs:
            row = self._shownIDs.index(current) + offset
        # When the current row goes away, Qt's combo box takes the one that moves into its place, or the last one.
        self._box.setCurrentIndex(min(max(row, 0), self._box.count() - 1) if offset else row)
        self._box.blockSignals(was)
        self._emit()

    def _emit(self, *_row) -> None:
        node = self.currentNode()
        nodeID = node.GetID() if node is not None else None
        if nodeID != self._emitted:
            self._emitted = nodeID
            self._currentNodeChanged.emit(node)

    def _keep(self, name: str, value) -> None:
        self._kept[name] = value
        self._rebuild()

    nodeTypes = _kept("QStringList", "nodeTypes")
    noneDisplay = _kept(str, "noneDisplay")
    noneEnabled = _kept(bool, "noneEnabled")
    showChildNodeTypes = _kept(bool, "showChildNodeTypes")
    addEnabled = _kept(bool, "addEnabled")
    removeEnabled = _kept(bool, "removeEnabled")

WIDGETS = (ctkCollapsibleButton, ctkSliderWidget, ctkPathLineEdit, qMRMLWidget, qMRMLNodeComboBox)
CLASSES.update({kind.__name__: kind for kind in WIDGETS})
