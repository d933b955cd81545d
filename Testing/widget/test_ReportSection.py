"""Section Report, on stand-ins: pasting, links, questions, what is not there, key slices."""

from dataclasses import replace

import pytest
from logic_double import SAID, hit, meaning, reading
from panel_double import cells, click, isShown, press
from PySide6 import QtCore, QtGui, QtWidgets

REPORT = "Liver <b>1.2 & 3 cm</b>.\nNo lesion; kidneys, ureters. Spleen, right lingula. Pancreatic tail."


def follow(panel, address: str) -> None:
    """Click a link of the report."""
    panel.ui.reportText._signal("anchorClicked(QUrl)").emit(QtCore.QUrl(address))


def choose(panel, link: str) -> None:
    panel.ui.mentionLabel._signal("linkActivated(QString)").emit(link)


@pytest.fixture
def read(ready, logic):
    """The panel after a report was pasted and read."""
    ready.ui.reportEdit.plainText = REPORT
    click(ready.ui.readButton)
    logic.calls.clear()
    return ready


def links(panel) -> dict[str, str]:
    """Words of every link in the shown report, with where it leads."""
    found = {}
    document = QtWidgets.QTextEdit.document(panel.ui.reportText)
    block = document.begin()
    while block.isValid():
        for one in block:
            fragment = one.fragment()
            if fragment.charFormat().isAnchor():
                found[fragment.text()] = fragment.charFormat().anchorHref()
        block = block.next()
    return found


def formatOf(panel, words: str) -> QtGui.QTextCharFormat:
    """The format in which words are shown."""
    cursor = QtWidgets.QTextEdit.document(panel.ui.reportText).find(words)
    assert not cursor.isNull(), words
    return cursor.charFormat()


def test_a_scan_that_is_not_embedded_has_no_report_read(panel, logic):
    assert not panel.ui.readButton.enabled and panel.ui.readButton.toolTip == "Embed the scan first."
    panel.ui.reportEdit.plainText = REPORT
    click(panel.ui.readButton)
    assert logic.calls == []


def test_without_a_text_the_panel_says_what_to_do(ready, logic):
    ready.ui.reportEdit.plainText = "  \n"
    click(ready.ui.readButton)
    assert ready.ui.reportMessage.text == "⚠ Paste a report first." and logic.calls == []


def test_the_pasted_text_is_read_as_it_is(ready, logic):
    ready.ui.reportEdit.plainText = REPORT
    click(ready.ui.readButton)
    assert logic.calls == [("readReport", "CT 1", REPORT, 5)]
    assert isShown(ready.ui.reportText) and isShown(ready.ui.slicesTable)


def test_formatting_of_what_is_pasted_is_left_behind(ready):
    assert not ready.ui.reportEdit.acceptRichText


def test_the_report_is_shown_letter_by_letter_and_its_markup_is_text(read):
    shown = QtWidgets.QTextEdit.toPlainText(read.ui.reportText)
    assert shown.replace("?", "").replace("!", "") == REPORT
    assert formatOf(read, "1.2").fontWeight() == QtGui.QFont.Normal


def test_every_mention_in_the_scan_is_a_link(read):
    assert links(read) == {"Liver": "#0", "kidneys": "#1", "ureters": "#2", "Pancreatic tail": "#5"}
    assert read.ui.reportMessage.text == (
        "6 places named: 4 in this scan (blue), 2 of them to be chosen (?), 1 not shown (grey), "
        "1 with a side to check (!)."
    )


def test_what_is_not_in_the_scan_is_grey_and_says_why(read):
    shown = formatOf(read, "Spleen")
    assert shown.foreground().color().name() == "#808080" and not shown.isAnchor()
    assert shown.toolTip() == "Spleen: not in this scan." and formatOf(read, "Liver").toolTip() == "liver"


def test_a_side_that_does_not_exist_stands_out_and_says_why(read):
    shown = formatOf(read, "right lingula")
    assert shown.foreground().color().name() == "#b36b00" and not shown.isAnchor()
    assert shown.toolTip().endswith("not on the <right>. Check the side.")


def test_a_link_moves_the_views_and_names_the_place(read, logic):
    follow(read, "#0")
    assert logic.calls == [("showMention", "CT 1", "liver", (62.4, -8.2, -20.6))]
    assert read.ui.mentionLabel.text == "Liver: R 62, P 8, I 21 mm, confidence 93%" and isShown(read.ui.mentionLabel)


def test_the_whole_is_said_to_be_shown_for_a_part_that_was_not_learnt(read):
    follow(read, "#5")
    assert read.ui.mentionLabel.text.endswith("⚠ Tail of pancreas: the whole is shown.")


def test_a_question_offers_its_choices_and_moves_nothing_yet(read, logic):
    follow(read, "#1")
    assert logic.calls == []
    text = read.ui.mentionLabel.text
    assert "exists on both sides" in text
    assert '<a href="1/0">left kidney</a>, <a href="1/1">right kidney</a>' in text


def test_a_choice_moves_the_views_to_that_side_and_the_other_can_still_be_chosen(read, logic):
    follow(read, "#1")
    choose(read, "1/1")
    assert logic.calls == [("showMention", "CT 1", "right kidney", (58.0, -42.0, -85.0))]
    assert "Right kidney: R 58" in read.ui.mentionLabel.text and 'href="1/0"' in read.ui.mentionLabel.text
    choose(read, "1/0")
    assert logic.calls[-1] == ("showMention", "CT 1", "left kidney", (-60.0, -40.0, -80.0))


def test_a_side_that_is_not_in_the_scan_is_no_choice(read):
    follow(read, "#2")
    assert "2/0" not in read.ui.mentionLabel.text and 'href="2/1"' in read.ui.mentionLabel.text
    assert "Left ureter: not here." in read.ui.mentionLabel.text


@pytest.mark.parametrize("address", ["#99", "#", "#-1", "https://example.org", "#3/1", "#²"])
def test_a_link_to_nothing_does_nothing(read, logic, address):
    follow(read, address)
    assert logic.calls == []


def test_key_slices_are_listed_and_a_row_moves_the_views(read, logic):
    table = read.ui.slicesTable
    assert [row[0] for row in cells(table)] == ["I 20 mm", "I 60 mm"]
    assert cells(table)[0][1].startswith("liver, left kidney") and table.currentRow() == -1
    table.setCurrentCell(0, 0)
    press(table, QtCore.Qt.Key_Down)
    assert [call for call in logic.calls if call[0] == "showSlice"] == [
        ("showSlice", (1.0, 2.0, -20.0)), ("showSlice", (1.0, 2.0, -60.0))]


def test_a_report_without_anatomy_says_so(ready):
    ready.ui.reportEdit.plainText = "Contrast was given."
    click(ready.ui.readButton)
    assert ready.ui.reportMessage.text == "No structure is mentioned in this report."
    assert not isShown(ready.ui.reportText) and not isShown(ready.ui.slicesTable)


def test_a_new_report_takes_the_place_of_the_old_one(read):
    follow(read, "#0")
    read.ui.reportEdit.plainText = "kidneys"
    click(read.ui.readButton)
    assert links(read) == {"kidneys": "#0"} and not isShown(read.ui.mentionLabel)


def test_an_error_is_shown_and_the_pasted_text_stays(read, logic):
    logic.error = RuntimeError("That cannot be answered: expected a report of at most 20,000 characters.")
    click(read.ui.readButton)
    assert read.ui.reportMessage.text.startswith("⚠ That cannot be answered")
    assert read.ui.reportEdit.plainText == REPORT


def test_another_scan_takes_the_places_away_and_leaves_the_text(read, addScan, logic):
    other = addScan("CT 2")
    read.ui.scanSelector.setCurrentNode(other)
    assert not isShown(read.ui.reportText) and not isShown(read.ui.slicesTable) and read.ui.reportMessage.text == ""
    assert read.ui.reportEdit.plainText == REPORT
    choose(read, "0/0")
    follow(read, "#0")
    assert [call for call in logic.calls if call[0] == "showMention"] == []


def test_links_into_a_scan_that_was_moved_ask_to_read_again(read, logic):
    logic.motion = (5.0,)
    follow(read, "#0")
    assert logic.calls == []
    assert "was moved" in read.ui.reportMessage.text


def test_a_doubt_about_the_whole_scan_is_said_with_the_summary(ready, logic, monkeypatch):
    told = reading(REPORT)
    told.caution = "Upside down?"
    monkeypatch.setattr(logic, "readReport", lambda *_: told)
    ready.ui.reportEdit.plainText = REPORT
    click(ready.ui.readButton)
    assert ready.ui.reportMessage.text.startswith("⚠ ") and ready.ui.reportMessage.text.endswith("Upside down?")


def test_a_level_of_a_report_says_what_it_was_counted_from_and_what_is_doubtful_about_it(read, monkeypatch):
    level = replace(hit("liver", 0.8, (1.0, 2.0, 3.0), "T12 vertebra"), basis="counted from the sacrum", caution="Odd.")
    monkeypatch.setitem(SAID, "liver", replace(SAID["liver"], places=(level,), meant=(meaning(level),)))
    click(read.ui.readButton)
    follow(read, "#0")
    assert "confidence 80%, counted from the sacrum. ⚠ Odd." in read.ui.mentionLabel.text
