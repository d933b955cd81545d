"""Fixtures for the tests of Worker, by `pytest_plugins`."""

import sys

import pytest
from anatembed.model.checkpoint import save_checkpoint
from AnatomicalEmbeddingLib.Worker import Worker
from child_programs import STEP, Told
from tiny_model import tiny_checkpoint


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tiny.npz"
    save_checkpoint(tiny_checkpoint(), path)
    return path


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def folder(tmp_path):
    """Where the workers of a test put their files."""
    path = tmp_path / "temporary"
    path.mkdir()
    return path


@pytest.fixture
def makeWorker(told, folder):
    """makeWorker(interpreter=...) is a worker whose files are in `folder`; it is cancelled after the test."""
    workers = []

    def make(said=told, **options) -> Worker:
        options = {"every": said.every, "folder": lambda: folder, **options}
        workers.append(Worker(said.onProgress, said.onEnded, **options))
        return workers[-1]

    yield make
    for worker in workers:
        worker.cancel()


@pytest.fixture
def program(tmp_path):
    """program(code) is an interpreter that runs this code, whatever it is asked to run."""

    def write(code: str) -> str:
        path = tmp_path / f"program{len(list(tmp_path.iterdir()))}"
        path.write_text(f"#!{sys.executable}\n{STEP}{code}")
        path.chmod(0o755)
        return str(path)

    return write
