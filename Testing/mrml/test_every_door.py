"""One question has one answer: at the command line, for language models, in the panel's Logic and on the page."""

import json
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import slicer.util
from anatembed.ask.explorer import Explorer
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.maps.opening import ScanOpener
from anatembed.model.checkpoint import load_checkpoint, save_checkpoint
from anatembed.serve.allowed_folders import AllowedFolders
from anatembed.serve.cli import main
from anatembed.serve.scan_tools import ScanTools
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass
from opened_people import HERE, never, silent
from placements import addScan, affine, translation
from planted import CENTRES_RAS, planted_checkpoint, planted_map
from scene_logic import embed, logicOn

KIDNEYS, NOTHING = ("kidney_left", "kidney_right"), ()
QUESTIONS = {  # text: decision, why it is refused, structures at whose places it ends
    "left kidney": ("go", None, KIDNEYS[:1]),
    "kidney, right": ("go", None, KIDNEYS[1:]),
    "rt kidney": ("go", None, KIDNEYS[1:]),
    "linke Niere": ("go", None, KIDNEYS[:1]),
    "左肾": ("go", None, KIDNEYS[:1]),
    "liver": ("go", None, ("liver",)),
    "foie": ("go", None, ("liver",)),
    "heart": ("go", None, ("heart",)),
    "take a second look at the left ventricle": ("go", None, ("heart_ventricle_left",)),
    "upper pole of the left kidney": ("go", None, KIDNEYS[:1]),
    "lower third of the right kidney": ("go", None, KIDNEYS[1:]),
    "left renal pelvis": ("go", None, KIDNEYS[:1]),  # not learnt: the kidney is shown, with a caution
    "liver segment 2": ("go", None, ("liver",)),
    "kidney": ("choose", None, KIDNEYS),
    "both kidneys": ("choose", None, KIDNEYS),
    "Niere": ("choose", None, KIDNEYS),
    "upper pole of the kidney": ("choose", None, KIDNEYS),
    "liver and heart": ("choose", None, ("liver", "heart")),
    "livr": ("choose", None, ("liver",)),
    "spleen": ("refuse", "not in this scan", NOTHING),
    "upper pole of the spleen": ("refuse", "not in this scan", NOTHING),
    "heart at the level of the spleen": ("refuse", "not in this scan", NOTHING),
    "mandible": ("refuse", "not learnt", NOTHING),
    "left femur": ("refuse", "not learnt", NOTHING),
    "lung": ("refuse", "not learnt", NOTHING),
    "L3": ("refuse", "not learnt", NOTHING),
    "left kidney cyst": ("refuse", "finding", NOTHING),
    "lung nodule": ("refuse", "finding", NOTHING),
    "right spleen": ("refuse", "not understood", NOTHING),
    "flurbogast": ("refuse", "not understood", NOTHING),
    "xyzzy 12": ("refuse", "not understood", NOTHING),
}
CODES = {"go": {0}, "choose": {6}, "refuse": {3, 4}}
SIDES = {"left": -1, "right": 1}


class State(SimpleNamespace):
    """In the place of the page's state."""

    def setdefault(self, name, value):
        return vars(self).setdefault(name, value)

    def change(self, _name):
        return lambda method: method

    def client_only(self, *names):
        """There is no browser whose own values could differ."""
        for name in names:
            vars(self).setdefault(name, None)

    def dirty(self, *names):
        """As the page's: only what is there can be sent again."""
        assert all(hasattr(self, name) for name in names)

    def __getitem__(self, name):
        return getattr(self, name)

    def __setitem__(self, name, value):
        setattr(self, name, value)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Paths of a model and of a map that it reads, in which there is no spleen."""
    folder = tmp_path_factory.mktemp("doors")
    model, person = folder / "model.npz", folder / "person.npz"
    save_checkpoint(planted_checkpoint(), model)
    planted_map(HERE, encoder_id=load_checkpoint(model).encoder_id).save(person)
    return model, person


@pytest.fixture(scope="module")
def explorer(files):
    model, person = files
    return Explorer(EmbeddingMap.load(person), load_checkpoint(model))


@pytest.fixture(scope="module")
def tools(files):
    """Tools for language models, and the id of the opened map."""
    model, person = files
    tools = ScanTools(AllowedFolders([person.parent]), ScanOpener(load_checkpoint(model)))
    return tools, tools.open_scan(person.name, silent, never).scan_id


@pytest.fixture
def logic(scene, explorer, tmp_path):
    logic = logicOn(scene, tmp_path, lambda _map, _checkpoint: explorer)
    logic.scan = addScan(scene, affine(), translation((0, 0, 0)))
    embed(logic, logic.scan)
    yield logic
    logic.cleanUp()


def without_time(document: dict) -> dict:
    return {name: value for name, value in json.loads(json.dumps(document)).items() if name != "seconds"}


def from_command_line(files, capsys, text: str) -> tuple[int, dict]:
    model, person = files
    capsys.readouterr()
    code = main(["locate", str(person), text, "--model", str(model), "--json"])
    return code, without_time(json.loads(capsys.readouterr().out))


def places_of(document: dict) -> list[dict]:
    return [*document["places"], *(one["place"] for one in document["options"] if one["place"])]


@pytest.mark.parametrize("text", QUESTIONS)
def test_every_door_gives_the_same_decision_and_the_same_places(files, tools, logic, capsys, text):
    decision, refusal, concepts = QUESTIONS[text]
    code, told = from_command_line(files, capsys, text)
    (tool, scan_id), answer = tools, logic.locate(logic.scan, text)
    assert without_time(tool.locate(scan_id, text)) == without_time(logic.documentOf(answer)) == told
    assert (told["decision"], told["refusal"]) == (decision, refusal), told["reason"]
    assert code in CODES[decision]
    for place, concept in zip(places_of(told), concepts, strict=True):
        assert np.linalg.norm(np.subtract(place["position_ras_mm"], CENTRES_RAS[concept])) < 20
        assert place["side"] is None or SIDES[place["side"]] * place["position_ras_mm"][0] > 0
    assert np.allclose(
        sorted(tuple(hit.position_ras) for hit in answer.marked),
        sorted(tuple(place["position_ras_mm"]) for place in places_of(told)), atol=0.1)


@pytest.mark.parametrize("text", QUESTIONS)
def test_the_views_go_only_where_it_is_decided_to_and_every_option_has_its_point(logic, scene, text):
    crosshair = scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    crosshair.SetCrosshairRAS(1.0, 2.0, 3.0)
    answer = logic.locate(logic.scan, text)
    went = answer.places[0].position_ras if answer.decision == "go" else (1.0, 2.0, 3.0)
    np.testing.assert_allclose(crosshair.GetCrosshairRAS(), went, atol=1e-4)
    points = [slicer.util.arrayFromMarkupsControlPoints(node, world=True)
              for node in nodesOfClass(scene, "vtkMRMLMarkupsFiducialNode")]
    assert sum(map(len, points)) == len(answer.marked)


@pytest.mark.parametrize("text", QUESTIONS)
def test_the_page_shows_what_the_answer_says(logic, text):
    pytest.importorskip("trame", reason="needs trame: make test-web installs it")
    from web_demo.find_logic import FindLogic

    demo = SimpleNamespace(
        state=State(opacity=0.5), logic=logic, tell=lambda text, problem=False: None, refresh=lambda: None,
        busy=nullcontext, is_ready=False, scans=SimpleNamespace(chosen=lambda: logic.scan),
        views=SimpleNamespace(still=nullcontext), windowing=SimpleNamespace(fit=lambda category: None))
    find = FindLogic(demo)
    find.find(text)
    answer = logic.documentOf(logic.locate(logic.scan, text))
    state = demo.state
    assert state.answer_kind == ("caution" if answer["caution"] else answer["decision"])
    assert [row["position_ras_mm"] for row in state.hits if not row["less_likely"]] == [
        place["position_ras_mm"] for place in places_of(answer)]
    assert state.choices == [one["name"] for one in answer["options"] or answer["suggestions"]]
    assert (state.hit_row == 0) == (answer["decision"] == "go")


def test_a_part_that_was_not_learnt_carries_a_caution(logic):
    for text in ("left renal pelvis", "liver segment 2"):
        assert "the whole is shown" in logic.locate(logic.scan, text).caution


@pytest.mark.parametrize("text", [text for text, one in QUESTIONS.items() if one[0] == "refuse"])
def test_what_find_refuses_a_border_refuses_in_the_same_words(logic, text):
    with pytest.raises(RuntimeError) as refused:
        logic.structureOf(logic.scan, text)
    assert str(refused.value).startswith(logic.locate(logic.scan, text).reason)


@pytest.mark.parametrize(("text", "concept"), [
    ("liver", "liver"), ("foie", "liver"), ("the left kidney", "kidney_left"), ("LV", "heart_ventricle_left")])
def test_a_border_understands_what_find_understands(logic, text, concept):
    assert logic.structureOf(logic.scan, text) == concept


@pytest.mark.parametrize("text", ["kidney", "livr"])
def test_a_border_asks_back_with_the_names_to_type(logic, text):
    with pytest.raises(RuntimeError) as question:
        logic.structureOf(logic.scan, text)
    answer = logic.locate(logic.scan, text)
    assert question.value.names == tuple(one.name for one in answer.options)
    assert all(f"“{name}”" in str(question.value) for name in question.value.names)


@pytest.mark.parametrize("text", ["upper half of the left kidney", "left renal pelvis"])
def test_a_border_is_between_whole_structures(logic, text):
    with pytest.raises(RuntimeError, match="A border is between two structures"):
        logic.structureOf(logic.scan, text)
