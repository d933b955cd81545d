import json
import os
import subprocess
import sys
import time
import zipfile
from dataclasses import asdict, replace

import numpy as np
import pytest
import SimpleITK as sitk
from anatembed.scan.files import write_volume
from anatembed.scan.volume import Volume
from bad_scans import BAD_SCANS
from phantoms import torso
from web_demo.limits import Limits
from web_demo.open_file import Opening, read_upload, suffix_of

LIMITS = Limits(voxels=1_000_000, unpacked_bytes=2_000_000, archive_files=50)


@pytest.fixture
def scan():
    return torso().volume


def zipped(path, files: dict):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def dicom_slices(folder, volume: Volume) -> dict:
    """Bytes of one DICOM file per slice, by file name; for an axis-parallel scan."""
    steps = np.diag(volume.ijk_to_ras)[:3] * [-1, -1, 1]
    origin_lps = volume.ijk_to_ras[:3, 3] * [-1, -1, 1]
    files = {}
    for k, plane in enumerate(volume.array_kji):
        image = sitk.GetImageFromArray(plane[None].astype(np.int16))
        image.SetSpacing([*np.abs(steps[:2]), 1.0])
        position = origin_lps + [0, 0, k * steps[2]]
        for tag, value in {
            "0008|0016": "1.2.840.10008.5.1.4.1.1.2", "0008|0018": f"1.2.826.0.1.3680043.8.498.1.{k + 1}",
            "0008|0060": "CT", "0020|000d": "1.2.826.0.1.3680043.8.498.9", "0020|000e": "1.2.826.0.1.3680043.8.498.1",
            "0020|0032": "\\".join(f"{value:.6f}" for value in position),
            "0020|0037": "1\\0\\0\\0\\1\\0",
        }.items():
            image.SetMetaData(tag, value)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        path = folder / f"slice{k}.dcm"
        writer.SetFileName(str(path))
        writer.Execute(image)
        files[path.name] = path.read_bytes()
    return files


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii", "a.nrrd", "a.mha"])
def test_a_file_is_read_where_it_lies(scan, name, tmp_path):
    write_volume(scan, tmp_path / name)
    read = read_upload(tmp_path / name, LIMITS)
    assert np.array_equal(read.array_kji, scan.array_kji)
    assert np.allclose(read.ijk_to_ras, scan.ijk_to_ras, atol=1e-4)


def test_a_zip_with_dicom_is_read_as_a_ct_with_its_sides(tmp_path):
    values = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7)
    affine = np.diag([-2.0, -3.0, 4.0, 1.0])
    affine[:3, 3] = 30, 20, -10
    volume = Volume(values, affine, "CT")
    files = dicom_slices(tmp_path, volume)
    path = zipped(tmp_path / "series.zip", {f"folder/{name}": content for name, content in files.items()})
    read = read_upload(path, LIMITS)
    assert read.modality == "CT" and np.array_equal(read.array_kji, values)
    assert np.allclose(read.ijk_to_ras, affine, atol=1e-4)


def test_a_zip_with_one_image_is_read(scan, tmp_path):
    write_volume(scan, tmp_path / "a.nii.gz")
    path = zipped(tmp_path / "one.zip", {"x/a.nii.gz": (tmp_path / "a.nii.gz").read_bytes(), "__MACOSX/x/._a": b"x"})
    assert np.array_equal(read_upload(path, LIMITS).array_kji, scan.array_kji)


def test_names_in_an_archive_are_never_used_as_paths(scan, tmp_path):
    write_volume(scan, tmp_path / "a.nii.gz")
    inside = tmp_path / "inside"
    inside.mkdir()
    path = zipped(inside / "bad.zip", {"../../escaped.nii.gz": (tmp_path / "a.nii.gz").read_bytes()})
    read_upload(path, LIMITS)
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["a.nii.gz", "bad.zip", "inside"]


def test_an_archive_that_unpacks_to_too_much_is_refused_while_it_is_unpacked(tmp_path):
    path = zipped(tmp_path / "bomb.zip", {"a.dcm": bytes(5_000_000)})
    assert path.stat().st_size < 10_000
    with pytest.raises(ValueError, match="too large for this page when it is unpacked"):
        read_upload(path, LIMITS)
    assert list(tmp_path.iterdir()) == [path]


def test_an_archive_with_too_many_files_is_refused(tmp_path):
    path = zipped(tmp_path / "many.zip", {f"{number}.dcm": b"x" for number in range(51)})
    with pytest.raises(ValueError, match="51 files"):
        read_upload(path, LIMITS)


@pytest.mark.parametrize(("content", "words"), [
    ({}, "it is empty"),
    ({"readme.txt": b"hello"}, "expected"),
    ({"a.nii.gz": b"no image"}, "expected"),
])
def test_an_archive_without_a_scan_is_refused_in_a_sentence(content, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        read_upload(zipped(tmp_path / "bad.zip", content), LIMITS)


def test_what_is_called_zip_and_is_none_is_refused(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(ValueError, match="ZIP archive"):
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
    with pytest.raises(ValueError, match="too large|damaged"):
        opened(path, replace(LIMITS, memory_bytes=2_000_000_000))


def test_limits_travel_as_json():
    assert Limits(**json.loads(json.dumps(asdict(LIMITS)))) == LIMITS
