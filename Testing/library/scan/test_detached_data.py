"""Voxels in another file are read only where the caller says so, only from beside the header, and from no link."""

import os

import numpy as np
import pytest
import SimpleITK as sitk
from anatembed.scan.detached_data import open_regular
from anatembed.scan.files import read_volume
from zipped_scans import zipped

META = (
    "ObjectType = Image\nNDims = 3\nDimSize = 2 2 2\nElementType = MET_SHORT\nElementSpacing = 1 1 1\n"
    "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 0 0 0\n"
)
NRRD = (
    "NRRD0004\ntype: short\ndimension: 3\nsizes: 2 2 2\nencoding: raw\nendian: little\nspace: LPS\n"
    "space directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\n"
)
KINDS = ("scan.mhd", "scan.mha", "scan.nhdr", "scan.nrrd")
VOXELS = np.arange(8, dtype="<i2").reshape(2, 2, 2)


def header(folder, kind: str, name: str):
    text = f"{META}ElementDataFile = {name}\n" if ".m" in kind else f"{NRRD}data file: {name}\n\n"
    path = folder / kind
    path.write_text(text)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_voxels_beside_the_header_are_read_only_if_the_caller_says_so(tmp_path, kind):
    (tmp_path / "voxels.raw").write_bytes(VOXELS.tobytes())
    path = header(tmp_path, kind, "voxels.raw")
    with pytest.raises(ValueError, match=f"expected the voxels in {kind} itself, but it names another file, 'voxels"):
        read_volume(path)
    np.testing.assert_array_equal(read_volume(path, beside=True).array_kji, VOXELS)


@pytest.mark.parametrize("suffix", [".mhd", ".nhdr"])
@pytest.mark.parametrize("packed", [False, True])
def test_what_itk_writes_beside_a_header_is_read(tmp_path, suffix, packed):
    array = np.random.default_rng(0).integers(-1000, 1000, (3, 4, 5)).astype(np.int16)
    path = tmp_path / f"scan{suffix}"
    image = sitk.GetImageFromArray(array)
    sitk.WriteImage(image, str(path), useCompression=packed)
    np.testing.assert_array_equal(read_volume(path, beside=True).array_kji, array)


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../secret.raw", "a/b.raw", "..", ".", "LIST", "LIST 2D", "s%03d.raw 1 9 1", "C:voxels.raw"]
)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("beside", [False, True])
def test_other_folders_lists_and_patterns_are_never_read(tmp_path, kind, name, beside):
    (tmp_path / "inner").mkdir()
    (tmp_path / "secret.raw").write_bytes(VOXELS.tobytes())
    with pytest.raises(ValueError, match="in one file|in scan") as caught:
        read_volume(header(tmp_path / "inner", kind, name), beside=beside)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_behind_a_very_long_header_is_found_or_the_header_is_refused(tmp_path, kind):
    for length, reason in ((300_000, "itself"), (1_100_000, "header of at most 1,000,000 bytes")):
        path = header(tmp_path, kind, "/etc/passwd")
        first, rest = path.read_text().split("\n", 1)
        padding = ("# " if "n" in kind[-4:] else "Comment = ") + "x" * length
        path.write_text(f"{first}\n{padding}\n{rest}")
        with pytest.raises(ValueError, match=reason):
            read_volume(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
@pytest.mark.parametrize("kind", ["scan.mhd", "scan.nhdr"])
def test_a_link_a_pipe_and_a_folder_are_no_voxels(tmp_path, kind):
    (tmp_path / "secret").write_bytes(VOXELS.tobytes())
    (tmp_path / "link.raw").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "pipe.raw")
    (tmp_path / "folder.raw").mkdir()
    reasons = {"link": "is a link", "pipe": "is a device, a pipe", "folder": "a folder", "no": "cannot be opened"}
    for name, reason in reasons.items():
        with pytest.raises(ValueError, match=reason):
            read_volume(header(tmp_path, kind, f"{name}.raw"), beside=True)


def test_an_archive_never_reads_what_lies_beside_it(tmp_path):
    (tmp_path / "voxels.raw").write_bytes(VOXELS.tobytes())
    for kind in KINDS:
        content = header(tmp_path, kind, "voxels.raw").read_bytes()
        path = zipped(tmp_path / "one.zip", {kind: content, "voxels.raw": VOXELS.tobytes()})
        with pytest.raises(ValueError, match="names another file"):
            read_volume(path, beside=True)


def test_an_ordinary_file_is_opened_and_a_link_to_it_is_not(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with open_regular(tmp_path / "a") as file:
        assert file.read() == b"1"
    with pytest.raises(ValueError, match="is a link"):
        open_regular(tmp_path / "b")
