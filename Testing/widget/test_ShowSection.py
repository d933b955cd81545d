"""Section Show, on stand-ins: modes, opacity, legend."""

import pytest
from panel_double import click, isShown


def choose(panel, row: int) -> None:
    """What Qt does when the user takes a row: the index changes, then the row is activated."""
    panel.ui.modeBox.currentIndex = row
    panel.ui.modeBox._signal("activated(int)").emit(row)


def test_the_modes_are_in_plain_words(panel):
    texts = [panel.ui.modeBox.itemText(row) for row in range(4)]
    assert texts == ["Position in the body", "Structures", "Likelihood of the last search", "Uncertainty"]


def test_without_an_embedded_scan_nothing_can_be_shown(panel):
    assert not panel.ui.shownBox.enabled and not panel.ui.modeBox.enabled and not panel.ui.opacitySlider.enabled


def test_the_box_shows_and_hides(ready, logic):
    click(ready.ui.shownBox)
    assert logic.calls == [("showOverlay", "CT 1", "colours", 0.5)] and ready.ui.shownBox.checked
    click(ready.ui.shownBox)
    assert logic.calls[-1] == ("hideOverlay",) and not ready.ui.shownBox.checked


@pytest.mark.parametrize("row, mode", [(0, "colours"), (1, "structures"), (3, "uncertainty")])
def test_another_mode_is_shown_at_once(ready, logic, row, mode):
    click(ready.ui.shownBox)
    choose(ready, row)
    assert logic.calls[-1] == ("showOverlay", "CT 1", mode, 0.5)


def test_a_mode_chosen_while_nothing_is_shown_waits(ready, logic):
    choose(ready, 3)
    assert logic.calls == []
    click(ready.ui.shownBox)
    assert logic.calls == [("showOverlay", "CT 1", "uncertainty", 0.5)]


def test_likelihood_shows_the_last_search(ready, logic):
    ready.ui.queryEdit.text = "liver"
    choose(ready, 2)
    click(ready.ui.shownBox)
    assert logic.calls == [("showHeatMap", "CT 1", "liver", None, 0.5)]
    assert "brighter" in ready.ui.legendLabel.text


def test_likelihood_of_what_is_not_there_is_said(ready, logic):
    ready.ui.queryEdit.text = "spleen"
    choose(ready, 2)
    click(ready.ui.shownBox)
    assert "not in this scan" in ready.ui.showMessage.text and not ready.ui.shownBox.checked


def test_likelihood_without_a_search_says_so_and_the_box_is_off(ready, logic):
    choose(ready, 2)
    click(ready.ui.shownBox)
    assert logic.calls == [] and not ready.ui.shownBox.checked
    assert ready.ui.showMessage.text == "⚠ Search for a structure in the section Find first."


def test_opacity_changes_what_is_shown_and_is_kept_for_the_next(ready, logic):
    ready.ui.opacitySlider.value = 0.25
    assert logic.calls == []
    click(ready.ui.shownBox)
    assert logic.calls == [("showOverlay", "CT 1", "colours", 0.25)]
    ready.ui.opacitySlider.value = 0.75
    assert logic.calls[-1] == ("setOverlayOpacity", 0.75)


def test_the_likelihood_of_section_find_is_seen_here(ready):
    ready.ui.queryEdit.text = "liver"
    click(ready.ui.heatButton)
    assert ready.ui.shownBox.checked and ready.ui.modeBox.currentIndex == 2


def test_structures_have_a_legend_with_their_colours(ready):
    choose(ready, 1)
    click(ready.ui.shownBox)
    html = ready.ui.legendText.html
    assert isShown(ready.ui.legendText) and "#cc661a" in html
    assert "Left &lt;kidney&gt;" in html and not isShown(ready.ui.legendLabel)


@pytest.mark.parametrize("row", [0, 3])
def test_the_other_modes_say_what_their_colours_mean(ready, row):
    choose(ready, row)
    click(ready.ui.shownBox)
    assert isShown(ready.ui.legendLabel) and ready.ui.legendLabel.text and not isShown(ready.ui.legendText)
    click(ready.ui.shownBox)
    assert not isShown(ready.ui.legendLabel)


def test_errors_are_said_and_the_box_says_what_is_seen(ready, logic):
    logic.error = RuntimeError("The scan is not in a slice view.")
    click(ready.ui.shownBox)
    assert ready.ui.showMessage.text == "⚠ The scan is not in a slice view." and not ready.ui.shownBox.checked
