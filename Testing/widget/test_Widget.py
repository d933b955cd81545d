"""The panel as a whole, on stand-ins: selectors, entering and leaving, keys, scenes that close, errors."""

from subprocess import CalledProcessError
from xml.etree import ElementTree

import pytest
from panel_double import UI_FILE, click, press, processEvents
from PySide6 import QtCore, QtWidgets

CONTROL_SHIFT = QtCore.Qt.ControlModifier | QtCore.Qt.ShiftModifier


def offered(selector) -> list[str]:
    box = selector._box
    return [box.itemText(row) for row in range(1, box.count())]


@pytest.fixture
def shown(ready, slicerApplication):
    """The panel in a window that has the keyboard."""
    QtWidgets.QWidget.show(slicerApplication.window)
    QtWidgets.QWidget.activateWindow(slicerApplication.window)
    processEvents()
    yield ready
    QtWidgets.QWidget.hide(slicerApplication.window)


def addHeatMap(scene):
    """Hidden before the scene sees it, as Overlay adds it."""
    node = scene.CreateNodeByClass("vtkMRMLScalarVolumeNode")
    node.UnRegister(None)
    node.SetHideFromEditors(True)
    return scene.AddNode(node)


@pytest.mark.parametrize("name", ["scanSelector", "otherSelector"])
def test_selectors_offer_scans_only(panel, addScan, scene, name):
    addScan("labels", "vtkMRMLLabelMapVolumeNode")
    addScan("colours", "vtkMRMLVectorVolumeNode")
    addHeatMap(scene)
    addScan("CT 2")
    processEvents()
    assert offered(getattr(panel.ui, name)) == ["CT 1", "CT 2"]


def test_the_first_scan_is_chosen_when_the_panel_is_shown(makePanel, scan):
    panel = makePanel()
    assert panel.ui.scanSelector.currentNode() is None
    panel.enter()
    assert panel.ui.scanSelector.currentNode() is scan


def test_an_overlay_is_never_chosen_by_itself(makePanel, scene):
    addHeatMap(scene)
    panel = makePanel()
    panel.enter()
    assert panel.ui.scanSelector.currentNode() is None


def test_choices_are_kept_in_the_scene_while_the_panel_is_shown(panel, floor3, scene, addScan):
    other = addScan("CT 2")
    panel.ui.scanSelector.setCurrentNode(other)
    panel.ui.opacitySlider.value = 0.25
    parameters = floor3("ParameterNode").parameterNodeOf(scene)
    assert parameters.scan is other and parameters.opacity == 0.25


def test_a_hidden_panel_leaves_the_scene_alone_and_takes_its_choices_back(panel, floor3, scene):
    panel.exit()
    panel.ui.queryEdit.text = "typed by nobody"
    parameters = floor3("ParameterNode").parameterNodeOf(scene)
    assert parameters.question == ""
    parameters.question = "liver"
    panel.enter()
    assert panel.ui.queryEdit.text == "liver"


def test_leaving_stops_following_the_mouse_and_coming_back_starts_it(ready, logic):
    ready.exit()
    assert logic.calls == [("followCursor", None)]
    ready.enter()
    assert logic.calls[-1] == ("followCursor", "CT 1")


@pytest.mark.parametrize(
    "key, call",
    [
        (QtCore.Qt.Key_O, ("showOverlay", "CT 1", "colours", 0.5)),
        (QtCore.Qt.Key_N, ("describe", "CT 1", (0.0, 0.0, 0.0))),
    ],
)
def test_keys_work_while_the_panel_is_shown_and_are_given_back(shown, logic, slicerApplication, key, call):
    press(slicerApplication.window, key, CONTROL_SHIFT)
    assert logic.calls == [call]
    shown.exit()
    logic.calls.clear()
    press(slicerApplication.window, key, CONTROL_SHIFT)
    assert logic.calls == []


def test_the_overlay_key_hides_what_is_shown(shown, logic, slicerApplication):
    logic.overlay = "structures"
    press(slicerApplication.window, QtCore.Qt.Key_O, CONTROL_SHIFT)
    assert logic.calls == [("hideOverlay",)]


def test_the_search_key_opens_the_section_and_goes_to_the_box(shown, slicerApplication):
    shown.ui.findCollapsibleButton.collapsed = True
    press(slicerApplication.window, QtCore.Qt.Key_F, CONTROL_SHIFT)
    assert not shown.ui.findCollapsibleButton.collapsed
    assert QtWidgets.QWidget.hasFocus(shown.ui.queryEdit)


def test_no_shortcut_is_left_behind(panel, slicerApplication):
    from PySide6 import QtGui

    assert len(QtCore.QObject.findChildren(slicerApplication.window, QtGui.QShortcut)) == 3
    panel.exit()
    assert QtCore.QObject.findChildren(slicerApplication.window, QtGui.QShortcut) == []


def test_a_key_without_a_scan_says_so(makePanel, logic, slicerApplication):
    panel = makePanel()
    panel.enter()
    QtWidgets.QWidget.show(slicerApplication.window)
    processEvents()
    press(slicerApplication.window, QtCore.Qt.Key_N, CONTROL_SHIFT)
    assert "No scan is selected" in panel.ui.hereMessage.text
    QtWidgets.QWidget.hide(slicerApplication.window)


def test_closing_the_scene_while_embedding_leaves_an_empty_panel(panel, logic, scene, addScan):
    click(panel.ui.embedButton)
    logic.running = None  # the Logic stops what belongs to the closed scene
    scene.Clear()
    assert panel.ui.scanSelector.currentNode() is None
    assert panel.ui.embedButton.text == "Embed" and not panel.ui.embedButton.enabled
    assert panel.ui.stateLabel.text == "Choose a CT."
    again = addScan("CT of the next patient")
    panel.ui.scanSelector.setCurrentNode(again)
    click(panel.ui.embedButton)
    assert logic.calls[-1] == ("startEmbedding", "CT of the next patient", "auto", False)


def test_closing_the_scene_forgets_hits_and_names(ready, logic, scene):
    ready.ui.queryEdit.text = "liver"
    click(ready.ui.findButton)
    logic.cursorNamed.emit(logic.there, (1, 2, 3))
    logic.embedded.clear()
    scene.Clear()
    assert ready.ui.hitsTable.rowCount == 0 and ready.ui.findMessage.text == ""
    assert ready.ui.hereName.text == "Nothing named yet" and ready.ui.queryEdit.text == ""
    assert all(getattr(ready.ui, name).text == "" for name in vars(ready.ui) if name.endswith("Message"))


def test_a_scene_that_is_loaded_brings_its_choices_and_its_history(ready, logic, scene, floor3):
    import slicer

    saved = slicer.vtkMRMLScene()
    saved.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT of the file")
    floor3("ParameterNode").parameterNodeOf(saved).question = "aorta"
    saved.SetSaveToXMLString(1)
    saved.Commit()
    logic.asked = ["aorta"]
    scene.SetLoadFromXMLString(1)
    scene.SetSceneXMLString(saved.GetSceneXMLString())
    scene.Import()
    assert offered(ready.ui.scanSelector) == ["CT 1", "CT of the file"]
    assert ready.ui.queryEdit.text == "aorta" and ready.ui.historyBox.itemText(1) == "aorta"


def test_a_loaded_scene_without_choices_is_looked_at_too(ready, logic, scene):
    logic.asked = ["spleen"]
    scene.InvokeEvent(scene.EndImportEvent)
    assert ready.ui.historyBox.itemText(1) == "spleen"


def test_a_scene_closed_while_another_module_is_shown_is_found_empty(ready, scene, logic):
    ready.exit()
    logic.embedded.clear()
    scene.Clear()
    ready.enter()
    assert ready.ui.scanSelector.currentNode() is None and not ready.ui.findButton.enabled


def test_a_removed_scan_leaves_the_panel_usable(ready, logic, scene, scan, addScan):
    addScan("CT 2")
    ready.ui.queryEdit.text = "liver"
    click(ready.ui.findButton)
    logic.embedded.clear()
    scene.RemoveNode(scan)
    assert ready.ui.hitsTable.rowCount == 0 and not ready.ui.findButton.enabled
    assert ready.ui.scanSelector.currentNode() is None or ready.ui.scanSelector.currentNode().GetName() == "CT 2"


def test_the_scan_that_is_embedded_may_be_removed(panel, logic, scene, scan):
    from logic_double import Failure

    click(panel.ui.embedButton)
    scene.RemoveNode(scan)
    logic.end(Failure('"CT 1" was removed from the scene while it was embedded.'))
    assert "was removed" in panel.ui.scanMessage.text and panel.ui.embedButton.text == "Embed"


def test_a_right_click_embeds_the_scan_of_the_data_tree(panel, logic, addScan):
    panel.embedScan(addScan("CT 2"))
    assert logic.calls == [("startEmbedding", "CT 2", "auto", False)]
    panel.embedScan(panel.ui.scanSelector.currentNode())
    assert len(logic.calls) == 1 and "Another scan is being embedded" in panel.ui.scanMessage.text


def test_a_right_click_in_a_slice_names_the_place(ready, logic):
    ready.ui.hereCollapsibleButton.collapsed = True
    ready.nameAt((1.0, 2.0, 3.0))
    assert logic.calls == [("describe", "CT 1", (1.0, 2.0, 3.0))]
    assert ready.ui.hereName.text == "Liver, 87%" and not ready.ui.hereCollapsibleButton.collapsed


def test_a_right_click_finds_the_place_in_the_other_scan_or_says_what_is_missing(ready, logic, addScan):
    ready.findInOther((1.0, 2.0, 3.0))
    assert ready.ui.compareMessage.text == "⚠ Choose the second scan."
    other = addScan("CT 2")
    logic.embedded.add(other.GetID())
    ready.ui.otherSelector.setCurrentNode(other)
    ready.findInOther((1.0, 2.0, 3.0))
    assert logic.calls[-1] == ("findThere", "CT 1", (1.0, 2.0, 3.0), "CT 2")


def test_an_error_while_looking_around_is_said_in_its_section_and_the_others_go_on(panel, logic, addScan):
    def broken(scan):
        raise RuntimeError("The graphics card does not answer.")

    logic.deviceLine = broken
    panel.ui.scanSelector.setCurrentNode(addScan("CT 2"))
    assert panel.ui.scanMessage.text == "⚠ The graphics card does not answer."
    assert panel.ui.compareState.text


@pytest.mark.parametrize(("error", "said"), [
    (CalledProcessError(1, "pip"), "Command 'pip' returned non-zero exit status 1."),
    (ImportError("No module named 'rapidfuzz'", name="rapidfuzz.distance"), "The Python package rapidfuzz is missing"),
    (ImportError("DLL load failed"), "A Python package is missing or broken. Press Embed"),
    (MemoryError(), "The memory of this computer does not suffice"),
    (OSError(28, "No space left on device"), "The disk is full."),
    (KeyError("liver"), "'liver'."),
    (AssertionError(), "AssertionError, without a reason."),
], ids=lambda one: type(one).__name__ if isinstance(one, Exception) else "")
def test_whatever_goes_wrong_is_a_sentence_in_its_section_and_in_the_log(ready, logic, caplog, error, said):
    logic.error = error
    click(ready.ui.shownBox)
    assert said in ready.ui.showMessage.text and ready.ui.showMessage.text.endswith("Slicer's log says more.")
    assert "Traceback" in caplog.text and type(error).__name__ in caplog.text


def test_an_interruption_is_not_taken_for_an_error(ready, logic):
    logic.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        ready._attempt(ready.showSection, ready.showSection.show, True)
    logic.error = None


def test_a_panel_whose_choices_cannot_be_read_is_shown_all_the_same(makePanel, scan, monkeypatch, floor3):
    panel = makePanel()

    def fail(_scene):
        raise KeyError("TISSUE")

    monkeypatch.setattr(floor3("Widget"), "parameterNodeOf", fail)
    panel.enter()
    assert "TISSUE" in panel.ui.scanMessage.text and panel.ui.stateLabel.text == "Choose a CT."
    panel._scene.InvokeEvent(panel._scene.EndImportEvent)


def test_an_error_in_what_the_logic_reports_is_said(panel, logic):
    def broken():
        raise RuntimeError("The cache is gone.")

    panel.ui.modelCollapsibleButton.collapsed = False
    click(panel.ui.embedButton)
    logic.downloadsAndCaches = broken
    logic.end()
    assert panel.ui.modelMessage.text == "⚠ The cache is gone."


def test_a_cleaned_up_panel_no_longer_listens(makePanel, logic, scene, scan):
    panel = makePanel()
    panel.enter()
    panel.cleanUp()
    panel.ui.stateLabel.text = "closed"
    logic.embedded.add(scan.GetID())
    logic.embeddedChanged.emit()
    logic.cursorNamed.emit(logic.there, (1, 2, 3))
    scene.Clear()
    assert panel.ui.stateLabel.text == "closed" and panel.ui.hereName.text == "Nothing named yet"


def test_the_panel_always_says_what_it_is_for(panel):
    assert panel.ui.researchLabel.text == "Research use only, not for diagnosis."


def test_every_button_of_the_panel_does_something():
    from used_api import LIB, ui_classes

    connected = "".join(path.read_text(encoding="utf-8") for path in LIB.glob("*Section.py"))
    buttons = [name for name, kind in ui_classes().items() if kind in ("QPushButton", "QCheckBox")]
    assert len(buttons) > 15
    assert [name for name in buttons if f"ui.{name}, " not in connected] == []


KEPT_FROM_TAB = {"legendText", "cardText", "reportText", "modelPathEdit", "placesPathEdit"}


def test_the_tab_key_goes_through_every_control_in_the_order_in_which_it_is_seen(ready):
    raw, controls = QtWidgets.QWidget, {}
    for name, widget in vars(ready.ui).items():
        if isinstance(widget, (QtWidgets.QAbstractButton, QtWidgets.QLineEdit, QtWidgets.QTextEdit, QtWidgets.QComboBox,
                               QtWidgets.QAbstractItemView)):  # fmt: skip
            controls[widget] = name
    reached, widget = [], raw.nextInFocusChain(ready.ui.scanCollapsibleButton)
    while widget is not ready.ui.scanCollapsibleButton:
        if widget in controls:
            reached.append(controls[widget])
        widget = raw.nextInFocusChain(widget)
    assert set(controls.values()) - {"scanCollapsibleButton"} == set(reached)
    in_file = [one.get("name") for one in ElementTree.parse(UI_FILE).iter("widget") if one.get("name") in reached]
    assert reached == in_file
    for control, name in controls.items():
        if name not in KEPT_FROM_TAB:
            assert raw.focusPolicy(control) & QtCore.Qt.TabFocus, name
