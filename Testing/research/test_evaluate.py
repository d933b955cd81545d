"""The command that evaluates: what it takes."""

import argparse
from pathlib import Path

import evaluate
import pytest
from research.people_split import read_split


def test_a_model_to_compare_has_a_name_and_a_file():
    assert evaluate._named_file("segmenter=runs/model=2.npz") == ("segmenter", Path("runs/model=2.npz"))


@pytest.mark.parametrize("text", ["model.npz", "=model.npz", "segmenter=", "embedding=model.npz"])
def test_what_has_no_name_of_its_own_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="expected NAME=FILE with a name other than embedding, got"):
        evaluate._named_file(text)


def test_several_models_may_be_compared(monkeypatch):
    monkeypatch.setattr("sys.argv", ["evaluate.py", "data", "prepared", "--compare", "a=1.npz", "--compare", "b=2.npz"])
    options = evaluate._options()
    assert [name for name, _ in options.compare] == ["a", "b"]
    assert (options.model, options.output) == (None, Path("evaluation"))


def test_the_lists_of_held_out_people_are_where_the_commands_look():
    assert {"LIDC-IDRI-0001", "CORT_liver_trunk"} <= set(read_split()["evaluation"])


def test_single_parts_may_be_measured_again(monkeypatch):
    monkeypatch.setattr("sys.argv", ["evaluate.py", "data", "prepared", "--only", "landmarks", "border"])
    assert evaluate._options().only == ["landmarks", "border"]
    monkeypatch.setattr("sys.argv", ["evaluate.py", "data", "prepared", "--only"])
    assert evaluate._options().only == []
    monkeypatch.setattr("sys.argv", ["evaluate.py", "data", "prepared"])
    assert len(evaluate._options().only) == 13
