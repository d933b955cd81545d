"""Every structure that a report mentions, with its place in the text; never a side that the words do not have."""

import json
import time
from pathlib import Path

import pytest
from anatembed.language.query.resolver import Resolver
from anatembed.language.report.mentions import mentions
from anatembed.language.vocabulary import Vocabulary
from hypothesis import given, settings
from hypothesis import strategies as some

VOCABULARY = Vocabulary.load()
RESOLVER = Resolver(VOCABULARY)
REPORTS = Path(__file__).parents[2] / "reports"
EXPECTED = json.loads((REPORTS / "expected.json").read_text())
OTHER = {"left": "right", "right": "left"}
WORDS = (
    "left right Left RIGHT both bilateral the of in and or , . : ; / - \n upper lower middle lobe lobes lung lungs "
    "kidney kidneys liver spleen pole head neck body pancreas segment segments VI VII 4 5 L4 T12 rib ribs 7th renal "
    "hepatic femur aorta adrenal no not normal lesion 1.2 cm is are IVC RUL LA AS vein veins portal pelvis lingula"
)


def read(text):
    return mentions(text, RESOLVER)


def named(text):
    """(words, ids) of every mention."""
    return [(one.text, [candidate.id for candidate in one.resolution.candidates]) for one in read(text)]


def ids(text):
    return [one for _, found in named(text) for one in found]


@pytest.mark.parametrize("style", EXPECTED)
def test_a_report_of_this_style_is_read_as_a_person_reads_it(style):
    found = [
        [" ".join(one.text.split()), one.resolution.outcome, [c.id for c in one.resolution.candidates], one.negated]
        for one in read((REPORTS / f"{style}.txt").read_text())
    ]
    assert found == EXPECTED[style]


@pytest.mark.parametrize(("text", "expected"), [
    ("lower pole of the left kidney", "kidney_lower_pole_left"),
    ("segment VI of the liver", "liver_segment_6"),
    ("head of the pancreas", "pancreas_head"),
    ("apex of the left lung", "lung_apex_left"),
    ("kidney on the left", "kidney_left"),
    ("Lt. kidney", "kidney_left"),
    ("right-sided pleural effusion", "pleura_right"),
    ("C7 vertebra", "vertebrae_C7"),
])
def test_the_longest_name_is_one_mention(text, expected):
    assert ids(f"There is something in the {text}.") == [expected]


@pytest.mark.parametrize(("text", "expected"), [
    ("right upper and lower lobes", ["lung_upper_lobe_right", "lung_lower_lobe_right"]),
    ("right middle and left lower lobes", ["lung_middle_lobe_right", "lung_lower_lobe_left"]),
    ("left and right kidneys", ["kidney_left", "kidney_right"]),
    ("4th and 5th left ribs", ["rib_left_4", "rib_left_5"]),
    ("segments VI and VII of the liver", ["liver_segment_6", "liver_segment_7"]),
    ("head, body and tail of the pancreas", ["pancreas_head", "pancreas_body", "pancreas_tail"]),
    ("portal and hepatic veins", ["portal_vein", "hepatic_veins"]),
    ("superior mesenteric and splenic veins", ["superior_mesenteric_vein", "splenic_vein"]),
])
def test_a_list_that_shares_a_name_is_one_question(text, expected):
    (one,) = read(f"Changes in the {text} are seen.")
    assert one.text == text and one.resolution.outcome == "ask"
    assert [candidate.id for candidate in one.resolution.candidates] == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("liver, spleen and pancreas", [["liver"], ["spleen"], ["pancreas"]]),
    ("L4 and L5", [["vertebrae_L4"], ["vertebrae_L5"]]),
    ("right kidney and ureter", [["kidney_right"], ["ureter_left", "ureter_right"]]),
    ("right lung and spleen", [["lung_right"], ["spleen"]]),
    ("left adrenal gland and liver", [["adrenal_gland_left"], ["liver"]]),
])
def test_in_a_list_of_whole_names_each_is_a_mention_and_no_side_is_carried(text, expected):
    assert [found for _, found in named(f"Normal {text}.")] == expected


@pytest.mark.parametrize("text", [
    "Cyst on the left. Kidney normal.", "Cyst on the left\nKidney normal", "Cyst on the left; kidney normal",
    "Nodule on the left (kidney)", "Left: cyst. Kidney: normal.", "Its upper pole is left alone. Kidney normal.",
    "Mass to the left of the kidney",
])
def test_a_side_outside_the_name_is_not_used(text):
    assert ids(text)[-2:] == ["kidney_left", "kidney_right"]


@pytest.mark.parametrize(("text", "words"), [
    ("the right spleen is large", "right spleen"), ("nodule in the right lingula", "right lingula"),
    ("the left urinary bladder", "left urinary bladder"),
])
def test_a_side_that_the_structure_does_not_have_is_shown_and_never_dropped(text, words):
    (one,) = read(text)
    assert one.text == words and one.resolution.outcome == "refuse" and one.resolution.candidates == ()
    assert one.resolution.reason


@pytest.mark.parametrize("text", [
    "Normal contrast, no lesion. On the other hand the body habitus is large.",
    "1.2 x 0.8 cm, series 3 image 45, 12/03/2024 at 10:45, 35 HU", "Lung window and bone window. Head first.",
    "as seen in the la series", "AS ABOVE, IN KEEPING WITH CHANGES AS SEEN BEFORE", "pT3 N1 M0",
    "T2 hyperintense focus", "stations 4R and 7, level II", "D2 diverticulum", "Renal transplant.",
    "Liver function is normal.", "short axis 8 mm", "right now", "",  "....", "\n\n", "L", "5", "left",
])
def test_what_is_no_anatomy_is_no_mention(text):
    assert named(text) == []


def test_an_abbreviation_counts_in_capitals_only():
    assert ids("The LA is dilated, RUL clear.") == ["heart_atrium_left", "lung_upper_lobe_right"]
    assert ids("il a vu la lad rul") == []


@pytest.mark.parametrize(("text", "expected"), [
    ("hepatic steatosis", ["liver"]), ("pulmonary nodule", ["lung_left", "lung_right"]),
    ("left renal mass", ["kidney_left"]),
])
def test_an_adjective_leads_to_its_organ_and_says_so(text, expected):
    (one,) = read(text)
    assert one.kind == "adjective" and [c.id for c in one.resolution.candidates] == expected


def test_a_name_is_not_called_an_adjective():
    assert [one.kind for one in read("hepatic vein, renal artery, liver")] == ["name"] * 3


def test_a_part_that_is_no_structure_of_its_own_keeps_its_place():
    (one,) = read("Lesion in the lower third of the esophagus.")
    assert one.text == "lower third of the esophagus"
    assert one.resolution.candidates[0].id == "esophagus" and one.resolution.place.directions == ("inferior",)


def test_a_report_of_300_words_takes_less_than_a_second():
    text = " ".join(" ".join((REPORTS / f"{style}.txt").read_text() for style in EXPECTED).split()[:300])
    resolver = Resolver(VOCABULARY)
    mentions("liver", resolver)  # prepares the names once
    began = time.perf_counter()
    assert len(mentions(text, resolver)) > 20
    assert time.perf_counter() - began < 1


PAIRED = [term for term in VOCABULARY.terms if term.laterality in OTHER and term.base]


@pytest.mark.parametrize("template", ["Cyst in the {} today.", "{}: normal.", "No change of {}, otherwise normal."])
def test_no_paired_structure_is_read_on_the_other_side(template):
    for term in PAIRED:
        for one in read(template.format(term.preferred)):
            sides = {candidate.side for candidate in one.resolution.candidates} - {None}
            assert OTHER[term.laterality] not in sides or one.resolution.outcome == "ask", (term.id, one)
            if term.laterality in one.text.casefold():
                assert OTHER[term.laterality] not in sides, (term.id, one)


def test_most_preferred_names_are_mentions_as_they_stand():
    missed = [
        term.id for term in VOCABULARY.terms
        if not {term.id, *VOCABULARY.sides(term.id).values()} & set(ids(f"Something in the {term.preferred} is seen."))
    ]
    assert len(missed) < 0.03 * len(VOCABULARY.terms), missed


@settings(max_examples=300, deadline=None)
@given(some.lists(some.sampled_from(WORDS.split(" ")), max_size=25).map(" ".join))
def test_spans_are_ordered_inside_the_text_and_do_not_overlap(text):
    end = 0
    for one in read(text):
        assert end <= one.start < one.end <= len(text)
        assert one.text == text[one.start : one.end] and one.text == one.text.strip()
        end = one.end


@settings(max_examples=300, deadline=None)
@given(some.lists(some.sampled_from(WORDS.split(" ")), max_size=25).map(" ".join))
def test_a_side_stands_in_the_words_of_the_mention_or_both_are_offered(text):
    for one in read(text):
        sides = {VOCABULARY[c.id].laterality for c in one.resolution.candidates if VOCABULARY[c.id].base} - {"none"}
        words = one.text.casefold()
        said = {side for side in OTHER if side in words or any(short in words for short in ("rul", "la"))}
        both = sides == {"left", "right"}
        assert both or sides <= said, one


@settings(max_examples=150, deadline=None)
@given(some.text(max_size=80))
def test_any_text_is_read_without_an_error(text):
    for one in read(text):
        assert text[one.start : one.end] == one.text
