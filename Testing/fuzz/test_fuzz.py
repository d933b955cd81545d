"""Damaged scans at the command line for a few seconds; `make fuzz` does it for an hour."""

import random
import sys

import pytest

pytest.importorskip("resource", reason="there is no limit of memory here")

from anatembed.scan.files import read_volume
from fuzz import HELD, fuzz
from mutations import mutated, write_good


def test_the_scans_that_are_damaged_are_good_before_that(tmp_path):
    for path in write_good(tmp_path):
        if path.name != "slice.dcm":  # a slice alone is refused, but read
            assert read_volume(path).array_kji.size > 5000


def test_the_same_seed_makes_the_same_damage():
    content = bytes(range(256)) * 20
    made = [mutated(content, random.Random(seed)) for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]


@pytest.mark.skipif(sys.platform == "darwin", reason="the memory of a process is not limited there")
def test_damaged_scans_are_embedded_or_refused_in_one_sentence(tmp_path):
    outcome = fuzz(15, seed=1, keep=tmp_path / "broken")
    assert outcome.broken == []
    assert outcome.codes
    assert set(outcome.codes) <= HELD
