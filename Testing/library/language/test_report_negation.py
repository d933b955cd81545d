"""What a report denies, and how far a denying word reaches."""

import pytest
from anatembed.language.report.negation import negated_spans
from anatembed.language.report.words import load_report_words

WORDS = load_report_words().negation


def is_denied(text: str, word: str) -> bool:
    place = text.index(word)
    return any(start <= place < end for start, end in negated_spans(text, WORDS))


@pytest.mark.parametrize(("text", "word"), [
    ("No focal lesion in the liver.", "liver"),
    ("There is no evidence of metastasis in the liver or spleen.", "spleen"),
    ("Mild fat, without stranding around the pancreas.", "pancreas"),
    ("The spleen is not enlarged.", "spleen"),
    ("The liver, spleen and pancreas show no lesion.", "liver"),
    ("LIVER: No focal lesion.", "LIVER"),
    ("Negative for fracture of the pelvis.", "pelvis"),
    ("Fracture of the hip was ruled out.", "hip"),
    ("no lesion\nin the liver", "liver"),
    ("No nodule of 1.5 cm in the lung.", "lung"),
])
def test_this_is_denied(text, word):
    assert is_denied(text, word)


@pytest.mark.parametrize(("text", "word"), [
    ("No effusion. Cyst in the liver.", "liver"),
    ("No effusion but a cyst in the liver.", "liver"),
    ("No effusion, and the liver is enlarged.", "liver"),
    ("No effusion and liver is enlarged.", "liver"),
    ("No change in the size of the adrenal nodule.", "adrenal"),
    ("No prior study of the abdomen.", "abdomen"),
    ("Cyst in the liver without enhancement.", "liver"),
    ("Cyst in the kidney, the liver is not enlarged.", "kidney"),
    ("Lesion in the liver; no effusion.", "liver"),
    ("The cyst in the liver is normal", "liver"),
    ("Kidneys not fully included.", "Kidneys"),
    ("No effusion\n- cyst in the liver", "liver"),
    ("Notable cyst in the liver", "liver"),
])
def test_this_is_not_denied(text, word):
    assert not is_denied(text, word)


def test_spans_lie_in_the_text():
    text = "No. Not; without? never"
    assert all(0 <= start <= end <= len(text) for start, end in negated_spans(text, WORDS))
    assert negated_spans("", WORDS) == []
