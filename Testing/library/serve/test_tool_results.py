"""The types of what the tools answer: the schema of the documents."""

import dataclasses
import inspect
import typing

import pytest
from anatembed.ask.explorer import Explorer
from anatembed.ask.locating import CHECK_SIDE, CHOOSE, GO, NOT_HERE, NOT_LEARNT, REFUSE, UNSURE
from anatembed.ask.report import read_report
from anatembed.language.query.resolution import FINDING, NOT_UNDERSTOOD
from anatembed.serve import documents, tool_results
from planted import CENTRES_RAS, planted_checkpoint, whole_body_map
from typing_extensions import is_typeddict

pydantic = pytest.importorskip("pydantic", reason="comes with the package mcp")

FACTS = [one for _, one in inspect.getmembers(tool_results, dataclasses.is_dataclass)]
DOCUMENTS = [one for _, one in inspect.getmembers(tool_results, is_typeddict)]


@pytest.fixture(scope="module")
def explorer():
    return Explorer(whole_body_map(left_out=("spleen",)), planted_checkpoint())


@pytest.mark.parametrize("kind", [*FACTS, *DOCUMENTS])
def test_every_result_says_what_it_is_and_names_the_frame_and_unit_of_positions(kind):
    assert kind.__doc__
    assert not kind.__doc__.startswith(kind.__name__ + "(")
    for name in typing.get_type_hints(kind):
        if "position" in name or "centre" in name or name.startswith(("low", "high")):
            assert name.endswith("_ras_mm")


@pytest.mark.parametrize("kind", FACTS)
def test_facts_cannot_be_changed(kind):
    assert kind.__dataclass_params__.frozen


@pytest.mark.parametrize("kind", [
    tool_results.ScanFacts, tool_results.Location, tool_results.PointDescription, tool_results.StructureList,
    tool_results.PatchFacts, tool_results.PointMatch, tool_results.ReportOnScan,
])
def test_every_answer_with_positions_states_ras_mm(kind):
    assert typing.get_type_hints(kind)["frame"] == typing.Literal["RAS mm"]


def test_decisions_and_refusals_are_those_of_an_answer():
    hints = typing.get_type_hints(tool_results.Location)
    assert typing.get_args(hints["decision"]) == (GO, CHOOSE, REFUSE)
    refusals = typing.get_args(typing.get_args(hints["refusal"])[0])
    assert refusals == (NOT_HERE, UNSURE, NOT_LEARNT, NOT_UNDERSTOOD, FINDING, CHECK_SIDE)


def check(kind, document: dict) -> None:
    """The document has what the schema says, at every depth, and nothing else."""
    adapter = pydantic.TypeAdapter(kind)
    assert adapter.dump_python(adapter.validate_python(document, strict=False)) == document


@pytest.mark.parametrize("text", ["liver", "kidney", "spleen", "livr", "right spleen", "upper half of the left kidney"])
def test_an_answer_is_as_its_schema_says(explorer, text):
    check(tool_results.Location, documents.answer_document(explorer.locate(text), explorer.vocabulary))


def test_a_description_is_as_its_schema_says(explorer):
    where = CENTRES_RAS["liver"]
    found = documents.description_document(explorer.describe(where), where, explorer.vocabulary)
    check(tool_results.PointDescription, found)


def test_a_reading_is_as_its_schema_says(explorer):
    reading = read_report(explorer, "Cyst in the left kidney, both kidneys. The right spleen is normal.")
    check(tool_results.ReportOnScan, documents.reading_document(reading, explorer))
