from types import SimpleNamespace

import pytest
from anatembed.model.checkpoint import DEFAULT_PATH
from anatembed.progress import NoProgress
from anatembed.serve.demo import QUESTIONS, run_demo
from PIL import Image


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The demonstration with the model that is shipped."""
    folder = tmp_path_factory.mktemp("demo") / "new" / "folder"
    options = SimpleNamespace(out=folder, device="cpu", model=None, force=False, no_cache=True)
    return folder, run_demo(options, NoProgress())


def test_six_questions_are_answered_and_two_of_them_refused_with_the_reason(shown):
    _, document = shown
    answers = {one["query"]: one for one in document["answers"]}
    assert tuple(answers) == QUESTIONS
    assert len(answers) == 6
    assert [one["decision"] for one in answers.values()] == ["go"] * 4 + ["refuse"] * 2
    assert "not in this scan" in answers[QUESTIONS[4]]["reason"]
    assert QUESTIONS[5] in answers[QUESTIONS[5]]["reason"]


def test_every_found_structure_has_a_picture_and_no_refused_one(shown):
    folder, document = shown
    pictures = [one["picture"] for one in document["answers"]]
    assert [picture is not None for picture in pictures] == [one["decision"] == "go" for one in document["answers"]]
    expected = {document["overlay"], *filter(None, pictures)}
    assert {str(path) for path in folder.iterdir()} == expected
    for path in expected:
        with Image.open(path) as image:
            assert image.width > 1000
            assert len(image.convert("RGB").resize((64, 64)).getcolors(4096)) > 100


def test_the_command_says_where_the_pictures_are(anatembed, tiny_model, tmp_path):
    said = anatembed("demo", "--out", tmp_path, "--model", tiny_model)
    assert said.code == 0
    assert said.err == ""
    assert str(tmp_path / "overlay.png") in said.out
    for question in QUESTIONS:
        assert f"“{question}”" in said.out
    assert said.out.count("picture  ") == 6


def test_the_scan_is_embedded_once_and_the_second_time_says_so(anatembed, tiny_model, tmp_path):
    first, second = (anatembed("demo", "--out", tmp_path, "--model", tiny_model).out for _ in range(2))
    assert "embedded in" in first
    assert "was embedded before" in second
    assert first.splitlines()[1:-1] == second.splitlines()[1:-1]


def test_an_older_picture_does_not_stay_beside_a_refusal(anatembed, tiny_model, tmp_path):
    older = tmp_path / "6_flurbogast.png"
    older.touch()
    assert anatembed("demo", "--out", tmp_path, "--model", tiny_model, "--json").code == 0
    assert not older.exists()


def test_a_demo_into_a_file_is_bad_input(anatembed, tmp_path):
    (tmp_path / "file").touch()
    said = anatembed("demo", "--out", tmp_path / "file")
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)


def test_the_shipped_model_is_small():
    assert DEFAULT_PATH.stat().st_size < 16_000_000
