"""Words that are no name, compared with an image in which everything is known."""

import dataclasses

import numpy as np
import pytest
from anatembed.ask.explorer import Explorer
from anatembed.ask.free_text import FreeText, read_words
from anatembed.ask.index import QueryIndex
from anatembed.ask.locating import GO, REFUSE
from anatembed.language.query.resolution import NOT_UNDERSTOOD
from anatembed.language.query_words import load_query_words
from anatembed.language.text_encoder import TextEncoder
from anatembed.language.vocabulary import Vocabulary
from little_text import little_encoder
from planted import CENTRES_RAS, CONCEPTS, planted_checkpoint, planted_map, whole_body_map
from pointing_text import OPEN, Pointing


@pytest.fixture(scope="module")
def free():
    checkpoint = planted_checkpoint()
    return FreeText(QueryIndex(whole_body_map(), checkpoint.readout, checkpoint.encoder_id), Pointing())


def test_words_are_found_where_the_image_is_like_them(free):
    search = free.search("spleen", None)
    assert search.found
    assert np.linalg.norm(search.hits[0].position_ras - CENTRES_RAS["spleen"]) < 6
    assert search.hits[0].concept_id == ""


def test_words_that_point_nowhere_are_not_found(free):
    assert not free.search("quarterly report", None).found


def test_no_words_are_not_found(free):
    assert not free.search("", None).found
    assert not free.search(" ", "left").found


@pytest.mark.parametrize(("side", "sign"), [("left", -1), ("right", 1)])
def test_of_a_side_that_is_named_only_that_side_is_hit(free, side, sign):
    both = [hit.position_ras[0] for hit in free.search("wuxtra", None).hits]
    assert min(both) < 0 < max(both)
    hits = free.search("wuxtra", side).hits
    assert hits
    assert all(sign * hit.position_ras[0] > 5 for hit in hits)


@pytest.mark.parametrize(("side", "other"), [("left", "kidney_right"), ("right", "kidney_left")])
def test_what_is_only_on_the_other_side_is_not_found(free, side, other):
    assert free.search(other, None).found
    assert not free.search(other, side).found


LINEAR = {
    "flipped": np.diag([-6.0, 6.0, -6.0]),
    "oblique": np.array([[6 * 0.8, -6 * 0.6, 0], [6 * 0.6, 6 * 0.8, 0], [0, 0, 6.0]]),
    "swapped axes": np.array([[0, 6.0, 0], [6.0, 0, 0], [0, 0, 6.0]]),
}


@pytest.mark.parametrize("linear", LINEAR.values(), ids=LINEAR.keys())
def test_the_side_is_that_of_the_patient_however_the_grid_lies(linear):
    balls = [([one], CENTRES_RAS[one]) for one in ("kidney_left", "kidney_right")]
    seen = planted_map(balls, linear=linear, shape_kji=(30, 34, 34))
    checkpoint = planted_checkpoint()
    free = FreeText(QueryIndex(seen, checkpoint.readout, checkpoint.encoder_id), Pointing())
    for side, concept in (("left", "kidney_left"), ("right", "kidney_right")):
        hits = free.search("wuxtra", side).hits
        assert np.linalg.norm(hits[0].position_ras - CENTRES_RAS[concept]) < 9


def test_the_field_is_nothing_outside_the_body_and_on_the_other_side(free):
    field = free.score_kji(free.vector("wuxtra", "left"), "left")
    assert field[~free.index.map.body_kji].max() == 0
    kji = np.argwhere(field > 0)
    right = (free.index.map.ijk_to_ras[:3, :3] @ kji[:, ::-1].T + free.index.map.ijk_to_ras[:3, 3:])[0]
    assert right.max() < 0


def test_hits_are_probabilities_and_the_first_is_the_surest(free):
    search = free.search("wuxtra", None)
    confidences = [hit.confidence for hit in search.hits]
    assert confidences == sorted(confidences, reverse=True)
    assert all(0 < hit.confidence <= hit.presence <= 1 for hit in search.hits)


def test_the_encoder_of_another_image_model_is_refused():
    checkpoint = planted_checkpoint()
    index = QueryIndex(whole_body_map(), checkpoint.readout, checkpoint.encoder_id)
    with pytest.raises(ValueError, match="another|was trained for"):
        FreeText(index, Pointing("another space"))


def test_an_encoder_without_a_calibrated_level_finds_nothing():
    checkpoint = planted_checkpoint()
    index = QueryIndex(whole_body_map(), checkpoint.readout, checkpoint.encoder_id)
    encoder = little_encoder(image_size=len(CONCEPTS) + 1, space_id=checkpoint.readout.space_id)
    assert not FreeText(index, encoder).search("spleen", None).found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("show me the left perirenal fat", ("perirenal fat", "left")),
        ("the fifth wuxtra", ("5 wuxtra", None)),
        ("both wuxtras", None),
        ("not the left wuxtra", None),
        ("left or right wuxtra", None),
        ("wuxtra on the left of the image", None),
        ("左肾周围脂肪", ("肾周围脂肪", "left")),
        ("双侧脂肪", None),
    ],
)
def test_what_is_read_of_a_text(text, expected):
    assert read_words(text, load_query_words()) == expected


class UnknownWords:
    """An explorer whose text encoder points at planted structures."""

    @staticmethod
    def explorer(monkeypatch, levels=OPEN):
        monkeypatch.setattr(TextEncoder, "load", classmethod(lambda cls, path=None: Pointing(levels=levels)))
        return Explorer(whole_body_map(), planted_checkpoint(), Vocabulary.load())


def test_an_unknown_text_jumps_to_what_is_like_it_and_says_so(monkeypatch):
    explorer = UnknownWords.explorer(monkeypatch)
    answer = explorer.locate("left wuxtra")
    assert answer.decision == GO
    assert "not a known name" in answer.caution
    (place,) = answer.places
    assert (place.label, place.concept_id) == ("“left wuxtra”", "")
    assert all(hit.position_ras[0] < 0 for hit in (place, *answer.less_likely))
    field, again = explorer.probability("left wuxtra")
    assert field.max() > 0.3
    assert again.reason == answer.reason


def test_an_unknown_text_below_the_level_stays_refused(monkeypatch):
    strict = {"free_text": {"weights": [0.0, 1.0, 0.0, 0.0], "found": 1.0}}
    answer = UnknownWords.explorer(monkeypatch, strict).locate("left wuxtra")
    assert (answer.decision, answer.refusal) == (REFUSE, NOT_UNDERSTOOD)
    assert "recognised" in answer.reason


@pytest.mark.parametrize("text", ["the quarterly report", "right spleen", "T13", "not the left wuxtra", "qqq"])
def test_nonsense_and_what_is_refused_for_a_cause_never_jumps(monkeypatch, text):
    assert not UnknownWords.explorer(monkeypatch).locate(text).marked


def test_a_known_name_is_never_compared_with_the_image(monkeypatch):
    explorer = UnknownWords.explorer(monkeypatch)
    assert explorer.locate("left kidney").places[0].concept_id == "kidney_left"


def test_a_model_that_the_shipped_text_encoder_does_not_know_refuses_as_before():
    answer = Explorer(whole_body_map(), dataclasses.replace(planted_checkpoint()), Vocabulary.load()).locate("wuxtra")
    assert answer.refusal == NOT_UNDERSTOOD
