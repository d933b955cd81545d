"""What an answer to a typed question is worth."""

import json

import pytest
from anatembed.language.vocabulary import Vocabulary
from research.evaluation.questions import Question, Reply, ask_all, by_group, judge_reply, read_questions, summarise

VOCABULARY = Vocabulary.load()
ONE = Question("left kidney", "names", ("kidney_left",), "one")
SIDES = Question("kidney", "sides", ("kidney_left", "kidney_right"), "sides")
NONE = Question("carburetor", "nonsense", (), "refuse")


def verdict(question, outcome, *ids):
    judged = judge_reply(question, Reply(outcome, ids), VOCABULARY)
    return judged.verdict, judged.flipped


@pytest.mark.parametrize(
    ("question", "reply", "worth"),
    [
        (ONE, ("accept", "kidney_left"), "right accept"),
        (ONE, ("confirm", "kidney_left", "spleen"), "right confirm"),
        (ONE, ("confirm", "spleen", "kidney_left"), "wrong confirm"),
        (ONE, ("accept", "spleen"), "wrong accept"),
        (ONE, ("ask", "kidney_left", "kidney_right"), "needless question"),
        (ONE, ("ask", "spleen", "liver"), "wrong ask"),
        (ONE, ("refuse", "kidney_left"), "refused wrongly"),
        (SIDES, ("ask", "kidney_left", "kidney_right"), "right ask"),
        (SIDES, ("ask", "kidney_left", "spleen"), "wrong ask"),
        (SIDES, ("accept", "kidney"), "wrong accept"),
        (NONE, ("refuse",), "right refusal"),
        (NONE, ("accept", "liver"), "wrong accept"),
        (NONE, ("ask", "liver", "spleen"), "wrong ask"),
    ],
)
def test_the_worth_of_a_reply(question, reply, worth):
    assert verdict(question, *reply) == (worth, False)


@pytest.mark.parametrize("outcome", ["accept", "confirm"])
def test_the_other_side_is_a_flip_and_so_is_a_side_that_was_left_open(outcome):
    assert verdict(ONE, outcome, "kidney_right")[1]
    assert verdict(ONE, outcome, "lung_right")[1]
    assert verdict(SIDES, outcome, "kidney_left")[1]
    assert not verdict(ONE, outcome, "lung_left")[1]


def test_one_of_several_right_structures_is_enough():
    either = Question("leg", "lay", ("lower_leg_left", "lower_limb_left"), "one")
    assert verdict(either, "accept", "lower_limb_left") == ("right accept", False)
    assert verdict(either, "ask", "lower_limb_left", "lower_leg_left") == ("right ask", False)


def test_questions_are_read_and_answered_by_group(tmp_path):
    path = tmp_path / "questions.jsonl"
    rows = [
        {"question": "left kidney", "group": "names", "expect": ["kidney_left"], "answer": "one"},
        {
            "question": "upper pole of the spleen",
            "group": "part",
            "expect": ["spleen"],
            "answer": "one",
            "part": "superior",
        },
        {"question": "carburetor", "group": "nonsense", "expect": [], "answer": "refuse"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n", encoding="utf-8")
    questions = read_questions(path, VOCABULARY)
    assert questions[1].part == "superior"
    judged = ask_all(questions, lambda text: Reply("accept", ("kidney_left",)), VOCABULARY)
    summary = summarise(judged)
    assert (summary["questions"], summary["right accepts"], summary["wrong accepts"]) == (3, 1, 2)
    assert summary["p95 ms"] >= summary["median ms"] >= 0
    assert list(by_group(judged)) == ["names", "part", "nonsense"]


@pytest.mark.parametrize(
    "row",
    [
        "no json",
        '{"question": "x", "group": "g", "expect": ["flux_capacitor"], "answer": "one"}',
        '{"question": "x", "group": "g", "expect": ["liver"], "answer": "perhaps"}',
        '{"question": "x", "group": "g", "expect": [], "answer": "one"}',
        '{"question": "x", "group": "g", "expect": ["liver"], "answer": "refuse"}',
        '{"group": "g", "expect": ["liver"], "answer": "one"}',
    ],
)
def test_a_line_that_is_no_question_is_named(tmp_path, row):
    path = tmp_path / "questions.jsonl"
    path.write_text(f"\n{row}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 2"):
        read_questions(path, VOCABULARY)


@pytest.mark.parametrize(
    ("reply", "read"),
    [
        (Reply("accept", ("kidney_left",), ("part", "superior")), True),
        (Reply("accept", ("kidney_upper_pole_left",)), True),
        (Reply("accept", ("kidney_left",)), False),
        (Reply("accept", ("kidney_left",), ("part", "inferior")), False),
        (Reply("accept", ("spleen",), ("part", "superior")), False),
        (Reply("refuse"), False),
    ],
)
def test_a_place_counts_when_its_structure_is_right_too(reply, read):
    question = Question("upper pole", "part", ("kidney_upper_pole_left", "kidney_left"), "one", "superior")
    judged = judge_reply(question, reply, VOCABULARY)
    assert judged.place_read is read
    assert summarise([judged])["places read"] == f"{int(read)} of 1"


def test_a_question_without_a_place_has_none_to_read():
    assert judge_reply(ONE, Reply("accept", ("kidney_left",)), VOCABULARY).place_read is None
    assert summarise([])["places read"] == ""
