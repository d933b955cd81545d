import numpy as np
import pytest
import SimpleITK as sitk
from anatembed.scan.detached_data import data_file_beside

META = "ObjectType = Image\nNDims = 3\nDimSize = 2 2 2\nElementType = MET_SHORT\n"
NRRD = "NRRD0004\ntype: short\ndimension: 3\nsizes: 2 2 2\nencoding: raw\n"


def written(folder, name: str, text: str, voxels: bytes = b""):
    path = folder / name
    path.write_bytes(text.encode() + voxels)
    return path


@pytest.mark.parametrize("suffix", [".mha", ".nrrd", ".nii.gz"])
def test_a_scan_that_holds_its_own_voxels_names_no_file(tmp_path, suffix):
    path = tmp_path / f"scan{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(np.arange(60, dtype=np.int16).reshape(3, 4, 5)), str(path))
    assert data_file_beside(path) is None


@pytest.mark.parametrize(("suffix", "beside"), [(".mhd", "scan.raw"), (".nhdr", "scan.raw.gz")])
def test_the_voxels_that_itk_writes_beside_a_header_are_named(tmp_path, suffix, beside):
    path = tmp_path / f"scan{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((3, 4, 5), np.int16)), str(path), useCompression=suffix == ".nhdr")
    assert data_file_beside(path) == tmp_path / beside
    assert data_file_beside(path).is_file()


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../secret.raw", "a/b.raw", "..", "LIST", "LIST 2D", "s%03d.raw 1 9 1", ""]
)
@pytest.mark.parametrize("kind", ["scan.mhd", "scan.mha", "scan.nhdr", "scan.nrrd"])
def test_other_folders_lists_and_patterns_are_refused(tmp_path, kind, name):
    text = f"{META}ElementDataFile = {name}\n" if ".m" in kind else f"{NRRD}data file: {name}\n\n"
    with pytest.raises(ValueError, match="in one file beside"):
        data_file_beside(written(tmp_path, kind, text))


@pytest.mark.parametrize("field", ["data file:", "datafile:", "Data File :", "DATAFILE:"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_field_of_a_nrrd_is_found_however_it_is_written(tmp_path, field, end):
    text = (NRRD + f"{field} voxels.raw\n\n").replace("\n", end)
    assert data_file_beside(written(tmp_path, "scan.nrrd", text)) == tmp_path / "voxels.raw"


def test_a_second_name_does_not_hide_behind_the_first(tmp_path):
    for first in ("= LOCAL", ": a.raw"):
        text = f"ElementDataFile {first}\nElementDataFile = b.raw\n"
        with pytest.raises(ValueError, match="in one file beside"):
            data_file_beside(written(tmp_path, "scan.mha", META + text))


def test_a_key_of_a_nrrd_that_is_no_field_is_ignored(tmp_path):
    assert data_file_beside(written(tmp_path, "scan.nrrd", NRRD + "data file:=a remark\n\n", b"\0" * 16)) is None


def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path):
    with pytest.raises(ValueError, match="does not begin as one"):
        data_file_beside(written(tmp_path, "scan.nrrd", "DICM"))
    with pytest.raises(ValueError, match="does not say where"):
        data_file_beside(written(tmp_path, "scan.mhd", META))
