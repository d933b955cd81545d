"""Words of other languages in English."""

import json

import pytest
from anatembed.language.query import foreign_words
from anatembed.language.query.foreign_words import MAX_READINGS, ForeignWords, stem
from anatembed.language.query_words import load_query_words

NATIVE = frozenset(
    [
        "renal",
        "vein",
        "kidney",
        "liver",
        "upper",
        "lobe",
        "lung",
        "thyroid",
        "gland",
        "hypothalamus",
        "femur",
        "neck",
        "splenic",
        "artery",
    ]
)
WORDS = ForeignWords(load_query_words(), NATIVE)


def readings(text):
    return list(WORDS.readings(tuple(text.split())))


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("veine renale", "vein renal"),
        ("lebervene", "liver vein"),
        ("lungenoberlappen", "lung upper lobe"),
        ("schilddruse", "thyroid gland"),
        ("schilddruese", "thyroid gland"),
        ("arteria esplenica", "artery splenic"),
        ("hipotalamo", "hypothalamus"),
        ("collum femoris", "neck femur"),
    ],
)
def test_every_word_is_put_into_english(text, english):
    assert english in readings(text)


@pytest.mark.parametrize("text", ["", "kidney", "renal vein", "veine xyzzy", "president", "test"])
def test_a_text_that_is_not_wholly_foreign_anatomy_has_no_reading(text):
    assert readings(text) == []


def test_the_number_of_readings_is_bounded():
    assert len(readings("grosser grosse grosses grossen")) <= 4 * MAX_READINGS
    assert readings("leber " * 9) == []


@pytest.mark.parametrize(
    ("one", "other"), [("hipotalamo", "hypothalamus"), ("masetero", "masseter"), ("escroto", "scrotum")]
)
def test_the_same_stem_in_another_spelling(one, other):
    assert stem(one) == stem(other)


def test_the_table_holds_plain_lower_case_words():
    content = json.loads(foreign_words._PATH.read_text(encoding="utf-8"))
    assert set(content["languages"]) == {"de", "fr", "es", "la"}
    for table in content["languages"].values():
        for english, foreign in table.items():
            assert english.isascii() and english == english.lower()
            assert foreign.isascii() and foreign == foreign.lower() and foreign.split()


def test_no_side_word_is_translated():
    sides = load_query_words().side_words
    assert not [word for table in foreign_words._load().values() for word in table if word in sides]
