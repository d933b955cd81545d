"""The header of a NIfTI file is checked before memory is taken, and its two forms against each other."""

import gzip
import struct
import tracemalloc

import nibabel
import numpy as np
import pytest
from anatembed.scan.files import read_volume

AFFINE = np.diag([-2.0, 3.0, 4.0, 1.0])
SHAPE = (4, 5, 6)


def both_forms(path, sform, qform, shape=SHAPE):
    image = nibabel.Nifti1Image(np.zeros(shape, np.int16), sform)
    image.set_qform(qform, code=1)
    image.set_sform(sform, code=2)
    nibabel.save(image, path)
    return path


def patched(tmp_path, *patches, name="scan.nii"):
    """A good file with numbers of struct formats at byte offsets of its header replaced."""
    nibabel.save(nibabel.Nifti1Image(np.zeros(SHAPE, np.int16), AFFINE), tmp_path / "good.nii")
    content = bytearray((tmp_path / "good.nii").read_bytes())
    for code, offset, *numbers in patches:
        struct.pack_into(code, content, offset, *numbers)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return tmp_path / name


DIM, DATATYPE, BITPIX, PIXDIM, VOX_OFFSET, SLOPE, MAGIC = 40, 70, 72, 76, 108, 112, 344


@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz"])
@pytest.mark.parametrize(
    ("patches", "reason"),
    [
        ([("<f", VOX_OFFSET, 0.0)], "from byte 352 on, but .* says 0: its header would be read as voxels"),
        ([("<f", VOX_OFFSET, 348.5)], "from byte 352"),
        ([("<f", VOX_OFFSET, -352.0)], "from byte 352"),
        ([("<f", VOX_OFFSET, np.nan)], "from byte 352"),
        ([("<f", VOX_OFFSET, 1e30)], "cut off"),
        ([("<h", DIM, 0)], "3 axes"),
        ([("<h", DIM, 8)], "3 axes"),
        ([("<h", DIM, -1)], "3 axes"),
        ([("<3h", DIM + 2, 32767, 32767, 32767)], "at most 4,000,000,000 bytes"),
        ([("<3h", DIM + 2, 1000, 1000, 500)], "cut off"),
        ([("<2h", DATATYPE, 4, 8)], "16 bits per voxel"),
        ([("<2h", DATATYPE, 128, 24)], "one real number per voxel, but .* has RGB"),
        ([("<2h", DATATYPE, 12345, 16)], "unknown type 12345"),
        ([("<f", PIXDIM + 4, -2.0)], "positive voxel spacing"),
        ([("<f", PIXDIM + 8, np.nan)], "positive voxel spacing"),
        ([("<f", PIXDIM + 12, np.inf)], "positive voxel spacing"),
        ([("<f", PIXDIM + 12, 1.0)], "one voxel spacing, but .*4.0. mm in its sform and .*1.0. in pixdim"),
        ([("<2f", SLOPE, np.inf, 0.0)], "finite scale"),
        ([("<2f", SLOPE, 2.0, np.nan)], "finite scale"),
        ([("4s", MAGIC, b"ni1\0")], "whose voxels are in an .img file"),
        ([("4s", MAGIC, b"\0\0\0\0")], "something else"),
    ],
)
def test_a_header_that_cannot_be_true_is_refused_with_the_reason(tmp_path, name, patches, reason):
    with pytest.raises(ValueError, match=reason) as caught:
        read_volume(patched(tmp_path, *patches, name=name))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz"])
def test_no_memory_is_taken_for_voxels_that_the_file_cannot_hold(tmp_path, name):
    path = patched(tmp_path, ("<3h", DIM + 2, 1000, 1000, 900), name=name)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="bytes of voxels, as its header says"):
            read_volume(path)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_gzip_that_unpacks_to_far_more_than_the_header_says_is_not_unpacked_to_its_end(tmp_path):
    content = gzip.decompress(patched(tmp_path, name="scan.nii.gz").read_bytes())
    (tmp_path / "bomb.nii.gz").write_bytes(gzip.compress(content + bytes(50_000_000)))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="has many more"):
            read_volume(tmp_path / "bomb.nii.gz")
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_forms_that_are_mirrored_to_each_other_are_refused(tmp_path):
    mirrored = AFFINE @ np.diag([-1.0, 1, 1, 1])
    with pytest.raises(ValueError, match="sform and qform of scan.nii are mirrored"):
        read_volume(both_forms(tmp_path / "scan.nii", AFFINE, mirrored))


@pytest.mark.parametrize("size", [(4, 5, 6), (41, 50, 61)])
@pytest.mark.parametrize(("voxels", "is_read"), [(0.0, True), (0.9, True), (1.1, False)])
def test_forms_may_differ_by_a_voxel_at_the_corner_that_lies_farthest_apart(tmp_path, size, voxels, is_read):
    sform = AFFINE.copy()
    # A shear: slices slide along j by a little more each, as a tilted gantry makes them; a qform cannot say that.
    sform[1, 2] = voxels * 3.0 / (size[2] - 1)
    path = both_forms(tmp_path / "scan.nii", sform, AFFINE, size)
    if is_read:
        np.testing.assert_allclose(read_volume(path).ijk_to_ras, sform, atol=1e-5)
    else:
        with pytest.raises(ValueError, match="sform and qform of scan.nii are up to 1.1 voxels apart"):
            read_volume(path)


def test_a_volume_that_is_turned_or_moved_between_the_forms_is_refused(tmp_path):
    moved = AFFINE.copy()
    moved[:3, 3] = 0, 0, 10
    turned = np.diag([2.0, -3.0, 4.0, 1.0])
    turned[:2, 3] = AFFINE[:2, :2] @ [3, 4]
    for qform in (moved, turned):
        with pytest.raises(ValueError, match="voxels apart"):
            read_volume(both_forms(tmp_path / "scan.nii", AFFINE, qform))


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders_give_the_same_scan_in_the_order_of_this_machine(tmp_path, order):
    array = np.arange(120).reshape(SHAPE).astype(f"{order}i2")
    header = nibabel.Nifti1Header(endianness=order)
    header.set_data_dtype(array.dtype)
    nibabel.save(nibabel.Nifti1Image(array, AFFINE, header), tmp_path / "scan.nii.gz")
    volume = read_volume(tmp_path / "scan.nii.gz")
    assert volume.array_kji.dtype == np.int16
    assert volume.array_kji.dtype.isnative
    np.testing.assert_array_equal(volume.array_kji, array.T)


@pytest.mark.parametrize("side", [0.0, 1.0])
def test_a_side_of_the_qform_that_is_not_said_is_the_usual_one(tmp_path, side):
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    content = bytearray(both_forms(tmp_path / "scan.nii", affine, affine).read_bytes())
    struct.pack_into("<f", content, PIXDIM, side)
    (tmp_path / "scan.nii").write_bytes(content)
    np.testing.assert_allclose(read_volume(tmp_path / "scan.nii").ijk_to_ras, affine, atol=1e-5)


@pytest.mark.parametrize("side", [2.0, np.nan, 1e30])
def test_a_side_of_the_qform_that_is_none_is_refused(tmp_path, side):
    content = bytearray(both_forms(tmp_path / "scan.nii", AFFINE, AFFINE).read_bytes())
    struct.pack_into("<f", content, PIXDIM, side)
    (tmp_path / "scan.nii").write_bytes(content)
    with pytest.raises(ValueError, match="-1 or 1 as the side of the qform"):
        read_volume(tmp_path / "scan.nii")


def test_a_gzip_of_several_members_is_read(tmp_path):
    content = patched(tmp_path).read_bytes()
    (tmp_path / "scan.nii.gz").write_bytes(gzip.compress(content[:400]) + gzip.compress(content[400:]))
    assert read_volume(tmp_path / "scan.nii.gz").array_kji.shape == SHAPE[::-1]
