"""What would embed, whether it really does, and how long it takes."""

import time

import numpy as np
import pytest
import torch
from anatembed.maps import inference
from anatembed.maps.device_check import check_device
from anatembed.model.config import EncoderConfig
from anatembed.scan.volume import Volume
from tiny_model import tiny_checkpoint

ABDOMEN = ((80, 128, 128), (2.5, 2.5, 4.0))


@pytest.fixture(scope="module")
def checkpoint():
    return tiny_checkpoint()


def test_a_device_that_embeds_has_no_problem(checkpoint):
    facts = check_device(checkpoint, "cpu")
    assert (facts.kind, facts.name, facts.problem, facts.seconds) == ("cpu", "CPU", "", None)
    assert facts.free_bytes > 2**20


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_half_precision_is_no_problem(checkpoint, monkeypatch, precision):
    monkeypatch.setattr(inference, "choose_precision", lambda device: precision)
    assert check_device(checkpoint, "cpu").problem == ""


def spoiled(change, monkeypatch):
    """The first computation, that of the device, gives something else; the second, of the CPU, does not."""
    forward, calls = inference._forward, []

    def wrong(*arguments):
        calls.append(None)
        return change(forward(*arguments)) if len(calls) == 1 else forward(*arguments)

    monkeypatch.setattr(inference, "_forward", wrong)


@pytest.mark.parametrize(
    "change",
    [np.zeros_like, lambda codes: codes * np.nan, lambda codes: codes[:, ::-1], lambda codes: codes + np.float16(1)],
    ids=["zeros", "NaN", "mirrored", "shifted"],
)
def test_a_device_that_computes_nonsense_is_found_out(checkpoint, monkeypatch, change):
    spoiled(change, monkeypatch)
    facts = check_device(checkpoint, "cpu", *ABDOMEN)
    assert facts.problem == "a computation on it gave wrong numbers"
    assert facts.seconds is None


@pytest.mark.parametrize("error", [RuntimeError("CUDA error: no kernel image\nfor this device"), MemoryError()])
def test_a_device_that_fails_is_told_with_the_reason(checkpoint, monkeypatch, error):
    def fail(*_):
        raise error

    spoiled(fail, monkeypatch)
    problem = check_device(checkpoint, "cpu").problem
    assert problem.startswith("a computation on it failed: ")
    assert "\n" not in problem
    assert "no kernel image" in problem or "MemoryError" in problem


def test_a_device_that_cannot_even_be_asked_is_told(checkpoint, monkeypatch):
    def fail(device):
        raise RuntimeError("device is busy")

    monkeypatch.setattr(inference, "free_memory", fail)
    facts = check_device(checkpoint, "cpu")
    assert (facts.free_bytes, facts.problem) == (0, "a computation on it failed: device is busy")


def test_the_estimate_is_near_the_time_that_embedding_takes():
    checkpoint = tiny_checkpoint(EncoderConfig(channels=(16, 16, 16), latent=5))
    shape_kji, spacing_mm = (260, 256, 256), (1.5, 1.5, 2.0)
    volume = Volume(np.zeros(shape_kji, np.int16), np.diag([*spacing_mm, 1.0]), "CT")
    estimate = check_device(checkpoint, "cpu", shape_kji, spacing_mm).seconds
    began = time.perf_counter()
    inference.embed(volume, checkpoint, device="cpu", force=True)
    took = time.perf_counter() - began
    assert took / 8 < estimate < took * 8  # the machine may be busy with something else meanwhile


def test_the_estimate_grows_with_the_scan_and_holds_the_time_before(checkpoint, monkeypatch):
    monkeypatch.setattr(inference, "encode", lambda prepared, *_: np.zeros((5, 2, 2, 2)))
    monkeypatch.setattr("anatembed.maps.device_check._problem", lambda *_: "")
    ticks = iter(np.arange(0, 1000, 0.5))  # whatever is timed takes half a second
    monkeypatch.setattr("anatembed.maps.device_check.time.perf_counter", lambda: next(ticks))
    small, tall = (check_device(checkpoint, "cpu", (k, 200, 200), (3.0, 3.0, 3.0)) for k in (200, 400))
    assert tall.seconds == pytest.approx(2 * small.seconds, rel=0.05)
    later = check_device(checkpoint, "cpu", (200, 200, 200), (3.0, 3.0, 3.0), began=-1000.0)
    assert later.seconds > small.seconds + 1000


def test_blocks_take_longer_than_one_pass(checkpoint, monkeypatch):
    monkeypatch.setattr(inference, "encode", lambda prepared, *_: np.zeros((5, 2, 2, 2)))
    monkeypatch.setattr("anatembed.maps.device_check._problem", lambda *_: "")
    seconds = []
    for free in (2**50, 0):
        ticks = iter(np.arange(0, 1000, 0.5))
        monkeypatch.setattr("anatembed.maps.device_check.time.perf_counter", lambda ticks=ticks: next(ticks))
        monkeypatch.setattr(inference, "free_memory", lambda device, free=free: free)
        seconds.append(check_device(checkpoint, "cpu", (400, 100, 100), (3.0, 3.0, 3.0)).seconds)
    assert seconds[1] > 2 * seconds[0]


@pytest.mark.parametrize(
    ("shape", "spacing", "message"),
    [
        ((0, 5, 5), (1, 1, 1), "three sizes of 1 or more"),
        ((5, 5), (1, 1, 1), "three sizes of 1 or more"),
        ((50, 50, 50), (1, 0, 1), "three lengths above 0 mm"),
        ((50, 50, 50), None, "three lengths above 0 mm"),
        ((50, 50, 50), (1, np.inf, 1), "finite"),
    ],
)
def test_a_scan_that_cannot_be_is_refused(checkpoint, shape, spacing, message):
    with pytest.raises(ValueError, match=message):
        check_device(checkpoint, "cpu", shape, spacing)


def test_the_command_says_it_in_one_line_or_as_a_document(anatembed, tiny_model):
    said = anatembed("device", "--device", "cpu", "--model", tiny_model)
    assert said.code == 0
    assert said.out.startswith("CPU, ") and said.out.endswith(" GB free\n")
    scan = ("--shape", 60, 128, 128, "--spacing", 2.5, 2.5, 4)
    document = anatembed("device", "--device", "cpu", "--model", tiny_model, "--json", *scan).document
    assert set(document) == {"kind", "name", "free_bytes", "problem", "seconds", "works", "encoder_id"}
    assert (document["works"], document["seconds"] > 0) == (True, True)


def test_the_command_fails_when_the_device_does(anatembed, tiny_model, monkeypatch):
    spoiled(np.zeros_like, monkeypatch)
    said = anatembed("device", "--device", "cpu", "--model", tiny_model)
    assert said.code == 2
    assert said.out.splitlines()[1] == "does not work: a computation on it gave wrong numbers"


def test_the_command_wants_shape_and_spacing_together(anatembed):
    for words in (("--shape", 60, 128, 128), ("--spacing", 1, 1, 1), ("--shape", 0, 1, 1, "--spacing", 1, 1, 1)):
        said = anatembed("device", *words)
        assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)


def test_a_scan_smaller_than_the_network_needs_is_refused_as_embedding_refuses_it(checkpoint):
    with pytest.raises(ValueError, match="at least 32 mm along every axis"):
        check_device(checkpoint, "cpu", (5, 50, 50), (1.0, 1.0, 1.0))


def test_a_device_that_this_machine_lacks_is_refused(checkpoint, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="no usable cuda device"):
        check_device(checkpoint, "cuda")
