"""Chinese queries."""

import pytest
from anatembed.language.chinese import longest_name, read_chinese
from anatembed.language.phrase_index import Name
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


def test_the_longest_name_wins_and_one_character_must_stand_alone():
    names = [Name(("肺",)), Name(("肺上叶",)), Name(("上叶",))]
    assert longest_name("肺上叶结节", names).words == ("肺上叶",)
    assert longest_name("肺结节", [Name(("肺",))]) is None
    assert longest_name("肺", names).words == ("肺",)
