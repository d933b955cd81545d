import dataclasses
import inspect
import typing

import pytest
from anatembed.serve import tool_results

ALL = [one for _, one in inspect.getmembers(tool_results, dataclasses.is_dataclass)]


def fields(kind):
    return {one.name for one in dataclasses.fields(kind)}


@pytest.mark.parametrize("kind", ALL)
def test_every_result_says_what_it_is_and_cannot_be_changed(kind):
    assert kind.__doc__
    assert not kind.__doc__.startswith(kind.__name__ + "(")
    assert kind.__dataclass_params__.frozen


@pytest.mark.parametrize("kind", ALL)
def test_what_holds_a_position_names_its_frame_and_unit(kind):
    for name in fields(kind):
        if "position" in name or "centre" in name or name.startswith(("low", "high")):
            assert name.endswith("_ras_mm")


def test_every_answer_with_positions_states_ras_mm():
    for kind in (
        tool_results.ScanFacts, tool_results.Location, tool_results.PointDescription, tool_results.StructureList,
        tool_results.PatchFacts, tool_results.PointMatch,
    ):  # fmt: skip
        assert typing.get_type_hints(kind)["frame"] == typing.Literal["RAS mm"]
        assert kind.__dataclass_fields__["frame"].default == "RAS mm"


def test_the_outcomes_are_those_of_a_resolution():
    from anatembed.language.query.resolution import Outcome

    assert typing.get_type_hints(tool_results.Location)["outcome"] == Outcome
