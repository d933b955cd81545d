"""A report beside its scan: places, questions, what is not there, and the slices."""

import numpy as np
import pytest
from anatembed.ask.explorer import Explorer
from anatembed.ask.locating import CHECK_SIDE, CHOOSE, GO, NOT_HERE, NOT_LEARNT
from anatembed.ask.report import MOST_CHARACTERS, check_report, read_report
from planted import CENTRES_RAS, planted_checkpoint, planted_map, whole_body_map

REPORT = """LIVER: No focal lesion. Cyst in the left kidney; both kidneys are normal in size.
The spleen is enlarged, the right spleen is not. Fracture of the mandible. Lesion in the upper pole of the right kidney.
Contrast was given."""
FLIPPED = np.array([[-6.0, 0, 0], [0, 5.9, -1.0], [0, 1.0, 5.9]])


def explorer_of(embedding_map):
    return Explorer(embedding_map, planted_checkpoint())


@pytest.fixture(scope="module")
def reading():
    return read_report(explorer_of(whole_body_map(left_out=("spleen",))), REPORT, 3)


def by_text(reading, text):
    return next(one for one in reading.mentions if one.mention.text == text)


def test_every_mention_has_its_answer(reading):
    found = [(one.mention.text, one.answer.refusal or one.answer.decision) for one in reading.mentions]
    assert found == [
        ("LIVER", GO), ("left kidney", GO), ("both kidneys", CHOOSE), ("spleen", NOT_HERE),
        ("right spleen", CHECK_SIDE), ("mandible", NOT_LEARNT), ("upper pole of the right kidney", GO),
    ]
    assert reading.mentions[0].mention.negated and not reading.mentions[1].mention.negated


def test_places_are_those_of_the_structures(reading):
    (left,) = by_text(reading, "left kidney").found
    assert np.linalg.norm(left.hit.position_ras - CENTRES_RAS["kidney_left"]) < 6
    assert (left.side, left.shown, left.name) == ("left", "left kidney", "left kidney")
    assert 0.5 < left.hit.confidence <= left.presence <= 1


def test_a_question_offers_both_sides_each_at_its_place(reading):
    options = by_text(reading, "both kidneys").answer.options
    assert [one.side for one in options] == ["left", "right"]
    for one in options:
        assert np.linalg.norm(one.hit.position_ras - CENTRES_RAS[one.id]) < 6


def test_a_part_lies_where_it_belongs(reading):
    (pole,) = by_text(reading, "upper pole of the right kidney").found
    assert pole.hit.position_ras[0] > 40 and pole.hit.position_ras[2] > CENTRES_RAS["kidney_right"][2]


def test_what_is_not_there_says_why_and_has_no_place(reading):
    reasons = {"spleen": "not in this scan", "mandible": "not learnt", "right spleen": "Leave the side out"}
    for text, words in reasons.items():
        one = by_text(reading, text)
        assert one.found == () and words in one.answer.reason


def test_key_slices_show_what_is_mentioned(reading):
    assert 1 <= len(reading.slices) <= 3
    shown = {name for one in reading.slices for name in one.shows}
    assert {"liver", "left kidney"} <= shown and "spleen" not in shown
    for one in reading.slices:
        texts = {reading.mentions[n].mention.text for n in reading.seen_in(one)}
        assert ("left kidney" in texts) == ("left kidney" in one.shows)


def test_the_places_follow_a_flipped_and_tilted_map():
    embedding_map = planted_map(
        [([name], centre) for name, centre in CENTRES_RAS.items()], linear=FLIPPED, shape_kji=(30, 24, 34))
    for one in read_report(explorer_of(embedding_map), REPORT).mentions:
        for choice in one.found:
            if choice.id in CENTRES_RAS and choice.shown == choice.name:
                assert np.linalg.norm(choice.hit.position_ras - CENTRES_RAS[choice.id]) < 8, choice


def test_a_question_with_one_side_in_the_scan_stays_a_question():
    reading = read_report(explorer_of(whole_body_map(left_out=("kidney_left",))), "Both kidneys are normal.")
    (one,) = reading.mentions
    assert [meant.side for meant in one.found] == ["right"] and len(one.answer.options) == 2


def test_a_report_without_anatomy_has_no_mentions_and_no_slices():
    reading = read_report(explorer_of(whole_body_map()), "Contrast was given. Normal.")
    assert reading.mentions == [] and reading.slices == []


def test_what_is_denied_counts_less_for_the_slices():
    explorer = explorer_of(whole_body_map())
    for denied, said in (("heart", "left kidney"), ("left kidney", "heart")):
        reading = read_report(explorer, f"No lesion in the {denied}. Mass in the {said}.", 1)
        assert said in reading.slices[0].shows


def test_a_reading_follows_a_scan_that_was_moved(reading):
    motion = np.eye(4)
    motion[:3, 3] = (3, -4, 5)
    moved = reading.moved(motion)
    for was, now in zip(reading.mentions, moved.mentions, strict=True):
        for one, other in zip(was.found, now.found, strict=True):
            np.testing.assert_allclose(other.hit.position_ras - one.hit.position_ras, (3, -4, 5))
    for one, other in zip(reading.slices, moved.slices, strict=True):
        np.testing.assert_allclose(np.subtract(other.position_ras, one.position_ras), (3, -4, 5))


def test_progress_is_told(reading):
    told = []
    read_report(explorer_of(whole_body_map()), "liver, heart", progress=lambda text, done: told.append((text, done)))
    assert told == [("Looking for “liver”", 0.0), ("Looking for “heart”", 0.5)]


@pytest.mark.parametrize(("text", "words"), [
    ("", "got none"), (" \n\t", "got none"), ("x" * (MOST_CHARACTERS + 1), "at most 20,000"),
    ("liver\0spleen", "plain text"), ("{\\rtf1 liver}", "plain text"), ("%PDF-1.7 liver", "plain text"),
])
def test_what_is_no_report_is_refused_with_a_reason(text, words):
    with pytest.raises(ValueError, match=words):
        check_report(text)
