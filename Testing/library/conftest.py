"""Models and maps as files, and the command line as a function."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
from anatembed.model.checkpoint import load_checkpoint, save_checkpoint
from anatembed.scan.files import write_volume
from anatembed.scan.volume import Volume
from anatembed.serve.cli import main
from phantoms import torso
from planted import CENTRES_RAS, planted_checkpoint, planted_map


@dataclass(frozen=True)
class Said:
    """What a command returned and wrote."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict:
        return json.loads(self.out)


@pytest.fixture
def anatembed(capsys):
    """anatembed("locate", path, "liver") runs the command line in this process."""

    def run(*arguments) -> Said:
        capsys.readouterr()
        code = main([str(one) for one in arguments])
        return Said(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="session")
def planted_model(files):
    """A model file that reads planted maps."""
    path = files / "planted_model.npz"
    save_checkpoint(planted_checkpoint(), path)
    return path


@pytest.fixture(scope="session")
def planted(files, planted_model):
    """A saved map of the planted model: heart, left ventricle, kidneys and liver at their places, and no spleen."""
    path = files / "person.npz"
    balls = [([name], centre) for name, centre in CENTRES_RAS.items() if name != "spleen"]
    planted_map(balls, encoder_id=load_checkpoint(planted_model).encoder_id).save(path)
    return path


@pytest.fixture(scope="session")
def tiny_model(files):
    """A model file with random weights that embeds in a moment and knows nothing."""
    from tiny_model import tiny_checkpoint

    path = files / "tiny_model.npz"
    save_checkpoint(tiny_checkpoint(), path)
    return path


@pytest.fixture(scope="session")
def scan(files):
    """A small CT of a phantom."""
    path = files / "scan.nii.gz"
    write_volume(torso("as DICOM stores it").volume, path)
    return path


@pytest.fixture(scope="session")
def mr_scan(files):
    """A volume without air at -1000, as MR is."""
    path = files / "mr.nii.gz"
    values = np.abs(np.random.default_rng(0).normal(300, 150, (20, 24, 28))).astype(np.float32)
    write_volume(Volume(values, np.diag([5.0, 5.0, 5.0, 1.0])), path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two scans to open."""
    folder = tmp_path_factory.mktemp("scans")
    for name in ("scan.nii.gz", "earlier.nii.gz"):
        write_volume(torso().volume, folder / name)
    return folder
