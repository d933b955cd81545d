"""Vertebrae, ribs and liver segments by number."""

import pytest
from anatembed.language.query.resolver import Resolver
from anatembed.language.vocabulary import Vocabulary

RESOLVER = Resolver(Vocabulary.load())
LEVELS = [("C", 7, "cervical"), ("T", 12, "thoracic"), ("L", 5, "lumbar"), ("S", 5, "sacral")]
ORDINALS = [
    "first", "second", "third", "fourth", "fifth", "sixth",
    "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth",
]


def answer(text):
    resolution = RESOLVER.resolve(text)
    return resolution.outcome, [one.id for one in resolution.candidates]


@pytest.mark.parametrize(("letter", "count", "region"), LEVELS)
def test_every_vertebra_is_found_in_every_form(letter, count, region):
    for number in range(1, count + 1):
        ordinal = ORDINALS[number - 1]
        for form in (
            "{0}{1}",
            "{0} {1}",
            "vertebra {0}{1}",
            "{0}{1} vertebral body",
            "{2} {3} vertebra",
            "{3} vertebra {1}",
        ):
            text = form.format(letter, number, ordinal, region)
            assert answer(text) == ("accept", [f"vertebrae_{letter}{number}"]), text


@pytest.mark.parametrize(("letter", "count", "region"), LEVELS)
def test_an_impossible_level_is_refused_with_the_range(letter, count, region):
    for number in (0, count + 1, 99):
        resolution = RESOLVER.resolve(f"{letter}{number}")
        assert resolution.outcome == "refuse"
        assert f"{letter}1 to {letter}{count}" in resolution.reason


def test_every_rib_is_found_with_its_side():
    for number, ordinal in enumerate(ORDINALS, start=1):
        for side in ("left", "right"):
            for form in ("{o} {s} rib", "{s} {o} rib", "rib {n} {s}", "{s} rib {n}", "{n}th rib on the {s}"):
                text = form.format(o=ordinal, s=side, n=number)
                assert answer(text) == ("accept", [f"rib_{side}_{number}"]), text


@pytest.mark.parametrize(
    "text", ["costa V sinistra", "5. Rippe links", "cinquième côte gauche", "L rib 5", "left rib five"]
)
def test_a_rib_in_other_forms(text):
    assert answer(text) == ("accept", ["rib_left_5"])


def test_a_rib_without_a_side_asks_for_it():
    assert answer("fifth rib") == ("ask", ["rib_left_5", "rib_right_5"])


@pytest.mark.parametrize("text", ["rib 13", "rib 0", "left 13th rib"])
def test_an_impossible_rib_is_refused_with_the_range(text):
    assert RESOLVER.resolve(text).outcome == "refuse"
    assert "1 to 12" in RESOLVER.resolve(text).reason


@pytest.mark.parametrize("text", ["segment 4a of liver", "liver segment IV", "couinaud 4", "hepatic segment 4"])
def test_a_liver_segment_is_found(text):
    assert answer(text) == ("accept", ["liver_segment_4"])


def test_a_finding_beside_a_liver_segment_of_a_report_must_be_confirmed():
    resolution = RESOLVER.by_rules("cyst in liver segment VIII")
    assert (resolution.outcome, resolution.candidates[0].id) == ("confirm", "liver_segment_8")
    assert "cyst" in resolution.reason


def test_an_impossible_liver_segment_is_refused_with_the_range():
    assert RESOLVER.resolve("segment 12 of liver").outcome == "refuse"
    assert "1 to 8" in RESOLVER.resolve("segment 12 of liver").reason


def test_a_segment_number_without_an_organ_must_be_confirmed():
    assert answer("segment VII") == ("confirm", ["liver_segment_7"])


def test_s_with_a_side_is_a_segment_of_the_lung():
    assert answer("right S6 segment") == ("accept", ["lung_segment_rll_superior"])
    assert answer("S2") == ("accept", ["vertebrae_S2"])


@pytest.mark.parametrize("text", ["L4/5 disc", "L4-L5 disc", "disc L4/L5"])
def test_a_named_disc_is_found(text):
    assert answer(text) == ("accept", ["intervertebral_disc_L4_L5"])


def test_the_lowest_disc_is_found_in_its_short_form():
    assert answer("L5/1 disc") == ("accept", ["intervertebral_disc_L5_S1"])


def test_a_disc_without_a_name_asks_for_a_vertebra():
    assert answer("L2/3 disc") == ("ask", ["vertebrae_L2", "vertebrae_L3"])


def test_two_levels_are_a_question():
    assert answer("T4/T5") == ("ask", ["vertebrae_T4", "vertebrae_T5"])


@pytest.mark.parametrize("text", ["T1 weighted", "T2 flair", "T1 sequence"])
def test_an_mr_sequence_is_no_vertebra(text):
    assert RESOLVER.resolve(text).outcome == "refuse"


def test_a_number_that_belongs_to_nothing_is_not_accepted():
    assert answer("kidney 7")[0] != "accept"
    assert answer("liver 42")[0] == "confirm"
