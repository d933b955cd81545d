"""Makes the real panel from the real .ui file, and does to it what a user does."""

import slicer.util
from qt_stand_ins import QtCore, QtTest, QtWidgets
from slicer_stand_ins import MODULE_FILE

UI_FILE = MODULE_FILE.parent / "Resources" / "UI" / "AnatomicalEmbedding.ui"


def makePanel(logic, installLogic, scene, window):
    """The Widget on its .ui file, inside the window."""
    from AnatomicalEmbeddingLib.Widget import Widget

    root = slicer.util.loadUI(str(UI_FILE))
    root.setMRMLScene(scene)
    root.setParent(window)
    return Widget(root, logic, installLogic, scene)


def click(button) -> None:
    """With the mouse, in the middle of a box's mark; a disabled button does nothing."""
    place = QtCore.QPoint(8, QtWidgets.QWidget.height(button) // 2)
    QtTest.QTest.mouseClick(button, QtCore.Qt.LeftButton, QtCore.Qt.NoModifier, place)


def typeText(edit, text: str) -> None:
    """Key by key, over what stands there."""
    QtWidgets.QLineEdit.clear(edit)
    QtTest.QTest.keyClicks(edit, text)


def press(widget, key, modifiers=QtCore.Qt.NoModifier) -> None:
    QtTest.QTest.keyClick(widget, key, modifiers)


def processEvents() -> None:
    QtWidgets.QApplication.processEvents()


def cells(table) -> list[list[str]]:
    """The texts of a table by rows."""
    item, text = QtWidgets.QTableWidget.item, QtWidgets.QTableWidgetItem.text
    return [[text(item(table, row, column)) for column in range(table.columnCount)] for row in range(table.rowCount)]


def isShown(widget) -> bool:
    """Whether it would be seen if its section were open and the panel shown."""
    return not QtWidgets.QWidget.isHidden(widget)
