"""Vertebrae and ribs are found, shown and named where they were counted, and a network that sees them elsewhere is
contradicted in words."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from anatembed.ask.border import posterior
from anatembed.ask.index import QueryIndex
from anatembed.ask.levels.counted_index import NOT_COUNTED, CountedIndex
from anatembed.ask.levels.sharing import region_shares, share_logits
from anatembed.ask.structure_colours import structure_colours
from anatembed.geometry import transform_points
from anatembed.language.vocabulary import Vocabulary
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.maps.spine_hu import spine_hu
from anatembed.model.readout import Readout
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from spine_phantom import USUAL, SpinePhantom, spine_phantom

CONCEPTS = ("rib_cage", "rib_left_9", "rib_right_9", "spinal_canal", "spine", "vertebrae_C5", "vertebrae_L2",
            "vertebrae_L3", "vertebrae_T9")  # fmt: skip
COMPATIBLE = np.array([[a == b or not a.startswith("vertebrae") or not b.startswith("vertebrae") for b in CONCEPTS]
                       for a in CONCEPTS], float)  # fmt: skip
TOO_HIGH_MM = 75.0
MODEL = "planted"


@cache
def person() -> SpinePhantom:
    return spine_phantom()


def readout() -> Readout:
    count = len(CONCEPTS)
    return Readout(
        concept_ids=CONCEPTS, language=np.eye(count + 1), vectors=np.eye(count + 1)[:count], scale=18.0, bias=-9.0,
        coordinate_layers=((np.zeros((3, count + 1)), np.zeros(3)), (np.zeros((3, 3)), np.zeros(3))),
        body_mean=np.zeros((count, 3)), body_covariance=np.stack([100 * np.eye(3)] * count),
        compatible=COMPATIBLE, typical_evidence=np.zeros((count, 2)),
        presence=np.array([0.0, 1.0, 0.0, 0.0]), presence_threshold=0.5,
    )  # fmt: skip


@cache
def embedded(with_spine: bool = True, all_are: str = "") -> EmbeddingMap:
    """A network that sees the canal and bone, but every vertebra far too high, or in all bone this one vertebra."""
    phantom = person()
    shape = tuple(-(-n // 2) for n in phantom.hu_kji.shape)
    ijk_to_ras = phantom.ijk_to_ras @ np.array([[2, 0, 0, 0.5], [0, 2, 0, 0.5], [0, 0, 2, 0.5], [0, 0, 0, 1]])
    positions = transform_points(ijk_to_ras, np.indices(shape).reshape(3, -1).T[:, ::-1])
    canal = phantom.canal
    away = np.linalg.norm(positions[:, None] - canal.points_ras[::3], axis=2).min(axis=1)
    latents = np.zeros((len(positions), len(CONCEPTS) + 1))
    latents[:, -1] = 1

    def plant(name: str, where: np.ndarray) -> None:
        latents[where, -1] = 0
        latents[where, CONCEPTS.index(name)] = 1

    plant(all_are or "spine", away < 40)
    latents[away < 8] = 0  # the canal is no bone
    plant("spinal_canal", away < 8)
    for name in () if all_are else ("L2", "L3", "T9"):
        place = phantom.middles_ras[name] + (0, 20, TOO_HIGH_MM)
        plant(f"vertebrae_{name}", np.linalg.norm(positions - place, axis=1) < 12)
    features = latents.T.reshape(-1, *shape).astype(np.float16)
    body = np.ones(shape, bool)
    spine = spine_hu(phantom.hu_kji, phantom.ijk_to_ras, positions, (away < 8).astype(float)) if with_spine else None
    return EmbeddingMap(features, ijk_to_ras, MODEL, body, {"name": "phantom"}, spine_hu=spine)


@pytest.fixture(scope="module")
def index() -> CountedIndex:
    return CountedIndex(embedded(), readout(), MODEL)


@pytest.mark.parametrize("name", ["L2", "L3", "T9"])
def test_a_vertebra_is_where_it_was_counted_and_the_network_is_contradicted(index, name):
    search = index.search(f"vertebrae_{name}", 3)
    best = search.hits[0]
    there = person().middles_ras[name]
    assert search.found and best.confidence > 0.8
    assert abs(best.position_ras[2] - there[2]) < 12 and 8 < best.position_ras[1] - there[1] < 35
    assert best.basis.startswith("counted from the ")
    assert "higher: check it" in best.caution
    alone = QueryIndex(embedded(), readout(), MODEL).search(f"vertebrae_{name}", 1).hits[0]
    assert abs(alone.position_ras[2] - there[2]) > 50 and alone.basis == ""


def test_a_level_that_is_not_in_view_is_not_found(index):
    assert not index.search("vertebrae_C5").found


def test_ribs_are_found_by_their_vertebra_on_their_own_side(index):
    left, right = (index.search(f"rib_{side}_9", 1).hits[0].position_ras for side in ("left", "right"))
    assert left[0] < -30 < 30 < right[0]
    joined = person().middles_ras["T9"][2]
    assert joined - 45 < left[2] < joined + 10


@pytest.mark.parametrize(("rib", "words"), [
    ((("rib_left_9", 0.9),), "rib 9"), ((("rib_left_9", 0.6), ("rib_left_8", 0.35)), "rib 8 or 9"),
    ((("rib_left_9", 0.4), ("rib_left_8", 0.3), ("rib_left_10", 0.25)), "rib 8 to 10"),
])  # fmt: skip
def test_a_rib_whose_number_is_open_is_there_with_its_likely_places_and_says_so(index, rib, words):
    levels = index.levels
    shifted = {name: p for (name, _), (_, p) in zip(rib[1:], rib[1:], strict=True)}
    ribs = tuple(
        replace(one, probability=rib[0][1], names=rib) if one.concept_id == "rib_left_9"
        else replace(one, names=((one.concept_id, 0.5), ("rib_left_9", shifted[one.concept_id])))
        if one.concept_id in shifted else one for one in levels.ribs
    )  # fmt: skip
    other = CountedIndex(index.map, index.readout, MODEL)
    other.__dict__["levels"] = replace(levels, ribs=ribs)
    found = other.search("rib_left_9")
    assert found.found and found.presence == pytest.approx(sum(p for _, p in rib))
    assert len(found.hits) == len(rib) and all(hit.position_ras[0] < 0 for hit in found.hits)
    assert (f"By the count this may be {words}." in found.hits[0].caution) == (len(rib) > 1)


def test_a_vertebra_is_shown_at_its_height_only(index):
    field = index.probability_kji("vertebrae_L2")
    shown = transform_points(index.map.ijk_to_ras, np.argwhere(field > 0.5)[:, ::-1])
    assert len(shown) > 50
    assert np.abs(shown[:, 2] - person().middles_ras["L2"][2]).max() < 40
    np.testing.assert_array_equal(index.probability_kji("spine"), index.seen_kji("spine"))


def test_names_at_a_place_are_shared_out_as_counted(index):
    place = person().middles_ras["L2"] + (0, 20, 0)
    high = place + (0, 0, TOO_HIGH_MM)  # where the network sees L2
    seen = QueryIndex(embedded(), readout(), MODEL).name_probabilities(high[None])[0]
    named = index.name_probabilities(high[None])[0]
    vertebrae = [n for n, one in enumerate(CONCEPTS) if one.startswith("vertebrae_")]
    assert seen[CONCEPTS.index("vertebrae_L2")] > 0.5 > 0.05 > named[CONCEPTS.index("vertebrae_L2")]
    assert named[vertebrae].sum() <= seen[vertebrae].sum() + 1e-6


def test_colours_and_names_are_those_of_the_count(index):
    vocabulary = Vocabulary.load()
    colours = structure_colours(index, vocabulary, 0.1)
    high = person().middles_ras["L2"] + (0, 20, TOO_HIGH_MM)
    ijk = np.rint(transform_points(np.linalg.inv(colours.ijk_to_ras), high)).astype(int)
    around = colours.labels_kji[tuple(slice(n - 3, n + 4) for n in ijk[::-1])]
    assert CONCEPTS.index("vertebrae_L2") + 1 not in around

    all_l3 = CountedIndex(embedded(all_are="vertebrae_L3"), readout(), MODEL)
    for name in ("L2", "L3", "T9"):
        place = person().middles_ras[name] + (0, 20, 0)
        said = CONCEPTS[int(all_l3.name_probabilities(place[None])[0].argmax())]
        colours = structure_colours(all_l3, vocabulary, 0.1)
        k, j, i = np.rint(transform_points(np.linalg.inv(colours.ijk_to_ras), place)).astype(int)[::-1]
        assert said == colours.concept_ids[colours.labels_kji[k, j, i] - 1] == f"vertebrae_{name}"


def test_the_border_of_two_vertebrae_is_where_the_count_changes():
    all_l3 = CountedIndex(embedded(all_are="vertebrae_L3"), readout(), MODEL)
    border = posterior(all_l3, Vocabulary.load(), "vertebrae_L2", "vertebrae_L3")
    line = all_l3.levels.find("vertebrae_L3")
    between = all_l3.levels.ends_mm(line)[1]
    kji = np.argwhere(border.where_kji)
    heights = all_l3.levels.canal.heights_mm(transform_points(border.ijk_to_ras, kji[:, ::-1]))
    first = border.first_kji[tuple(kji.T)]
    assert (first[heights > between + 4] > 0.5).all() and (first[heights < between - 4] < 0.5).all()


def test_nothing_is_counted_for_the_name_of_a_place_that_is_neither_vertebra_nor_rib():
    fresh = CountedIndex(embedded(), readout(), MODEL)
    along = person().canal.points_ras
    seen = QueryIndex(embedded(), readout(), MODEL).name_logits(along)
    spine = seen[:, CONCEPTS.index("spine")]  # shines in between the middles of two voxels
    canal = along[int(np.argmax(seen[:, CONCEPTS.index("spinal_canal")] - spine))]
    assert CONCEPTS[int(fresh.name_probabilities(canal[None])[0].argmax())] == "spinal_canal"
    assert "levels" not in vars(fresh)
    fresh.name_probabilities((person().middles_ras["L2"] + (0, 20, TOO_HIGH_MM))[None])
    assert "levels" in vars(fresh)


@pytest.mark.parametrize("name", ["L2", "L3", "T9"])
def test_bone_of_the_spine_whose_number_the_network_does_not_know_is_named_as_it_is_found(index, name):
    place = index.search(f"vertebrae_{name}", 1).hits[0].position_ras
    seen = QueryIndex(embedded(), readout(), MODEL).name_logits(place[None])[0]
    own = [n for n, one in enumerate(CONCEPTS) if one.startswith("vertebrae_")]
    assert seen[own].max() < seen[CONCEPTS.index("spine")] - 5
    named = index.name_logits(place[None])[0]
    assert CONCEPTS[own[int(named[own].argmax())]] == f"vertebrae_{name}" and np.ptp(named[own]) > 1


def test_a_region_of_the_spine_is_where_its_vertebrae_were_counted():
    found = CountedIndex(embedded(), readout(), MODEL).levels
    places = np.stack([person().middles_ras[name] for name in ("T9", "L3")])
    shares = region_shares(found, places, ["cervical_spine", "lumbar_spine", "thoracic_spine"])
    assert (shares[[0, 1], [2, 1]] > 0.9).all() and (shares.sum(axis=1) <= 1 + 1e-6).all()


def test_a_level_that_could_not_be_counted_says_so():
    blind = CountedIndex(embedded(with_spine=False), readout(), MODEL)
    assert blind.search("vertebrae_L2", 1).hits[0].caution == NOT_COUNTED
    assert blind.search("spine", 1).hits[0].caution == ""


@given(hnp.arrays(float, (5, 4), elements=st.floats(-20, 20)), hnp.arrays(float, (5, 4), elements=st.floats(0.01, 1)),
       st.floats(0.5, 4))
def test_sharing_out_keeps_what_a_family_has_together(logits, shares, temperature):
    shares /= shares.sum(axis=1, keepdims=True)
    shares[0] = np.nan
    shared = share_logits(logits, shares, temperature)
    np.testing.assert_array_equal(shared[0], logits[0])
    before, after = (np.exp(one / temperature).sum(axis=1) for one in (logits, shared))
    np.testing.assert_allclose(after, before, rtol=1e-6)


def test_without_hu_and_without_canal_the_network_alone_answers():
    blind = CountedIndex(embedded(with_spine=False), readout(), MODEL)
    alone = QueryIndex(embedded(), readout(), MODEL)
    assert blind.levels is None
    np.testing.assert_array_equal(
        blind.search("vertebrae_L2", 1).hits[0].position_ras, alone.search("vertebrae_L2", 1).hits[0].position_ras)
    empty = embedded().features_ckji.copy()
    empty[CONCEPTS.index("spinal_canal")] = 0
    assert CountedIndex(replace(embedded(), features_ckji=empty), readout(), MODEL).levels is None


def test_the_whole_person_is_counted_from_what_the_map_carries(index):
    assert [level.name for level in index.levels.levels if level.name in USUAL] == list(USUAL)


def test_a_number_says_what_it_was_counted_from_or_that_it_was_not(index):
    basis, doubt = index.number_of("vertebrae_L2")
    assert basis == index.search("vertebrae_L2", 1).hits[0].basis and NOT_COUNTED not in doubt
    assert index.number_of("spine") == index.number_of("spinal_canal") == ("", "")
    assert index.number_of("vertebrae_C5") == ("", NOT_COUNTED)
    blind = CountedIndex(embedded(with_spine=False), readout(), MODEL)
    assert blind.number_of("vertebrae_L2") == ("", NOT_COUNTED)
