"""What people and programs read."""

import json

import numpy as np
import pytest
from research.evaluation.section import Figure, Section
from research.evaluation.tables import cell, markdown, rows, section_content, section_markdown, section_of, without_nan


@pytest.mark.parametrize(("measure", "value", "text"), [
    ("hit@1", 0.5, "0.50"), ("median mm to box", 3.14, "3.1"), ("within 10 mm", 0.123, "0.12"),
    ("median mm off, 30 mm", 12.34, "12.3"), ("mm", 0.04, "0.0"), ("names changed", 0.00123, "0.0012"),
    ("names changed", 0.0, "0.00"), ("people", 4, "4"), ("landmarks", 216.0, "216"), ("mm", 30.0, "30"),
    ("rate", None, ""), ("rate", float("nan"), ""),
    ("cosine", -0.05, "-0.05"), ("name", "liver", "liver"),
])
def test_numbers_are_written_with_the_digits_that_matter(measure, value, text):
    assert cell(measure, value) == text


def test_a_table_has_every_measure_that_any_system_has():
    assert markdown({"a": {"x": 1.0}, "b": {"x": 2.0, "y": 3.0}})[2:] == ["| x | 1.00 | 2.00 |", "| y |  | 3.00 |"]


def test_a_row_without_a_value_has_an_empty_cell():
    assert rows([{"a": 1, "b": 0.5}, {"a": 2}])[2:] == ["| 1 | 0.50 |", "| 2 |  |"]


SYSTEMS = {"embedding": {"rate": 0.5, "sure": 1.0}, "lookup": {"rate": 0.1}}
SECTION = Section("s", "Title", "What was measured.", SYSTEMS,
                  {"embedding": {"rate": (0.25, 0.75), "sure": (1.0, 1.0)}, "lookup": {"rate": (0, 1)}},
                  [{"organ": "liver"}], [Figure("picture", "P", "x", "y", "bar", ["a"], {"embedding": [1.0]})])


def test_a_section_has_title_text_table_intervals_details_and_its_picture():
    lines = section_markdown(SECTION, {"picture"})
    assert lines[0] == "### Title"
    assert "What was measured." in lines
    assert "| | embedding | 95 % over people | lookup |" in lines
    assert "| rate | 0.50 | 0.25 to 0.75 | 0.10 |" in lines
    assert "| sure | 1.00 |  |  |" in lines  # an interval without a width says nothing
    assert "![P](picture.png)" in lines
    assert "| liver |" in lines


def test_a_section_is_the_same_after_it_was_written_and_read():
    assert section_of(json.loads(json.dumps(section_content(SECTION)))).systems == SECTION.systems
    assert section_markdown(section_of(section_content(SECTION)), {"picture"}) == section_markdown(SECTION, {"picture"})


def test_a_picture_may_lie_in_another_folder():
    assert "![P](there/picture.png)" in section_markdown(SECTION, {"picture"}, folder="there/")


def test_a_picture_that_was_not_drawn_is_not_shown():
    assert not any("picture" in line for line in section_markdown(SECTION, set()))


def test_the_content_for_programs_holds_everything():
    content = section_content(SECTION)
    assert content["systems"] == SECTION.systems
    assert content["intervals"]["lookup"] == {"rate": (0, 1)}
    assert content["figures"][0]["series"] == {"embedding": [1.0]}


def test_json_gets_null_where_there_is_no_number():
    nested = {"a": [float("nan"), 1.0, {"b": float("inf")}], "c": "text", "d": np.float64("nan")}
    assert without_nan(nested) == {"a": [None, 1.0, {"b": None}], "c": "text", "d": None}
