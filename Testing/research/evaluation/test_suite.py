"""All parts together."""

from research.evaluation.section import Section
from research.evaluation.suite import PARTS, joined_sections, run_parts


def part_of(name: str, answers: bool = True):
    def part(bench):
        return Section(name, name, "text", {bench.name: {"rate": 1.0}}) if answers else None

    return part


def test_a_part_that_the_model_cannot_be_asked_is_left_out(bench):
    sections = run_parts(bench, (part_of("one"), part_of("layout", answers=False), part_of("two")))
    assert list(sections) == ["one", "two"]


def test_models_are_joined_and_what_only_one_of_them_has_stays(bench):
    mine = run_parts(bench, (part_of("one"), part_of("two")))
    other = {"one": Section("one", "one", "text", {"segmenter": {"rate": 0.0}}),
             "layout": Section("layout", "layout", "text", {"segmenter": {"rate": 0.5}})}
    joined = joined_sections([mine, other])
    assert [section.name for section in joined] == ["one", "two", "layout"]
    assert list(joined[0].systems) == ["embedding", "segmenter"]
    assert list(joined[1].systems) == ["embedding"]


def test_every_part_has_a_name_of_its_own():
    assert len({part.__name__ for part in PARTS}) == len(PARTS)
