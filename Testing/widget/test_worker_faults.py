"""Whatever goes wrong in a child process is one sentence; neither process nor file is left."""

import ctypes
import gc
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from anatembed.scan import volume_file
from anatembed.scan.volume import Volume
from AnatomicalEmbeddingLib import Worker as working
from AnatomicalEmbeddingLib.Worker import Worker
from child_programs import FAMILY, FOREVER, LONG, TINY, family, finish, until, waitUntilGone
from phantoms import torso

pytest_plugins = ["worker_fixtures"]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="the programs of these tests are POSIX scripts")
LIBRARY = "import runpy\nsys.argv = ['anatembed', *sys.argv[3:]]\n"
RUN = "runpy.run_module('anatembed', run_name='__main__')\n"


def test_a_killed_child_is_one_sentence_and_its_grandchild_ends_too(makeWorker, told, program, folder):
    worker = makeWorker(interpreter=program(FAMILY + FOREVER))
    worker.embed(TINY)
    until(worker, lambda: told.steps)
    os.kill(family(told)[0], signal.SIGKILL)
    finish(worker)
    assert told.failure.message.startswith("The system ended the embedding, most likely because memory ran out.")
    assert "SIGKILL" in told.failure.details
    assert not told.failure.cancelled
    waitUntilGone(*family(told))
    assert list(folder.iterdir()) == []


def test_a_crash_is_told_with_where_it_happened(makeWorker, told, program):
    worker = makeWorker(interpreter=program("def guilty():\n    import ctypes; ctypes.string_at(0)\nguilty()\n"))
    worker.embed(TINY)
    finish(worker)
    assert told.failure.message.startswith("The embedding crashed.")
    assert "in guilty" in told.failure.details


def test_a_child_that_prints_megabytes_and_garbage_still_finishes(makeWorker, told, program):
    code = (
        "import os\n"
        "for stream in (1, 2):\n"
        "    os.write(stream, b'\\xff\\x00{broken' * 500_000 + b'\\n')\n"
        "step(stage='one', fraction='half'); step(stage=None, fraction=None); step(fraction=0.5); print('[1]')\n"
        "step(stage='last', fraction=1)\n"
        "open('map.npz', 'w')\n"
    )
    worker = makeWorker(interpreter=program(code))
    worker.embed(TINY)
    finish(worker)
    assert told.failure is None
    assert [step[:2] for step in told.steps] == [("", 0.5), ("last", 1.0)]


def test_a_child_that_fails_after_megabytes_has_short_details(makeWorker, told, program):
    code = "print('x' * 5_000_000); [print('line', n, file=sys.stderr) for n in range(100_000)]; sys.exit(9)\n"
    worker = makeWorker(interpreter=program(code))
    worker.embed(TINY)
    finish(worker)
    assert told.failure.message == "The embedding ended unexpectedly (exit code 9). The details say more."
    assert "line 99999" in told.failure.details
    assert len(told.failure.details) < 100_000


@pytest.mark.parametrize("kind", ["missing", "no program"])
def test_without_an_interpreter_it_is_one_sentence(makeWorker, told, folder, tmp_path, kind):
    (tmp_path / "no program").write_text("text")
    worker = makeWorker(interpreter=str(tmp_path / kind))
    worker.embed(TINY)
    assert told.ends == []  # nothing is told before the caller has its turn
    finish(worker)
    assert told.failure.message.startswith(f"Starting Python ({tmp_path / kind}) failed: ")
    assert "anatembed embed" in told.failure.details
    assert list(folder.iterdir()) == []


def test_a_full_disk_before_the_child_begins(makeWorker, told, folder):
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
    try:
        worker = makeWorker()
        worker.embed(torso().volume)
        finish(worker)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert told.failure.message == "The disk is full. Free some space and try again."
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_not_there(makeWorker, told, tmp_path):
    worker = makeWorker(folder=lambda: tmp_path / "none")
    worker.embed(TINY)
    finish(worker)
    assert told.failure.message == "Writing the scan for the embedding failed: No such file or directory."


def test_a_full_disk_while_the_real_child_writes(makeWorker, told, program, folder, model):
    code = LIBRARY + "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n" + RUN
    worker = makeWorker(interpreter=program(code))
    worker.embed(torso().volume, device="cpu", model=model)
    finish(worker)
    assert told.failure.message == "The disk is full. Free some space and try again."
    assert "Exit code: 2" in told.failure.details
    assert list(folder.iterdir()) == []


def test_without_torch_the_real_child_says_what_to_install(makeWorker, told, tmp_path, model):
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n")
    worker = makeWorker(environment={**os.environ, "PYTHONPATH": str(tmp_path)})
    worker.embed(torso().volume, model=model)
    finish(worker)
    assert told.failure.message.startswith("PyTorch is missing or broken. Press Embed to install it.")


def test_without_the_library_it_is_an_unexpected_end(makeWorker, told, program):
    worker = makeWorker(interpreter=program("import runpy; runpy.run_module('no_such_anatembed')\n"))
    worker.embed(TINY)
    finish(worker)
    assert told.failure.message.startswith("The embedding ended unexpectedly (exit code 1).")
    assert "no_such_anatembed" in told.failure.details


@pytest.mark.parametrize(("device", "offers"), [("cuda", True), ("cpu", False)])
def test_too_little_memory_in_the_real_child_offers_the_cpu_if_there_is_another(
    makeWorker, told, program, model, device, offers
):
    code = LIBRARY + (
        "import torch\nfrom anatembed.maps import inference\n"
        "def full(encoder, device): raise torch.OutOfMemoryError('CUDA out of memory')\n"
        f"inference.choose_device = lambda wanted: torch.device('{device}')\n"
        "inference.placed = full\n"
    )  # fmt: skip
    worker = makeWorker(interpreter=program(code + RUN))
    worker.embed(torso().volume, model=model)
    finish(worker)
    assert told.failure.offersCPU is offers
    assert "does not suffice for this scan" in told.failure.message
    assert "Exit code: 5" in told.failure.details
    assert f"Device: {device}" in told.failure.details


def test_what_the_library_refuses_is_told_in_its_words(makeWorker, told, model):
    magnetic = np.abs(np.random.default_rng(0).normal(300, 150, (20, 24, 28))).astype(np.float32)
    worker = makeWorker()
    worker.embed(Volume(magnetic, np.diag([5.0, 5, 5, 1]), "MR", "brain"), model=model)
    finish(worker)
    assert told.failure.message.startswith("Brain: ")
    assert "--" not in told.failure.message


def test_a_child_that_ends_well_without_a_map_is_a_failure(makeWorker, told, program):
    worker = makeWorker(interpreter=program("pass\n"))
    worker.embed(TINY)
    finish(worker)
    assert told.failure.message.startswith("The embedding ended without a result.")


def test_a_map_that_is_there_when_the_child_fails_is_not_taken(makeWorker, told, program):
    worker = makeWorker(interpreter=program("open('map.npz', 'w'); sys.exit(3)\n"))
    worker.embed(TINY)
    finish(worker)
    assert told.ends[0][1] is None
    assert "exit code 3" in told.failure.message


def test_an_error_of_who_is_told_leaves_no_file(makeWorker, program, folder):
    worker = makeWorker(interpreter=program("open('map.npz', 'w')\n"))

    def fail(failure, result):
        raise ValueError("in the panel")

    worker._onEnded = fail
    worker.embed(TINY)
    with pytest.raises(ValueError, match="in the panel"):
        finish(worker)
    assert not worker.isRunning()
    assert list(folder.iterdir()) == []


def test_a_dropped_worker_leaves_neither_process_nor_file(told, program, folder):
    worker = Worker(
        told.onProgress, lambda *_: None, interpreter=program(FAMILY + FOREVER), every=told.every,
        folder=lambda: folder,
    )
    worker.embed(TINY)
    until(worker, lambda: told.steps)
    del worker
    gc.collect()
    waitUntilGone(*family(told))
    assert list(folder.iterdir()) == []
    assert told.timers == 0
    told.callback()  # a timer that fires once more finds nobody


@pytest.mark.parametrize("end", ["pass", "sys.exit(3)", "raise RuntimeError('crash of the module')"])
def test_the_end_of_the_interpreter_leaves_neither_process_nor_file(program, folder, end):
    code = (
        "import sys; sys.path[:0] = sys.argv[1].split(':')\n"
        "import numpy as np\n"
        "from anatembed.scan.volume import Volume\n"
        "from AnatomicalEmbeddingLib.Worker import Worker\n"
        "steps = []\n"
        "worker = Worker(lambda *step: steps.append(step), print, interpreter=sys.argv[2],\n"
        "                folder=lambda: sys.argv[3], every=lambda callback: lambda: None)\n"
        "worker.embed(Volume(np.zeros((2, 3, 4), np.int16), np.eye(4)))\n"
        "while not steps: worker.wait(10)\n"
        f"print(steps[0][0], flush=True)\n{end}\n"
    )
    path = os.pathsep.join(map(str, (working.LIBRARY_FOLDER, *sys.path)))
    command = [sys.executable, "-c", code, path, program(FAMILY + FOREVER), str(folder)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=LONG)
    waitUntilGone(*map(int, said.stdout.split()))
    assert len(said.stdout.split()) == 2, said.stderr
    assert list(folder.iterdir()) == []


def test_a_window_that_keeps_python_to_itself_does_not_starve_the_child(makeWorker, told, program, folder):
    """In Slicer the main thread holds Python's lock while Qt works: who reads the child's output gets moments only."""
    wait = ctypes.PyDLL(None).usleep  # unlike CDLL it holds the lock meanwhile
    lines = 3000  # more than fits into a pipe: a child whose output is not read would wait for ever
    code = (
        f"for n in range({lines}):\n"
        f"    print(json.dumps(dict(stage='s', fraction=n / {lines})), file=sys.stderr, flush=n % 100 == 0)\n"
        "print('x' * 200_000)\nopen('map.npz', 'w').close()\n"
    )
    worker = makeWorker(interpreter=program(code))
    worker.embed(TINY)
    deadline = time.monotonic() + LONG
    while worker.isRunning() and time.monotonic() < deadline:
        wait(20_000)
        worker.poll()
    assert told.failure is None and max(fraction for _, fraction, _ in told.steps) == (lines - 1) / lines
    assert list(folder.iterdir()) == []


def test_a_device_that_does_not_work_is_a_document_too(makeWorker, told, program):
    worker = makeWorker(interpreter=program("print(json.dumps({'works': False})); sys.exit(2)\n"))
    worker.askDevice()
    finish(worker)
    assert told.ends == [(None, {"works": False})]


def test_asking_for_the_device_without_torch_says_what_to_install(makeWorker, told, tmp_path):
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n")
    worker = makeWorker(environment={**os.environ, "PYTHONPATH": str(tmp_path)})
    worker.askDevice()
    finish(worker)
    assert told.failure.message.startswith("PyTorch is missing or broken.")


def test_a_window_that_keeps_python_to_itself_does_not_starve_the_writing_of_a_scan(makeWorker, told, program, folder):
    wait = ctypes.PyDLL(None).usleep
    scan = Volume(np.zeros((100, 512, 512), np.int16), np.eye(4), "CT", "large")
    worker = makeWorker(interpreter=program("open('map.npz', 'w').close()\n"))
    began = time.monotonic()
    worker.embed(scan)
    while worker.isRunning() and time.monotonic() < began + LONG:
        wait(100_000)  # as long as the panel's timer
        worker.poll()
    assert told.failure is None and list(folder.iterdir()) == []
    assert time.monotonic() - began < 10


class Gate:
    """A save_volume that waits to be let through."""

    def __init__(self, monkeypatch) -> None:
        self.came, self.open = threading.Event(), threading.Event()
        self._save = volume_file.save_volume
        monkeypatch.setattr(volume_file, "save_volume", self)

    def __call__(self, volume, path) -> None:
        self.came.set()
        assert self.open.wait(LONG)
        self._save(volume, path)


def test_the_window_answers_while_a_scan_is_written(makeWorker, told, program, monkeypatch):
    gate = Gate(monkeypatch)
    worker = makeWorker(interpreter=program("open('map.npz', 'w').close()\n"))
    worker.embed(TINY)
    assert gate.came.wait(LONG)
    worker.poll()
    assert worker.isRunning() and told.ends == []
    gate.open.set()
    finish(worker)
    assert told.failure is None


def test_cancelling_while_a_scan_is_written_starts_no_child_and_leaves_no_file(
    makeWorker, told, program, monkeypatch, folder, tmp_path
):
    gate, started = Gate(monkeypatch), tmp_path / "started"
    worker = makeWorker(interpreter=program(f"open({str(started)!r}, 'w').close()\n"))
    worker.embed(TINY)
    assert gate.came.wait(LONG)
    writer, began = worker._job._writer, time.monotonic()
    worker.cancel()
    assert time.monotonic() - began < 1 and told.failure.cancelled
    gate.open.set()
    writer.join(LONG)
    assert not started.exists() and list(folder.iterdir()) == []


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("odd")])
def test_whatever_fails_while_a_scan_is_written_is_told(makeWorker, told, monkeypatch, folder, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(volume_file, "save_volume", fail)
    worker = makeWorker()
    worker.embed(TINY)
    finish(worker)
    assert told.failure.message.startswith("Writing the scan for the embedding failed: ")
    assert list(folder.iterdir()) == []
