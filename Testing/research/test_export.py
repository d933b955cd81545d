"""The script that makes the checkpoint, on little people."""

import functools
import json

import export
import numpy as np
import pytest
import torch
from anatembed.model.checkpoint import load_checkpoint, save_checkpoint
from anatembed.model.config import EncoderConfig
from little_model import TAXONOMY, anywhere, checkpoint_of
from little_people import little_person
from research.training.calibration import calibrated
from research.training.model import TrainingModel

PEOPLE = ("one", True), ("two", False)
CONFIG = {"encoder": EncoderConfig(channels=(4, 6, 8), latent=5).to_dict(), "source_weights": {"one": 2.0},
          "weights": {"coordinate": 1.0}}


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """A folder of two people, who are looked at in small views."""
    monkeypatch.setattr(export, "calibrated", functools.partial(calibrated, shapes=((16, 24, 24), (24, 24, 24))))
    folder = tmp_path / "prepared"
    folder.mkdir()
    for name, ct in PEOPLE:
        little_person(name, ct=ct).save(folder / f"{name}.npz")
    return folder


def run(monkeypatch, *arguments) -> None:
    monkeypatch.setattr("sys.argv", ["export.py", *map(str, arguments), "--views", "6"])
    export.main()


def save_run(folder, concepts) -> None:
    """A run that was stopped before its first step."""
    folder.mkdir()
    average = TrainingModel(EncoderConfig.from_dict(CONFIG["encoder"]), len(concepts)).state_dict()
    torch.save({"step": 0, "concepts": list(concepts), "average": average, "config": CONFIG}, folder / "state.pt")


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.npz"
    save_checkpoint(anywhere(checkpoint_of([little_person(name, ct=ct) for name, ct in PEOPLE])), path)
    return path


def test_a_finished_model_is_calibrated_again_and_keeps_everything_else(prepared, model, tmp_path, monkeypatch):
    run(monkeypatch, "--checkpoint", model, prepared, "-o", tmp_path / "new.npz")
    before, after = load_checkpoint(model), load_checkpoint(tmp_path / "new.npz")
    for name, value in before.weights.items():
        np.testing.assert_array_equal(after.weights[name], value)
    np.testing.assert_array_equal(after.readout.vectors, before.readout.vectors)
    assert not np.array_equal(after.readout.naming, before.readout.naming)
    assert after.provenance["calibration"]["views"] == 6
    assert after.encoder_id != before.encoder_id


def test_a_run_becomes_a_checkpoint_with_its_figures_on_views_that_were_held_out(prepared, tmp_path, monkeypatch):
    save_run(tmp_path / "run", TAXONOMY.ids)
    monkeypatch.setattr(export, "to_checkpoint", lambda *a, made=export.to_checkpoint: anywhere(made(*a)))
    run(monkeypatch, tmp_path / "run", prepared, "-o", tmp_path / "new.npz")
    checkpoint = load_checkpoint(tmp_path / "new.npz")
    assert checkpoint.readout.concept_ids == TAXONOMY.ids
    assert checkpoint.provenance["people"] == 2
    assert set(checkpoint.provenance["calibration"]["held_out"]["presence"]) == {
        "count", "predicted", "observed", "ece", "brier"}
    json.dumps(checkpoint.provenance)


def test_a_training_set_with_other_concepts_than_the_model_is_refused_by_name(prepared, model, tmp_path, monkeypatch):
    other = little_person("three")
    other.label_concepts[-1] = ("pancreas",)
    other.save(prepared / "three.npz")
    with pytest.raises(SystemExit, match="not in both: pancreas"):
        run(monkeypatch, "--checkpoint", model, prepared, "-o", tmp_path / "new.npz")
    assert not (tmp_path / "new.npz").exists()


def test_the_calibration_looks_at_other_people_than_those_of_the_training_where_they_are_given(
    prepared, model, tmp_path, monkeypatch
):
    others = tmp_path / "others"
    others.mkdir()
    for number in range(3):
        little_person(f"other {number}", scale=(1.05, 1.0, 1.0)).save(others / f"{number}.npz")
    run(monkeypatch, "--checkpoint", model, prepared, "--people", others, "-o", tmp_path / "new.npz")
    calibration = load_checkpoint(tmp_path / "new.npz").provenance["calibration"]
    assert calibration["people"] == 3
    assert calibration["views_of_scans"] == 6


def test_an_empty_folder_is_no_training_set(model, tmp_path, monkeypatch):
    (tmp_path / "nobody").mkdir()
    with pytest.raises(SystemExit, match="expected subjects .* found none"):
        run(monkeypatch, "--checkpoint", model, tmp_path / "nobody", "-o", tmp_path / "new.npz")


@pytest.mark.parametrize("arguments", [("PREPARED",), ("RUN", "PREPARED", "--checkpoint", "model.npz")])
def test_either_a_run_or_a_checkpoint_is_turned_into_a_model(arguments, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run(monkeypatch, *arguments, "-o", "new.npz")
    assert "expected either RUN_FOLDER or --checkpoint" in capsys.readouterr().err
