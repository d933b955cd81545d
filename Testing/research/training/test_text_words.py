"""Names put together from single words."""

import dataclasses
from pathlib import Path

from anatembed.language.text_normalisation import normalise
from anatembed.language.vocabulary_phrases import Phrase
from research.training.text_words import read_words, translated

TABLE = "english,de,fr,es,zh\nrenal,Nieren,rénal,renal,肾\nartery,Arterie|Schlagader,artère,arteria,动脉\n"
ARTERY = Phrase("renal artery", "renal_artery", "renal_artery", None, "en", "preferred")


def texts(tmp_path, phrase=ARTERY, left_out=()):
    path = Path(tmp_path) / "words.csv"
    path.write_text(TABLE, encoding="utf-8")
    return {p.text: p for p in translated([phrase], read_words(path), set(left_out), 0)}


def test_words_are_put_together_as_each_language_does(tmp_path):
    found = texts(tmp_path)
    assert {"肾动脉", "artere renal", "arteria renal"} <= set(found)
    assert any(text.replace(" ", "") in ("nierenarterie", "nierenschlagader") for text in found)
    assert {phrase.family for phrase in found.values()} == {"renal_artery"}
    assert all(text == normalise(text) for text in found)


def test_what_is_left_out_is_not_put_together(tmp_path):
    assert "肾动脉" not in texts(tmp_path, left_out=["肾动脉"])


def test_a_name_with_a_word_that_is_not_in_the_table_is_passed_over(tmp_path):
    assert not texts(tmp_path, dataclasses.replace(ARTERY, text="renal cortex"))
    assert not texts(tmp_path, dataclasses.replace(ARTERY, lang="la"))


def test_the_table_of_the_repository_is_complete():
    words = read_words(Path(__file__).parents[3] / "scripts" / "configs" / "text_words.csv")
    assert len(words) > 200
    assert all(all(choices) and choices for row in words.values() for choices in row.values())
