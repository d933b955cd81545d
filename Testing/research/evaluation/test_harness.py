"""The rules of judging, and a run over two systems on a planted case."""

import json
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from anatembed.ask.explorer import Explorer
from anatembed.scan.volume import Volume
from little_people import VOCABULARY
from planted import CENTRES_RAS, planted_checkpoint, whole_body_map
from research.evaluation import harness, plots
from research.evaluation.harness import (
    TOLERANCE_MM,
    Located,
    LookupSystem,
    ModelSystem,
    Named,
    Report,
    chance,
    evaluate_case,
    intervals,
    judge_location,
    judge_name,
    structure_table,
    summarise,
    write,
)
from research.evaluation.section import Figure, Section
from research.evaluation.truth import Case, Structure


def structure(concept, centre=None, half=10.0) -> Structure:
    centre = np.array(CENTRES_RAS[concept] if centre is None else centre, float)
    return Structure(concept, centre - half, centre + half, centre, centre, True)


LEFT, RIGHT = structure("kidney_left"), structure("kidney_right")
SCAN = Volume(np.zeros((2, 2, 2)), np.eye(4))


@dataclass
class Answers:
    """A system that says what it was told to say."""

    places: dict = field(default_factory=dict)
    spoken: list = field(default_factory=list)

    def locate(self, concept):
        return self.places.get(concept)

    def names(self, position):
        return self.spoken


def test_a_hit_within_the_tolerance_of_the_box_counts():
    for beyond, hit in ((0, True), (TOLERANCE_MM, True), (TOLERANCE_MM + 0.1, False)):
        assert judge_location(LEFT, RIGHT, LEFT.high + (beyond, 0, 0), True).hit == hit


@pytest.mark.parametrize(("position", "wrong"), [
    (LEFT.centre, False), (RIGHT.centre, True), (LEFT.centre + (30, 0, 0), False), (LEFT.centre + (61, 0, 0), True),
])
def test_the_side_is_wrong_when_the_hit_is_nearer_to_the_other_one(position, wrong):
    located = judge_location(LEFT, RIGHT, position, True)
    assert located.sided
    assert located.wrong_side == wrong


def test_what_has_no_other_side_in_the_scan_has_no_wrong_side():
    located = judge_location(LEFT, None, RIGHT.centre, True)
    assert not located.sided
    assert not located.wrong_side


def test_no_place_is_a_miss():
    located = judge_location(LEFT, RIGHT, None, True)
    assert (located.hit, located.found, located.wrong_side, located.to_box_mm) == (False, False, False, np.inf)


@pytest.mark.parametrize(("names", "rank", "wrong"), [
    (["kidney_left"], 0, False), (["spleen", "kidney_left"], 1, False), (["spleen"], None, False), ([], None, False),
    (["kidney_right", "kidney_left"], 1, True), (["renal_pelvis_left"], 0, False), (["renal_pelvis_right"], None, True),
    (["spleen", "kidney_right"], None, False),
])
def test_a_name_or_a_part_of_it_is_right_and_the_other_side_first_is_wrong(names, rank, wrong):
    named = judge_name(LEFT, names, VOCABULARY)
    assert (named.rank, named.wrong_side, named.sided) == (rank, wrong, True)


def test_a_whole_does_not_name_its_part():
    assert judge_name(structure("heart_ventricle_left"), ["heart"], VOCABULARY).rank is None


def test_a_case_is_asked_for_all_that_is_known_of_it():
    case = Case("p", "annotated", SCAN, [LEFT, RIGHT, structure("liver")], ["spleen", "brain"], [])
    system = Answers(
        {"kidney_left": (LEFT.centre, True, 0.9), "kidney_right": (LEFT.centre, False, 0.4),
         "spleen": (LEFT.centre, True, 0.8)},
        ["kidney_left"],
    )
    near, far = LEFT.high + (9, 0, 0), LEFT.high + (0, 11, 0)
    report = evaluate_case(case, system, VOCABULARY, np.array([near, far, far, far]))
    assert report.not_learnt == ["liver"]
    assert [(x.concept, x.hit, x.wrong_side) for x in report.located] == [
        ("kidney_left", True, False), ("kidney_right", False, True),
    ]
    assert report.presence == [
        ("kidney_left", True, 0.9, True), ("kidney_right", True, 0.4, False), ("spleen", False, 0.8, True),
    ]
    assert [x.rank for x in report.named] == [0, None, None]
    np.testing.assert_allclose(report.chance_hit, [0.25, 0])


def report_of(person="p", hits=(True, False), group="annotated") -> Report:
    report = Report(person, group)
    report.located = [Located("liver", True, 0.0 if hit else 50.0, 5.0, True, not hit, True) for hit in hits]
    report.named = [Named("liver", 0 if hit else 3, False, False) for hit in hits]
    report.presence = [("liver", True, 0.9, True), ("brain", False, 0.2, False)]
    report.chance_hit = [0.1, 0.3]
    return report


def test_the_summary_counts_what_was_judged():
    report = report_of()
    report.not_learnt = ["spleen"]
    summary = summarise([report])
    expected = {
        "structures": 2, "not learnt": 1, "hit@1": 0.5, "median mm to box": 25, "median mm to centre": 5,
        "wrong side, located": 0.5, "naming top-1": 0.5, "naming top-5": 1, "absent AUROC": 1, "absent refused": 1,
        "present kept": 1, "absent asked": 1,
    }
    assert {name: summary[name] for name in expected} == expected
    assert np.isnan(summary["hit@1 of points"])


def test_a_structure_that_was_found_nowhere_is_a_miss_but_has_no_distance():
    report = report_of(hits=(True,))
    report.located.append(judge_location(LEFT, None, None, False))
    summary = summarise([report])
    assert summary["hit@1"] == 0.5
    assert summary["median mm to box"] == 0


def test_a_hit_that_is_not_shown_does_not_count_as_shipped():
    report = report_of(hits=(True,))
    report.located.append(Located("spleen", True, 0.0, 0.0, False, False, False))
    assert summarise([report])["hit@1"] == 1
    assert summarise([report])["hit@1 as shipped"] == 0.5


def test_chance_is_the_share_of_the_body_and_of_the_names():
    found = chance([report_of()], 50)
    assert found["hit@1"] == pytest.approx(0.2)
    assert (found["naming top-1"], found["naming top-5"], found["absent AUROC"]) == (0.02, 0.1, 0.5)


def test_intervals_are_over_people():
    spans = intervals([report_of("a", (True, True)), report_of("b", (False, False))])
    assert spans["hit@1"] == (0, 1)


def test_the_table_of_structures_has_a_row_for_each():
    (row,) = structure_table([report_of("a"), report_of("b")])
    assert (row["structure"], row["scans"], row["hit@1"], row["named first"], row["named in five"]) == (
        "liver", 4, 0.5, 0.5, 1,
    )


def test_results_are_written_for_people_and_for_programs(tmp_path):
    reports = {"embedding": [report_of("a"), report_of("b", (True, True), "labelled")], "lookup": [report_of("a")]}
    reports["lookup"].append(report_of("b", (False, False), "labelled"))
    text = write(reports, planted_checkpoint(), tmp_path / "new")
    assert (tmp_path / "new" / "evaluation.md").read_text() == text
    content = json.loads((tmp_path / "new" / "evaluation.json").read_text())
    systems = content["groups"]["all"]["systems"]
    assert systems["embedding"]["hit@1"] == 0.75
    assert systems["lookup"]["hit@1"] == 0.25
    assert content["groups"]["annotated trunk scans"]["systems"]["embedding"]["structures"] == 2
    assert content["people"] == ["a", "b"]
    assert "### annotated trunk scans (1 people)" in text


@pytest.fixture
def model_system():
    """The embedding of a planted map; the spleen is not in it."""
    return ModelSystem(Explorer(whole_body_map(left_out=("spleen",)), planted_checkpoint(), VOCABULARY))


def test_the_model_is_judged_by_its_first_hit_and_its_presence(model_system):
    place, found, presence = model_system.locate("liver")
    assert np.linalg.norm(place - CENTRES_RAS["liver"]) < 4
    assert found
    assert presence > 0.5
    assert model_system.locate("spleen")[1] is False
    assert model_system.locate("brain") is None


def test_the_model_names_a_place_by_its_candidates(model_system):
    assert model_system.names(np.array(CENTRES_RAS["liver"]))[0] == "liver"


def test_the_models_answers_about_a_planted_case_are_all_right(model_system):
    case = Case("p", "annotated", SCAN, [structure(c) for c in CENTRES_RAS if c != "spleen"], ["spleen"], [])
    summary = summarise([evaluate_case(case, model_system, VOCABULARY, np.zeros((1, 3)))])
    rates = ("hit@1", "hit@1 as shipped", "naming top-1", "absent AUROC", "absent refused", "present kept")
    assert [summary[rate] for rate in rates] == [1] * 6
    assert summary["wrong side, located"] == summary["wrong side, named"] == 0


def test_a_lookup_answers_with_one_name_and_never_with_absence():
    @dataclass
    class Table:
        def locate(self, concept):
            return np.zeros(3) if concept == "liver" else None

        def name(self, position):
            return "liver" if position[0] >= 0 else None

    system = LookupSystem("table", Table())
    place, found, score = system.locate("liver")
    assert (place.tolist(), found, score) == ([0, 0, 0], True, 1.0)
    assert system.locate("brain") is None
    assert (system.names(np.array([1, 0, 0])), system.names(np.array([-1, 0, 0]))) == (["liver"], [])


def test_an_annotated_scan_that_is_not_on_the_evaluation_list_is_refused(tmp_path):
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "trained_on.tsv").write_text("name\tkind\n")
    with pytest.raises(ValueError, match=r"trained_on\.tsv is annotated but not on the evaluation list"):
        list(harness.read_cases(tmp_path, {"evaluation": ["held_out"]}, VOCABULARY))


def test_systems_are_compared_over_the_structures_that_all_of_them_answer():
    knows_both = Report("p", "annotated", located=[
        Located("liver", True, 0.0, 5.0, True, False, False), Located("spleen", True, 50.0, 60.0, True, False, False),
    ])
    knows_one = Report("p", "annotated", located=[Located("spleen", True, 3.0, 9.0, True, False, False)])
    assert harness.common_hits({"a": [knows_both], "b": [knows_one]}) == {"a": 0.0, "b": 1.0}



def test_a_run_embeds_every_scan_and_asks_the_lookups_too(bench):
    fresh = replace(bench, explorers={}, reports={})
    reports = harness.run(fresh)
    assert list(reports) == ["embedding", "body box lookup", "affine lookup"]
    assert [report.person for report in reports["embedding"]] == [scan.person for scan in bench.scans]
    assert set(fresh.explorers) == {scan.person for scan in bench.scans}
    affine = summarise(reports["affine lookup"])
    assert affine["hit@1"] == 1  # the people differ by their place only
    assert affine["naming top-1"] == 1


def test_a_compared_model_is_asked_alone_under_its_own_name(second_model):
    named = replace(second_model, name="segmenter", explorers={}, reports={})
    assert list(harness.run(named)) == ["segmenter"]


def test_sections_and_figures_are_written_beside_the_tables(tmp_path):
    figure = Figure("curve", "Curve", "x", "y", "line", [0, 1], {"embedding": [0.0, float("nan")]})
    section = Section("extra", "Something else", "What it is.", {"embedding": {"rate": 0.25}}, figures=[figure])
    text = write({"embedding": [report_of("a")]}, planted_checkpoint(), tmp_path, [section])
    assert "### Something else" in text
    assert "| rate | 0.25 |" in text
    assert ("![Curve](curve.png)" in text) == (tmp_path / "curve.png").exists() == plots.can_draw()
    content = json.loads((tmp_path / "evaluation.json").read_text())
    assert content["sections"]["extra"]["systems"] == {"embedding": {"rate": 0.25}}
    assert content["sections"]["extra"]["figures"][0]["series"] == {"embedding": [0.0, None]}


def section_named(name: str, rate: float) -> Section:
    return Section(name, name.title(), "What it is.", {"embedding": {"rate": rate}})


def test_parts_that_were_measured_before_stay_when_only_others_are_measured_again(tmp_path):
    reports = {"embedding": [report_of("a")]}
    write(reports, planted_checkpoint(), tmp_path, [section_named("one", 0.1), section_named("two", 0.2)])
    text = write(reports, planted_checkpoint(), tmp_path, [section_named("two", 0.3)], keep=True)
    sections = json.loads((tmp_path / "evaluation.json").read_text())["sections"]
    assert {name: s["systems"]["embedding"]["rate"] for name, s in sections.items()} == {"one": 0.1, "two": 0.3}
    assert "### One" in text
    write(reports, planted_checkpoint(), tmp_path, [section_named("two", 0.3)])
    assert list(json.loads((tmp_path / "evaluation.json").read_text())["sections"]) == ["two"]


def test_parts_of_another_model_are_not_mixed_in(tmp_path):
    reports = {"embedding": [report_of("a")]}
    write(reports, planted_checkpoint(), tmp_path, [section_named("one", 0.1)])
    other = replace(planted_checkpoint(), sha256="ef" * 32)
    with pytest.raises(ValueError, match="expected results of anatembed-ef"):
        write(reports, other, tmp_path, keep=True)
