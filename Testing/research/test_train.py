"""The training command on little people: every loss falls, and two processes train one model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from little_people import little_person

SCRIPTS = Path(__file__).parents[2] / "scripts"
SMOKE = SCRIPTS / "configs" / "smoke.yaml"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    """Three people, one of them only drawn, one without a place in the body frame."""
    folder = tmp_path_factory.mktemp("prepared")
    little_person("one").save(folder / "one.npz")
    little_person("two", ct=False, centre_ras=(50.0, 0.0, 300.0), scale=(1.1, 1.0, 1.1)).save(folder / "two.npz")
    little_person("three", in_frame=False, concepts=("liver", "spleen")).save(folder / "three.npz")
    return folder


def train(prepared: Path, output: Path, *options, command=(sys.executable,)) -> list[dict]:
    """Run scripts/train.py; returns the lines of its log."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    arguments = [*command, SCRIPTS / "train.py", prepared, "-o", output, *options]
    done = subprocess.run([str(a) for a in arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]


def test_the_smoke_configuration_lowers_every_loss(prepared, tmp_path):
    lines = train(prepared, tmp_path / "run", "--config", SMOKE, "--steps", 200)
    last = lines[-1]
    weights = yaml.safe_load(SMOKE.read_text())["weights"]
    assert weights.keys() <= last.keys()
    first = {term: next(line[term] for line in lines if term in line) for term in weights}
    for term in weights.keys() - {"kl"}:
        assert last[term] < 0.9 * first[term], term
    nats = 8.0  # the KL term is held at its capacity, whether it comes from above or from below
    assert abs(last["kl"] - nats) < abs(first["kl"] - nats)
    assert {f"gradient_{term}" for term in weights} <= last.keys()


def test_two_processes_train_one_model(prepared, tmp_path):
    config = tmp_path / "tiny.yaml"
    tiny = yaml.safe_load(SMOKE.read_text()) | {
        "shapes": [[16, 16, 24]], "voxels": 100, "workers": 0, "encoder": {"channels": [4, 6], "latent": 6}
    }
    config.write_text(yaml.safe_dump(tiny))
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone")
    lines = train(prepared, tmp_path / "run", "--config", config, "--steps", 4, command=torchrun)
    assert [line["step"] for line in lines] == [4]
    state = torch.load(tmp_path / "run" / "state.pt", weights_only=True)
    assert state["step"] == 4
    assert all(torch.isfinite(value).all() for value in state["average"].values())


def test_a_folder_without_people_is_refused(tmp_path):
    with pytest.raises(AssertionError, match="expected subjects .* found none"):
        train(tmp_path, tmp_path / "run")


def test_a_loss_term_can_be_left_out(prepared, tmp_path):
    lines = train(prepared, tmp_path / "run", "--config", SMOKE, "--steps", 2, "--without", "structure", "kl")
    assert "language" in lines[-1]
    assert not {"structure", "kl"} & lines[-1].keys()


def test_a_loss_term_that_is_not_there_cannot_be_left_out(prepared, tmp_path):
    with pytest.raises(AssertionError, match="expected loss terms among .* got lunguage"):
        train(prepared, tmp_path / "run", "--config", SMOKE, "--without", "lunguage")
