"""A NRRD file means here what it means to ITK, and what it does not say is not guessed."""

import gzip

import numpy as np
import pytest
from anatembed.scan.files import read_volume
from bad_scans import is_read_as_by_itk, is_read_or_refused, is_refused
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

VOXELS = np.arange(24, dtype=np.int16).reshape(4, 3, 2)
RAW = VOXELS.tobytes()
GOOD = {
    "type": "short", "dimension": "3", "space": "left-posterior-superior", "sizes": "2 3 4",
    "space directions": "(2,0,0) (0,3,0.5) (0,0,4)", "kinds": "domain domain domain", "endian": "little",
    "encoding": "raw", "space origin": "(10,20,30)",
}  # fmt: skip


def written(folder, fields=None, voxels=RAW, magic="NRRD0005", **changes):
    fields = {**GOOD, **(fields or {}), **changes}
    lines = [magic, *(f"{field}: {text}" for field, text in fields.items() if text is not None), "", ""]
    path = folder / "scan.nrrd"
    path.write_bytes("\n".join(lines).encode() + voxels)
    return path


@pytest.mark.parametrize(
    "space",
    ["left-posterior-superior", "LPS", "right-anterior-superior", "RAS", "left-anterior-superior", "LAS", "Lps"],
)
@pytest.mark.parametrize("packed", [False, True])
def test_an_anatomical_space_means_the_same_as_to_itk(tmp_path, space, packed):
    content = gzip.compress(VOXELS.tobytes()) if packed else VOXELS.tobytes()
    path = written(tmp_path, voxels=content, space=space, encoding="gzip" if packed else "raw")
    is_read_as_by_itk(path, VOXELS)


@pytest.mark.parametrize("space", ["scanner-xyz", "3D-right-handed", "3D-left-handed", "RAST", "right-up", None])
def test_a_space_that_says_nothing_about_sides_is_refused(tmp_path, space):
    with pytest.raises(ValueError, match="left and right cannot be told apart"):
        read_volume(written(tmp_path, space=space))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"dimension": "99999"}, "expected 3 axes, but scan.nrrd says dimension = 99999"),
        ({"dimension": "-1"}, "expected 3 axes"),
        ({"dimension": "9" * 100_000}, "at most 2000 characters"),
        ({"dimension": "9" * 1900}, "1 whole numbers as 'dimension'"),
        ({"sizes": "2 3"}, "3 whole numbers as 'sizes'"),
        ({"sizes": "2 3 4.5"}, "whole numbers as 'sizes'"),
        ({"sizes": "0 3 4"}, "is empty"),
        ({"sizes": "2 3 400000"}, "cut off or damaged"),
        ({"sizes": "999999999 999999999 999999999"}, "at most 4,000,000,000 bytes of voxels"),
        ({"type": "block"}, "one real number per voxel"),
        ({"endian": None}, "'endian: little'"),
        ({"endian": "middle"}, "'endian: little'"),
        ({"encoding": "ascii"}, "encoding raw or gzip"),
        ({"encoding": None}, "'encoding' in the header"),
        ({"encoding": "gzip"}, "cut off or damaged"),
        ({"line skip": "5"}, "skips lines or bytes"),
        ({"byte skip": "-2"}, "skips lines or bytes"),
        ({"byte skip": "100000"}, "cut off or damaged"),
        ({"space directions": "(1,0,0) (0,1,0) none"}, "3 finite numbers as 'space directions'"),
        ({"space directions": "(1,0,0) (0,1,0) (0,0,nan)"}, "3 finite numbers"),
        ({"space directions": "(1,0,0) (0,1,0) (0,0,1e999)"}, "3 finite numbers"),
        ({"space directions": "(1,0,0) (0,1,0)"}, "a direction for every axis"),
        ({"space directions": None, "spacings": "1 1 1"}, "in the header"),
        ({"space origin": None}, "in the header"),
        ({"space origin": "(0,inf,0)"}, "3 finite numbers as 'space origin'"),
        ({"space units": '"m" "m" "m"'}, "expected millimetres"),
        ({"Type": "short"}, "every field once"),
    ],
)
def test_a_field_that_is_missing_or_cannot_be_true_is_refused_by_its_name(tmp_path, fields, reason):
    is_refused(written(tmp_path, fields), reason)


def test_remarks_keys_and_other_ends_of_lines_change_nothing(tmp_path):
    path = written(tmp_path)
    header, _, voxels = path.read_bytes().partition(b"\n\n")
    lines = [*header.split(b"\n"), b"# data file: x", b"data file:=a remark", b"owner:=us"]
    path.write_bytes(b"\r\n".join([*lines, b"", b""]) + voxels)
    np.testing.assert_array_equal(read_volume(path).array_kji, VOXELS)


def test_a_header_that_ends_too_early_is_refused(tmp_path):
    content = written(tmp_path).read_bytes()
    for length in (3, 9, 60, len(content) - 1):
        (tmp_path / "scan.nrrd").write_bytes(content[:length])
        with pytest.raises(ValueError, match="expected"):
            read_volume(tmp_path / "scan.nrrd")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 240), st.integers(0, 255)), min_size=1, max_size=4))
def test_any_damage_to_the_header_is_one_sentence_or_does_no_harm(tmp_path, damages):
    path = written(tmp_path)
    content = bytearray(path.read_bytes())
    for place, byte in damages:
        content[place] = byte
    path.write_bytes(content)
    is_read_or_refused(path)
