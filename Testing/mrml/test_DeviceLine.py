"""The line about the device: asked in the background, once for each size of scan."""

import numpy as np
import pytest
from AnatomicalEmbeddingLib.DeviceLine import DeviceLine, inWords
from AnatomicalEmbeddingLib.Failure import Failure
from placements import addScan, affine, rotation

CPU = {"name": "CPU", "kind": "cpu", "free_bytes": 8e9, "seconds": 5.6, "works": True, "problem": ""}


class Worker:
    """Answers when told to."""

    def __init__(self, _onProgress, onEnded) -> None:
        self.onEnded, self.asked = onEnded, []

    def askDevice(self, shape_kji, spacing_mm, model) -> None:
        self.asked.append((shape_kji, spacing_mm, model))

    def cancel(self) -> None:
        self.onEnded(Failure("Stopped.", "", cancelled=True), None)


@pytest.fixture(autouse=True)
def noCard(monkeypatch):
    """No NVIDIA driver is on this computer, whatever it has."""
    monkeypatch.setattr("AnatomicalEmbeddingLib.DeviceLine.shutil.which", lambda name: None)


@pytest.fixture
def line():
    workers = []

    def makeWorker(*slots):
        workers.append(Worker(*slots))
        return workers[0]

    line = DeviceLine(makeWorker, lambda: "model.npz")
    line.worker, line.heard = workers[0], []
    line.changed.connect(lambda: line.heard.append(True))
    return line


def test_the_answer_comes_later_and_is_remembered(line, scan):
    assert line.text(scan).startswith("Looking")
    assert line.text(scan).startswith("Looking") and len(line.worker.asked) == 1
    line.worker.onEnded(None, CPU)
    assert line.text(scan) == "CPU, about 6 s" and line.heard == [True]
    assert len(line.worker.asked) == 1


def test_the_size_in_the_world_is_asked_about(line, scene):
    line.text(addScan(scene, rotation((1, 2, 3), 25) @ affine((1.0, 1.5, 5.0))))
    ((shape_kji, spacing_mm, model),) = line.worker.asked
    assert shape_kji == (24, 40, 48) and model == "model.npz"
    np.testing.assert_allclose(spacing_mm, (1.0, 1.5, 5.0))


def test_another_size_is_asked_about_after_the_first_answer(line, scene, scan):
    other = addScan(scene, affine((1, 1, 1)), name="Prior")
    line.text(scan)
    line.text(other)
    assert len(line.worker.asked) == 1
    line.worker.onEnded(None, CPU)
    line.text(other)
    assert len(line.worker.asked) == 2


def test_a_device_that_cannot_be_asked_does_not_stop_anybody(line, scan):
    line.text(scan)
    line.worker.onEnded(Failure("PyTorch is missing.", ""), None)
    assert "when embedding starts" in line.text(scan) and len(line.worker.asked) == 1


def test_no_question_is_left_behind(line, scan):
    line.text(scan)
    line.cancel()
    line.cancel()
    line.text(scan)
    assert len(line.worker.asked) == 2 and line.heard == []


def test_without_a_scan_nothing_is_said(line, scene):
    assert line.text(None) == ""
    assert line.text(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")) == ""
    assert line.worker.asked == []


def test_after_an_installation_it_is_asked_again(line, scan):
    line.text(scan)
    line.worker.onEnded(Failure("PyTorch is missing.", ""), None)
    line.forget()
    assert line.heard == [True, True]
    assert line.text(scan).startswith("Looking") and len(line.worker.asked) == 2
    line.forget()  # while it is asked
    line.text(scan)
    line.worker.onEnded(None, CPU)
    assert line.text(scan) == "CPU, about 6 s"


@pytest.mark.parametrize("error", [ImportError("anatembed"), MemoryError(), OSError("no program"), KeyError("a bug")])
def test_whatever_happens_on_asking_is_logged_and_stops_nobody(line, scan, caplog, error):
    def fail(*_, **__):
        raise error

    line.worker.askDevice = fail
    line.text(scan)
    assert "when embedding starts" in line.text(scan) and "Traceback" in caplog.text


def test_an_nvidia_card_that_pytorch_does_not_use_is_said_with_what_to_do(monkeypatch):
    monkeypatch.setattr("AnatomicalEmbeddingLib.DeviceLine.shutil.which", lambda name: "/usr/bin/nvidia-smi")
    said = inWords(CPU)
    assert said.startswith("CPU, about 6 s, the NVIDIA card is not used") and "PyTorch Utils" in said
    card = CPU | {"name": "NVIDIA RTX 3060", "kind": "cuda"}
    assert "not used" not in inWords(card)


def test_a_graphics_card_is_named_with_its_memory_and_what_is_wrong_with_it():
    card = CPU | {"name": "NVIDIA RTX 3060", "kind": "cuda", "free_bytes": 11.8e9, "seconds": None}
    assert inWords(card) == "NVIDIA RTX 3060, 12 GB free"
    broken = inWords(card | {"works": False, "problem": "the codes differ"})
    assert broken == "NVIDIA RTX 3060, 12 GB free, does not work: the codes differ"
