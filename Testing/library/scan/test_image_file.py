import gzip
import struct

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from anatembed.scan import image_file
from anatembed.scan.files import read_volume, write_volume
from anatembed.scan.volume import Volume
from bad_scans import is_read_or_refused
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

AFFINE = np.diag([-2.0, 3.0, 4.0, 1.0])
SHEARED = np.array([[1, 0, 0, 5], [0, 1, 0.6, 6], [0, 0, 2, 7], [0, 0, 0, 1.0]])
MHA = (
    b"ObjectType = Image\nNDims = 3\nDimSize = 4 4 4\nElementSpacing = 1 1 %b\n"
    b"TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 0 0 0\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
)
NRRD = (
    b"NRRD0004\ntype: short\ndimension: 3\n%bsizes: 4 4 4\nspace directions: (1,0,0) (0,1,0) %b\n"
    b"kinds: domain domain domain\nendian: little\nencoding: raw\nspace origin: (0,0,0)\n\n"
)
SPACE = b"space: left-posterior-superior\n"


def write_nifti(path, array_ijk, affine=AFFINE):
    nibabel.save(nibabel.Nifti1Image(array_ijk, affine), path)
    return path


def nifti_bytes(tmp_path, shape=(4, 5, 6), dtype=np.int16):
    return bytearray(write_nifti(tmp_path / "whole.nii", np.zeros(shape, dtype)).read_bytes())


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("scan.nii", b"", "empty file"),
        ("scan.nii", b"hello, this is no image" * 40, "NIfTI image, but the content of scan.nii is"),
        ("scan.nii.gz", b"hello", "NIfTI"),
        ("scan.nii.gz", gzip.compress(b"hello" * 200), "NIfTI"),
        ("notes.txt", b"hello", "NIfTI, NRRD, MetaImage or DICOM file, got notes.txt"),
        ("scan", b"hello", "got scan"),
        ("scan.nrrd", b"hello", "not an image of the type"),
        ("scan.nrrd", NRRD % (SPACE, b"(0,0,1)") + bytes(68), "cut off or damaged"),
        ("scan.nrrd", NRRD % (SPACE, b"(0,0,0)") + bytes(128), "positive voxel spacing, got 1 x 1 x 0 mm"),
        ("scan.nrrd", NRRD % (SPACE, b"(0,1,0)") + bytes(128), "axes coincide"),
        ("scan.mha", MHA % b"0" + bytes(128), "positive voxel spacing"),
        ("scan.mha", MHA % b"-1" + bytes(128), "positive voxel spacing"),
        ("scan.hdr", b"hello", "half of a pair"),
        ("scan.img.gz", b"hello", "half of a pair"),
        ("scan.mha", MHA % b"1" + bytes(68), "cut off or damaged"),
    ],
)
def test_a_bad_file_is_refused_in_one_short_sentence(name, content, reason, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=reason) as caught:
        read_volume(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_a_cut_off_nifti_is_refused(suffix, kept, tmp_path):
    noise = np.random.default_rng(0).integers(-1000, 1000, (20, 21, 22)).astype(np.int16)
    path = write_nifti(tmp_path / f"scan{suffix}", noise)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(ValueError, match="cut off or damaged"):
        read_volume(path)


def test_a_nifti_of_the_second_kind_is_read(tmp_path):
    array = np.arange(120, dtype=np.int16).reshape(4, 5, 6)
    nibabel.save(nibabel.Nifti2Image(array, AFFINE), tmp_path / "scan.nii.gz")
    volume = read_volume(tmp_path / "scan.nii.gz")
    np.testing.assert_array_equal(volume.array_kji, array.T)
    np.testing.assert_allclose(volume.ijk_to_ras, AFFINE)


def test_a_damaged_gzip_is_refused(tmp_path):
    path = write_nifti(
        tmp_path / "scan.nii.gz", np.random.default_rng(0).integers(0, 999, (20, 21, 22)).astype(np.int16)
    )
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 50] = bytes(50)
    path.write_bytes(content)
    with pytest.raises(ValueError, match="cut off or damaged"):
        read_volume(path)


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ((8, 9), "single slice \\(8 x 9"),
        ((8, 9, 1), "single slice \\(8 x 9 x 1\\)"),
        ((8, 9, 10, 3), "is 4D \\(8 x 9 x 10 x 3\\)"),
        ((8, 9, 10, 1, 3), "is 5D"),
    ],
)
def test_a_nifti_that_is_not_one_3d_scan_is_refused_with_its_size(shape, reason, tmp_path):
    with pytest.raises(ValueError, match=reason):
        read_volume(write_nifti(tmp_path / "scan.nii.gz", np.zeros(shape, np.int16)))


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
@pytest.mark.parametrize(
    ("shape", "vector", "reason"),
    [((4, 5), False, "single slice"), ((3, 4, 5, 6), False, "4D"), ((4, 5, 6, 3), True, "has 3")],
)
def test_an_itk_image_that_is_not_one_3d_scan_is_refused(suffix, shape, vector, reason, tmp_path):
    sitk.WriteImage(
        sitk.GetImageFromArray(np.zeros(shape, np.float32), isVector=vector), str(tmp_path / f"scan{suffix}")
    )
    with pytest.raises(ValueError, match=reason):
        read_volume(tmp_path / f"scan{suffix}")


@pytest.mark.parametrize("length", [0, -5])
def test_a_nifti_without_voxels_is_refused(length, tmp_path):
    content = nifti_bytes(tmp_path)
    struct.pack_into("<h", content, 44, length)
    (tmp_path / "empty.nii").write_bytes(content)
    with pytest.raises(ValueError, match="empty"):
        read_volume(tmp_path / "empty.nii")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([(110, 192), (111, 127)])  # the place of the voxels is not a number
@given(st.lists(st.tuples(st.integers(0, 351), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_nifti_with_a_damaged_header_is_read_or_refused_in_one_sentence(tmp_path, damages):
    content = nifti_bytes(tmp_path)
    for position, byte in damages:
        content[position] = byte
    (tmp_path / "scan.nii").write_bytes(content)
    is_read_or_refused(tmp_path / "scan.nii")


def test_a_fourth_axis_of_one_volume_is_only_a_habit(tmp_path):
    array = np.arange(60, dtype=np.int16).reshape(3, 4, 5, 1)
    volume = read_volume(write_nifti(tmp_path / "scan.nii.gz", array))
    np.testing.assert_array_equal(volume.array_kji, array[..., 0].T)


def test_a_colour_nifti_is_refused(tmp_path):
    colour = np.zeros((4, 5, 6), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    with pytest.raises(ValueError, match="one real number per voxel"):
        read_volume(write_nifti(tmp_path / "scan.nii", colour))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_voxels_that_are_not_finite_are_counted_and_the_file_is_named(bad, tmp_path):
    array = np.zeros((4, 5, 6), np.float32)
    array[1, 2, 3] = bad
    with pytest.raises(ValueError, match="scan.nii.gz: .*NaN or infinity in 1 of 120"):
        read_volume(write_nifti(tmp_path / "scan.nii.gz", array))


@pytest.mark.parametrize(
    ("offset", "row", "reason"),
    [
        (280, (0.0, 0.0, 0.0, 0.0), "positive voxel spacing, got 0 x 3 x 4 mm"),
        (312, (0.0, 0.0, 0.0, 0.0), "positive voxel spacing, got 2 x 3 x 0 mm"),
        (312, (0.0, 0.0, np.nan, 0.0), "finite"),
    ],
)
def test_a_nifti_with_an_impossible_sform_is_refused(offset, row, reason, tmp_path):
    content = nifti_bytes(tmp_path)
    struct.pack_into("<4f", content, offset, *row)
    (tmp_path / "scan.nii").write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        read_volume(tmp_path / "scan.nii")


@pytest.mark.parametrize("spacing", [0.0, np.nan])
def test_zero_spacing_beside_a_qform_is_refused_and_not_repaired(spacing, tmp_path):
    content = nifti_bytes(tmp_path)
    struct.pack_into("<hh", content, 252, 1, 0)
    struct.pack_into("<f", content, 88, spacing)
    (tmp_path / "scan.nii").write_bytes(content)
    with pytest.raises(ValueError, match="positive voxel spacing, but scan.nii has \\[2.0, 3.0, (0.0|nan)\\] mm"):
        read_volume(tmp_path / "scan.nii")


def test_a_nifti_without_orientation_is_refused_because_sides_are_unknown(tmp_path):
    image = nibabel.Nifti1Image(np.zeros((4, 5, 6), np.int16), AFFINE)
    image.set_sform(None, code=0)
    image.set_qform(None, code=0)
    nibabel.save(image, tmp_path / "scan.nii")
    with pytest.raises(ValueError, match="left and right cannot be told apart"):
        read_volume(tmp_path / "scan.nii")


def test_a_nrrd_without_anatomical_space_is_refused_because_sides_are_unknown(tmp_path):
    header = (NRRD % (b"", b"")).replace(b"space directions: (1,0,0) (0,1,0) ", b"spacings: 1 1 1")
    (tmp_path / "scan.nrrd").write_bytes(header + bytes(128))
    with pytest.raises(ValueError, match="left and right cannot be told apart"):
        read_volume(tmp_path / "scan.nrrd")


def test_the_shear_of_a_tilted_gantry_is_kept(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 5, 6), np.int16), SHEARED), tmp_path / "scan.nii.gz")
    np.testing.assert_allclose(read_volume(tmp_path / "scan.nii.gz").ijk_to_ras, SHEARED, atol=1e-6)


def test_a_qform_alone_places_the_volume(tmp_path):
    image = nibabel.Nifti1Image(np.zeros((4, 5, 6), np.int16), AFFINE)
    image.set_qform(AFFINE, code=1)
    image.set_sform(None, code=0)
    nibabel.save(image, tmp_path / "scan.nii.gz")
    np.testing.assert_allclose(read_volume(tmp_path / "scan.nii.gz").ijk_to_ras, AFFINE, atol=1e-6)


def test_the_rescale_of_a_nifti_gives_hounsfield_units(tmp_path):
    image = nibabel.Nifti1Image(np.arange(120, dtype=np.int16).reshape(4, 5, 6), AFFINE)
    image.header.set_slope_inter(2.0, -1024.0)
    nibabel.save(image, tmp_path / "scan.nii.gz")
    raw = np.asarray(nibabel.load(tmp_path / "scan.nii.gz").dataobj.get_unscaled())
    volume = read_volume(tmp_path / "scan.nii.gz")
    assert volume.array_kji.dtype == np.float32
    np.testing.assert_allclose(volume.array_kji, (2.0 * raw - 1024).T)


def test_a_geometry_in_metres_becomes_millimetres(tmp_path):
    image = nibabel.Nifti1Image(np.zeros((4, 5, 6), np.int16), np.diag([0.002, 0.003, 0.004, 1]))
    image.header.set_xyzt_units("meter")
    nibabel.save(image, tmp_path / "scan.nii")
    np.testing.assert_allclose(read_volume(tmp_path / "scan.nii").ijk_to_ras, np.diag([2, 3, 4, 1]), atol=1e-5)


def test_a_nifti_means_the_same_to_itk(tmp_path):
    write_volume(Volume(np.zeros((4, 5, 6), np.int16), AFFINE), tmp_path / "scan.nii.gz")
    image = sitk.ReadImage(str(tmp_path / "scan.nii.gz"))
    point_lps = image.TransformContinuousIndexToPhysicalPoint((3, 2, 1))
    np.testing.assert_allclose(point_lps, (6, -6, 4), atol=1e-5)


def test_reading_says_nothing_on_the_console(tmp_path, capfd):
    path = tmp_path / "scan.nrrd"
    path.write_bytes(NRRD % (SPACE, b"(0,0.5,1)") + bytes(128))
    read_volume(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int32, np.int64, np.float16, np.float32, np.float64])
@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd"])
def test_every_number_type_can_be_written(dtype, suffix, tmp_path):
    array = (np.arange(60).reshape(3, 4, 5) % 2).astype(dtype)
    write_volume(Volume(array, AFFINE), tmp_path / f"scan{suffix}")
    np.testing.assert_array_equal(read_volume(tmp_path / f"scan{suffix}").array_kji, array)


@pytest.mark.parametrize("name", ["scan.png", "scan", "scan.mhd"])
def test_an_unknown_file_type_is_not_written(name, tmp_path):
    with pytest.raises(ValueError, match="ends in .nii, .nii.gz, .nrrd, .mha"):
        write_volume(Volume(np.zeros((3, 3, 3)), AFFINE), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named_when_writing(tmp_path):
    with pytest.raises(FileNotFoundError, match="no .*missing"):
        write_volume(Volume(np.zeros((3, 3, 3)), AFFINE), tmp_path / "missing" / "scan.nii.gz")


def test_a_failed_writing_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "scan.nrrd"
    write_volume(Volume(np.ones((3, 3, 3), np.int16), AFFINE), path)

    def full_disk(*_):
        raise OSError("no space left")

    monkeypatch.setattr(image_file, "_write_itk", full_disk)
    with pytest.raises(ValueError, match="no space left.*unchanged"):
        write_volume(Volume(np.zeros((3, 3, 3), np.int16), AFFINE), path)
    assert [one.name for one in tmp_path.iterdir()] == ["scan.nrrd"]
    assert read_volume(path).array_kji.all()
