"""Section Find, on stand-ins: asking, the table, near matches, history, likelihood."""

import pytest
from panel_double import cells, click, isShown, press, typeText
from PySide6 import QtCore, QtWidgets

Key = QtCore.Qt


def ask(panel, text: str) -> None:
    """Type and press Enter, which an open list of offers gets first."""
    typeText(panel.ui.queryEdit, text)
    popup = offers(panel)
    press(popup if popup.isVisible() else panel.ui.queryEdit, Key.Key_Return)
    popup.hide()


def offers(panel):
    return QtWidgets.QCompleter.popup(panel.findSection.field._completer)


def test_a_scan_that_is_not_embedded_cannot_be_asked(panel, logic):
    assert not panel.ui.queryEdit.enabled and not panel.ui.findButton.enabled and not panel.ui.heatButton.enabled
    assert panel.ui.queryEdit.toolTip == "Embed the scan first."
    click(panel.ui.findButton)
    assert logic.calls == []


def test_enter_asks_and_the_hits_stand_in_the_table(ready, logic):
    ask(ready, "liver")
    assert logic.calls == [("locate", "CT 1", "liver")]
    assert ready.ui.findMessage.text == "Liver: found."
    assert cells(ready.ui.hitsTable) == [
        ["Liver", "93%", "R 62, P 8, I 21"],
        ["Less likely: liver", "41%", "L 31, A 15, S 4"],
    ]
    assert isShown(ready.ui.hitsTable) and ready.ui.hitsTable.currentRow() == 0


def test_the_button_asks_too(ready, logic):
    ready.ui.queryEdit.text = "liver"
    click(ready.ui.findButton)
    assert logic.calls == [("locate", "CT 1", "liver")]


def test_an_empty_question_says_what_to_type(ready, logic):
    click(ready.ui.findButton)
    assert ready.ui.findMessage.text == "⚠ Type a structure first, for example: left kidney."
    assert logic.calls == []


def test_the_down_key_moves_the_views_to_the_next_hit(ready, logic):
    ask(ready, "liver")
    press(ready.ui.hitsTable, Key.Key_Down)
    assert logic.calls[-1] == ("jumpTo", (-31.0, 15.0, 4.0))
    press(ready.ui.hitsTable, Key.Key_Up)
    assert logic.calls[-1] == ("jumpTo", (62.4, -8.2, -20.6))


def test_a_double_click_jumps_again(ready, logic):
    ask(ready, "liver")
    ready.ui.hitsTable._signal("cellDoubleClicked(int,int)").emit(0, 2)
    assert logic.calls[-1] == ("jumpTo", (62.4, -8.2, -20.6))


def test_a_chosen_synonym_is_asked_by_its_name(ready, logic):
    typeText(ready.ui.queryEdit, "hepar")
    ready.findSection.field._completer._signal("activated(QString)").emit("hepar (liver)")
    assert logic.calls == [("locate", "CT 1", "liver")]
    assert ready.ui.queryEdit.text == "liver"


def test_a_name_chosen_with_the_keys_is_asked_once(ready, logic, slicerApplication):
    QtWidgets.QWidget.show(slicerApplication.window)
    typeText(ready.ui.queryEdit, "left kid")
    assert offers(ready).isVisible()
    press(offers(ready), Key.Key_Down)
    press(offers(ready), Key.Key_Return)
    QtWidgets.QWidget.hide(slicerApplication.window)
    assert logic.calls == [("locate", "CT 1", "left kidney")]


def test_what_is_not_in_the_scan_is_said_and_leaves_no_hits(ready):
    ask(ready, "liver")
    ask(ready, "spleen")
    assert ready.ui.findMessage.text == "Spleen: not in this scan (confidence that it is there 3%)."
    assert not isShown(ready.ui.hitsTable) and not ready.ui.keepButton.enabled
    assert not isShown(ready.ui.choicesLabel)


def test_what_is_not_understood_offers_near_matches_that_can_be_clicked(ready, logic):
    ask(ready, "adrenla")
    assert ready.ui.findMessage.text == "No structure of this name is known."
    assert "Did you mean:" in ready.ui.choicesLabel.text and isShown(ready.ui.choicesLabel)
    assert '<a href="left kidney">' in ready.ui.choicesLabel.text
    ready.ui.choicesLabel._signal("linkActivated(QString)").emit("left kidney")
    assert logic.calls[-1] == ("locate", "CT 1", "left kidney")
    assert ready.ui.queryEdit.text == "left kidney" and not isShown(ready.ui.choicesLabel)


def test_without_a_side_both_are_listed_none_is_gone_to_and_one_can_be_chosen(ready, logic):
    ask(ready, "kidney")
    assert logic.calls == [("locate", "CT 1", "kidney")] and ready.ui.hitsTable.currentRow() == -1
    assert ready.ui.findMessage.text == "“kidney” exists on both sides. Choose left or right."
    assert [row[0] for row in cells(ready.ui.hitsTable)] == ["Left kidney", "Right kidney"]
    assert "Choose one:" in ready.ui.choicesLabel.text and "right kidney" in ready.ui.choicesLabel.text


def test_a_part_is_shown_by_its_name_and_its_choices_keep_the_part(ready, logic):
    ask(ready, "upper kidney")
    assert [row[0] for row in cells(ready.ui.hitsTable)] == ["Upper part of left kidney", "Upper part of right kidney"]
    assert '<a href="upper part of right kidney">' in ready.ui.choicesLabel.text
    ready.ui.choicesLabel._signal("linkActivated(QString)").emit("upper part of right kidney")
    assert logic.calls[-1] == ("locate", "CT 1", "upper part of right kidney")


def test_a_name_that_is_not_sure_is_a_question_to_which_the_link_says_yes(ready, logic):
    ask(ready, "livr")
    assert ready.ui.choicesLabel.text == 'Is this meant? <a href="liver">liver</a>'
    assert isShown(ready.ui.choicesLabel) and isShown(ready.ui.hitsTable)
    ready.ui.choicesLabel._signal("linkActivated(QString)").emit("liver")
    assert logic.calls[-1] == ("locate", "CT 1", "liver")
    assert not isShown(ready.ui.choicesLabel)


def test_a_place_that_has_to_be_checked_is_said_with_a_sign(ready):
    ask(ready, "liver segment 2")
    assert ready.ui.findMessage.text.startswith("⚠ Liver: found. Liver segment II: not learnt by this model")
    assert not isShown(ready.ui.choicesLabel)


def test_a_kept_part_is_said_by_its_name(ready):
    ask(ready, "upper kidney")
    ready.ui.hitsTable.setCurrentCell(0, 0)
    click(ready.ui.keepButton)
    assert ready.ui.findMessage.text == "Kept: upper part of left kidney."


def test_a_kept_hit_is_said(ready, logic):
    ask(ready, "kidney")
    ready.ui.hitsTable.setCurrentCell(1, 0)
    click(ready.ui.keepButton)
    assert logic.calls[-1] == ("keepHit", "CT 1", "kidney_right")
    assert ready.ui.findMessage.text == "Kept: right kidney."


def test_without_a_selected_row_nothing_is_kept(ready, logic):
    ask(ready, "liver")
    ready.ui.hitsTable.setCurrentCell(-1, -1)
    logic.calls.clear()
    click(ready.ui.keepButton)
    assert logic.calls == [] and "Select a place" in ready.ui.findMessage.text


def test_earlier_searches_can_be_asked_again(ready, logic):
    assert not ready.ui.historyBox.enabled
    ask(ready, "liver")
    ask(ready, "spleen")
    assert [ready.ui.historyBox.itemText(row) for row in (1, 2)] == ["spleen", "liver"]
    ready.ui.historyBox._signal("activated(int)").emit(2)
    assert logic.calls[-1] == ("locate", "CT 1", "liver")
    count = len(logic.calls)
    ready.ui.historyBox._signal("activated(int)").emit(0)
    assert len(logic.calls) == count


def test_likelihood_is_shown_for_what_stands_in_the_box(ready, logic):
    ready.ui.queryEdit.text = "liver"
    click(ready.ui.heatButton)
    assert logic.calls == [("showHeatMap", "CT 1", "liver", None, 0.5)]
    assert ready.ui.thresholdSlider.enabled


def test_the_likelihood_of_what_is_not_there_is_said(ready):
    ready.ui.queryEdit.text = "spleen"
    click(ready.ui.heatButton)
    assert "not in this scan" in ready.ui.findMessage.text and not ready.ui.thresholdSlider.enabled


def test_the_likelihood_of_nothing_asks_for_a_name(ready, logic):
    click(ready.ui.heatButton)
    assert "Type a structure first" in ready.ui.findMessage.text and logic.calls == []


def test_the_slider_hides_what_is_less_likely_and_zero_is_automatic(ready, logic):
    ready.ui.queryEdit.text = "liver"
    ready.ui.thresholdSlider.value = 0.2
    assert logic.calls == []
    click(ready.ui.heatButton)
    assert logic.calls[-1] == ("showHeatMap", "CT 1", "liver", 0.2, 0.5)
    ready.ui.thresholdSlider.value = 0.7
    assert logic.calls[-1] == ("setHeatThreshold", 0.7)
    ready.ui.thresholdSlider.value = 0.0
    assert logic.calls[-1] == ("showHeatMap", "CT 1", "liver", None, 0.5)


def test_hits_of_another_scan_are_not_shown(ready, logic, addScan):
    ask(ready, "liver")
    other = addScan("CT 2")
    logic.embedded.add(other.GetID())
    ready.ui.scanSelector.setCurrentNode(other)
    assert ready.ui.hitsTable.rowCount == 0 and ready.ui.findMessage.text == ""


@pytest.mark.parametrize("button", ["findButton", "heatButton", "keepButton"])
def test_errors_are_said_and_the_controls_stay(ready, logic, button):
    ask(ready, "liver")
    logic.error = RuntimeError("The voxels have changed.")
    click(getattr(ready.ui, button))
    assert ready.ui.findMessage.text == "⚠ The voxels have changed."
    assert ready.ui.findButton.enabled and ready.ui.queryEdit.text == "liver"


def test_a_hit_that_cannot_be_jumped_to_is_said(ready, logic):
    ask(ready, "liver")
    logic.error = RuntimeError("The views are gone.")
    press(ready.ui.hitsTable, Key.Key_Down)
    assert ready.ui.findMessage.text == "⚠ The views are gone."


def test_places_of_a_scan_that_was_moved_are_neither_gone_to_nor_kept(ready, logic):
    ask(ready, "liver")
    logic.motion = (5.0,)
    logic.calls.clear()
    click(ready.ui.keepButton)
    press(ready.ui.hitsTable, Key.Key_Down)
    assert logic.calls == []
    assert "was moved" in ready.ui.findMessage.text and "Search again" in ready.ui.findMessage.text


def test_grey_values_fit_the_selected_place(ready, logic):
    assert not ready.ui.windowButton.enabled
    ask(ready, "liver")
    click(ready.ui.windowButton)
    assert logic.calls[-1] == ("fitWindow", "CT 1", "liver")
    assert ready.ui.findMessage.text == "Grey values for soft tissue: width 400, centre 40 HU."


def test_a_segment_is_made_of_the_structure_from_the_threshold_up(ready, logic):
    ask(ready, "liver")
    click(ready.ui.segmentButton)
    assert logic.calls[-1] == ("makeSegment", "CT 1", "liver", None)
    ready.ui.thresholdSlider.value = 0.4
    click(ready.ui.segmentButton)
    assert logic.calls[-1] == ("makeSegment", "CT 1", "liver", 0.4)
    assert ready.ui.findMessage.text.startswith("Made liver. ")


def test_what_is_not_there_makes_no_segment_and_says_why(ready, logic):
    ready.ui.queryEdit.text = "spleen"
    click(ready.ui.segmentButton)
    assert ready.ui.findMessage.text.startswith("⚠ Spleen: not in this scan")
