"""Questions as tables."""

import pytest
from anatembed.language.vocabulary import Vocabulary
from research.evaluation.question_tables import (
    BEGIN,
    END,
    group_rows,
    mistakes,
    system_rows,
    target_rows,
    with_measured,
)
from research.evaluation.question_targets import Target
from research.evaluation.questions import Question, Reply, judge_reply

VOCABULARY = Vocabulary.load()
RIGHT = judge_reply(Question("liver", "name", ("liver",), "one"), Reply("accept", ("liver",)), VOCABULARY)
WRONG = judge_reply(Question("left lung", "side", ("lung_left",), "one"), Reply("accept", ("lung_right",)), VOCABULARY)


def test_a_target_says_whether_it_is_met():
    lines = target_rows(
        [Target("a", 0.9, True, 0.95, 3), Target("b", 0, False, 2, 3), Target("c", 1, True, float("nan"), 0)]
    )
    assert "| a | at least 0.9 | 0.950 | 3 | yes |" in lines
    assert "| b | at most 0 | 2 | 3 | no |" in lines
    assert "| c | at least 1 |  | 0 | not measured |" in lines


def test_systems_and_groups_have_a_line_each():
    assert [line.split(" | ")[0] for line in system_rows({"one": [RIGHT], "two": [WRONG]})[2:]] == ["| one", "| two"]
    assert [line.split(" | ")[0] for line in group_rows([RIGHT, WRONG])[2:]] == ["| name", "| side", "| all"]


def test_mistakes_name_the_question_and_the_flip():
    assert mistakes([RIGHT, WRONG], 5) == ["wrong accept FLIP | side | left lung | meant lung_left | accept lung_right"]
    assert mistakes([WRONG], 0) == []


def test_the_measured_part_of_a_document_is_replaced():
    document = f"# Title\n{BEGIN}\nold\n{END}\nrest\n"
    assert with_measured(document, "\nnew\n") == f"# Title\n{BEGIN}\nnew\n{END}\nrest\n"


def test_a_document_without_marks_is_refused():
    with pytest.raises(ValueError, match="marks"):
        with_measured("# Title", "new")
