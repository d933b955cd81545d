"""What is found in a scan is refused, and the structure that it is in is offered."""

import pytest
from anatembed.language.query.resolution import FINDING, NOT_UNDERSTOOD
from anatembed.language.query.resolver import Resolver
from anatembed.language.vocabulary import Vocabulary
from hypothesis import given, settings
from hypothesis import strategies as st

VOCABULARY = Vocabulary.load()
RESOLVER = Resolver(VOCABULARY)
PLACES = ("left kidney", "right upper lobe", "liver", "pancreas", "left femur", "L3", "right 5th rib", "aorta")
FINDINGS = ("cyst", "nodule", "mass", "metastasis", "stones", "lesion", "fracture", "abscess", "stent", "tumour")


def offered(text):
    found = RESOLVER.resolve(text)
    assert found.outcome == "refuse" and not found.unknown and found.place is None, text
    return [one.id for one in found.candidates]


@pytest.mark.parametrize(("text", "ids"), [
    ("left kidney cyst", ["kidney_left"]),
    ("right renal cyst", ["kidney_right"]),
    ("left cyst of the kidney", ["kidney_left"]),
    ("renal cysts", ["kidney_left", "kidney_right"]),
    ("kidney_cyst_left", ["kidney_left"]),
    ("linke Nierenzyste", ["kidney_left"]),
    ("肝囊肿", ["liver"]),
    ("lung nodule", ["lung_left", "lung_right"]),
    ("RUL nodule", ["lung_upper_lobe_right"]),
    ("liver metastasis", ["liver"]),
    ("adrenal mass", ["adrenal_gland_left", "adrenal_gland_right"]),
    ("left nodule of the thyroid lobe", ["thyroid_lobe_left"]),
    ("cyst in liver segment VIII", ["liver_segment_8"]),
    ("8 mm cyst upper pole left kidney", ["kidney_upper_pole_left"]),
    ("a two centimetre lesion in segment seven of the liver", ["liver_segment_7"]),
    ("fracture of the left fifth rib", ["rib_left_5"]),
    ("Any stone in the left ureter?", ["ureter_left"]),
    ("stent in the LAD", ["left_anterior_descending_artery"]),
    ("hepatic vein thrombosis", ["hepatic_veins"]),
    ("upper pole of left kidney cyst", ["kidney_upper_pole_left"]),
])
def test_a_finding_is_refused_and_the_structure_that_it_is_in_is_offered(text, ids):
    assert offered(text) == ids


@pytest.mark.parametrize(("text", "ids"), [
    ("gallstones", ["gallbladder"]), ("appendicitis", ["appendix"]), ("left hydronephrosis", ["kidney_left"]),
    ("acute pneumonia", ["lung_left", "lung_right"]), ("left pneumothorax", ["pleural_cavity_left"]),
    ("splenomegaly", ["spleen"]), ("left splenomegaly", ["spleen"]),
])
def test_a_finding_whose_word_tells_the_structure_offers_that(text, ids):
    assert offered(text) == ids


@pytest.mark.parametrize(
    "text", ["cyst", "mass", "metastases", "free air", "an abscess", "left cyst", "lefft cyst", "cyst 3"]
)
def test_a_finding_alone_offers_nothing(text):
    assert offered(text) == []
    assert "Type the name of a structure" in RESOLVER.resolve(text).reason


@pytest.mark.parametrize(("text", "refusal"), [
    ("left kidney cyst", FINDING), ("gallstones", FINDING), ("cyst", FINDING), ("肝囊肿", FINDING),
    ("right spleen", NOT_UNDERSTOOD), ("fracture of rib 15", NOT_UNDERSTOOD), ("flurbogast", NOT_UNDERSTOOD),
    ("left kidney", ""), ("kidney", ""),
])
def test_a_refusal_says_whether_a_finding_was_asked_for(text, refusal):
    assert RESOLVER.resolve(text).refusal == refusal


def test_the_reason_says_what_cannot_be_searched_and_what_can():
    reason = RESOLVER.resolve("left adrenal mass").reason
    assert reason.startswith("Findings") and "“mass”" in reason and "“left adrenal gland” can" in reason


@pytest.mark.parametrize("text", ["fracture of rib 15 on the right", "T13 fracture", "liver segment 9 lesion"])
def test_a_number_that_does_not_exist_is_refused_as_such(text):
    assert "There is no" in RESOLVER.resolve(text).reason


def test_a_side_that_does_not_exist_is_refused_as_such():
    assert "no left and right" in RESOLVER.resolve("mass in the right spleen").reason


@pytest.mark.parametrize(("text", "outcome", "term_id"), [
    ("cerebrospinal fluid space", "accept", "subarachnoid_space"),
    ("enlarged prostate", "confirm", "prostate"),
    ("thickened gallbladder", "confirm", "gallbladder"),
    ("retroperitoneal haematoma - go to the retroperitoneum please", "confirm", "retroperitoneum"),
    ("left-sided hydronephrosis, pls centre on the renal pelvis", "confirm", "renal_pelvis_left"),
])
def test_a_question_for_a_structure_stays_one(text, outcome, term_id):
    found = RESOLVER.resolve(text)
    assert (found.outcome, found.candidates[0].id) == (outcome, term_id)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(PLACES), st.sampled_from(FINDINGS), st.sampled_from(["{0} {1}", "{1} in the {0}", "{0}: {1}?"]))
def test_a_finding_never_leads_to_a_structure_and_offers_what_is_named_beside_it(place, finding, form):
    ids = [one.id for one in RESOLVER.resolve(place).candidates]
    assert offered(form.format(place, finding)) == ids


def test_in_a_report_a_finding_leaves_the_organ_as_it_was():
    assert RESOLVER.by_rules("left kidney cyst").outcome == "accept"


def test_what_is_refused_is_not_offered_while_typing():
    assert not [term_id for term_id, _ in RESOLVER.complete("left kidney c", 50) if "cyst" in term_id]
