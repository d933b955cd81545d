"""What a name means under a side, on real terms."""

import pytest
from anatembed.language.query.phrase_index import Meaning
from anatembed.language.query.side_policy import judge
from anatembed.language.sides import SideReading
from anatembed.language.vocabulary import Vocabulary

VOCABULARY = Vocabulary.load()
NO_SIDE = SideReading(())
LEFT = SideReading((), "one", "left")
RIGHT = SideReading((), "one", "right")
BOTH = SideReading((), "both")


def meaning(term_id, side=None, weak=False):
    return Meaning(term_id, side, weak, abbreviation=False, native=True)


@pytest.mark.parametrize(
    ("meanings", "reading", "kind", "ids"),
    [
        ([meaning("kidney")], LEFT, "one", ("kidney_left",)),
        ([meaning("kidney")], NO_SIDE, "sides", ("kidney_left", "kidney_right")),
        ([meaning("kidney")], BOTH, "sides", ("kidney_left", "kidney_right")),
        ([meaning("kidney_left", "left")], RIGHT, "wrong_side", ("kidney_left",)),
        ([meaning("lingula")], NO_SIDE, "one", ("lingula",)),
        ([meaning("lingula")], LEFT, "one", ("lingula",)),
        ([meaning("lingula")], RIGHT, "wrong_side", ("lingula",)),
        ([meaning("spleen")], NO_SIDE, "one", ("spleen",)),
        ([meaning("spleen")], LEFT, "unpaired", ("spleen",)),
        ([meaning("spleen")], BOTH, "unpaired", ("spleen",)),
        ([meaning("colon"), meaning("ascending_colon", "right")], RIGHT, "one", ("ascending_colon",)),
        ([meaning("colon"), meaning("ascending_colon", "right")], NO_SIDE, "one", ("colon",)),
        ([meaning("left_gastric_artery", "left")], NO_SIDE, "sides", ("left_gastric_artery",)),
    ],
)
def test_the_verdict_follows_the_side(meanings, reading, kind, ids):
    verdict = judge(meanings, reading, VOCABULARY)
    assert (verdict.kind, verdict.term_ids) == (kind, ids)


def test_a_side_turns_a_name_without_sides_away_from_an_ambiguity():
    meanings = [meaning("splenic_vein"), meaning("seminal_vesicle")]
    assert judge(meanings, LEFT, VOCABULARY).term_ids == ("seminal_vesicle_left",)
    assert set(judge(meanings, NO_SIDE, VOCABULARY).term_ids) == {
        "splenic_vein",
        "seminal_vesicle_left",
        "seminal_vesicle_right",
    }


def test_a_related_name_counts_only_when_no_exact_name_fits():
    assert judge([meaning("spleen", weak=True), meaning("liver")], NO_SIDE, VOCABULARY).term_ids == ("liver",)
    assert judge([meaning("spleen", weak=True)], NO_SIDE, VOCABULARY).weak
