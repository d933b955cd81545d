"""Section Model, on stand-ins: facts, import, removing what is kept."""

import pytest
from panel_double import click
from PySide6 import QtGui, QtWidgets


@pytest.fixture
def opened(ready):
    ready.ui.modelCollapsibleButton.collapsed = False
    return ready


def test_nothing_is_read_before_the_section_is_opened(panel, logic):
    logic.modelFacts = lambda: pytest.fail("read too early")
    panel.refresh()
    assert panel.ui.modelFacts.text == ""


def test_the_facts_the_card_and_the_licence_are_shown(opened):
    text = opened.ui.modelFacts.text
    assert "AnatEmbed 2, 120 structures" in text and "Licence: Apache-2.0" in text and "a1b2c3d4" in text
    assert "is not for diagnosis" in QtWidgets.QTextEdit.toPlainText(opened.ui.cardText)
    assert opened.ui.modelFacts.toolTip == "/models/model.npz"


def test_a_file_must_be_named_to_be_imported(opened, logic):
    assert not opened.ui.importButton.enabled
    opened.ui.modelPathEdit.currentPath = "/tmp/other.npz"
    opened.ui.checksumEdit.text = " abc123 "
    click(opened.ui.importButton)
    assert logic.calls == [("importModel", "/tmp/other.npz", "abc123")]
    assert opened.ui.modelMessage.text.startswith("The model is in use.")


def test_a_file_that_is_no_model_is_said(opened, logic):
    opened.ui.modelPathEdit.currentPath = "/tmp/other.npz"
    logic.error = RuntimeError("The checksum differs.")
    click(opened.ui.importButton)
    assert opened.ui.modelMessage.text == "⚠ The checksum differs."


def test_back_to_the_shipped_model(opened, logic):
    click(opened.ui.shippedButton)
    assert logic.calls == [("useShippedModel",)]
    assert opened.ui.modelMessage.text == "The shipped model is in use."


def test_what_is_kept_is_removed_after_asking(opened, logic, slicerApplication):
    assert opened.ui.cacheLabel.text == "120 MB (files: 3)"
    click(opened.ui.removeButton)
    assert len(slicerApplication.answers.questions) == 1 and "Remove 3 kept" in slicerApplication.answers.questions[0]
    assert logic.calls == [("removeCaches",)]
    assert opened.ui.cacheLabel.text == "0 MB (files: 0)" and not opened.ui.removeButton.enabled


def test_a_no_removes_nothing(opened, logic, slicerApplication):
    slicerApplication.answers.agrees = False
    click(opened.ui.removeButton)
    assert logic.calls == [] and opened.ui.cacheLabel.text == "120 MB (files: 3)"


def test_a_file_that_cannot_be_removed_is_said(opened, logic):
    logic.error = RuntimeError("A file is in use.")
    click(opened.ui.removeButton)
    assert opened.ui.modelMessage.text == "⚠ A file is in use."


def test_a_new_embedding_is_counted(opened, logic):
    click(opened.ui.embedButton)
    assert not opened.ui.removeButton.enabled and not opened.ui.shippedButton.enabled
    logic.kept = (4, 160_000_000)
    logic.end()
    assert opened.ui.cacheLabel.text == "160 MB (files: 4)" and opened.ui.removeButton.enabled


def test_the_facts_can_be_copied_for_an_email(opened, logic):
    click(opened.ui.factsButton)
    text = QtGui.QGuiApplication.clipboard().text()
    assert "AnatEmbed 2, number a1b2c3d4, 120 structures, /models/model.npz" in text
    assert "Device: NVIDIA RTX 3060, 12 GB free" in text and "Slicer 5.12.0" in text
    assert all(package in text for package in ("torch", "numpy", "rapidfuzz", "Python 3"))
    assert "CT 1" not in text and opened.ui.modelMessage.text == "The facts are on the clipboard."


def test_facts_that_cannot_be_read_are_said(ready, logic):
    def broken():
        raise RuntimeError("The model file is damaged.")

    logic.modelFacts = broken
    ready.ui.modelCollapsibleButton.collapsed = False
    assert ready.ui.modelMessage.text == "⚠ The model file is damaged."
