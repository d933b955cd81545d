"""The questions that a scene remembers."""

import slicer
from AnatomicalEmbeddingLib.Record import LONGEST, Record
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass
from hypothesis import given, settings
from hypothesis import strategies as some


def recordNodes(scene) -> list:
    return nodesOfClass(scene, "vtkMRMLScriptedModuleNode")


def test_the_newest_question_comes_first_and_each_only_once(scene):
    record = Record(scene)
    for text in ("liver", "left kidney", " Liver "):
        record.add(text)
    assert record.history() == ["Liver", "left kidney"]


def test_nothing_is_put_into_a_scene_that_was_not_asked(scene):
    record = Record(scene)
    record.add("  ")
    assert record.history() == [] and recordNodes(scene) == []


def test_another_panel_on_the_same_scene_knows_the_questions(scene):
    Record(scene).add("liver")
    Record(scene).add("spleen")
    assert Record(scene).history() == ["spleen", "liver"]
    assert len(recordNodes(scene)) == 1


def test_a_saved_scene_keeps_the_questions(scene, tmp_path):
    Record(scene).add('the "upper pole" & <left> 肾')
    path = tmp_path / "scene.mrml"
    scene.SetURL(str(path))
    assert scene.Commit()
    loaded = slicer.vtkMRMLScene()
    loaded.SetURL(str(path))
    assert loaded.Connect()
    assert Record(loaded).history() == ['the "upper pole" & <left> 肾']


def test_a_damaged_record_is_an_empty_one(scene):
    record = Record(scene)
    for written in ("[1, {}]", "{", '"liver"'):
        record.add("liver")
        recordNodes(scene)[0].SetParameter("history", written)
        assert record.history() == []
    record.add("spleen")
    assert record.history() == ["spleen"]


@settings(max_examples=25, deadline=None)
@given(some.lists(some.text(some.characters(blacklist_categories=("Cs",)), max_size=8), max_size=70))
def test_however_much_was_asked_the_list_stays_short_and_without_repetition(texts):
    record = Record(slicer.vtkMRMLScene())
    for text in texts:
        record.add(text)
    history = record.history()
    assert len(history) <= LONGEST
    assert len({text.casefold() for text in history}) == len(history)
    said = [text.strip() for text in texts if text.strip()]
    assert history[:1] == said[-1:]
