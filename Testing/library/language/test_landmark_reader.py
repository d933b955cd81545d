"""Parts with names of their own, before the structure is known."""

import pytest
from anatembed.language.query.landmark_reader import LandmarkReader
from anatembed.language.query.place_words import load_place_words
from anatembed.language.query_words import load_query_words

READER = LandmarkReader(load_query_words(), load_place_words())


def read(text: str) -> list[tuple]:
    parts = READER.read(tuple(text.split()))
    return [(part.word, " ".join(part.name), part.directions, part.sides) for part in parts]


@pytest.mark.parametrize(("text", "part"), [
    ("dome of the liver", ("dome", "liver", (), ())),
    ("liver dome", ("dome", "liver", (), ())),
    ("spinous process l4", ("spinous process", "l4", (), ())),
    ("left transverse process of l1", ("transverse process", "l1", (), ("left",))),
    ("t12 left pedicle", ("pedicle", "t12", (), ("left",))),
    ("posterior limb of internal capsule", ("limb", "internal capsule", ("posterior",), ())),
    ("lateral malleolus left", ("lateral malleolus", "lateral malleolus", (), ("left",))),
    ("top of the bladder", ("", "bladder", ("superior",), ())),
])
def test_the_words_of_a_part_are_told_from_the_name(text, part):
    assert part in read(text)


def test_a_longer_landmark_hides_the_shorter_ones_in_it():
    assert {word for word, *_ in read("facet joint l5")} == {"facet joint"}


def test_words_on_both_sides_of_a_landmark_are_no_part():
    assert read("stomach fundus banana") == []


def test_a_direction_at_the_beginning_may_belong_to_the_name():
    readings = read("superior mesenteric artery base")
    assert [(name, directions) for _, name, directions, _ in readings] == [
        ("superior mesenteric artery", ()), ("mesenteric artery", ("superior",)),
    ]
