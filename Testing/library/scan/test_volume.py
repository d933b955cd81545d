import numpy as np
import pytest
from anatembed.geometry import transform_points
from anatembed.scan.files import read_volume, write_volume
from anatembed.scan.volume import Volume
from phantoms import GEOMETRIES, LEFT, RIGHT, SAMPLE_SCAN, centre_of_values, torso


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((5, 5)), "3D volume, got 2D.*\\(5, 5\\)"),
        (np.zeros((2, 5, 5, 5)), "3D volume, got 4D"),
        (np.zeros((5, 0, 5)), "empty"),
        (np.zeros((5, 5, 5), dtype=complex), "one real number per voxel, got complex128"),
        (np.zeros((5, 5, 5), dtype="U3"), "one real number"),
        (np.full((2, 2, 2), np.nan), "NaN or infinity in 8 of 8"),
        (np.where(np.eye(3)[None] * np.ones((3, 1, 1)), -np.inf, 0), "NaN or infinity in 9 of 27"),
    ],
)
def test_voxels_that_are_not_a_scan_are_refused_with_the_reason(array, reason):
    with pytest.raises(ValueError, match=reason):
        Volume(array, np.eye(4))


def test_a_volume_refuses_a_singular_geometry():
    with pytest.raises(ValueError, match="spacing"):
        Volume(np.zeros((3, 3, 3)), np.diag([1, 0, 1, 1]))


def test_the_content_hash_follows_voxels_and_geometry_but_not_names():
    array = np.arange(27, dtype=np.int16).reshape(3, 3, 3)
    first = Volume(array, np.eye(4), "CT", "a").content_hash
    assert first == Volume(array[:, ::-1][:, ::-1], np.eye(4), "MR", "b").content_hash
    shifted = np.eye(4)
    shifted[2, 3] = 1e-3
    others = {
        Volume(array[::-1], np.eye(4)).content_hash,
        Volume(array, shifted).content_hash,
        Volume(array.reshape(1, 9, 3), np.eye(4)).content_hash,
        Volume(array.astype(np.int32), np.eye(4)).content_hash,
    }
    assert len(others | {first}) == 5


def test_a_missing_path_is_named():
    with pytest.raises(FileNotFoundError, match="nothing at .*no-such-scan.nii.gz"):
        read_volume("no-such-scan.nii.gz")


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("name", GEOMETRIES)
def test_a_written_volume_comes_back_with_the_same_voxels_at_the_same_place(name, suffix, tmp_path):
    phantom = torso(name)
    write_volume(phantom.volume, tmp_path / f"scan{suffix}")
    back = read_volume(str(tmp_path / f"scan{suffix}"))
    np.testing.assert_array_equal(back.array_kji, phantom.volume.array_kji)
    np.testing.assert_allclose(back.ijk_to_ras, phantom.volume.ijk_to_ras, atol=2e-4)
    assert back.array_kji.dtype == np.int16
    assert [path.name for path in tmp_path.iterdir()] == [f"scan{suffix}"]


def test_the_sample_scan_is_a_trunk_with_the_liver_on_the_right():
    scan = read_volume(SAMPLE_SCAN)
    assert scan.array_kji.dtype == np.int16
    np.testing.assert_allclose(np.linalg.norm(scan.ijk_to_ras[:3, :3], axis=0), [3, 3, 2.5])
    right, left = (cube_at(scan, (side * 94, 61, -16)) for side in (1, -1))
    assert 35 < right.mean() < 50
    assert right.std() < 20
    assert left.mean() < 0


def cube_at(volume, position_ras):
    i, j, k = np.round(transform_points(np.linalg.inv(volume.ijk_to_ras), position_ras)).astype(int)
    return volume.array_kji[k - 4 : k + 5, j - 4 : j + 5, i - 4 : i + 5]


@pytest.mark.parametrize("name", GEOMETRIES)
def test_the_phantom_has_its_structures_on_their_own_sides(name):
    phantom = torso(name)
    for label, low, high in ((RIGHT, 100, 200), (LEFT, 350, 450)):
        found = centre_of_values(phantom.volume.array_kji, phantom.volume.ijk_to_ras, low, high)
        np.testing.assert_allclose(found, phantom.centre_of(label), atol=2)
