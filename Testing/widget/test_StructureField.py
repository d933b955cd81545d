"""A field that completes names of structures."""

import pytest
from panel_double import press, typeText
from PySide6 import QtCore, QtWidgets


@pytest.fixture
def field(floor3, slicerApplication, logic):
    from qt_stand_ins import qt

    edit = qt.QLineEdit(slicerApplication.window)
    field = floor3("StructureField").StructureField(edit, logic.complete, logic.nameOf)
    for widget, signal, slot in field.connections():
        widget.connect(signal, slot)
    field.edit = edit
    return field


def offers(field) -> list[str]:
    return QtCore.QStringListModel.stringList(field._names)


def test_typing_offers_names_in_the_order_of_the_logic(field):
    typeText(field.edit, "kid")
    assert offers(field) == ["left kidney", "right kidney"]


def test_both_sides_are_offered_when_the_side_is_missing(field):
    typeText(field.edit, "kidney")
    assert {"left kidney", "right kidney"} <= set(offers(field))


def test_the_offers_are_shown_below_the_field_while_typing(field, slicerApplication):
    QtWidgets.QWidget.show(slicerApplication.window)
    typeText(field.edit, "kid")
    popup = QtWidgets.QCompleter.popup(field._completer)
    assert popup.isVisible()
    assert [popup.model().index(row, 0).data() for row in range(popup.model().rowCount())] == offers(field)
    popup.hide()
    QtWidgets.QWidget.hide(slicerApplication.window)


def test_an_empty_field_offers_nothing(field):
    typeText(field.edit, "k")
    press(field.edit, QtCore.Qt.Key_Backspace)
    assert offers(field) == []


def test_a_synonym_is_asked_by_its_plain_name(field):
    typeText(field.edit, "hepar")
    field.edit.text = "hepar (liver)"
    assert field.text() == "liver"


def test_what_was_typed_is_asked_as_it_stands(field):
    field.edit.text = " left KIDNEY "
    assert field.text() == "left KIDNEY"
