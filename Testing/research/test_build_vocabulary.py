"""The script that builds the vocabulary, on two small terms."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "build_vocabulary.py"
NO_CORRECTIONS = {
    key: {}
    for key in ("snomed_owner_of_shared_code", "drop_snomed", "drop_synonyms", "related_synonyms", "add_synonyms")
} | {"add_terms": [], "aliases": {}}


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("build_vocabulary", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def source(term_id, code, in_slicer=True, provenance="UBERON bridge"):
    return {
        "id": term_id,
        "preferred": term_id,
        "category": "bone",
        "laterality": "none",
        "pair": None,
        "base": None,
        "part_of": [],
        "codes": {"FMA": "FMA:1", "SNOMEDCT": {"code": code, "in_slicer_dicom_json": in_slicer}},
        "synonyms": [{"text": f"old {term_id}", "lang": "en", "type": "exact", "src": []}],
        "adjectives": [],
        "provenance": {"codes.FMA": provenance},
        "side_policy": "unpaired",
    }


def built(script, terms, **corrections):
    return {term["id"]: term for term in script.build(terms, NO_CORRECTIONS | corrections)["terms"]}


def test_a_snomed_code_outside_the_dicom_tables_is_dropped(script):
    terms = built(script, [source("atlas", "1"), source("axis", "2", in_slicer=False)])
    assert terms["atlas"]["snomed"] == "1"
    assert "snomed" not in terms["axis"]


def test_an_fma_id_from_bodyparts3d_is_dropped(script):
    terms = built(script, [source("atlas", "1", provenance="labels carried by BodyParts3D 4.x"), source("axis", "2")])
    assert "fma" not in terms["atlas"]
    assert terms["axis"]["fma"] == "FMA:1"


def test_a_code_of_two_structures_stays_with_its_owner_only(script):
    pair = [source("atlas", "1"), source("axis", "1")]
    assert not any("snomed" in term for term in built(script, pair).values())
    owned = built(script, pair, snomed_owner_of_shared_code={"1": "axis"})
    assert "snomed" not in owned["atlas"] and owned["axis"]["snomed"] == "1"


def test_synonyms_are_dropped_retyped_and_added(script):
    terms = built(
        script,
        [source("atlas", "1"), source("axis", "2")],
        drop_synonyms={"atlas": ["old atlas"]},
        related_synonyms={"axis": ["old axis"]},
        add_synonyms={"atlas": [["new atlas", "en", "exact"]]},
    )
    assert terms["atlas"]["synonyms"] == [["new atlas", "en", "exact"]]
    assert terms["axis"]["synonyms"] == [["old axis", "en", "related"]]


def test_a_paired_addition_gets_both_sides(script):
    addition = {"id": "crest", "preferred": "crest", "category": "bone", "part_of": [], "paired": True, "synonyms": []}
    terms = built(script, [source("atlas", "1")], add_terms=[addition])
    assert terms["crest_left"]["pair"] == "crest_right"
    assert terms["crest_right"]["base"] == "crest"


def test_a_reference_to_nothing_is_refused(script):
    with pytest.raises(ValueError, match="unknown ones: flux"):
        built(script, [source("atlas", "1")], aliases={"other": "flux"})


def test_a_repeated_id_is_refused(script):
    with pytest.raises(ValueError, match="unique"):
        built(script, [source("atlas", "1"), source("atlas", "2")])


def test_only_words_near_a_term_become_guards(script):
    terms = built(script, [source("kidney", "1")])
    assert script.guard_words(list(terms.values()), {"kidnap", "kidney", "president", "sidney"}) == ["kidnap", "sidney"]
