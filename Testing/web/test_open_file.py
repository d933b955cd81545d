import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace

import numpy as np
import pytest
from anatembed.scan.files import write_volume
from bad_scans import BAD_SCANS
from phantoms import torso
from web_demo.limits import Limits
from web_demo.open_file import Opening, read_upload, suffix_of
from zipped_scans import zipped

LIMITS = Limits(voxels=1_000_000, unpacked_bytes=2_000_000, archive_files=50)


@pytest.fixture
def scan():
    return torso().volume


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii", "a.nrrd", "a.mha"])
def test_a_file_is_read_where_it_lies(scan, name, tmp_path):
    write_volume(scan, tmp_path / name)
    read = read_upload(tmp_path / name, LIMITS)
    assert np.array_equal(read.array_kji, scan.array_kji)
    assert np.allclose(read.ijk_to_ras, scan.ijk_to_ras, atol=1e-4)


def test_the_limits_of_the_page_hold_for_archives(tmp_path):
    path = zipped(tmp_path / "bomb.zip", {"a.dcm": bytes(5_000_000)})
    with pytest.raises(ValueError, match="at most 2,000,000 bytes"):
        read_upload(path, LIMITS)
    path = zipped(tmp_path / "many.zip", {f"{number}.dcm": b"x" for number in range(51)})
    with pytest.raises(ValueError, match="at most 50 files"):
        read_upload(path, LIMITS)


def test_a_scan_with_too_many_voxels_is_refused(scan, tmp_path):
    write_volume(scan, tmp_path / "a.nii.gz")
    with pytest.raises(ValueError, match="the limit is 100"):
        read_upload(tmp_path / "a.nii.gz", replace(LIMITS, voxels=100))


@pytest.mark.parametrize(("name", "suffix"), [
    ("A B.NII.GZ", ".nii.gz"), ("x.nii", ".nii"), ("x.nrrd", ".nrrd"), ("series.zip", ".zip"), ("x.txt", None),
    ("x.gz", None), ("", None), ("x.nhdr", None),
])
def test_a_kind_of_file_is_told_by_the_end_of_its_name(name, suffix):
    assert suffix_of(name) == suffix


def opened(path, limits=LIMITS):
    """What a process of its own makes of a file."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    opening = Opening(path, limits, environment)
    end = time.monotonic() + 60
    while not opening.has_ended():
        assert time.monotonic() < end
        time.sleep(0.02)
    try:
        return opening.volume()
    finally:
        opening.end()


def test_a_process_of_its_own_hands_the_scan_over_as_it_is(scan, tmp_path):
    write_volume(scan, tmp_path / "a.nrrd")
    read = opened(tmp_path / "a.nrrd")
    assert np.array_equal(read.array_kji, scan.array_kji) and read.array_kji.dtype == scan.array_kji.dtype
    assert np.allclose(read.ijk_to_ras, scan.ijk_to_ras, atol=1e-4)
    assert [one.name for one in tmp_path.iterdir()] == ["a.nrrd"]


@pytest.mark.parametrize("bad", ["not an image", "truncated gz", "empty file", "4D", "NaN"])
def test_a_damaged_file_is_refused_in_a_sentence_that_hides_where_it_lies(bad, tmp_path):
    path = BAD_SCANS[bad](tmp_path)
    with pytest.raises(ValueError, match="expected") as error:
        opened(path)
    assert str(tmp_path) not in str(error.value) and path.name not in str(error.value)


def test_a_small_file_that_grows_beyond_the_memory_ends_its_own_process_only(tmp_path):
    path = tmp_path / "grows.nii.gz"
    block = subprocess.run(["gzip", "-c"], input=bytes(50_000_000), capture_output=True, check=True).stdout
    path.write_bytes(block * 60)
    with pytest.raises(ValueError, match="too large|damaged|something else"):
        opened(path, replace(LIMITS, memory_bytes=2_000_000_000))


def test_limits_travel_as_json():
    assert Limits(**json.loads(json.dumps(asdict(LIMITS)))) == LIMITS
