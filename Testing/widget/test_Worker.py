"""Jobs in real child processes: progress, results, cancelling, one job after another."""

import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from anatembed.maps.cache import MapCache
from anatembed.model.checkpoint import load_checkpoint
from anatembed.scan.volume_file import load_volume
from AnatomicalEmbeddingLib import Worker as working
from AnatomicalEmbeddingLib.Worker import Pace, everyTenthOfASecond, findInterpreter
from child_programs import FAMILY, FOREVER, LONG, TINY, Told, family, finish, until, waitUntilGone
from hypothesis import given
from hypothesis import strategies as st
from phantoms import torso

pytest_plugins = ["worker_fixtures"]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="the programs of these tests are POSIX scripts")


def test_a_real_scan_is_embedded_and_its_map_can_be_kept(makeWorker, told, folder, model, tmp_path):
    from anatembed.maps.inference import embed

    volume, cache = torso("oblique").volume, MapCache(tmp_path / "cache")
    worker = makeWorker()
    told.onEnded = lambda failure, result: told.ends.append((failure, cache.adopt(result)))
    worker._onEnded = told.onEnded
    worker.embed(volume, device="cpu", model=model)
    assert worker.isRunning()
    finish(worker)
    assert told.failure is None
    found = cache.find(volume.content_hash, load_checkpoint(model).encoder_id)
    expected = embed(volume, load_checkpoint(model), device="cpu")
    np.testing.assert_array_equal(found.features_ckji, expected.features_ckji)
    np.testing.assert_array_equal(found.ijk_to_ras, expected.ijk_to_ras)
    fractions = [fraction for _, fraction, _ in told.steps]
    assert fractions == sorted(fractions)
    stages = [stage for stage, _, _ in told.steps]
    assert stages[0] == "Reading the scan"
    assert stages[-1] == "Writing the map"
    assert "Embedding" in stages
    assert list(folder.iterdir()) == []


def test_the_child_gets_the_scan_the_options_and_the_library(makeWorker, told, folder, program):
    code = (
        "import os, shutil; shutil.copytree('.', sys.argv[-1])\n"
        "step(stage=json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]), fraction=0)\n"
    )
    worker = makeWorker(interpreter=program(code), environment={"PATH": "x", "PYTHONPATH": "mine"})
    seen = folder.parent / "seen"
    worker.embed(torso("gantry tilt").volume, device="cuda", force=True, model=seen)
    finish(worker)
    arguments, environment, directory = json.loads(told.steps[0][0])
    assert arguments[:3] == ["-m", "anatembed", "embed"]
    assert {"--json", "--progress", "json", "--no-cache", "--device", "cuda", "--force", "--model"} <= set(arguments)
    assert environment["PYTHONPATH"].split(os.pathsep) == [str(working.LIBRARY_FOLDER), "mine"]
    assert (working.LIBRARY_FOLDER / "anatembed" / "serve" / "cli.py").is_file()
    assert environment["PATH"] == "x"
    assert Path(directory).parent == folder
    read = load_volume(seen / "scan.npz")
    assert read.content_hash == torso("gantry tilt").volume.content_hash


def test_progress_arrives_in_order_while_it_runs_and_then_the_result(makeWorker, told, program, folder):
    code = "for n in range(5): step(stage=f'step {n}', fraction=n / 10)\n" + FOREVER
    worker = makeWorker(interpreter=program(code))
    worker.embed(TINY)
    until(worker, lambda: len(told.steps) == 5)
    assert [step[:2] for step in told.steps] == [(f"step {n}", n / 10) for n in range(5)]
    assert worker.isRunning()
    assert told.timers == 1
    assert told.ends == []
    worker.cancel()
    code = "step(stage='last', fraction=1)\nopen('map.npz', 'w').write('map')\n"
    again = Told()
    worker = makeWorker(again, interpreter=program(code))
    worker.embed(TINY)
    finish(worker)
    assert again.failure is None
    assert again.ends[0][1].name == "map.npz"
    assert again.files == [["map.npz", "scan.npz"]]
    assert list(folder.iterdir()) == []


def test_the_timer_polls(makeWorker, told, program):
    worker = makeWorker(interpreter=program("open('map.npz', 'w')\n"))
    worker.embed(TINY)
    worker._job.wait(LONG)
    told.callback()
    assert told.failure is None
    told.callback()
    worker.poll()
    assert len(told.ends) == 1


def test_cancelling_ends_child_and_grandchild_within_a_second_and_leaves_no_file(makeWorker, told, program, folder):
    code = FAMILY + "while True: open('half of the map', 'a').write('x' * 1000)\n"
    worker = makeWorker(interpreter=program(code))
    worker.embed(TINY)
    until(worker, lambda: told.steps)
    began = time.monotonic()
    worker.cancel()
    assert time.monotonic() - began < 1
    assert told.failure.cancelled
    assert told.failure.message == "The embedding was stopped. Nothing was changed."
    assert not worker.isRunning()
    assert list(folder.iterdir()) == []
    waitUntilGone(*family(told))
    worker.cancel()
    assert len(told.ends) == 1


@pytest.mark.parametrize("stage", ["Reading the scan", "Starting PyTorch", "Embedding"])
def test_a_real_embedding_is_cancelled_at_any_stage(makeWorker, told, folder, model, stage):
    worker = makeWorker()
    took = []

    def onProgress(reached, _fraction, _secondsLeft):  # from here, because the tiny model is soon done
        if reached == stage:
            began = time.monotonic()
            worker.cancel()
            took.append(time.monotonic() - began)

    worker._onProgress = onProgress
    worker.embed(torso().volume, device="cpu", model=model)
    finish(worker)
    assert took[0] < 1
    assert told.failure.cancelled
    assert list(folder.iterdir()) == []


def test_who_is_told_of_progress_may_cancel(makeWorker, told, program):
    worker = makeWorker(interpreter=program("for n in range(9): step(stage='s', fraction=n / 10)\n" + FOREVER))
    worker._onProgress = lambda *step: (told.steps.append(step), worker.cancel())
    worker.embed(TINY)
    until(worker, lambda: told.ends)
    assert told.failure.cancelled
    assert len(told.steps) == 1


def test_two_workers_run_side_by_side(makeWorker, program, folder):
    first, second = Told(), Told()
    code = "step(stage=sys.argv[-1], fraction=0)\n" + FOREVER
    workers = [makeWorker(said, interpreter=program(code)) for said in (first, second)]
    for number, worker in enumerate(workers):
        worker.embed(TINY, model=f"model {number}")
    for worker, said in zip(workers, (first, second), strict=True):
        until(worker, lambda said=said: said.steps)
    assert [said.steps[0][0] for said in (first, second)] == ["model 0", "model 1"]
    assert len(list(folder.iterdir())) == 2
    workers[0].cancel()
    assert first.failure.cancelled
    workers[1].poll()
    assert workers[1].isRunning()
    assert second.ends == []
    assert len(list(folder.iterdir())) == 1


def test_one_worker_does_one_job_at_a_time(makeWorker, program):
    worker = makeWorker(interpreter=program(FOREVER))
    worker.embed(TINY)
    with pytest.raises(RuntimeError, match="already running"):
        worker.embed(TINY)
    with pytest.raises(RuntimeError, match="already running"):
        worker.askDevice()


def test_the_next_job_may_begin_when_the_last_one_is_told_of(makeWorker, told, program, folder):
    code = (
        "if 'cpu' in sys.argv: open('map.npz', 'w'); sys.exit(0)\n"
        "step(reason='memory', error='too little', device='cuda'); sys.exit(5)\n"
    )
    worker = makeWorker(interpreter=program(code))

    def onEnded(failure, result):
        told.ends.append((failure, result))
        if failure is not None and failure.offersCPU:
            worker.embed(TINY, device="cpu")

    worker._onEnded = onEnded
    worker.embed(TINY)
    until(worker, lambda: len(told.ends) == 2)
    assert told.ends[0][0].offersCPU
    assert told.ends[1][0] is None
    assert told.timers == 0
    assert list(folder.iterdir()) == []


def test_asking_for_the_device_gives_the_document_of_the_real_command(makeWorker, told, model):
    worker = makeWorker()
    worker.askDevice((60, 128, 128), (2.5, 2.5, 4.0), device="cpu", model=model)
    finish(worker)
    assert told.failure is None
    document = told.ends[0][1]
    assert (document["kind"], document["works"], document["seconds"] > 0) == ("cpu", True, True)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 100)), max_size=12))
def test_the_time_left_is_never_negative_and_unknown_at_the_beginning(steps):
    pace, elapsed = Pace(), 0.0
    for fraction, more in steps:
        elapsed += more
        _, shown, left = pace.step("s", fraction, elapsed)
        assert shown == fraction
        assert left is None or left >= 0
        again = pace.countdown(elapsed + more)
        assert again is None or again[2] is None or again[2] >= 0
    if all(fraction < 0.3 for fraction, _ in steps):
        assert pace.countdown(elapsed) is None


def test_the_time_left_follows_the_pace_and_counts_down():
    pace = Pace()
    assert pace.step("Reading", 0.5, 0.5) == ("Reading", 0.5, None)  # too soon to say
    assert pace.step("Reading", 0.2, 5.0) == ("Reading", 0.2, None)  # too little to say
    assert pace.step("Embedding", 0.4, 20.0) == ("Embedding", 0.4, 30.0)
    assert pace.countdown(20.3) is None  # the same whole second
    assert pace.countdown(22.0) == ("Embedding", 0.4, 28.0)
    assert pace.countdown(51.0) == ("Embedding", 0.4, None)  # longer than thought: nobody knows
    assert pace.countdown(52.0) is None
    assert pace.step("Embedding", 0.5, 60.0) == ("Embedding", 0.5, 60.0)


def test_the_time_left_counts_down_while_the_child_is_silent(makeWorker, told, program):
    now = [0.0]
    worker = makeWorker(
        interpreter=program("step(stage='s', fraction=0.5)\n" + FOREVER), clock=lambda: now[0]
    )
    worker.embed(TINY)
    now[0] = 10.0
    until(worker, lambda: told.steps)
    now[0] = 14.0
    worker.poll()
    worker.poll()
    assert told.steps == [("s", 0.5, 10.0), ("s", 0.5, 6.0)]


def test_slicers_python_is_found_as_slicer_finds_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert findInterpreter() == sys.executable
    (tmp_path / "PythonSlicer").write_text("#!/bin/sh\n")
    (tmp_path / "PythonSlicer").chmod(0o755)
    assert findInterpreter() == str(tmp_path / "PythonSlicer")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", None)
    assert findInterpreter() == "PythonSlicer"


def test_the_default_timer_is_qts(monkeypatch):
    class Timer:
        def __init__(self):
            self.connected, self.running = {}, False

        def setInterval(self, milliseconds):
            self.milliseconds = milliseconds

        def connect(self, signalName, slot):
            self.connected[signalName] = slot

        def start(self):
            self.running = True

        def stop(self):
            self.running = False

    timers = []
    monkeypatch.setitem(sys.modules, "qt", SimpleNamespace(QTimer=lambda: timers.append(Timer()) or timers[-1]))
    called = []
    stop = everyTenthOfASecond(lambda: called.append(True))
    (timer,) = timers
    assert (timer.milliseconds, timer.running) == (100, True)
    timer.connected["timeout()"]()
    assert called == [True]
    stop()
    assert not timer.running


def test_a_report_that_cannot_be_written_still_ends_the_job(makeWorker, told, program, monkeypatch):
    def fail(_ending):
        raise ValueError("no versions")

    monkeypatch.setattr(working, "failureOf", fail)
    worker = makeWorker(interpreter=program("raise SystemExit(7)\n"))
    worker.embed(TINY)
    finish(worker)
    assert "cannot be written: no versions" in told.failure.message
    assert not worker.isRunning()
