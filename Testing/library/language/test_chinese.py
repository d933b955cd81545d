"""Chinese queries."""

import pytest
from anatembed.language.query.chinese import best_name, read_chinese
from anatembed.language.query.phrase_index import Name
from anatembed.language.query_words import load_query_words


@pytest.mark.parametrize(
    ("text", "body", "kind", "side"),
    [
        ("左肾", "肾", "one", "left"),
        ("右侧肾脏", "肾脏", "one", "right"),
        ("看一下左肺", "肺", "one", "left"),
        ("双侧肾脏", "肾脏", "both", None),
        ("左右肾", "肾", "both", None),
        ("肝", "肝", "none", None),
        ("侧脑室", "侧脑室", "none", None),
    ],
)
def test_side_characters_are_read_apart(text, body, kind, side):
    found, reading = read_chinese(text, load_query_words())
    assert (found, reading.kind, reading.side) == (body, kind, side)


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("第三腰椎", "第3腰椎"),
        ("第十二胸椎", "第12胸椎"),
        ("腰3", "第3腰椎"),
        ("胸12椎体", "第12胸椎体"),
        ("右第五肋", "第5肋"),
        ("腎臟", "肾脏"),
    ],
)
def test_numbers_and_traditional_characters_are_written_as_the_names_have_them(text, body):
    assert read_chinese(text, load_query_words())[0] == body


def no_wholes(name):
    return set()


def test_the_name_that_explains_most_wins_and_one_character_must_stand_alone():
    names = [Name(("肺",)), Name(("肺上叶",)), Name(("上叶",))]
    assert best_name("肺上叶结节", names, no_wholes) == (names[1], "结节")
    assert best_name("肺结节", [Name(("肺",))], no_wholes) == (None, "肺结节")
    assert best_name("肺", names, no_wholes) == (names[0], "")


def test_what_a_structure_is_part_of_is_explained():
    carina = Name(("隆突",))
    found = best_name("气管隆突", [Name(("气管",)), carina], lambda name: {"气管"} if name is carina else set())
    assert found == (carina, "")
