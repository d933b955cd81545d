"""The probabilities of the answers of a planted map, beside what was planted."""

from types import SimpleNamespace

import numpy as np
import pytest
from anatembed.ask.explorer import Explorer
from anatembed.language.vocabulary import Vocabulary
from PIL import Image
from planted import CENTRES_RAS, planted_checkpoint, whole_body_map
from research.evaluation.confidence import confidence, diagram, first_hit, first_name, reliability_section
from research.evaluation.plots import draw
from research.evaluation.truth import Structure

VOCABULARY = Vocabulary.load()


@pytest.fixture(scope="module")
def explorer():
    return Explorer(whole_body_map(left_out=("spleen",)), planted_checkpoint(), VOCABULARY)


def structure(concept: str, centre, is_box: bool = True) -> Structure:
    centre = np.array(centre, float)
    return Structure(concept, centre - 5, centre + 5, centre, centre, is_box)


def test_a_hit_in_the_box_is_right_and_one_beyond_ten_millimetres_is_wrong(explorer):
    here, there = CENTRES_RAS["liver"], np.array(CENTRES_RAS["liver"]) + (0, 0, 25)
    sure, right = first_hit(explorer, structure("liver", here))
    assert right
    assert sure > 0.9
    assert first_hit(explorer, structure("liver", there)) == (sure, False)


def test_a_part_names_its_whole_rightly_and_a_whole_does_not_name_its_part(explorer):
    centre = CENTRES_RAS["heart_ventricle_left"]
    assert first_name(explorer, structure("heart", centre), VOCABULARY)[1]
    assert not first_name(explorer, structure("heart_ventricle_left", CENTRES_RAS["heart"]), VOCABULARY)[1]


def test_what_the_model_has_not_learnt_has_no_confidence(explorer):
    assert first_hit(explorer, structure("pancreas", (0, 0, 0))) is None


def test_what_is_not_found_has_no_hit_to_judge(explorer):
    assert first_hit(explorer, structure("spleen", CENTRES_RAS["spleen"])) is None


def test_the_section_counts_boxes_points_names_and_presence_apart(explorer):
    case = SimpleNamespace(present=[structure("liver", CENTRES_RAS["liver"]),
                                    structure("kidney_left", CENTRES_RAS["kidney_left"], is_box=False)])
    presence = [("liver", True, 0.9, True), ("kidney_left", True, 0.8, True), ("spleen", False, 0.3, False)]
    bench = SimpleNamespace(
        name="model", vocabulary=VOCABULARY, scans=[SimpleNamespace(case=case, person="one")],
        explorers={"one": explorer}, reports={"model": [SimpleNamespace(presence=presence)]},
    )
    measures = confidence(bench).systems["model"]
    assert measures["presence: answers"] == 3
    assert measures["presence: right"] == pytest.approx(0.5)  # present and absent count alike
    assert measures["first hit, boxes: answers"] == measures["first hit, points: answers"] == 1
    assert measures["first name: answers"] == 2
    assert measures["first name: right"] == 1


ANSWERS = {
    "presence": ([0.95, 0.85, 0.05, 0.15], [True, True, False, True], [1, 1, 1, 2]),
    "first name": ([0.4, 0.6], [False, True]),
    "nothing": ([], []),
}


def test_a_section_has_the_figures_and_a_row_for_each_part_of_the_scale_that_has_answers():
    section = reliability_section("model", ANSWERS)
    measures = section.systems["model"]
    assert measures["first name: Brier"] == pytest.approx(0.16)
    assert measures["presence: right"] == pytest.approx(0.8)
    assert np.isnan(measures["nothing: Brier"])
    assert [(row["probability of"], row["answers"]) for row in section.rows] == [
        ("presence", 1), ("presence", 1), ("presence", 1), ("presence", 1), ("first name", 1), ("first name", 1)]


def test_the_diagram_has_a_point_for_each_part_of_the_scale_and_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    shown = diagram("model", ANSWERS)
    assert shown.x == shown.series["as it should be"]
    assert shown.series["model, presence"][8:] == [1.0, 1.0]
    assert np.isnan(shown.series["model, presence"][5])
    draw([shown], tmp_path)
    with Image.open(tmp_path / "reliability.png") as image:
        assert min(image.size) > 200
