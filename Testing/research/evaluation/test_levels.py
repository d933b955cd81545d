"""Vertebrae and ribs one by one: what counts as the right level, and numberings that are in doubt."""

import json
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from anatembed.scan.volume import Volume
from hypothesis import given
from hypothesis import strategies as st
from little_people import VOCABULARY
from research.evaluation.levels import (
    GROUPS,
    LEVEL_MM,
    VERTEBRAE,
    Answers,
    Asked,
    ask_levels,
    group_of,
    level_of,
    levels_sections,
    renumbered,
)
from research.evaluation.tables import write_column
from research.evaluation.truth import Case, Structure

SCAN = Volume(np.zeros((2, 2, 2)), np.eye(4))
HEIGHTS = {"vertebrae_T10": 60.0, "vertebrae_T11": 30.0, "vertebrae_T12": 0.0, "vertebrae_L1": -30.0}
SIDES = {"left": -50.0, "right": 50.0}


def point(concept, place, half=4.0) -> Structure:
    place = np.array(place, float)
    return Structure(concept, place - half, place + half, place, place, False)


def spine() -> list[Structure]:
    return [point(concept, (0, 0, height)) for concept, height in HEIGHTS.items()]


def ribs() -> list[Structure]:
    return [point(f"rib_{side}_{n}", (r, 0, 300 - 20 * n)) for side, r in SIDES.items() for n in (9, 10)]


def case_of(*structures, **more) -> Case:
    return Case("p", "annotated", SCAN, list(structures), [], [], **more)


@dataclass
class Told:
    """A system that answers with the places that it was given; it has learnt nothing else."""

    places: dict
    shown: bool = True
    asked: list = field(default_factory=list)

    def locate(self, concept):
        self.asked.append(concept)
        return (self.places[concept], self.shown, 0.9) if concept in self.places else None


def answers_by_concept(case, places, **told) -> dict[str, Asked]:
    return {one.concept: one for one in ask_levels(case, Told(places, **told), VOCABULARY).asked}


def test_a_level_is_right_when_the_nearest_marked_one_is_the_one_asked_for():
    places = {"vertebrae_T10": np.array([3.0, 0, 55]), "vertebrae_T11": np.array([0.0, 0, 61]),
              "vertebrae_T12": np.array([0.0, 0, -30])}
    found = answers_by_concept(case_of(*spine()), places)
    assert found.keys() == places.keys()  # L1 was not learnt
    assert [(one.identified, one.level_error, one.nearest) for one in found.values()] == [
        (True, 0, "vertebrae_T10"), (False, -1, "vertebrae_T10"), (False, 1, "vertebrae_L1"),
    ]
    assert found["vertebrae_T12"].mm == pytest.approx(26)
    assert found["vertebrae_T12"].depth_mm == pytest.approx(26)


@pytest.mark.parametrize("beside,right", [(0, True), (LEVEL_MM, True), (LEVEL_MM + 1, False)])
def test_far_from_every_vertebra_no_level_is_right(beside, right):
    place = np.array([4.0 + beside, 0, 60])
    (one,) = answers_by_concept(case_of(*spine()), {"vertebrae_T10": place}).values()
    assert (one.identified, one.depth_mm) == (right, 0)


def test_a_rib_of_the_other_side_is_not_the_rib_but_its_number_is_right():
    places = {"rib_left_9": np.array([50.0, 0, 120]), "rib_right_10": np.array([50.0, 0, 100])}
    found = answers_by_concept(case_of(*ribs()), places)
    assert (found["rib_left_9"].identified, found["rib_left_9"].level_error) == (False, 0)
    assert found["rib_left_9"].nearest == "rib_right_9"
    assert found["rib_right_10"].identified


def test_a_place_inside_two_levels_counts_for_the_one_that_was_asked():
    case = case_of(point("vertebrae_T11", (0, 0, 30), 20), point("vertebrae_T12", (0, 0, 0), 20))
    for concept in ("vertebrae_T11", "vertebrae_T12"):
        assert answers_by_concept(case, {concept: np.array([0.0, 0, 15])})[concept].identified


def test_without_a_place_nothing_is_right_and_there_is_no_level_error():
    (one,) = answers_by_concept(case_of(*spine()), {"vertebrae_T10": None}, shown=False).values()
    assert (one.identified, one.shown, one.level_error, one.mm) == (False, False, None, np.inf)


def test_a_scan_whose_numbering_may_be_off_is_read_in_the_way_that_suits_the_answers():
    below = {"vertebrae_T11": 60.0, "vertebrae_T12": 30.0, "vertebrae_L1": 0.0, "vertebrae_L2": -30.0}
    told = {concept: np.array([0.0, 0, height]) for concept, height in below.items()}
    strict = ask_levels(case_of(*spine()), Told(told), VOCABULARY)
    assert [one.level_error for one in strict.asked] == [-1] * 3
    assert strict.numbering == 0
    loose = ask_levels(case_of(*spine(), level_doubt=1), Told(told), VOCABULARY)
    assert [(one.concept, one.identified) for one in loose.asked] == [(concept, True) for concept in below]
    assert loose.numbering == 1


def test_a_numbering_is_kept_when_no_other_suits_better_and_every_name_is_asked_once():
    system = Told({concept: np.array([0.0, 0, height]) for concept, height in HEIGHTS.items()})
    answers = ask_levels(case_of(*spine(), level_doubt=1), system, VOCABULARY)
    assert answers.numbering == 0
    assert len(system.asked) == len(set(system.asked))


def test_a_rib_that_would_be_the_thirteenth_is_left_out_and_organs_keep_their_names():
    here = (0, 0, 0)
    case = case_of(point("rib_left_12", here), point("liver", here), doubtful=[point("vertebrae_C1", here)])
    assert [one.concept for one in renumbered(case, 1).present] == ["liver"]
    assert [one.concept for one in renumbered(case, 1).doubtful] == ["vertebrae_C2"]
    assert [one.concept for one in renumbered(case, -1).present] == ["rib_left_11", "liver"]
    assert renumbered(case, -1).doubtful == []


@given(st.sampled_from(VERTEBRAE + tuple(f"rib_{side}_{n}" for side in SIDES for n in range(1, 13))))
def test_a_level_knows_its_own_name(concept):
    assert level_of(concept).concept == concept


def test_every_structure_has_a_group_and_they_are_the_expected_ones():
    expected = {
        "liver": "organs", "heart": "organs", "spinal_cord": "organs", "urinary_bladder": "organs",
        "lung_upper_lobe_left": "lobes", "thyroid_lobe_left": "head and neck", "mandible": "head and neck",
        "vertebrae_C3": "vertebrae", "sacrum": "other bones", "rib_left_1": "ribs", "sternum": "other bones",
        "aorta": "vessels", "duodenum": "gut", "psoas_major_left": "muscles",
    }
    assert {concept: group_of(concept, VOCABULARY) for concept in expected} == expected
    assert {group_of(concept, VOCABULARY) for concept in VOCABULARY.ids} == set(GROUPS)


def asked(concept, mm, *, person="p", group="organs", trusted=True, depth_mm=0.0) -> Asked:
    return Asked(person, concept, group, trusted, True, mm, depth_mm)


def test_the_table_counts_by_group_and_keeps_doubtful_drawings_apart():
    answers = [Answers("p", [
        asked("liver", 0.0), asked("spleen", 30.0, depth_mm=12.0), asked("aorta", 10.0, group="vessels"),
        asked("kidney_left", 0.0, trusted=False), asked("heart", np.inf, depth_mm=np.inf),
    ])]
    places = levels_sections("ours", answers)[0].systems["ours"]
    assert (places["all: asked"], places["organs: asked"], places["vessels: asked"]) == (4, 3, 1)
    assert places["drawn with caution: asked"] == 1
    assert (places["all: hit@1"], places["organs: hit@1"], places["vessels: hit@1"]) == (0.5, pytest.approx(1 / 3), 1)
    assert places["organs: mean mm along the body"] == 6  # where there was no hit, there is no distance
    assert "ribs: asked" not in places


def test_the_table_of_levels_needs_the_right_level_to_be_shown():
    right = replace(asked("vertebrae_T9", 3.0, group="vertebrae"), level_error=0, identified=True)
    hidden = replace(right, concept="vertebrae_T10", shown=False)
    wrong = replace(asked("vertebrae_T11", 22.0, group="vertebrae"), level_error=-2)
    places, levels = levels_sections("ours", [Answers("p", [right, hidden, wrong], 1)])
    assert levels.systems["ours"] == {
        "vertebrae: asked": 3, "vertebrae: right level": pytest.approx(2 / 3),
        "vertebrae: right level, shown to users": pytest.approx(1 / 3),
        "vertebrae: mean level error": pytest.approx(2 / 3), "vertebrae: median mm": 3,
    }
    assert [row["numbering"] for row in places.rows] == [1, 1, 1]


def test_a_file_of_results_keeps_the_columns_of_other_models(tmp_path):
    path = tmp_path / "new" / "levels.json"
    for name, mm in (("shipped", 30.0), ("next", 0.0), ("next", 5.0)):
        write_column(path, name, f"id of {name}", levels_sections(name, [Answers("p", [asked("liver", mm)])]))
    content = json.loads(path.read_text())
    assert content["models"] == {"shipped": "id of shipped", "next": "id of next"}
    systems = content["sections"]["places"]["systems"]
    assert (systems["shipped"]["all: hit@1"], systems["next"]["all: hit@1"]) == (0, 1)
    assert content["sections"]["places"]["rows"]["next"][0]["mm"] == 5
