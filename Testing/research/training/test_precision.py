"""The precision of training is what the machine is fast at, tried before it is used."""

import logging

import pytest
import torch
from research.training import precision


@pytest.mark.parametrize(("fast_at", "seconds", "expected"), [
    (torch.float32, None, torch.float32),
    (torch.float16, None, torch.float32),
    (torch.bfloat16, {torch.float32: 2.0, torch.bfloat16: 1.0}, torch.bfloat16),
    (torch.bfloat16, {torch.float32: 1.0, torch.bfloat16: 60.0}, torch.float32),
    (torch.bfloat16, {torch.float32: 1.0, torch.bfloat16: float("inf")}, torch.float32),
])
def test_bfloat16_is_used_where_it_was_tried_and_was_not_slower(monkeypatch, caplog, fast_at, seconds, expected):
    monkeypatch.setattr(precision, "choose_precision", lambda device: fast_at)
    monkeypatch.setattr(precision, "trial_seconds", lambda device, dtype: seconds[dtype])
    with caplog.at_level(logging.INFO):
        assert precision.training_precision("cpu") == expected
    assert f"precision: {str(expected).removeprefix('torch.')} on cpu" in caplog.text


def test_a_trial_takes_a_moment_and_gives_its_time():
    assert 0 < precision.trial_seconds("cpu", torch.float32) < 30
