"""Section Border, on stand-ins: two structures, their border, segments."""

import pytest
from panel_double import click, typeText


@pytest.fixture
def chosen(ready):
    """The panel with two structures typed."""
    typeText(ready.ui.firstEdit, "liver")
    typeText(ready.ui.secondEdit, "right kidney")
    return ready


def test_without_an_embedded_scan_nothing_can_be_pressed(panel):
    ui = panel.ui
    assert not any(one.enabled for one in (ui.likeliestButton, ui.borderButton, ui.segmentsButton, ui.firstEdit))


def test_both_fields_must_be_filled(ready):
    typeText(ready.ui.firstEdit, "liver")
    assert not ready.ui.borderButton.enabled and not ready.ui.segmentsButton.enabled
    typeText(ready.ui.secondEdit, "spleen")
    assert ready.ui.borderButton.enabled and ready.ui.segmentsButton.enabled


def test_the_two_likeliest_at_the_crosshair_are_written_by_name(ready, logic, scene):
    scene.GetFirstNodeByClass("vtkMRMLCrosshairNode").SetCrosshairRAS(1, 2, 3)
    click(ready.ui.likeliestButton)
    assert logic.calls == [("twoLikeliest", "CT 1", (1.0, 2.0, 3.0))]
    assert (ready.ui.firstEdit.text, ready.ui.secondEdit.text) == ("liver", "right kidney")
    assert ready.ui.borderButton.enabled


def test_the_border_is_shown_and_explained(chosen, logic):
    click(chosen.ui.borderButton)
    assert logic.calls == [("showBorder", "CT 1", "liver", "kidney_right")]
    assert "liver and right kidney are equally likely" in chosen.ui.borderMessage.text


def test_segments_are_made_and_named(chosen, logic):
    click(chosen.ui.segmentsButton)
    assert logic.calls == [("makeSegments", "CT 1", "liver", "kidney_right")]
    assert chosen.ui.borderMessage.text == "Made liver and right kidney. Check and edit it in Segment Editor, "\
        "which moves their border only."


@pytest.mark.parametrize("button", ["borderButton", "segmentsButton"])
def test_what_is_no_structure_is_said_in_the_words_of_find(chosen, logic, button):
    typeText(chosen.ui.secondEdit, "unicorn")
    click(getattr(chosen.ui, button))
    assert logic.calls == []
    assert chosen.ui.borderMessage.text == "⚠ No anatomical structure was recognised in “unicorn”."


def test_a_name_that_is_probably_meant_is_written_into_its_field_to_be_confirmed(chosen, logic):
    typeText(chosen.ui.firstEdit, "livr")
    click(chosen.ui.borderButton)
    assert logic.calls == [] and "was read as “liver”" in chosen.ui.borderMessage.text
    assert chosen.ui.firstEdit.text == "liver"
    click(chosen.ui.borderButton)
    assert logic.calls == [("showBorder", "CT 1", "liver", "kidney_right")]


def test_a_refusal_does_not_stand_beside_the_border_of_another_pair(chosen, logic):
    click(chosen.ui.borderButton)
    typeText(chosen.ui.secondEdit, "spleen")
    click(chosen.ui.borderButton)
    assert logic.calls[-1] == ("hideOverlay",) and logic.overlay is None
    assert chosen.ui.borderMessage.text.startswith("⚠ Spleen: not in this scan")


def test_the_same_structure_twice_is_said(chosen, logic):
    typeText(chosen.ui.secondEdit, "liver")
    click(chosen.ui.borderButton)
    assert logic.calls == [] and chosen.ui.borderMessage.text == "⚠ Choose two different structures."


@pytest.mark.parametrize("button", ["borderButton", "segmentsButton", "likeliestButton"])
def test_errors_are_said_and_the_fields_stay(chosen, logic, button):
    logic.error = RuntimeError("The two do not touch in this scan.")
    click(getattr(chosen.ui, button))
    assert chosen.ui.borderMessage.text == "⚠ The two do not touch in this scan."
    assert chosen.ui.firstEdit.text == "liver"
