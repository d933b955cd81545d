import shutil

import numpy as np
import pytest
import SimpleITK as sitk
from anatembed.geometry import ras_from_lps
from anatembed.scan.files import read_volume
from phantoms import torso

SMALL = (slice(0, 12), slice(0, 20), slice(0, 30))
UID = "1.2.826.0.1.3680043.8.498."


def write_series(folder, array_kji, ijk_to_ras, *, series=1, modality="CT", intercept=None, skip=(), move=None):
    """One DICOM file per slice, as a scanner would write it; `move` maps a slice number to an extra shift in LPS mm."""
    folder.mkdir(parents=True, exist_ok=True)
    ijk_to_lps = ras_from_lps(ijk_to_ras)
    spacing = np.linalg.norm(ijk_to_lps[:3, :3], axis=0)
    row, column = (ijk_to_lps[:3, :2] / spacing[:2]).T
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for k, plane in enumerate(array_kji):
        if k in skip:
            continue
        image = sitk.GetImageFromArray(plane[None])
        image.SetSpacing([spacing[0], spacing[1], 1.0])
        position = ijk_to_lps @ [0, 0, k, 1]
        position = position[:3] + (move or {}).get(k, (0, 0, 0))
        tags = {
            "0008|0016": "1.2.840.10008.5.1.4.1.1.2",
            "0008|0018": f"{UID}{series}.{k + 1}",
            "0008|0060": modality,
            "0020|000d": f"{UID}9",
            "0020|000e": f"{UID}{series}",
            "0020|0013": str(100 - k),
            "0020|0032": "\\".join(f"{value:.6f}" for value in position),
            "0020|0037": "\\".join(f"{value:.9f}" for value in (*row, *column)),
            "0018|0050": "5",
        }
        if intercept is not None:
            tags |= {"0028|1052": str(intercept), "0028|1053": "1"}
        for tag, value in tags.items():
            image.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{series}-{(k * 7) % 100:03d}.dcm"))
        writer.Execute(image)
    return folder


@pytest.mark.parametrize(
    "geometry", ["as DICOM stores it", "gantry tilt", "oblique", "off origin", "sagittal", "anisotropic"]
)
def test_a_series_comes_back_with_its_voxels_at_their_place(geometry, tmp_path):
    volume = torso(geometry).volume
    read = read_volume(write_series(tmp_path / "series", volume.array_kji, volume.ijk_to_ras))
    assert read.modality == "CT"
    assert read.name == "series"
    right_handed = np.linalg.det(volume.ijk_to_ras[:3, :3]) > 0
    expected = volume.array_kji if right_handed else volume.array_kji[::-1]
    np.testing.assert_array_equal(read.array_kji, expected)
    first = volume.ijk_to_ras if right_handed else volume.ijk_to_ras @ from_the_last_slice(len(volume.array_kji))
    np.testing.assert_allclose(read.ijk_to_ras, first, atol=1e-4)


def test_dicom_coordinates_are_lps_and_the_world_is_ras(scan, tmp_path):
    folder = write_series(tmp_path, *scan)
    tags = sitk.ReadImage(str(folder / "1-000.dcm"))
    assert numbers(tags, "0020|0037") == [1, 0, 0, 0, 1, 0]
    assert numbers(tags, "0020|0032") == [-172.5, -122.5, -72.5]
    expected = [[-5, 0, 0, 172.5], [0, -5, 0, 122.5], [0, 0, 5, -72.5], [0, 0, 0, 1]]
    np.testing.assert_allclose(read_volume(folder).ijk_to_ras, expected, atol=1e-6)


def numbers(image, tag):
    return [float(part) for part in image.GetMetaData(tag).split("\\")]


def from_the_last_slice(count):
    matrix = np.diag([1.0, 1, -1, 1])
    matrix[2, 3] = count - 1
    return matrix


@pytest.fixture
def scan():
    volume = torso("as DICOM stores it").volume
    return volume.array_kji[SMALL], volume.ijk_to_ras


def test_the_rescale_gives_hounsfield_units(scan, tmp_path):
    array, ijk_to_ras = scan
    folder = write_series(tmp_path, array, ijk_to_ras, intercept=-1024)
    raw = read_raw(folder / "1-000.dcm")
    read = read_volume(folder)
    np.testing.assert_array_equal(read.array_kji, array)
    np.testing.assert_array_equal(raw, array[0] + 1024)


def read_raw(path):
    """Stored pixel values, read behind GDCM's back: the last bytes of an uncompressed file."""
    image = sitk.ReadImage(str(path))
    count = int(np.prod(image.GetSize()))
    return np.frombuffer(path.read_bytes()[-2 * count :], "<i2").reshape(image.GetSize()[1::-1])


def test_the_series_with_most_slices_is_taken_wherever_it_lies(scan, tmp_path):
    array, ijk_to_ras = scan
    write_series(tmp_path / "a", array[:3], ijk_to_ras, series=1)
    write_series(tmp_path / "b" / "c", array, ijk_to_ras, series=2)
    write_series(tmp_path / "b" / "c", array[:5] + 7, ijk_to_ras, series=3)
    np.testing.assert_array_equal(read_volume(tmp_path).array_kji, array)


def test_the_modality_is_that_of_the_files(scan, tmp_path):
    assert read_volume(write_series(tmp_path, *scan, modality="MR")).modality == "MR"


def test_a_missing_slice_is_refused_with_the_distances(scan, tmp_path):
    with pytest.raises(ValueError, match="steps from 5.00 to 10.00 mm.*missing or damaged after slice 4 of 11"):
        read_volume(write_series(tmp_path, *scan, skip=(4,)))


def test_two_slices_at_one_place_are_refused(scan, tmp_path):
    with pytest.raises(ValueError, match="several at one place"):
        read_volume(write_series(tmp_path, *scan, move={5: (0, 0, -5.0)}))


def test_a_slice_that_lies_beside_the_others_is_refused(scan, tmp_path):
    with pytest.raises(ValueError, match="4.00 mm beside"):
        read_volume(write_series(tmp_path, *scan, move={5: (4.0, 0, 0)}))


@pytest.mark.parametrize(("thickness_mm", "allowed_mm"), [(5.0, 0.25), (1.0, 0.1)])
def test_how_far_a_slice_may_lie_beside_the_others_is_a_twentieth_of_the_step_or_a_tenth_of_a_mm(
    scan, tmp_path, thickness_mm, allowed_mm
):
    array, ijk_to_ras = scan
    thin = ijk_to_ras @ np.diag([1, 1, thickness_mm / 5, 1])
    near = write_series(tmp_path / "near", array, thin, move={5: (0.96 * allowed_mm, 0, 0)})
    np.testing.assert_allclose(read_volume(near).ijk_to_ras, thin, atol=1e-3)
    far = write_series(tmp_path / "far", array, thin, move={5: (1.04 * allowed_mm, 0, 0)})
    with pytest.raises(ValueError, match="beside"):
        read_volume(far)


def test_rounded_positions_are_allowed(scan, tmp_path):
    array, ijk_to_ras = scan
    read = read_volume(write_series(tmp_path, array, ijk_to_ras, move={3: (0, 0, 0.02), 7: (0.01, 0, -0.03)}))
    np.testing.assert_allclose(read.ijk_to_ras, ijk_to_ras, atol=1e-3)


def test_turned_slices_in_one_series_are_refused(scan, tmp_path):
    array, ijk_to_ras = scan
    write_series(tmp_path, array, ijk_to_ras, skip=range(6, 12))
    tilted = ijk_to_ras.copy()
    tilted[:3, :2] = ijk_to_ras[:3, :2] @ [[0.995, -0.0998], [0.0998, 0.995]]
    write_series(tmp_path / "more", array, tilted, skip=range(6))
    for path in (tmp_path / "more").iterdir():
        shutil.move(path, tmp_path / path.name)
    with pytest.raises(ValueError, match="parallel slices"):
        read_volume(tmp_path)


def test_a_single_slice_is_refused_as_file_and_as_folder(scan, tmp_path):
    folder = write_series(tmp_path / "one", *scan, skip=range(1, 12))
    for path in (folder, folder / "1-000.dcm"):
        with pytest.raises(ValueError, match="single slice \\(30 x 20 x 1\\)"):
            read_volume(path)


def test_a_dicom_file_without_a_suffix_is_recognised(scan, tmp_path):
    folder = write_series(tmp_path / "one", *scan, skip=range(1, 12))
    (folder / "1-000.dcm").rename(folder / "IM0001")
    with pytest.raises(ValueError, match="IM0001 is a single slice"):
        read_volume(folder / "IM0001")


@pytest.mark.parametrize("name", [None, "notes.txt"])
def test_a_folder_without_dicom_is_refused(name, tmp_path):
    if name:
        (tmp_path / name).write_text("nothing to see")
    with pytest.raises(ValueError, match="folder with a DICOM series"):
        read_volume(tmp_path)


def test_a_cut_off_slice_is_refused_in_one_sentence(scan, tmp_path):
    folder = write_series(tmp_path, *scan)
    broken = folder / "1-021.dcm"
    broken.write_bytes(broken.read_bytes()[:-500])
    with pytest.raises(ValueError, match="missing or damaged after slice 3 of 11") as caught:
        read_volume(folder)
    assert "\n" not in str(caught.value)


def test_reading_a_series_says_nothing_on_the_console(tmp_path, capfd):
    volume = torso("gantry tilt").volume
    read_volume(write_series(tmp_path, volume.array_kji[SMALL], volume.ijk_to_ras))
    assert capfd.readouterr() == ("", "")
