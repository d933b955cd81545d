"""What the scripts share that write a column of a table."""

import json

import numpy as np
import pytest
from anatembed.model.checkpoint import load_checkpoint, save_checkpoint
from anatembed.scan.volume import Volume
from research.evaluation.column import Column, column_options
from research.evaluation.section import Section
from tiny_model import tiny_checkpoint


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tiny.npz"
    save_checkpoint(tiny_checkpoint(), path)
    return path


def section(name: str) -> Section:
    return Section("s", "Title", "What was measured.", {name: {"rate": 0.5}}, {}, [{"organ": "liver"}])


def test_without_options_the_shipped_model_is_asked_and_nothing_is_written():
    options = column_options("", ["data"])
    assert (options.model, options.name, options.maps, options.output) == (None, "embedding", None, None)


def test_every_model_has_a_column_of_its_own_in_one_file(model, tmp_path, capsys):
    for name in ("first", "second"):
        arguments = ["data", "--model", str(model), "--name", name, "-o", str(tmp_path / "figures.json")]
        Column(column_options("", arguments)).publish([section(name)])
    content = json.loads((tmp_path / "figures.json").read_text())
    assert content["models"] == dict.fromkeys(("first", "second"), load_checkpoint(model).encoder_id)
    assert content["sections"]["s"]["systems"] == dict.fromkeys(("first", "second"), {"rate": 0.5})
    assert "| rate | 0.50 |" in capsys.readouterr().out


def test_a_thin_slab_is_embedded_once_for_several_runs(model, tmp_path):
    slab = Volume(np.full((4, 30, 30), 40, np.int16), np.diag([4.0, 4.0, 4.0, 1.0]), "CT")
    for _ in range(2):
        column = Column(column_options("", ["data", "--model", str(model), "--maps", str(tmp_path)]))
        assert column.explorer(slab).map.encoder_id == load_checkpoint(model).encoder_id
        assert len(list(tmp_path.glob("*.npz"))) == 1
