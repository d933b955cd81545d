"""A MetaImage file means here what it means to ITK, and what it does not say is not guessed."""

import zlib

import numpy as np
import pytest
from anatembed.scan.files import read_volume
from bad_scans import is_read_as_by_itk, is_read_or_refused, is_refused
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

VOXELS = np.arange(24, dtype=np.int16).reshape(4, 3, 2)
RAW = VOXELS.tobytes()
GOOD = {
    "ObjectType": "Image", "NDims": "3", "BinaryData": "True", "BinaryDataByteOrderMSB": "False",
    "CompressedData": "False", "TransformMatrix": "0 1 0 -1 0 0 0 0 1", "Offset": "10 20 30",
    "AnatomicalOrientation": "RAI", "ElementSpacing": "2 3 4", "DimSize": "2 3 4", "ElementType": "MET_SHORT",
}  # fmt: skip


def written(folder, fields=None, voxels=RAW, last="LOCAL", **changes):
    fields = {**GOOD, **(fields or {}), **changes}
    lines = [*(f"{field} = {text}" for field, text in fields.items() if text is not None), f"ElementDataFile = {last}"]
    path = folder / "scan.mha"
    path.write_bytes("\n".join([*lines, ""]).encode() + voxels)
    return path


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("big_endian", [False, True])
def test_voxels_and_places_are_those_that_itk_reads(tmp_path, packed, big_endian):
    content = VOXELS.astype(">i2" if big_endian else "<i2").tobytes()
    content = zlib.compress(content) if packed else content
    changes = {"CompressedData": str(packed), "BinaryDataByteOrderMSB": str(big_endian)}
    path = written(tmp_path, changes | ({"CompressedDataSize": str(len(content))} if packed else {}), content)
    is_read_as_by_itk(path, VOXELS)


@pytest.mark.parametrize("field", ["TransformMatrix", "Offset", "ElementSpacing"])
def test_what_places_the_voxels_is_not_guessed(tmp_path, field):
    with pytest.raises(ValueError, match=f"expected {field} in the header, .*left and right cannot be told apart"):
        read_volume(written(tmp_path, {field: None}))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"NDims": "99999"}, "expected 3 axes, but scan.mha says NDims = 99999"),
        ({"NDims": "-1"}, "expected 3 axes"),
        ({"NDims": "9" * 100_000}, "at most 2000 characters"),
        ({"NDims": None}, "'NDims' in the header"),
        ({"DimSize": "2 3"}, "3 whole numbers as 'DimSize'"),
        ({"DimSize": "2 3 -4"}, "is empty"),
        ({"DimSize": "2 3 5"}, "cut off or damaged"),
        ({"DimSize": "99999999 99999999 99999999"}, "at most 4,000,000,000 bytes of voxels"),
        ({"ElementType": "MET_STRING"}, "one real number per voxel"),
        ({"ElementNumberOfChannels": "3"}, "has 3"),
        ({"ElementSpacing": "2 3 -4"}, "positive voxel spacing"),
        ({"ElementSpacing": "2 3 0"}, "positive voxel spacing"),
        ({"ElementSpacing": "2 3 nan"}, "3 finite numbers as 'ElementSpacing'"),
        ({"Offset": "1 2 inf"}, "3 finite numbers as 'Offset'"),
        ({"TransformMatrix": "1 0 0 0 1 0"}, "9 finite numbers"),
        ({"TransformMatrix": "2 0 0 0 1 0 0 0 1"}, "directions of length 1"),
        ({"TransformMatrix": "1 0 0 1 0 0 0 0 1"}, "singular geometry"),
        ({"Orientation": "1 0 0 0 1 0 0 0 1"}, "has both"),
        ({"DistanceUnits": "cm"}, "expected millimetres"),
        ({"BinaryData": "False"}, "binary voxels"),
        ({"BinaryData": "maybe"}, "True or False"),
        ({"CompressedData": "True"}, "cut off or damaged"),
        ({"HeaderSize": "10"}, "begin at once"),
    ],
)
def test_a_field_that_cannot_be_true_is_refused_by_its_name(tmp_path, fields, reason):
    is_refused(written(tmp_path, fields), reason)


def test_a_field_may_be_there_only_once(tmp_path):
    path = written(tmp_path)
    path.write_bytes(b"NDims = 3\n" + path.read_bytes())
    with pytest.raises(ValueError, match="'NDims' twice"):
        read_volume(path)


def test_a_packed_scan_is_refused_when_it_is_cut_off_or_goes_on_for_long(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, 200_000).astype(np.uint8)
    fields = {"CompressedData": "True", "DimSize": "100 40 50", "ElementType": "MET_UCHAR"}
    content = zlib.compress(noise.tobytes())
    with pytest.raises(ValueError, match="cut off or damaged"):
        read_volume(written(tmp_path, fields, content[:-1000]))
    with pytest.raises(ValueError, match="has many more"):
        read_volume(written(tmp_path, fields, zlib.compress(noise.tobytes() + bytes(10_000_000))))
    np.testing.assert_array_equal(read_volume(written(tmp_path, fields, content)).array_kji.ravel(), noise)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), min_size=1, max_size=4))
def test_any_damage_to_the_header_is_one_sentence_or_does_no_harm(tmp_path, damages):
    path = written(tmp_path)
    content = bytearray(path.read_bytes())
    for place, byte in damages:
        content[min(place, len(content) - 1)] = byte
    path.write_bytes(content)
    is_read_or_refused(path)
